/**
 * Damaged frames into a live node of a street. From a device that is no member nothing may come of any of them, good by
 * chance or not; from a member what is still a message is taken as one, and moves neither the chain nor bank accounts nor
 * what is this household's own. The street goes on in both cases.
 */
import fc from "fast-check";
import { expect } from "vitest";
import { FrameAssembler, toFrames } from "../../src/message/frames.js";
import type { Message } from "../../src/message/message.js";
import { decodeMessage, encodeMessage } from "../../src/message/wire.js";
import type { NodeOutput } from "../../src/node/protocol.js";
import { taggedHash } from "../../src/primitives/hash.js";
import { type Cluster, FIRST_MINUTE, foundedStreet } from "./cluster.js";
import { damaged, type Said } from "./frameDamage.js";
import { MESSAGES } from "./messageArbitraries.js";
import { StrangeDevice } from "./strangeDevice.js";
import { createRandom, pick, type Random } from "./xorshift.js";

export const KINDS = Object.keys(MESSAGES) as Message["type"][];

/** It leads, or follows, as it comes; its conduct is remembered over all kinds. */
const VICTIM = 1;
/** More than a node remembers the conduct of (node/conduct.ts): the first is forgotten before it comes again. */
const STRANGERS = 1_100;
/** The third within an hour, and a device is kept out. */
const STRIKES = 2;
/** Of a kind, beside what the street itself said. */
const SAMPLES = 20;

const hashSecret = taggedHash("test stranger");
const secretOf = (number: number) => hashSecret(Uint8Array.of(number >> 8, number & 0xff));

/** What became of damaged messages. */
export interface FuzzCounts {
	/** Refused by the frame or message decoder, by its code. */
	malformed: Record<string, number>;
	/** A part of a longer message, of which nothing more came. */
	incomplete: number;
	/** Still a message. */
	wellFormed: number;
}

export class FrameFuzz {
	readonly #cluster: Cluster;
	readonly #random: Random;
	readonly #said: ReadonlyMap<Message["type"], readonly Said[]>;
	/** Kinds of which there are messages that nodes said. */
	readonly heardKinds: ReadonlySet<Message["type"]>;
	#outputs: NodeOutput[];
	readonly #stillGood = new Map<Message["type"], Said[]>();
	#strangers = 0;

	private constructor(
		cluster: Cluster,
		outputs: NodeOutput[],
		heard: ReadonlyMap<Message["type"], Said[]>,
		seed: number,
	) {
		this.#cluster = cluster;
		this.#outputs = outputs;
		this.#random = createRandom(seed);
		this.heardKinds = new Set(heard.keys());
		this.#said = new Map(KINDS.map((kind) => [kind, [...(heard.get(kind) ?? []), ...samplesOf(kind, seed)]]));
	}

	/** A street whose nodes said most of what nodes say. */
	static async begin(seed: number): Promise<FrameFuzz> {
		const outputs: NodeOutput[] = [];
		const heard = new Map<Message["type"], Said[]>();
		const assemblers = new Map<string, { assembler: FrameAssembler; frames: Uint8Array[] }>();
		const cluster = await foundedStreet(4, {
			moneyKind: "prepaid",
			onOutput: (output) => {
				if (output.type !== "peerFrame" && output.type !== "closePeer") return;
				if (output.channel.startsWith("strange")) outputs.push(output);
				else if (output.type === "peerFrame") listen(output.channel, output.frame);
			},
		});
		function listen(channel: string, frame: Uint8Array): void {
			const { assembler, frames } = assemblers.get(channel) ?? { assembler: new FrameAssembler(), frames: [] };
			assemblers.set(channel, { assembler, frames });
			frames.push(frame);
			const whole = assembler.push(frame);
			if (!whole.ok || whole.value === undefined) return;
			const message = decodeMessage(whole.value);
			const said = frames.splice(0);
			if (!message.ok) return;
			const { type } = message.value;
			heard.set(type, [...(heard.get(type) ?? []).slice(-99), said]);
		}
		await tellStory(cluster);
		return new FrameFuzz(cluster, outputs, heard, seed);
	}

	/** Damaged messages of a kind, by devices that nobody knows, into one node. Each of them changes nothing there. */
	async strangersSay(kind: Message["type"], count: number): Promise<FuzzCounts> {
		const cluster = this.#cluster;
		const victim = VICTIM;
		const { node, storage, faults } = cluster.house(victim);
		const street = cluster.street(victim);
		const standing = () => {
			const { chain, config, outbox, mempool, raft } = street;
			const { term, votedFor, lastSigned, role, base, tail, votes, acknowledgements } = raft ?? {};
			return [
				...[0, 1, 2, 3].map((member) => street.accounts.of(member)),
				...[storage.writes, chain.head, chain.head.ledger, chain.last.block, config, outbox.size, mempool.size],
				...[term, votedFor, lastSigned, role, base, tail?.length, votes?.size, acknowledgements?.size, faults.length],
			];
		};
		const before = standing();
		const counts: FuzzCounts = { malformed: {}, incomplete: 0, wellFormed: 0 };
		let device: StrangeDevice | undefined;
		let strikes = 0;
		let assembler = new FrameAssembler();
		for (let done = 0; done < count; done++) {
			if (device === undefined) {
				if (strikes >= STRIKES) strikes = 0;
				if (strikes === 0) this.#strangers += 1;
				device = this.#strange(node, secretOf(this.#strangers % STRANGERS), street.gridId);
				expect(await device.open(`strange ${this.#strangers}`)).toBeUndefined();
				assembler = new FrameAssembler();
			}
			const frames = this.#damaged(kind);
			const outcome = outcomeOf(frames, assembler);
			let code: string | undefined;
			for (const frame of frames) code ??= await device.say(frame);
			if (outcome === "incomplete") counts.incomplete += 1;
			else if (outcome === "message") {
				counts.wellFormed += 1;
				this.#stillGood.set(kind, [...(this.#stillGood.get(kind) ?? []).slice(-299), frames]);
			} else {
				counts.malformed[outcome] = (counts.malformed[outcome] ?? 0) + 1;
				expect(code).toBe(outcome);
			}
			if (code !== undefined) {
				strikes += 1;
				device = undefined;
			}
			const now = standing();
			if (now.some((part, at) => part !== before[at])) expect(now, `${kind}: ${frames.map(hexOf)}`).toEqual(before);
		}
		await device?.leave();
		await this.#goesOn(victim);
		return counts;
	}

	/**
	 * What was damaged and is a message all the same, said by a member's device. Votes may be asked for with it, or
	 * evidence shown; the chain, the outbox and the settings are as they were. Gives how many of them cost the channel.
	 */
	async memberSays(count: number): Promise<{ said: number; refused: number }> {
		const cluster = this.#cluster;
		const victim = VICTIM;
		const other = [0, 1, 2, 3].find((at) => at !== victim && at !== cluster.leader()) ?? 0;
		const secret = cluster.house(other).node.street?.config.keys.deviceSecret ?? new Uint8Array();
		cluster.off(other);
		const counts = { said: 0, refused: 0 };
		let device: StrangeDevice | undefined;
		for (const [kind, messages] of this.#stillGood) {
			for (const frames of messages.slice(-count)) {
				while (device === undefined) {
					const { gridId } = cluster.street(victim);
					device = this.#strange(cluster.house(victim).node, secret, gridId);
					if ((await device.open("strange member")) === undefined) break;
					device = undefined;
					// Kept out: a start forgets it.
					cluster.off(victim);
					await cluster.on(victim);
					await cluster.settle();
				}
				const { accounts, chain, config, outbox, halted } = cluster.street(victim);
				const kept = () => [0, 1, 2, 3].map((member) => accounts.of(member));
				const before = [chain.head, chain.head.ledger, config.keys, outbox.size, halted, ...kept()];
				let code: string | undefined;
				for (const frame of frames) code ??= await device.say(frame);
				const { chain: now, config: settings, outbox: own, halted: stands } = cluster.street(victim);
				const after = [now.head, now.head.ledger, settings.keys, own.size, stands, ...kept()];
				if (after.some((part, at) => part !== before[at]))
					expect(after, `${kind}: ${frames.map(hexOf)}`).toEqual(before);
				counts.said += 1;
				if (code !== undefined) {
					counts.refused += 1;
					device = undefined;
				}
				if (counts.said % 25 === 0) {
					await cluster.step();
					// Whatever it heard, it may have said so and closed the channel.
					if (device?.closedBy(this.#outputs) !== undefined) device = undefined;
				}
			}
		}
		await device?.leave();
		await cluster.on(other);
		await this.#goesOn(victim);
		await this.#goesOn(other);
		return counts;
	}

	/** The next minute is committed, by everybody and here, with a reading of this household. */
	async #goesOn(at: number): Promise<void> {
		const cluster = this.#cluster;
		const height = cluster.height(at);
		await cluster.until(() => cluster.height(at) > height, "the street goes on");
		await cluster.settle();
		expect(cluster.house(at).faults).toEqual([]);
	}

	#damaged(kind: Message["type"]): Uint8Array[] {
		const said = this.#said.get(kind) ?? [];
		const others = this.#said.get(pick(KINDS, this.#random)) ?? [];
		return damaged(pick(said, this.#random), others, this.#random);
	}

	#strange(
		node: { handle: Cluster["houses"][number]["node"]["handle"] },
		secret: Uint8Array,
		context: Uint8Array,
	): StrangeDevice {
		const spoken = {
			handle: (input: Parameters<typeof node.handle>[0]) => node.handle(input),
			taken: () => this.#outputs.splice(0),
		};
		return new StrangeDevice(spoken, secret, context);
	}
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 200)).toString("hex");

/** What the decoders make of frames that come one after the other on a channel. */
function outcomeOf(frames: readonly Uint8Array[], assembler: FrameAssembler): "incomplete" | "message" | string {
	let isMessage = false;
	for (const frame of frames) {
		const whole = assembler.push(frame);
		if (!whole.ok) return whole.error.code;
		if (whole.value === undefined) continue;
		const message = decodeMessage(whole.value);
		if (!message.ok) return message.error.code;
		isMessage = true;
	}
	return isMessage ? "message" : "incomplete";
}

function samplesOf(kind: Message["type"], seed: number): Said[] {
	const messages = fc.sample<Message>(MESSAGES[kind], { seed, numRuns: SAMPLES });
	return messages.map((message, at) => toFrames(encodeMessage(message), at));
}

/** What makes nodes say most of what they can say: acts, readings, elections, a handover, one that was away. */
async function tellStory(cluster: Cluster): Promise<void> {
	await cluster.command(1, { type: "buy", amountMicroNok: 1_000_000 });
	for (const at of [0, 1, 2]) {
		await cluster.command(at, { type: "account", account: { holder: "Kari Nordmann", number: "12345678903" } });
	}
	await cluster.read(1, FIRST_MINUTE, 1);
	await cluster.nextMinute();
	await cluster.input(cluster.leader(), { type: "closing" });
	await cluster.run(5_000);
	const leader = cluster.leader();
	cluster.off(leader);
	await cluster.run(150_000, 500);
	await cluster.on(leader);
	await cluster.settle();
}
