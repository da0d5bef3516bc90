/** Public keys that sign again and again, with tables of their multiples. */
import { Point, utils } from "@noble/secp256k1";
import { assert } from "./assert.js";
import { toHex } from "./bytes.js";

/** Of the group: how many multiples the base point has. */
export const { n: ORDER } = Point.CURVE();

/** Whether these bytes are a compressed point of the curve. */
export function isPublicKey(bytes: Uint8Array): boolean {
	return utils.isValidPublicKey(bytes, true);
}

/** A key is given a table only once it has signed this often: building one costs as much as some ten verifications. */
const USES_BEFORE_TABLE = 12;
/** Bits of a window: the sum over 43 windows of 32 signed multiples each. */
const WINDOW_BITS = 6;

/** Public keys that were seen, decompressed once, least recently used dropped first. */
export class KeyCache {
	readonly #keys = new Map<string, MemberKey>();
	readonly #limit: number;

	constructor(limit: number) {
		this.#limit = limit;
	}

	get(publicKey: Uint8Array): MemberKey | undefined {
		const name = toHex(publicKey);
		let key = this.#keys.get(name);
		if (key === undefined) {
			if (!isPublicKey(publicKey)) return undefined;
			key = new MemberKey(Point.fromBytes(publicKey));
		} else {
			this.#keys.delete(name);
		}
		this.#keys.set(name, key);
		if (this.#keys.size > this.#limit) {
			for (const oldest of this.#keys.keys()) {
				this.#keys.delete(oldest);
				break;
			}
		}
		return key;
	}
}

/** A public key with its multiples: fixed-window multiplication with signed digits, as noble does it for the base point. */
export class MemberKey {
	readonly #point: Point;
	#uses = 0;
	#table: Point[] = [];

	constructor(point: Point) {
		this.#point = point;
	}

	/** scalar · Q, for 0 ≤ scalar < n. Variable time: both are public. */
	multiply(scalar: bigint): Point {
		this.#uses += 1;
		if (this.#uses < USES_BEFORE_TABLE) return this.#point.multiplyUnsafe(scalar);
		if (this.#table.length === 0) this.#table = multiplesOf(this.#point);
		const half = 1 << (WINDOW_BITS - 1);
		let rest = scalar;
		let sum = Point.ZERO;
		for (let base = 0; rest > 0n; base += half) {
			let digit = Number(rest & BigInt(2 * half - 1));
			rest >>= BigInt(WINDOW_BITS);
			if (digit > half) {
				// digit − 64 is a smaller negative multiple, and the window above takes the borrow.
				digit -= 2 * half;
				rest += 1n;
			}
			if (digit === 0) continue;
			const multiple = this.#table[base + Math.abs(digit) - 1];
			assert(multiple !== undefined, "the table covers every window of a scalar below the group order");
			sum = sum.add(digit > 0 ? multiple : multiple.negate());
		}
		return sum;
	}
}

/** For each window w the points 1 … 32 times 2^(6w)·Q. */
function multiplesOf(point: Point): Point[] {
	const half = 1 << (WINDOW_BITS - 1);
	const windows = Math.ceil(257 / WINDOW_BITS);
	const table: Point[] = [];
	let base = point;
	for (let w = 0; w < windows; w++) {
		let multiple = base;
		for (let i = 0; i < half; i++) {
			table.push(multiple);
			multiple = multiple.add(base);
		}
		for (let bit = 0; bit < WINDOW_BITS; bit++) base = base.double();
	}
	return table;
}
