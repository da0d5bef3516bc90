/**
 * Smart Message Language (BSI TR-03109-1, annex SML): what German meters send by themselves. A file's messages are trees
 * of lists, integers and octet strings; in one of them, SML_GetList.Res, each quantity is a list of seven:
 * {OBIS code, status, time, unit, scaler, value, signature}.
 */
import { toHex } from "../primitives/bytes.js";
import { isQuantity, Quantities } from "./quantities.js";
import { createSmlFramer, type SmlCheck, type SmlFile } from "./smlFile.js";
import type { MeterDecoder, MeterEvent, TelegramEvent } from "./telegram.js";

/** Octet strings are bytes, lists are arrays; what is absent, or an integer beyond 2^53, is null. */
type SmlValue = null | boolean | SmlInteger | Uint8Array | readonly SmlValue[];

interface SmlInteger {
	value: number;
	/** How many bytes it was sent in. */
	width: number;
}

const GET_LIST_RESPONSE = 0x0701;
const MESSAGE_ITEMS = 6;
const ENTRY_ITEMS = 7;
const OBIS_BYTES = 6;
const UNIT_W = 27;
const UNIT_WH = 30;
const MAX_DEPTH = 8;

const TYPE_OCTET_STRING = 0;
const TYPE_BOOLEAN = 4;
const TYPE_INTEGER = 5;
const TYPE_UNSIGNED = 6;
const TYPE_LIST = 7;
const MORE_LENGTH = 0x80;

/** Makes a decoder that has seen nothing yet. */
export function createSmlDecoder(): MeterDecoder {
	const framer = createSmlFramer();
	return {
		push: (bytes) => framer.push(bytes).map((event) => (event.kind === "file" ? readFile(event) : event)),
		end: () => framer.end(),
	};
}

function readFile({ content, bytes, checks }: SmlFile): MeterEvent {
	const [messages] = checks.flatMap((check) => [readMessages(content, check)]).filter((read) => read !== undefined);
	if (messages === undefined) return { kind: "dropped", reason: "bad-telegram", bytes };
	const lists = messages.flatMap(([, , , body]) => {
		const [type, response] = isList(body) ? body : [];
		return integerOf(type) === GET_LIST_RESPONSE && isList(response) ? [response] : [];
	});
	return telegramOf(lists) ?? { kind: "dropped", reason: "unknown-list", bytes };
}

// ── the lists ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Each {client id, server id, list name, sensor time, entries, signature, gateway time}; of one meter. */
function telegramOf(lists: readonly (readonly SmlValue[])[]): TelegramEvent | undefined {
	const serverId = lists.map(([, server]) => server).find((server) => server instanceof Uint8Array);
	const quantities = new Quantities();
	for (const [, , , , entries] of lists) {
		for (const entry of isList(entries) ? entries : []) {
			if (isList(entry) && entry.length === ENTRY_ITEMS) addEntry(quantities, entry, serverId);
		}
	}
	const fields = quantities.fields();
	if (fields === undefined) return undefined;
	return {
		kind: "telegram",
		format: "sml",
		...fields,
		...(serverId === undefined ? {} : { meterId: toHex(serverId) }),
	};
}

function addEntry(quantities: Quantities, entry: readonly SmlValue[], serverId: Uint8Array | undefined): void {
	const [obis, , , unit, scaler, value] = entry;
	if (!(obis instanceof Uint8Array) || obis.length !== OBIS_BYTES || obis[0] !== 1 || obis[5] !== 255) return;
	const code = `${obis[2]}.${obis[3]}.${obis[4]}`;
	const expected = code.includes(".8.") ? UNIT_WH : UNIT_W;
	if (!isQuantity(code) || integerOf(unit) !== expected || !isInteger(value)) return;
	const mantissa = code === "16.7.0" ? signedPower(value, serverId) : value.value;
	quantities.add(code, mantissa, integerOf(scaler) ?? 0);
}

/**
 * DZG's DVS74 of these serial numbers sends a positive power that needs the highest bit of one or two bytes as a signed
 * integer of so many bytes: +356 W reads as −299 W. Negative ones it sends in four bytes.
 */
const DZG_UNSIGNED: readonly { from: number; to: number }[] = [
	{ from: 42_000_000, to: 48_999_999 },
	{ from: 55_000_000, to: 58_999_999 },
];
const DZG_SERVER_ID = [0x0a, 0x01, 0x44, 0x5a, 0x47, 0x00];
const DZG_SERVER_ID_BYTES = 10;

function signedPower({ value, width }: SmlInteger, serverId: Uint8Array | undefined): number {
	if (value >= 0 || width > 2 || serverId?.length !== DZG_SERVER_ID_BYTES) return value;
	if (!DZG_SERVER_ID.every((byte, at) => serverId[at] === byte)) return value;
	const serial = new DataView(serverId.buffer, serverId.byteOffset).getUint32(DZG_SERVER_ID.length);
	return DZG_UNSIGNED.some(({ from, to }) => serial >= from && serial <= to) ? value + 2 ** (8 * width) : value;
}

// ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Cursor {
	bytes: Uint8Array;
	at: number;
}

const MALFORMED = Symbol("malformed");

/**
 * The messages, each a list of {transaction, group, abort, body, check, end}. Each one's own check has to hold, too:
 * where the file's may be one of four, it alone would let one damaged file in sixteen thousand pass.
 */
function readMessages(content: Uint8Array, check: SmlCheck): (readonly SmlValue[])[] | undefined {
	const messages: (readonly SmlValue[])[] = [];
	const cursor: Cursor = { bytes: content, at: 0 };
	while (cursor.at < content.length) {
		// What fills the file up.
		if (content[cursor.at] === 0) {
			cursor.at += 1;
			continue;
		}
		const from = cursor.at;
		if (content[cursor.at] !== ((TYPE_LIST << 4) | MESSAGE_ITEMS)) return undefined;
		cursor.at += 1;
		const message: SmlValue[] = [];
		for (let item = 0; item < MESSAGE_ITEMS - 2; item++) {
			const value = readValue(cursor, 0);
			if (value === MALFORMED) return undefined;
			message.push(value);
		}
		if (!hasCheck(cursor, from, check)) return undefined;
		messages.push(message);
	}
	return messages;
}

/** Steps over a message's check, an unsigned integer of two bytes whose first may be left out, and its end. */
function hasCheck(cursor: Cursor, from: number, check: SmlCheck): boolean {
	const until = cursor.at;
	const crc = readValue(cursor, 0);
	const isEnd = cursor.bytes[cursor.at] === 0;
	cursor.at += 1;
	if (crc === MALFORMED || !isInteger(crc) || !isEnd) return false;
	const [first, second] = check.of(cursor.bytes, from, until);
	return crc.value === first * 256 + second;
}

function readValue(cursor: Cursor, depth: number): SmlValue | typeof MALFORMED {
	const { bytes } = cursor;
	let head = bytes[cursor.at];
	if (head === undefined || depth > MAX_DEPTH) return MALFORMED;
	const type = (head >> 4) & 0x07;
	let length = head & 0x0f;
	let headBytes = 1;
	while ((head & MORE_LENGTH) !== 0) {
		head = bytes[cursor.at + headBytes];
		if (head === undefined || headBytes > 2) return MALFORMED;
		length = (length << 4) | (head & 0x0f);
		headBytes += 1;
	}
	cursor.at += headBytes;
	if (type === TYPE_LIST) return readList(cursor, length, depth);
	// The length counts its own bytes. 01 is an octet string of none: what is left out.
	const width = length - headBytes;
	if (width < 0 || cursor.at + width > bytes.length) return MALFORMED;
	cursor.at += width;
	const value = bytes.subarray(cursor.at - width, cursor.at);
	switch (type) {
		case TYPE_OCTET_STRING:
			return width === 0 ? null : value.slice();
		case TYPE_BOOLEAN:
			return width === 1 ? value[0] !== 0 : MALFORMED;
		case TYPE_INTEGER:
		case TYPE_UNSIGNED:
			return readInteger(value, type === TYPE_INTEGER);
		default:
			return MALFORMED;
	}
}

function readList(cursor: Cursor, count: number, depth: number): readonly SmlValue[] | typeof MALFORMED {
	// Every item takes a byte at least.
	if (count > cursor.bytes.length - cursor.at) return MALFORMED;
	const items: SmlValue[] = [];
	for (let item = 0; item < count; item++) {
		const value = readValue(cursor, depth + 1);
		if (value === MALFORMED) return MALFORMED;
		items.push(value);
	}
	return items;
}

/** Of any width up to eight bytes: leading bytes may be left out. */
function readInteger(bytes: Uint8Array, isSigned: boolean): SmlInteger | null | typeof MALFORMED {
	const width = bytes.length;
	if (width < 1 || width > 8) return MALFORMED;
	const raw = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
	const value = Number(isSigned ? BigInt.asIntN(8 * width, raw) : raw);
	return Number.isSafeInteger(value) ? { value, width } : null;
}

function isList(value: SmlValue | undefined): value is readonly SmlValue[] {
	return Array.isArray(value);
}

function isInteger(value: SmlValue | undefined): value is SmlInteger {
	return typeof value === "object" && value !== null && "width" in value;
}

function integerOf(value: SmlValue | undefined): number | undefined {
	return isInteger(value) ? value.value : undefined;
}
