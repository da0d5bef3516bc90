/**
 * The part of DLMS/COSEM that a meter pushes (IEC 62056-5-3): a data-notification APDU with A-XDR encoded values
 * (IEC 61334-6), and the 12-byte date-time (IEC 62056-6-2 §4.1.6.1).
 */
import { ok, type Result, refused } from "../primitives/result.js";

/**
 * Integers of every width are numbers, strings and times of every kind are bytes, arrays and structures are arrays. What
 * has no exact value here (floating point, integers beyond 2^53) is null.
 */
export type DlmsValue = null | number | Uint8Array | readonly DlmsValue[];

export interface DataNotification {
	/** When the meter sent it; absent where the meter does not say. See {@link clockText}. */
	messageClock?: string;
	body: DlmsValue;
}

export type DlmsError = { code: "encrypted" } | { code: "bad-telegram" };

const LLC_HEADER = [0xe6, 0xe7, 0x00];
const DATA_NOTIFICATION = 0x0f;
/** general-glo-ciphering, general-ded-ciphering, general-ciphering: the APDUs that need a key. */
const CIPHERED: readonly number[] = [0xdb, 0xdc, 0xdd];
const LONG_INVOKE_ID_BYTES = 4;
const DATE_TIME_BYTES = 12;
const MAX_DEPTH = 4;

/** Whether an information field begins a list: the others of a segmented one have no header of their own. */
export function isListStart(information: Uint8Array): boolean {
	return LLC_HEADER.every((byte, i) => information[i] === byte);
}

/** Reads the information field of a frame, or of several that were joined (LLC header and APDU), to its last byte. */
export function readDataNotification(information: Uint8Array): Result<DataNotification, DlmsError> {
	if (!isListStart(information)) return refused({ code: "bad-telegram" });
	const tag = information[LLC_HEADER.length] ?? 0;
	if (CIPHERED.includes(tag)) return refused({ code: "encrypted" });
	if (tag !== DATA_NOTIFICATION) return refused({ code: "bad-telegram" });

	const cursor: Cursor = { bytes: information, at: LLC_HEADER.length + 1 + LONG_INVOKE_ID_BYTES };
	// The date-time is an octet string without a tag, but Kaifa and Kamstrup of 2017 put the tag before its length.
	if (information[cursor.at] === TAG_OCTET_STRING) cursor.at += 1;
	const dateTime = readString(cursor);
	const body = readValue(cursor, 0);
	if (dateTime === MALFORMED || body === MALFORMED || cursor.at !== information.length) {
		return refused({ code: "bad-telegram" });
	}
	const messageClock = clockText(dateTime);
	return ok(messageClock === undefined ? { body } : { body, messageClock });
}

/**
 * `YYYY-MM-DDThh:mm:ss` of a date-time, or undefined if it is not one or leaves something unspecified. The deviation
 * from UTC is left out: it is mostly "not specified", and where it is given, some meters give 0 with local time.
 */
export function clockText(dateTime: Uint8Array): string | undefined {
	if (dateTime.length !== DATE_TIME_BYTES) return undefined;
	const [yearHigh = 0, yearLow = 0, month = 0, day = 0, , hour = 0, minute = 0, second = 0] = dateTime;
	const year = yearHigh * 256 + yearLow;
	if (year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
	if (hour > 23 || minute > 59 || second > 59) return undefined;
	const two = (value: number) => String(value).padStart(2, "0");
	return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
}

interface Cursor {
	bytes: Uint8Array;
	at: number;
}

const MALFORMED = Symbol("malformed");

const TAG_NULL = 0x00;
const TAG_ARRAY = 0x01;
const TAG_STRUCTURE = 0x02;
const TAG_BIT_STRING = 0x04;
const TAG_OCTET_STRING = 0x09;
const TAG_VISIBLE_STRING = 0x0a;
const TAG_UTF8_STRING = 0x0c;

/** Width in bytes of each integer, boolean and enumeration (IEC 62056-5-3, the Data type); negative: signed. */
const INTEGER_BYTES: Readonly<Record<number, number>> = {
	3: 1, // boolean
	5: -4, // double-long
	6: 4, // double-long-unsigned
	15: -1, // integer
	16: -2, // long
	17: 1, // unsigned
	13: 1, // bcd
	18: 2, // long-unsigned
	20: -8, // long64
	21: 8, // long64-unsigned
	22: 1, // enum
};

/** Width in bytes of what is taken as it is, or not at all: times and floating point. */
const OPAQUE_BYTES: Readonly<Record<number, number>> = {
	23: 4, // float32
	24: 8, // float64
	25: 12, // date-time
	26: 5, // date
	27: 4, // time
};
const FIRST_TIME_TAG = 25;

function readValue(cursor: Cursor, depth: number): DlmsValue | typeof MALFORMED {
	const tag = cursor.bytes[cursor.at];
	cursor.at += 1;
	if (tag === undefined) return MALFORMED;
	if (tag === TAG_NULL) return null;
	if (tag === TAG_OCTET_STRING || tag === TAG_VISIBLE_STRING || tag === TAG_UTF8_STRING) return readString(cursor);
	if (tag === TAG_BIT_STRING) return readBitString(cursor);
	if (tag === TAG_ARRAY || tag === TAG_STRUCTURE) return readItems(cursor, depth + 1);
	const opaque = OPAQUE_BYTES[tag];
	if (opaque !== undefined) {
		const bytes = readBytes(cursor, opaque);
		return tag >= FIRST_TIME_TAG || bytes === MALFORMED ? bytes : null;
	}
	const width = INTEGER_BYTES[tag];
	if (width === undefined) return MALFORMED;
	const value = readInteger(cursor, width);
	return value === MALFORMED || Number.isSafeInteger(value) ? value : null;
}

function readItems(cursor: Cursor, depth: number): readonly DlmsValue[] | typeof MALFORMED {
	const count = readLength(cursor);
	// Every item takes a byte at least, so a count beyond the end is a lie and nothing is built for it.
	if (count === MALFORMED || count > cursor.bytes.length - cursor.at || depth > MAX_DEPTH) return MALFORMED;
	const items: DlmsValue[] = [];
	for (let i = 0; i < count; i++) {
		const item = readValue(cursor, depth);
		if (item === MALFORMED) return MALFORMED;
		items.push(item);
	}
	return items;
}

function readString(cursor: Cursor): Uint8Array | typeof MALFORMED {
	const length = readLength(cursor);
	return length === MALFORMED ? MALFORMED : readBytes(cursor, length);
}

/** Its length counts bits. */
function readBitString(cursor: Cursor): Uint8Array | typeof MALFORMED {
	const bits = readLength(cursor);
	return bits === MALFORMED ? MALFORMED : readBytes(cursor, Math.ceil(bits / 8));
}

function readBytes(cursor: Cursor, length: number): Uint8Array | typeof MALFORMED {
	if (length > cursor.bytes.length - cursor.at) return MALFORMED;
	cursor.at += length;
	return cursor.bytes.slice(cursor.at - length, cursor.at);
}

/** A-XDR length: below 80 itself, else the number of bytes that hold it. No frame needs more than two. */
function readLength(cursor: Cursor): number | typeof MALFORMED {
	const first = cursor.bytes[cursor.at];
	cursor.at += 1;
	if (first === undefined || first > 0x82 || first === 0x80) return MALFORMED;
	return first < 0x80 ? first : readInteger(cursor, first - 0x80);
}

function readInteger(cursor: Cursor, width: number): number | typeof MALFORMED {
	const bytes = Math.abs(width);
	if (bytes > cursor.bytes.length - cursor.at) return MALFORMED;
	let value = 0;
	for (let i = 0; i < bytes; i++) value = value * 256 + (cursor.bytes[cursor.at + i] ?? 0);
	cursor.at += bytes;
	const isNegative = width < 0 && value >= 2 ** (8 * bytes - 1);
	return isNegative ? value - 2 ** (8 * bytes) : value;
}

/** ASCII without control characters: it is shown on a screen. What fills it up at its end is left out. */
export function printableText(value: DlmsValue | undefined): string | undefined {
	if (!(value instanceof Uint8Array)) return undefined;
	let length = value.length;
	while (length > 0 && value[length - 1] === 0) length -= 1;
	let text = "";
	for (let at = 0; at < length; at++) {
		const byte = value[at] ?? 0;
		if (byte < 0x20 || byte >= 0x7f) return undefined;
		text += String.fromCharCode(byte);
	}
	return text;
}

/** Whether a value is an array or a structure. */
export function isItems(value: DlmsValue | undefined): value is readonly DlmsValue[] {
	return Array.isArray(value);
}
