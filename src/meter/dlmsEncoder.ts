/** Writes what dlms.ts and hdlc.ts read: A-XDR values, the notification, its frames. As bytes in arrays: telegrams are short. */
import { assert } from "../primitives/assert.js";
import { crc16X25 } from "./crc16.js";

const FLAG = 0x7e;
const FORMAT_TYPE_3 = 0xa0;
const SEGMENTATION_BIT = 0x08;
/** Destination 01, source 0201, control 10 (unnumbered information): as Kaifa sends them. */
const ADDRESSES_AND_CONTROL = [0x01, 0x02, 0x01, 0x10];
const LLC_HEADER = [0xe6, 0xe7, 0x00];
const DATA_NOTIFICATION = 0x0f;
const TAG_ARRAY = 0x01;
const TAG_STRUCTURE = 0x02;
const TAG_DOUBLE_LONG_UNSIGNED = 0x06;
const TAG_OCTET_STRING = 0x09;
const TAG_VISIBLE_STRING = 0x0a;
const TAG_INTEGER = 0x0f;
const TAG_ENUM = 0x16;

/**
 * A notification in frames with their flags. `clock`: as {@link dateTime} gives it, or nothing. `segmentBytes`: of the
 * information field at most; a longer list is spread over several frames.
 */
export function encodeNotification(notification: {
	invokeId: number;
	clock: readonly number[];
	body: readonly number[];
	segmentBytes?: number;
}): Uint8Array {
	const { invokeId, clock, body, segmentBytes = 2_000 } = notification;
	const dateTimeOrNone = clock.length === 0 ? [0x00] : clock;
	const information = [...LLC_HEADER, DATA_NOTIFICATION, invokeId, 0, 0, 0, ...dateTimeOrNone, ...body];
	const frames: number[] = [];
	for (let at = 0; at < information.length; at += segmentBytes) {
		const isLast = at + segmentBytes >= information.length;
		frames.push(...frame(information.slice(at, at + segmentBytes), isLast));
	}
	return Uint8Array.from(frames);
}

function frame(information: readonly number[], isLast: boolean): number[] {
	const length = 2 + ADDRESSES_AND_CONTROL.length + 2 + information.length + 2;
	const format = FORMAT_TYPE_3 | (isLast ? 0 : SEGMENTATION_BIT) | (length >> 8);
	const header = [format, length & 0xff, ...ADDRESSES_AND_CONTROL];
	const checked = [...header, ...checksum(header), ...information];
	return [FLAG, ...checked, ...checksum(checked), FLAG];
}

function checksum(bytes: readonly number[]): number[] {
	const crc = crc16X25(Uint8Array.from(bytes));
	return [crc & 0xff, crc >> 8];
}

export function structure(items: readonly (readonly number[])[]): number[] {
	return [TAG_STRUCTURE, items.length, ...items.flat()];
}

export function array(items: readonly (readonly number[])[]): number[] {
	return [TAG_ARRAY, items.length, ...items.flat()];
}

/** A double-long-unsigned, below 2^32. */
export function unsigned32(value: number): number[] {
	assert(Number.isInteger(value) && value >= 0 && value < 2 ** 32, `${value} is a double-long-unsigned`);
	return [TAG_DOUBLE_LONG_UNSIGNED, value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** ASCII of up to 127 characters as an octet string. */
export function octetText(value: string): number[] {
	return octetString(ascii(value));
}

/** The same as a visible string. */
export function visibleText(value: string): number[] {
	const bytes = ascii(value);
	return [TAG_VISIBLE_STRING, bytes.length, ...bytes];
}

export function octetString(bytes: readonly number[]): number[] {
	return [TAG_OCTET_STRING, bytes.length, ...bytes];
}

/** {scaler, unit} (IEC 62056-6-2 §4.3.2). */
export function scalerUnit(exponent: number, unit: number): number[] {
	return structure([
		[TAG_INTEGER, exponent & 0xff],
		[TAG_ENUM, unit],
	]);
}

/** Of `YYYY-MM-DDThh:mm:ss`, as an octet string (IEC 62056-6-2 §4.1.6.1): Monday is 1; FF and 8000 mean "not specified". */
export function dateTime(clock: string): number[] {
	const fields = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(clock)?.slice(1).map(Number);
	assert(fields !== undefined, `${clock} is YYYY-MM-DDThh:mm:ss`);
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
	const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7;
	return octetString([year >> 8, year & 0xff, month, day, weekday, hour, minute, second, 0xff, 0x80, 0x00, 0x00]);
}

function ascii(value: string): number[] {
	assert(/^[ -~]{0,127}$/.test(value), `${value} is ASCII and short`);
	return [...value].map((character) => character.charCodeAt(0));
}
