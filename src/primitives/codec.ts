/**
 * Deterministic CBOR (RFC 8949 §4.2.1), reduced to what the chain needs: arrays, integers, byte strings and short
 * text. Decoding is strict: the length is bounded before anything is built, nesting and every length before what they
 * announce, and only the one encoding that `encode` writes is taken: shortest heads, well-formed UTF-8.
 *
 * Written out here, and not taken from a library, because everything that is signed, hashed, stored or sent passes
 * through it, most of it many times: cborg, which reads and writes the same in the tests, took a quarter of a node's time.
 */
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { assert } from "./assert.js";
import { ok, type Result, refused } from "./result.js";
import { utf8 } from "./text.js";

export type CborValue = number | string | Uint8Array | readonly CborValue[];

export type CodecError =
	| { code: "too-long"; bytes: number; limit: number }
	| { code: "too-deep"; limit: number }
	| { code: "bad-cbor" }
	| { code: "not-canonical" };

export const MAX_DEPTH = 8;

/** Major types (RFC 8949 §3.1). */
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;

/** An argument below this stands in the head's first byte; from here on the byte says in how many bytes it follows. */
const FOLLOWS = 24;

/** Encodes a value. Numbers must be safe integers. */
export function encode(value: CborValue): Uint8Array {
	const length = write(0, value);
	// Only now: what is long got a larger page.
	const bytes = page.slice(0, length);
	if (page.length > PAGE_BYTES) page = new Uint8Array(PAGE_BYTES);
	return bytes;
}

/** Decodes at most `limitBytes` bytes into a value, whose shape the caller checks next. What it gives is a copy. */
export function decode(bytes: Uint8Array, limitBytes: number): Result<CborValue, CodecError> {
	if (bytes.length > limitBytes) return refused({ code: "too-long", bytes: bytes.length, limit: limitBytes });
	// A plain view: byte strings cut from Node's Buffer would be Buffers that share its memory.
	const reader: Reader = {
		bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
		at: 0,
		error: undefined,
	};
	const value = read(reader, MAX_DEPTH);
	if (reader.error !== undefined) return refused(reader.error);
	return reader.at === bytes.length ? ok(value) : refused({ code: "bad-cbor" });
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

const PAGE_BYTES = 16 * 1_024;
/** The longest head: its first byte, and an argument of 8. */
const MAX_HEAD_BYTES = 9;

/** What everything is written on, before its bytes are copied: so nothing has to be measured first. */
let page: Uint8Array = new Uint8Array(PAGE_BYTES);

/** Sees to it that so many bytes fit on the page from a position on. */
function makeRoom(at: number, bytes: number): void {
	if (at + bytes <= page.length) return;
	const larger = new Uint8Array(2 * (at + bytes));
	larger.set(page);
	page = larger;
}

/** Bytes of a head: its first one, and as many as the argument takes besides. */
function headLength(argument: number): number {
	if (argument < FOLLOWS) return 1;
	if (argument < 2 ** 8) return 2;
	if (argument < 2 ** 16) return 3;
	return argument < 2 ** 32 ? 5 : 9;
}

/** The argument of a number's head (RFC 8949 §3.1): −1 − n where n is negative. */
function argumentOf(value: number): number {
	// Every number comes through here: what is wrong with one is put into words only if something is.
	if (!Number.isSafeInteger(value)) assert(false, `${String(value)} is a safe integer`);
	return value < 0 ? -1 - value : value;
}

/** Writes a value at a position of the page; gives the position after it. */
function write(at: number, value: CborValue): number {
	if (typeof value === "number") return writeHead(at, value < 0 ? NEGATIVE : UNSIGNED, argumentOf(value));
	if (value instanceof Uint8Array) return writeString(at, BYTES, value);
	if (typeof value === "string") return writeText(at, value);
	assert(Array.isArray(value), "what is encoded is a number, bytes, a text or an array");
	let next = writeHead(at, ARRAY, value.length);
	for (const item of value) next = write(next, item);
	return next;
}

/** What the chain says in words is nearly always ASCII: then nothing has to be converted. */
function isAscii(text: string): boolean {
	for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false;
	return true;
}

function writeText(at: number, text: string): number {
	if (!isAscii(text)) return writeString(at, TEXT, utf8ToBytes(text));
	let next = writeHead(at, TEXT, text.length);
	makeRoom(next, text.length);
	for (let i = 0; i < text.length; i++) page[next++] = text.charCodeAt(i);
	return next;
}

function writeString(at: number, major: number, bytes: Uint8Array): number {
	const start = writeHead(at, major, bytes.length);
	makeRoom(start, bytes.length);
	page.set(bytes, start);
	return start + bytes.length;
}

function writeHead(at: number, major: number, argument: number): number {
	makeRoom(at, MAX_HEAD_BYTES);
	const length = headLength(argument);
	const first = major << 5;
	if (length === 1) {
		page[at] = first | argument;
		return at + 1;
	}
	// 24 … 27: the argument follows in 1, 2, 4 or 8 bytes, which may be more than a bitwise operator takes.
	page[at] = first | (FOLLOWS + 31 - Math.clz32(length - 1));
	let rest = argument;
	for (let last = at + length - 1; last > at; last--) {
		page[last] = rest % 256;
		rest = Math.floor(rest / 256);
	}
	return at + length;
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Reader {
	readonly bytes: Uint8Array;
	at: number;
	/** The first thing that is wrong; nothing after it is looked at. */
	error: CodecError | undefined;
}

/** Stands for a value where there is an error. */
const NOTHING = 0;

function fail(reader: Reader, error: CodecError): typeof NOTHING {
	reader.error ??= error;
	return NOTHING;
}

/** The next item, with arrays of at most so many levels. */
function read(reader: Reader, levels: number): CborValue {
	const first = reader.bytes[reader.at];
	if (first === undefined) return fail(reader, { code: "bad-cbor" });
	reader.at += 1;
	const argument = readArgument(reader, first & 31);
	if (argument === undefined) return fail(reader, { code: "bad-cbor" });
	switch (first >> 5) {
		case UNSIGNED:
			return argument;
		case NEGATIVE:
			return argument < Number.MAX_SAFE_INTEGER ? -1 - argument : fail(reader, { code: "bad-cbor" });
		case BYTES:
			return readString(reader, argument) ?? fail(reader, { code: "bad-cbor" });
		case TEXT:
			return readText(reader, argument);
		case ARRAY:
			return readArray(reader, argument, levels);
		default:
			return fail(reader, { code: "bad-cbor" });
	}
}

/** A head's argument; undefined: cut off, longer than it need be, or more than a safe integer. */
function readArgument(reader: Reader, info: number): number | undefined {
	if (info < FOLLOWS) return info;
	if (info > FOLLOWS + 3) return undefined;
	const { bytes, at } = reader;
	const size = 1 << (info - FOLLOWS);
	let argument = 0;
	for (let i = 0; i < size; i++) argument = argument * 256 + (bytes[at + i] ?? Number.NaN);
	reader.at += size;
	return Number.isSafeInteger(argument) && headLength(argument) === size + 1 ? argument : undefined;
}

function readString(reader: Reader, length: number): Uint8Array | undefined {
	const { bytes, at } = reader;
	if (length > bytes.length - at) return undefined;
	reader.at += length;
	return bytes.slice(at, reader.at);
}

function readText(reader: Reader, length: number): string | typeof NOTHING {
	const bytes = readString(reader, length);
	if (bytes === undefined) return fail(reader, { code: "bad-cbor" });
	try {
		return utf8.decode(bytes);
	} catch {
		// The platform says by throwing that bytes are not UTF-8: nobody encodes a text like that.
		return fail(reader, { code: "not-canonical" });
	}
}

function readArray(reader: Reader, count: number, levels: number): CborValue {
	// Each item takes a byte at least: no memory is set aside for more than there can be.
	if (count > reader.bytes.length - reader.at) return fail(reader, { code: "bad-cbor" });
	if (levels === 0) return fail(reader, { code: "too-deep", limit: MAX_DEPTH });
	const items: CborValue[] = [];
	for (let i = 0; i < count && reader.error === undefined; i++) items.push(read(reader, levels - 1));
	return items;
}
