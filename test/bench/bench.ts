/** `npm run bench [-- --json]`: what the node's inner loops cost, side by side with their peers and their limits, in one run. */
import { performance } from "node:perf_hooks";
import { verify as nobleVerify } from "@noble/secp256k1";
import { replayStreet } from "../../src/cli/replayStreet.js";
import type { Street } from "../../src/cli/street.js";
import { taggedHash } from "../../src/primitives/hash.js";
import { createVerifier, publicKeyOf, sign } from "../../src/primitives/signature.js";
import { blocks } from "./blocks.js";
import { matchings } from "./matchings.js";
import { decoders } from "./meters.js";
import { proofFiles } from "./proofs.js";

export interface Figure {
	name: string;
	value: number;
	unit: string;
	/** What it is compared with, in the same run. */
	ratio?: { value: number; to: string };
}

const hash = taggedHash("bench");
const secret = hash(Uint8Array.of(1));
const publicKey = publicKeyOf(secret);
const samples = Array.from({ length: 300 }, (_, at) => {
	const digest = hash(Uint8Array.of(2, at & 255, at >> 8));
	return { digest, signature: sign(digest, secret) };
});

/** What a joiner of a street of twenty verifies in a tick or two. */
const BATCH = 1_000;
const BATCH_MEMBERS = 20;

/** Operations a second, the best of some rounds: the machine's noise only ever slows. */
function rate(count: number, round: () => void): number {
	let best = 0;
	round();
	for (let i = 0; i < 5; i++) {
		const begin = performance.now();
		round();
		best = Math.max(best, (count * 1_000) / (performance.now() - begin));
	}
	return best;
}

function signatures(): { figures: Figure[]; verifyPerSecond: number } {
	const verifier = createVerifier();
	const all = (check: (sample: (typeof samples)[number]) => boolean) => () => {
		for (const sample of samples) if (!check(sample)) throw new Error("a good signature is good");
	};
	const peer = rate(
		samples.length,
		all(({ signature, digest }) => nobleVerify(signature.subarray(0, 64), digest, publicKey, { prehash: false })),
	);
	const known = rate(
		samples.length,
		all(({ signature, digest }) => verifier.verify(signature, digest, publicKey)),
	);
	// Each of them is another signature; what is left of a sum's cost is its members' keys.
	const batch = Array.from({ length: BATCH }, (_, at) => {
		const digest = hash(Uint8Array.of(3, at & 255, at >> 8));
		const member = hash(Uint8Array.of(1, at % BATCH_MEMBERS));
		return { digest, signature: sign(digest, member), publicKey: publicKeyOf(member) };
	});
	const batched = rate(BATCH, () => {
		if (verifier.findBad(batch).length > 0) throw new Error("good signatures are good");
	});
	const signing = rate(100, () => {
		for (const { digest } of samples.slice(0, 100)) sign(digest, secret);
	});
	return {
		verifyPerSecond: known,
		figures: [
			{ name: "verify, noble-secp256k1", value: peer, unit: "1/s" },
			{
				name: "verify, known member",
				value: known,
				unit: "1/s",
				ratio: { value: known / peer, to: "noble-secp256k1" },
			},
			{
				name: `verify, ${BATCH} at once by ${BATCH_MEMBERS} members`,
				value: batched,
				unit: "1/s",
				ratio: { value: batched / peer, to: "noble-secp256k1" },
			},
			{ name: "sign", value: signing, unit: "1/s", ratio: { value: signing / known, to: "verify" } },
		],
	};
}

/** A made-up street: sellers and buyers in turn, every reading present. */
function madeUpStreet(households: number, minutes: number): Street {
	const firstMinute = 25_000_000;
	return {
		name: "Bench street",
		tariff: { retailMicroNokPerWh: 1_450, feedInMicroNokPerWh: 600, localFeeMicroNokPerWh: 0 },
		market: undefined,
		firstMinute,
		lastMinute: firstMinute + minutes - 1,
		lastArrivalMinute: firstMinute + minutes - 1,
		households: Array.from({ length: households }, (_, at) => ({
			name: `House ${at + 1}`,
			tokensMicroNok: 100_000_000,
			buyBelowMicroNokPerWh: undefined,
			sellAboveMicroNokPerWh: undefined,
			readings: Array.from({ length: minutes }, (_, minute) => ({
				minute: firstMinute + minute,
				arrivesMinute: firstMinute + minute,
				importWh: at % 2 === 0 ? 0 : (7 * minute + at) % 60,
				exportWh: at % 2 === 0 ? (11 * minute + at) % 50 : 0,
			})),
		})),
		contracts: Array.from({ length: Math.floor(households / 2) }, (_, pair) => ({
			seller: 2 * pair,
			buyer: 2 * pair + 1,
			priceMicroNokPerWh: 1_000,
			fromMinute: undefined,
			untilMinute: undefined,
			energyLimitWh: 0,
		})),
	};
}

async function replay(households: number, minutes: number, verifyPerSecond: number): Promise<Figure[]> {
	const begin = performance.now();
	const { blocks, bytesPerReading, verifications } = await replayStreet(madeUpStreet(households, minutes), () => {});
	const elapsedMs = performance.now() - begin;
	const bareMs = (verifications * 1_000) / verifyPerSecond;
	const name = `replay, ${households} households`;
	return [
		{
			name,
			value: elapsedMs / blocks,
			unit: "ms/block",
			ratio: { value: elapsedMs / bareMs, to: "its bare signature checks" },
		},
		{ name: `${name}, chain`, value: bytesPerReading, unit: "bytes/reading" },
	];
}

const { figures, verifyPerSecond } = signatures();
figures.push(...decoders(), ...matchings(), ...blocks());
figures.push(...(await proofFiles()));
figures.push(...(await replay(4, 240, verifyPerSecond)), ...(await replay(10, 60, verifyPerSecond)));
if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
else {
	console.table(
		figures.map(({ name, value, unit, ratio }) => ({
			name,
			value: Number(value.toPrecision(4)),
			unit,
			ratio:
				ratio === undefined
					? ""
					: `${ratio.value < 0.01 ? ratio.value.toExponential(1) : ratio.value.toFixed(2)} × ${ratio.to}`,
		})),
	);
}
