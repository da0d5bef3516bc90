/** Speaks as a German meter: the SML files that smlFile.ts and sml.ts read. */
import { assert } from "../primitives/assert.js";
import { SML_CHECKS, type SmlCheck } from "./smlFile.js";

export interface SmlTelegram {
	/** Ten bytes in hex. */
	meterId: string;
	/** 16.7.0: from the grid above 0, to it below. In hundredths of a watt; absent without PIN. */
	netCentiW?: number;
	/** In so many bytes; 8 if not given. */
	powerWidth?: 1 | 2 | 4 | 8;
	/** In tenths of a watt-hour. */
	importDeciWh: number;
	exportDeciWh: number;
}

const UNIT_W = 27;
const UNIT_WH = 30;
const OPEN_RESPONSE = 0x0101;
const GET_LIST_RESPONSE = 0x0701;
const CLOSE_RESPONSE = 0x0201;
const ABSENT = [0x01];
const START = [0x1b, 0x1b, 0x1b, 0x1b, 0x01, 0x01, 0x01, 0x01];
const ESCAPE = [0x1b, 0x1b, 0x1b, 0x1b];
const [STANDARD_CHECK] = SML_CHECKS;

/** One file of three messages: open, list, close. `check`: the standard's, if not given. */
export function encodeSml(telegram: SmlTelegram, check: SmlCheck | undefined = STANDARD_CHECK): Uint8Array {
	assert(check !== undefined, "there is a check");
	assert(/^[0-9a-f]{20}$/.test(telegram.meterId), "a server id has ten bytes");
	const server = octets(telegram.meterId.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? []);
	const entries = [
		entry([1, 0, 1, 8, 0, 255], UNIT_WH, -1, integer(telegram.importDeciWh, 8)),
		entry([1, 0, 2, 8, 0, 255], UNIT_WH, -1, integer(telegram.exportDeciWh, 8)),
	];
	if (telegram.netCentiW !== undefined) {
		const power = integer(telegram.netCentiW, telegram.powerWidth ?? 8);
		entries.push(entry([1, 0, 16, 7, 0, 255], UNIT_W, -2, power));
	}
	const response = list([ABSENT, server, ABSENT, ABSENT, list(entries), ABSENT, ABSENT]);
	const content = [
		...message(1, OPEN_RESPONSE, list([ABSENT, ABSENT, octets([1]), server, ABSENT, ABSENT]), check),
		...message(2, GET_LIST_RESPONSE, response, check),
		...message(3, CLOSE_RESPONSE, list([ABSENT]), check),
	];
	const fill = (4 - (content.length % 4)) % 4;
	const filled = [...content, ...Array.from({ length: fill }, () => 0)];
	const checked = [...START, ...escaped(filled), ...ESCAPE, 0x1a, fill];
	return Uint8Array.from([...checked, ...check.of(Uint8Array.from(checked), 0, checked.length)]);
}

function message(number: number, type: number, body: readonly number[], check: SmlCheck): number[] {
	const bytes = [0x76, ...octets([number]), 0x62, 0x00, 0x62, 0x00, ...list([[0x63, type >> 8, type & 0xff], body])];
	return [...bytes, 0x63, ...check.of(Uint8Array.from(bytes), 0, bytes.length), 0x00];
}

/** {code, status, time, unit, scaler, value, signature}. */
function entry(obis: readonly number[], unit: number, scaler: number, value: readonly number[]): number[] {
	return list([octets(obis), ABSENT, ABSENT, [0x62, unit], [0x52, scaler & 0xff], value, ABSENT]);
}

function list(items: readonly (readonly number[])[]): number[] {
	assert(items.length < 16, "a short list");
	return [0x70 | items.length, ...items.flat()];
}

function octets(bytes: readonly number[]): number[] {
	assert(bytes.length < 15, "a short octet string");
	return [bytes.length + 1, ...bytes];
}

/** A signed integer of so many bytes. */
function integer(value: number, width: number): number[] {
	const view = new DataView(new ArrayBuffer(8));
	view.setBigInt64(0, BigInt(value));
	assert(value >= -(2 ** (8 * width - 1)) && value < 2 ** (8 * width - 1), `${value} has ${width} bytes`);
	return [0x50 | (width + 1), ...new Uint8Array(view.buffer).subarray(8 - width)];
}

/** Four escape bytes in a row are sent twice. */
function escaped(content: readonly number[]): number[] {
	const sent: number[] = [];
	let row = 0;
	for (const byte of content) {
		sent.push(byte);
		row = byte === ESCAPE[0] ? row + 1 : 0;
		if (row < ESCAPE.length) continue;
		sent.push(...ESCAPE);
		row = 0;
	}
	return sent;
}
