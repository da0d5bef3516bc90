import { createHash } from "node:crypto";
import { Point } from "@noble/secp256k1";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/primitives/bytes.js";
import { type CurvePoint, type Multiple, P, partsOfSum, pointAt } from "../../../src/primitives/multiScalar.js";
import { createVerifier, publicKeyOf, type SignatureCheck, sign } from "../../../src/primitives/signature.js";
import { oneByOne } from "../../support/oneByOne.js";

const { n: ORDER } = Point.CURVE();
const sha256 = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());
const numberOf = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes)}`);
const mod = (value: bigint) => ((value % ORDER) + ORDER) % ORDER;

function bytesOf(hex: string): Uint8Array {
	const bytes = fromHex(hex);
	if (!bytes.ok) throw new Error(hex);
	return bytes.value;
}

const bytes32 = (value: bigint) => bytesOf(value.toString(16).padStart(64, "0"));

function inverseOf(value: bigint): bigint {
	let [result, base] = [1n, mod(value)];
	for (let exponent = ORDER - 2n; exponent > 0n; exponent >>= 1n) {
		if (exponent & 1n) result = mod(result * base);
		base = mod(base * base);
	}
	return result;
}

const SECRETS = Array.from({ length: 5 }, (_, at) => sha256(`secret ${at}`));
const KEYS = SECRETS.map(publicKeyOf);

/** A good signature of household `at % 5`. */
function checkOf(at: number): SignatureCheck {
	const digest = sha256(`digest ${at}`);
	const [secret, publicKey] = [SECRETS[at % SECRETS.length], KEYS[at % KEYS.length]];
	if (secret === undefined || publicKey === undefined) throw new Error("every household has a key");
	return { digest, publicKey, signature: sign(digest, secret) };
}

/** More than the fewest that are summed. */
const GOOD = Array.from({ length: 48 }, (_, at) => checkOf(at));

type Damage = (check: SignatureCheck) => SignatureCheck;

function withSignature(change: (signature: Uint8Array) => void): Damage {
	return (check) => {
		const signature = check.signature.slice();
		change(signature);
		return { ...check, signature };
	};
}

const DAMAGES: Record<string, Damage> = {
	"another digest": (check) => ({ ...check, digest: sha256("another") }),
	"a digest that is too short": (check) => ({ ...check, digest: check.digest.subarray(1) }),
	"another's key": (check) => ({ ...check, publicKey: publicKeyOf(sha256("nobody")) }),
	"a key that is no point": (check) => ({ ...check, publicKey: bytesOf(`02${"05".padStart(64, "0")}`) }),
	"no key": (check) => ({ ...check, publicKey: new Uint8Array(0) }),
	"the other bit": withSignature((signature) => signature.set([1 - (signature[64] ?? 0)], 64)),
	"a bit of 2": withSignature((signature) => signature.set([2], 64)),
	"r that is no x of a point": withSignature((signature) => signature.set(bytes32(5n))),
	"r of another point": withSignature((signature) => signature.set(bytes32(1n))),
	"r = 0": withSignature((signature) => signature.set(new Uint8Array(32))),
	"r = n": withSignature((signature) => signature.set(bytes32(ORDER))),
	"s = 0": withSignature((signature) => signature.set(new Uint8Array(32), 32)),
	"another s": withSignature((signature) => signature.set(bytes32(numberOf(signature.subarray(32, 64)) ^ 1n), 32)),
	"a high s": withSignature((signature) => {
		signature.set(bytes32(ORDER - numberOf(signature.subarray(32, 64))), 32);
		signature[64] = 1 - (signature[64] ?? 0);
	}),
	"a byte too few": (check) => ({ ...check, signature: check.signature.subarray(0, 64) }),
};

function damaged(checks: readonly SignatureCheck[], places: ReadonlyMap<number, string>): SignatureCheck[] {
	return checks.map((check, at) => DAMAGES[places.get(at) ?? ""]?.(check) ?? check);
}

describe("many signatures at once", () => {
	const verifier = createVerifier();

	it("are good if each is", () => {
		expect(verifier.findBad(GOOD)).toEqual([]);
		expect(verifier.findBad([])).toEqual([]);
		// The same ones again and again meet in one bucket.
		expect(verifier.findBad([...GOOD, ...GOOD, ...GOOD])).toEqual([]);
		expect(verifier.findBad(Array.from({ length: 40 }, () => checkOf(1)))).toEqual([]);
	});

	it.each(Object.keys(DAMAGES))("name the one with %s", (damage) => {
		expect(verifier.findBad(damaged(GOOD, new Map([[29, damage]])))).toEqual([29]);
	});

	it("are found bad as one by one, whatever is wrong with them", () => {
		const damages = fc.array(fc.tuple(fc.nat(GOOD.length - 1), fc.constantFrom(...Object.keys(DAMAGES))), {
			maxLength: 12,
		});
		fc.assert(
			fc.property(damages, fc.integer({ min: 1, max: GOOD.length }), (wrong, count) => {
				const checks = damaged(GOOD, new Map(wrong)).slice(0, count);
				expect(verifier.findBad(checks)).toEqual(oneByOne(verifier.verify).findBad(checks));
			}),
			{ numRuns: 40 },
		);
	});

	it("do not vouch for one another: two bad ones of a household that would cancel out are both found", () => {
		const [secret, publicKey] = [SECRETS[0], KEYS[0]];
		if (secret === undefined || publicKey === undefined) throw new Error("there is a household");
		const q = numberOf(secret);
		for (let attempt = 0; ; attempt++) {
			const pair = [0, 1].map((at) => {
				const nonce = mod(numberOf(sha256(`nonce ${attempt} ${at}`)));
				const { x, y } = Point.BASE.multiply(nonce).toAffine();
				return { digest: sha256(`cancelling ${at}`), nonce, r: x, bit: Number(y & 1n) };
			});
			const [one, two] = pair;
			if (one === undefined || two === undefined) throw new Error("a pair has two");
			// Any s is wrong by (h + r·q) / s − nonce; the other's s is made wrong by just as much less.
			const s1 = mod(numberOf(sha256(`s ${attempt}`))) >> 1n;
			const wrong = mod((numberOf(one.digest) + one.r * q) * inverseOf(s1) - one.nonce);
			const s2 = mod((numberOf(two.digest) + two.r * q) * inverseOf(mod(two.nonce - wrong)));
			if (s2 > ORDER >> 1n) continue;
			const forged = [[one, s1] as const, [two, s2] as const].map(([{ bit, digest, r }, s]) => ({
				digest,
				publicKey,
				signature: Uint8Array.of(...bytes32(r), ...bytes32(s), bit),
			}));
			expect(verifier.findBad([...GOOD, ...forged])).toEqual([GOOD.length, GOOD.length + 1]);
			return;
		}
	});
});

/** A point by its multiple of the base. */
function pointOf(scalar: bigint): CurvePoint {
	return Point.BASE.multiply(scalar).toAffine();
}

/** Little-endian. */
const factorOf = (value: bigint) => bytes32(value).toReversed().slice(0, 16);

function sumOf(parts: readonly (CurvePoint | undefined)[]): Point {
	return parts.reduceRight<Point>((sum, part) => {
		const doubled = sum.double();
		return part === undefined ? doubled : doubled.add(Point.fromAffine(part));
	}, Point.ZERO);
}

describe("a sum of multiples", () => {
	const scalars = fc.bigInt({ min: 1n, max: 40n });
	const factors = fc.oneof(
		fc.bigInt({ min: 0n, max: (1n << 127n) - 1n }),
		fc.constantFrom(0n, 1n, (1n << 127n) - 1n, 1n << 126n),
	);

	it("is what noble adds up, where points are equal, opposite or doubled too", () => {
		fc.assert(
			fc.property(fc.array(fc.tuple(scalars, fc.boolean(), factors), { maxLength: 60 }), (terms) => {
				let expected = 0n;
				const multiples = terms.map(([scalar, isNegative, factor]): Multiple => {
					const { x, y } = pointOf(scalar);
					expected = mod(expected + (isNegative ? -scalar : scalar) * factor);
					return { point: { x, y: isNegative ? P - y : y }, factor: factorOf(factor) };
				});
				const actual = sumOf(partsOfSum(multiples));
				expect(actual.equals(expected === 0n ? Point.ZERO : Point.BASE.multiply(expected))).toBe(true);
			}),
			{ numRuns: 150 },
		);
	});

	it("finds the points of the curve by their x, and that others have none", () => {
		for (let scalar = 1n; scalar <= 20n; scalar++) {
			const point = pointOf(scalar);
			expect(pointAt(point.x, (point.y & 1n) === 1n)).toEqual(point);
			expect(pointAt(point.x, (point.y & 1n) === 0n)).toEqual({ x: point.x, y: P - point.y });
		}
		expect(pointAt(5n, true)).toBeUndefined();
		expect(pointAt(0n, false)).toBeUndefined();
	});
});
