/**
 * The part of DLMS/COSEM that a meter pushes (IEC 62056-5-3): a data-notification APDU with A-XDR encoded values
 * (IEC 61334-6), and the 12-byte date-time (IEC 62056-6-2 §4.1.6.1).
 */
import { ok, type Result, refused } from "../primitives/result.js";

/** Integers of every width are numbers, strings of every kind are bytes, arrays and structures are arrays. */
export type DlmsValue = null | number | Uint8Array | readonly DlmsValue[];

export interface DataNotification {
	/** When the meter sent it; absent where the meter does not say. See {@link clockText}. */
	messageClock?: string;
	body: DlmsValue;
}

export type DlmsError = { code: "encrypted" } | { code: "bad-apdu" };

const LLC_HEADER = [0xe6, 0xe7, 0x00];
const DATA_NOTIFICATION = 0x0f;
/** general-glo-ciphering, general-ded-ciphering, general-ciphering: the APDUs that need a key. */
const CIPHERED: readonly number[] = [0xdb, 0xdc, 0xdd];
const LONG_INVOKE_ID_BYTES = 4;
const DATE_TIME_BYTES = 12;
const MAX_DEPTH = 4;

/** Reads the information field of a frame (LLC header and APDU), to its last byte. */
export function readDataNotification(information: Uint8Array): Result<DataNotification, DlmsError> {
	if (!LLC_HEADER.every((byte, i) => information[i] === byte)) return refused({ code: "bad-apdu" });
	const tag = information[LLC_HEADER.length] ?? 0;
	if (CIPHERED.includes(tag)) return refused({ code: "encrypted" });
	if (tag !== DATA_NOTIFICATION) return refused({ code: "bad-apdu" });

	const cursor: Cursor = { bytes: information, at: LLC_HEADER.length + 1 + LONG_INVOKE_ID_BYTES };
	// The date-time is an octet string without a tag, but Kaifa and Kamstrup of 2017 put the tag before its length.
	if (information[cursor.at] === TAG_OCTET_STRING) cursor.at += 1;
	const dateTime = readString(cursor);
	const body = readValue(cursor, 0);
	if (dateTime === MALFORMED || body === MALFORMED || cursor.at !== information.length) {
		return refused({ code: "bad-apdu" });
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
const TAG_OCTET_STRING = 0x09;
const TAG_VISIBLE_STRING = 0x0a;

/** Width in bytes of each integer, boolean and enumeration (IEC 62056-5-3, the Data type); negative: signed. */
const INTEGER_BYTES: Readonly<Record<number, number>> = {
	3: 1, // boolean
	5: -4, // double-long
	6: 4, // double-long-unsigned
	15: -1, // integer
	16: -2, // long
	17: 1, // unsigned
	18: 2, // long-unsigned
	22: 1, // enum
};

function readValue(cursor: Cursor, depth: number): DlmsValue | typeof MALFORMED {
	const tag = cursor.bytes[cursor.at];
	cursor.at += 1;
	if (tag === undefined) return MALFORMED;
	if (tag === TAG_NULL) return null;
	if (tag === TAG_OCTET_STRING || tag === TAG_VISIBLE_STRING) return readString(cursor);
	if (tag === TAG_ARRAY || tag === TAG_STRUCTURE) return readItems(cursor, depth + 1);
	const width = INTEGER_BYTES[tag];
	return width === undefined ? MALFORMED : readInteger(cursor, width);
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
	if (length === MALFORMED || length > cursor.bytes.length - cursor.at) return MALFORMED;
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
