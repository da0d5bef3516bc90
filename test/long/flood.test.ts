/**
 * A member that says more than any correct node, in real time and with real signatures: the median of what an honest act
 * takes, from the command to the committed block at its author, is at most twice what it is while nobody floods. Both are
 * measured in one street, whose nodes share one thread: the flood costs each of them, and an act waits for their sum.
 */
import { describe, expect, it } from "vitest";
import type { ReadingTransaction } from "../../src/block/kinds/metering.js";
import { transactionId } from "../../src/block/transaction.js";
import { toFrames } from "../../src/message/frames.js";
import type { Message } from "../../src/message/message.js";
import { encodeMessage } from "../../src/message/wire.js";
import { sign } from "../../src/primitives/signature.js";
import { type Cluster, FIRST_MINUTE, foundedStreet } from "../support/cluster.js";

const HOUSEHOLDS = 5;
/** What WebRTC carried between two pages of one machine; per neighbour, that would be a fast line. */
const CHANNEL_BYTES_PER_SECOND = 40_000_000;
const CHANNEL_FRAMES_PER_SECOND = 20_000;
const UNDER_WAY_SECONDS = 0.1;
/** Just below what is allowed for ever (node/conduct.ts). */
const PATIENT = { bytesPerSecond: 3_900_000, framesPerSecond: 250 };
const GREEDY = { bytesPerSecond: CHANNEL_BYTES_PER_SECOND, framesPerSecond: CHANNEL_FRAMES_PER_SECOND };
const PHASE_MS = Number(process.env.NABOSTROM_FLOOD_MS ?? 15_000);
/** The longest that the flooder reads: it takes part in the street. */
const READ_BYTES = 2_048;
/** An act is due so often, whether the one before it is done or not: what waits for that one waits, too. */
const EVERY_MS = 200;

/** Frames that the flooder has ready, each a message. */
type Ammunition = (cluster: Cluster, flooder: number) => readonly Uint8Array[];

const framesOf = (messages: readonly Message[]) =>
	messages.flatMap((message, at) => toFrames(encodeMessage(message), 1_000_000 + at));

/** Readings of the flooder's household for minutes to come, 200 in a message. */
function readings(cluster: Cluster, flooder: number, count: number, isSigned: boolean): Message[] {
	const { gridId, config, member = 0 } = cluster.street(flooder);
	const all = Array.from({ length: count }, (_, at): ReadingTransaction => {
		const unsigned = {
			...{ kind: "reading" as const, member, minute: FIRST_MINUTE + 60 + at, importWh: at % 1_000 },
			...{ exportWh: 0, quality: "measured" as const },
		};
		const digest = transactionId(unsigned, gridId);
		const forged = new Uint8Array(65).fill(1).fill(0, 64);
		return { ...unsigned, signature: isSigned ? sign(digest, config.keys.deviceSecret) : forged };
	});
	return Array.from({ length: count / 200 }, (_, at) => ({
		type: "transactions",
		transactions: all.slice(at * 200, (at + 1) * 200),
	}));
}

const FLOODS: readonly [string, typeof GREEDY, Ammunition][] = [
	["small messages, as many as the channel takes", GREEDY, () => framesOf([STATUS])],
	["small messages, as many as are allowed", PATIENT, () => framesOf([STATUS])],
	[
		"forged transactions, as many as the channel takes",
		GREEDY,
		(cluster, flooder) => framesOf(readings(cluster, flooder, 10_000, false)),
	],
	[
		"forged transactions, as many as are allowed",
		PATIENT,
		(cluster, flooder) => framesOf(readings(cluster, flooder, 10_000, false)),
	],
	[
		"transactions of its own that are good, and far too many",
		PATIENT,
		(cluster, flooder) => framesOf(readings(cluster, flooder, 2_000, true)),
	],
	["requests for all blocks", PATIENT, () => framesOf([{ type: "blocksRequest", fromIndex: 1 }])],
	["requests for the genesis", PATIENT, () => framesOf([{ type: "genesisRequest" }])],
];
const STATUS: Message = { type: "status", headIndex: 1, headHash: new Uint8Array(32), term: 1, role: "follower" };

class RealTime {
	readonly #cluster: Cluster;
	readonly #flooder: number;
	readonly #honest: readonly number[];
	#lastMs = performance.now();
	#acts = 0;
	/** By neighbour: bytes and frames that the channel would have taken since. */
	readonly #room = new Map<number, { bytes: number; frames: number; next: number }>();
	sentFrames = 0;

	constructor(cluster: Cluster) {
		this.#cluster = cluster;
		this.#flooder = cluster.leader() === HOUSEHOLDS - 1 ? HOUSEHOLDS - 2 : HOUSEHOLDS - 1;
		this.#honest = cluster.houses.map(({ index }) => index).filter((at) => at !== this.#flooder);
	}

	get flooder(): number {
		return this.#flooder;
	}

	/** So long as a phase is: what each act took, ms. */
	async acts(flood?: { rate: typeof GREEDY; frames: readonly Uint8Array[] }): Promise<number[]> {
		const took: number[] = [];
		this.#lastMs = performance.now();
		const beginMs = performance.now();
		for (let dueMs = beginMs; dueMs < beginMs + PHASE_MS; dueMs += EVERY_MS) {
			while (performance.now() < dueMs) await this.#pass(flood);
			await this.#act(flood);
			took.push(performance.now() - dueMs);
		}
		return took;
	}

	/** An offer, or its withdrawal, by one household after the other. */
	async #act(flood?: { rate: typeof GREEDY; frames: readonly Uint8Array[] }): Promise<void> {
		const cluster = this.#cluster;
		const at = this.#honest[this.#acts % this.#honest.length] ?? 0;
		this.#acts += 1;
		const [offer] = [...cluster.street(at).chain.head.ledger.offers.entries()].filter(
			([, { seller }]) => seller === at,
		);
		const fromMinute = Math.floor(cluster.chainMs / 60_000) + 100;
		const id = cluster.ask(
			at,
			offer === undefined
				? {
						type: "offer",
						priceMicroNokPerWh: 1_000,
						fromMinute,
						untilMinute: fromMinute + 60,
						energyLimitWh: 0,
						noticeMinutes: 0,
						maxBuyers: 1,
					}
				: { type: "withdraw", offerId: offer[0] },
		);
		for (;;) {
			await this.#pass(flood);
			const reply = cluster.reply(id);
			if (reply?.ok === false) throw new Error(reply.error.code);
			if (reply?.value.type !== "signed") continue;
			if (cluster.own(at, reply.value.id)?.state === "confirmed") return;
		}
	}

	/** As much time passes as has passed, and the flooder says what its channels have taken in it. */
	async #pass(flood?: { rate: typeof GREEDY; frames: readonly Uint8Array[] }): Promise<void> {
		const ms = Math.floor(performance.now() - this.#lastMs);
		if (ms < 1) {
			await new Promise((resolve) => setTimeout(resolve, 1));
			return;
		}
		this.#lastMs += ms;
		if (flood !== undefined) this.#flood(flood, ms);
		await this.#cluster.step(ms);
	}

	#flood({ rate, frames }: { rate: typeof GREEDY; frames: readonly Uint8Array[] }, ms: number): void {
		for (const target of this.#honest) {
			const room = this.#room.get(target) ?? { bytes: 0, frames: 0, next: 0 };
			this.#room.set(target, room);
			// What nobody has taken yet is not sent twice: a tenth of a second's worth is under way at most.
			const seconds = Math.min(ms / 1_000, UNDER_WAY_SECONDS);
			room.bytes = Math.min(room.bytes + rate.bytesPerSecond * seconds, rate.bytesPerSecond * UNDER_WAY_SECONDS);
			room.frames = Math.min(room.frames + rate.framesPerSecond * seconds, rate.framesPerSecond * UNDER_WAY_SECONDS);
			while (this.#cluster.areConnected(this.#flooder, target)) {
				const frame = frames[room.next % frames.length] ?? new Uint8Array();
				if (room.frames < 1 || room.bytes < frame.length) break;
				room.bytes -= frame.length;
				room.frames -= 1;
				room.next += 1;
				this.sentFrames += 1;
				this.#cluster.inject(this.#flooder, target, frame);
			}
		}
	}
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

describe("an honest act takes at most twice as long while a member floods with", () => {
	it.each(FLOODS)("%s", async (name, rate, ammunition) => {
		const cluster = await foundedStreet(HOUSEHOLDS, { realSignatures: true });
		const street = new RealTime(cluster);
		// What it asks for it does not read: that would cost its own device, and here everybody's thread.
		cluster.tamper = (_from, to, frame) => (to === street.flooder && frame.length > READ_BYTES ? undefined : frame);
		const frames = ammunition(cluster, street.flooder);
		// Whatever is compiled and cached after some use is so before anything is measured.
		await street.acts();
		const quiet = await street.acts();
		const flooded = await street.acts({ rate, frames });
		const after = await street.acts();
		const undisturbed = median([...quiet, ...after]);
		const figures = [quiet, flooded, after].map((acts) => `${acts.length} acts, median ${median(acts).toFixed(1)} ms`);
		const refusals = JSON.stringify(cluster.view(cluster.leader()).refusals);
		console.log(`${name}: quiet ${figures.join("; flooded ")}; ${street.sentFrames} frames; ${refusals}`);
		expect(median(flooded) / undisturbed).toBeLessThanOrEqual(2);
	});
});
