/**
 * Many signatures verified by one sum. Each holds if R = u1·G + u2·Q (SEC 1 §4.1.4), and all of them, but for a chance of
 * 2⁻¹²⁶, if Σ z·R = (Σ z·u1)·G + Σ (Σ z·u2)·Q for factors z that nobody could know before all signatures were made: they
 * come of a hash of all of them (Bellare, Garay, Rabin 1998: small exponents). The recovery bit says which R it is, so
 * that a wrong bit is a wrong signature here as it is by itself.
 */
import { Point } from "@noble/secp256k1";
import { toNumber } from "./bytes.js";
import { taggedHash } from "./hash.js";
import { type MemberKey, ORDER } from "./memberKey.js";
import { FACTOR_BYTES, invertAll, type Multiple, partsOfSum, pointAt } from "./multiScalar.js";

/** The numbers of a signature, each within its bounds. */
export interface SignatureParts {
	readonly r: bigint;
	readonly s: bigint;
	/** Whether the y of the nonce point is odd. */
	readonly isOdd: boolean;
	readonly digest: bigint;
}

export interface BatchedSignature extends SignatureParts {
	/** By which it is named. */
	readonly at: number;
	readonly key: MemberKey;
	/** All that is signed and by whom, of always the same lengths. */
	readonly said: readonly Uint8Array[];
	/** Verifies it by itself. */
	readonly isGood: () => boolean;
}

/** Below so many a sum costs more than it saves. */
const LEAST_IN_SUM = 16;
const hashBatch = taggedHash("signature batch");

/** R counts z times on one side, G and Q on the other. */
interface Term extends Multiple {
	readonly of: BatchedSignature;
	/** z·u1 and z·u2. */
	readonly ofBase: bigint;
	readonly ofKey: bigint;
}

/** Names those that do not verify. Where a sum is wrong each half is looked at by itself. */
export function findBadOf(signatures: readonly BatchedSignature[]): number[] {
	const bad: number[] = [];
	const verifyEach = (few: readonly BatchedSignature[]): void => {
		for (const { at, isGood } of few) if (!isGood()) bad.push(at);
	};
	const search = (terms: readonly Term[]): void => {
		if (terms.length < LEAST_IN_SUM) verifyEach(terms.map(({ of }) => of));
		else if (!isSumRight(terms)) {
			const middle = terms.length >> 1;
			search(terms.slice(0, middle));
			search(terms.slice(middle));
		}
	};
	if (signatures.length < LEAST_IN_SUM) verifyEach(signatures);
	else search(termsOf(signatures, bad));
	return bad;
}

/** `bad` hears of those whose r is of no point. */
function termsOf(signatures: readonly BatchedSignature[], bad: number[]): Term[] {
	const seed = hashBatch(...signatures.flatMap(({ said }) => said));
	const inverses = invertAll(
		signatures.map(({ s }) => s),
		ORDER,
	);
	return signatures.flatMap((of, place) => {
		const { at, digest, isOdd, r } = of;
		const point = pointAt(r, isOdd);
		if (point === undefined) {
			bad.push(at);
			return [];
		}
		const factor = factorOf(seed, place);
		const z = toNumber(factor.toReversed());
		const part = (z * (inverses[place] ?? 0n)) % ORDER;
		return [{ of, point, factor, ofBase: part * digest, ofKey: part * r }];
	});
}

/** Odd, so that none is 0, and below 2^127. */
function factorOf(seed: Uint8Array, place: number): Uint8Array {
	const factor = hashBatch(seed, Uint8Array.of(place >> 24, place >> 16, place >> 8, place)).slice(0, FACTOR_BYTES);
	factor[0] = (factor[0] ?? 0) | 1;
	factor[FACTOR_BYTES - 1] = (factor[FACTOR_BYTES - 1] ?? 0) & 0x7f;
	return factor;
}

function isSumRight(terms: readonly Term[]): boolean {
	let ofBase = 0n;
	const ofKeys = new Map<MemberKey, bigint>();
	for (const term of terms) {
		const { key } = term.of;
		ofBase += term.ofBase;
		ofKeys.set(key, (ofKeys.get(key) ?? 0n) + term.ofKey);
	}
	let expected = Point.BASE.multiplyUnsafe(ofBase % ORDER);
	for (const [key, sum] of ofKeys) expected = expected.add(key.multiply(sum % ORDER));
	const actual = partsOfSum(terms).reduceRight<Point>((sum, part) => {
		const doubled = sum.double();
		return part === undefined ? doubled : doubled.add(Point.fromAffine(part));
	}, Point.ZERO);
	return actual.equals(expected);
}
