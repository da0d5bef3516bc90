/**
 * Deterministic CBOR (RFC 8949 §4.2.1), reduced to what the chain needs: arrays, integers, byte strings and short
 * text. Decoding is strict: length and nesting are bounded before anything is built, and what does not encode to the
 * same bytes again is refused, so that every value has exactly one encoding.
 */
import { decode as cborDecode, encode as cborEncode, Tokenizer, Type } from "cborg";
import { assert } from "./assert.js";
import { equalBytes } from "./bytes.js";
import { ok, type Result, refused } from "./result.js";

export type CborValue = number | string | Uint8Array | readonly CborValue[];

export type CodecError =
	| { code: "too-long"; bytes: number; limit: number }
	| { code: "too-deep"; limit: number }
	| { code: "bad-cbor" }
	| { code: "not-canonical" };

export const MAX_DEPTH = 8;

const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;

/** Encodes a value. Numbers must be safe integers. */
export function encode(value: CborValue): Uint8Array {
	return cborEncode(value, ENCODE_OPTIONS);
}

/** Decodes at most `limitBytes` bytes into a value, whose shape the caller checks next. */
export function decode(bytes: Uint8Array, limitBytes: number): Result<CborValue, CodecError> {
	if (bytes.length > limitBytes) return refused({ code: "too-long", bytes: bytes.length, limit: limitBytes });
	const structure = checkStructure(bytes);
	if (structure !== "sound") {
		return structure === "too-deep" ? refused({ code: "too-deep", limit: MAX_DEPTH }) : refused({ code: "bad-cbor" });
	}
	let value: CborValue;
	try {
		// A plain view: byte strings cut from Node's Buffer would be Buffers that share its memory.
		const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
		const tokenizer = new TextKeepingTokenizer(plain, DECODE_OPTIONS);
		value = cborDecode(plain, { ...DECODE_OPTIONS, tokenizer }) as CborValue;
	} catch {
		// cborg reports malformed input (such as text that is not UTF-8) by throwing.
		return refused({ code: "bad-cbor" });
	}
	if (!equalBytes(encode(value), bytes)) return refused({ code: "not-canonical" });
	return ok(value);
}

const ENCODE_OPTIONS = {
	float64: true,
	typeEncoders: {
		number: (value: unknown) => {
			assert(Number.isSafeInteger(value), `${String(value)} is a safe integer`);
			return null;
		},
	},
} as const;

const DECODE_OPTIONS = {
	allowIndefinite: false,
	allowUndefined: false,
	allowInfinity: false,
	allowNaN: false,
	allowBigInt: false,
	strict: true,
	retainStringBytes: true,
} as const;

const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

/** cborg's TextDecoder swallows a byte order mark at a text's beginning: what was written would not be read again. */
class TextKeepingTokenizer extends Tokenizer {
	override next() {
		const token = super.next();
		const { byteValue } = token;
		if (Type.equals(token.type, Type.string) && byteValue !== undefined) {
			if (equalBytes(byteValue.subarray(0, 3), BYTE_ORDER_MARK)) token.value = `\uFEFF${token.value}`;
		}
		return token;
	}
}

/**
 * Walks the item heads without building anything: only integers, bytes, text and arrays, lengths that the input can
 * hold, nesting up to MAX_DEPTH, and one item that ends where the input ends.
 */
function checkStructure(bytes: Uint8Array): "sound" | "malformed" | "too-deep" {
	/** Items still to come in each open array. */
	const open: number[] = [1];
	let at = 0;
	while (open.length > 0) {
		const rest = open[open.length - 1] ?? 0;
		if (rest === 0) {
			open.pop();
			continue;
		}
		open[open.length - 1] = rest - 1;
		const head = bytes[at];
		if (head === undefined) return "malformed";
		at += 1;
		const major = head >> 5;
		const argument = head & 31;
		let value = argument;
		if (argument >= 24) {
			if (argument > 27) return "malformed";
			const size = 1 << (argument - 24);
			value = 0;
			for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + i] ?? Number.POSITIVE_INFINITY);
			at += size;
			if (!Number.isSafeInteger(value)) return "malformed";
		}
		if (major > MAJOR_ARRAY) return "malformed";
		if (major === MAJOR_BYTES || major === MAJOR_TEXT) {
			at += value;
			if (at > bytes.length) return "malformed";
		}
		if (major === MAJOR_ARRAY) {
			if (value > bytes.length - at) return "malformed";
			if (open.length > MAX_DEPTH) return "too-deep";
			open.push(value);
		}
	}
	return at === bytes.length ? "sound" : "malformed";
}
