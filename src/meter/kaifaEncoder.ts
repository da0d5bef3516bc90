/**
 * Speaks as a Kaifa meter: the bytes that kaifa.ts reads. The simulated household and the tests send them through the
 * same decoder as a real port.
 */
import { assert } from "../primitives/assert.js";
import { crc16X25 } from "./crc16.js";

/** What the meter says. Powers in W, registers in Wh, all below 2^32; texts in ASCII. */
export type KaifaTelegram = KaifaList1 | KaifaList2 | KaifaList3;

export interface KaifaList1 {
	list: 1;
	importW: number;
	/** `YYYY-MM-DDThh:mm:ss`, local time. */
	meterClock: string;
}

export interface KaifaList2 extends Omit<KaifaList1, "list"> {
	list: 2;
	/** One phase makes a list of 9 (14) items, three phases one of 13 (18). */
	phases: readonly [KaifaPhase] | readonly [KaifaPhase, KaifaPhase, KaifaPhase];
	exportW: number;
	meterId: string;
	meterType: string;
}

export interface KaifaList3 extends Omit<KaifaList2, "list"> {
	list: 3;
	importWh: number;
	exportWh: number;
}

export interface KaifaPhase {
	currentMilliA: number;
	/** Tenths of a volt. */
	voltageDeciV: number;
}

const FLAG = 0x7e;
const FORMAT_TYPE_3 = 0xa0;
/** Destination 01, source 0201, control 10 (unnumbered information): as Kaifa sends them. */
const ADDRESSES_AND_CONTROL = [0x01, 0x02, 0x01, 0x10];
const LLC_HEADER = [0xe6, 0xe7, 0x00];
const DATA_NOTIFICATION = [0x0f, 0x40, 0x00, 0x00, 0x00];
const TAG_STRUCTURE = 0x02;
const TAG_DOUBLE_LONG_UNSIGNED = 0x06;
const TAG_OCTET_STRING = 0x09;

/** One frame with its two flags. */
export function encodeKaifa(telegram: KaifaTelegram): Uint8Array {
	const clock = octetString(dateTime(telegram.meterClock));
	const list = items(telegram, clock);
	return frame([...LLC_HEADER, ...DATA_NOTIFICATION, ...clock, TAG_STRUCTURE, list.length, ...list.flat()]);
}

function items(telegram: KaifaTelegram, clock: number[]): number[][] {
	if (telegram.list === 1) return [unsigned(telegram.importW)];
	const list2 = [
		text("KFM_001"),
		text(telegram.meterId),
		text(telegram.meterType),
		unsigned(telegram.importW),
		unsigned(telegram.exportW),
		unsigned(0),
		unsigned(0),
		...telegram.phases.map((phase) => unsigned(phase.currentMilliA)),
		...telegram.phases.map((phase) => unsigned(phase.voltageDeciV)),
	];
	if (telegram.list === 2) return list2;
	return [...list2, clock, unsigned(telegram.importWh), unsigned(telegram.exportWh), unsigned(0), unsigned(0)];
}

function frame(information: number[]): Uint8Array {
	const length = 2 + ADDRESSES_AND_CONTROL.length + 2 + information.length + 2;
	const header = [FORMAT_TYPE_3 | (length >> 8), length & 0xff, ...ADDRESSES_AND_CONTROL];
	const checked = [...header, ...checksum(header), ...information];
	return Uint8Array.from([FLAG, ...checked, ...checksum(checked), FLAG]);
}

function checksum(bytes: number[]): number[] {
	const crc = crc16X25(Uint8Array.from(bytes));
	return [crc & 0xff, crc >> 8];
}

function unsigned(value: number): number[] {
	assert(Number.isInteger(value) && value >= 0 && value < 2 ** 32, `${value} is a double-long-unsigned`);
	return [TAG_DOUBLE_LONG_UNSIGNED, value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

function text(value: string): number[] {
	assert(/^[ -~]{0,127}$/.test(value), `${value} is ASCII and short`);
	return octetString([...value].map((character) => character.charCodeAt(0)));
}

function octetString(bytes: number[]): number[] {
	return [TAG_OCTET_STRING, bytes.length, ...bytes];
}

/** IEC 62056-6-2 §4.1.6.1: Monday is 1; hundredths FF and deviation 8000 mean "not specified". */
function dateTime(clock: string): number[] {
	const fields = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(clock)?.slice(1).map(Number);
	assert(fields !== undefined, `${clock} is YYYY-MM-DDThh:mm:ss`);
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
	const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7;
	return [year >> 8, year & 0xff, month, day, weekday, hour, minute, second, 0xff, 0x80, 0x00, 0x00];
}
