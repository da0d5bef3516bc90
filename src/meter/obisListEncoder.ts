/** Speaks as an Aidon and as a Kamstrup meter on the Norwegian HAN port: the bytes that obisList.ts reads. */
import { assert } from "../primitives/assert.js";
import {
	array,
	dateTime,
	encodeNotification,
	octetString,
	scalerUnit,
	structure,
	unsigned32,
	visibleText,
} from "./dlmsEncoder.js";

/** What the meter says. Powers in W, below 2^32; texts in ASCII. */
export interface ObisTelegram {
	importW: number;
	exportW: number;
	meterId: string;
	meterType: string;
	/** Once an hour: in Wh, multiples of the 10 Wh that these meters count. */
	registers?: { importWh: number; exportWh: number; meterClock: string };
	/** Of the information field of a frame, at most. */
	segmentBytes?: number;
}

const REGISTER_STEP_WH = 10;
const UNIT_W = 27;
const UNIT_WH = 30;

/** Aidon's list 1: the power from the grid alone, every 2.5 s. */
export function encodeAidonPower(importW: number): Uint8Array {
	return encodeNotification({ invokeId: 0x40, clock: [], body: array([aidonPower(1, importW)]) });
}

/** Aidon's list 2, or 3 where there are registers: an array of {code, value, {scaler, unit}}. */
export function encodeAidon(telegram: ObisTelegram): Uint8Array {
	const { registers } = telegram;
	const entries = [
		structure([obis(1, 1, 0, 2, 129), visibleText("AIDON_V0001")]),
		structure([obis(0, 0, 96, 1, 0), visibleText(telegram.meterId)]),
		structure([obis(0, 0, 96, 1, 7), visibleText(telegram.meterType)]),
		aidonPower(1, telegram.importW),
		aidonPower(2, telegram.exportW),
	];
	if (registers !== undefined) {
		entries.push(structure([obis(0, 0, 1, 0, 0), dateTime(registers.meterClock)]));
		for (const [c, energyWh] of [
			[1, registers.importWh],
			[2, registers.exportWh],
		] as const) {
			entries.push(structure([obis(1, 0, c, 8, 0), unsigned32(steps(energyWh)), scalerUnit(1, UNIT_WH)]));
		}
	}
	return encodeNotification({ invokeId: 0x40, clock: [], body: array(entries), ...segments(telegram) });
}

/** Kamstrup's lists: one structure of codes and values, without scalers. `absentPhases`: nulls in their place. */
export function encodeKamstrup(telegram: ObisTelegram & { meterClock: string; absentPhases?: boolean }): Uint8Array {
	const { registers } = telegram;
	const items = [
		visibleText("Kamstrup_V0001"),
		...[obis(1, 1, 0, 0, 5), visibleText(telegram.meterId)],
		...[obis(1, 1, 96, 1, 1), visibleText(telegram.meterType)],
		...[obis(1, 1, 1, 7, 0), unsigned32(telegram.importW)],
		...[obis(1, 1, 2, 7, 0), unsigned32(telegram.exportW)],
		...(telegram.absentPhases === true ? [[0x00], [0x00], [0x00], [0x00]] : []),
	];
	if (registers !== undefined) {
		items.push(obis(0, 1, 1, 0, 0), dateTime(registers.meterClock));
		items.push(obis(1, 1, 1, 8, 0), unsigned32(steps(registers.importWh)));
		items.push(obis(1, 1, 2, 8, 0), unsigned32(steps(registers.exportWh)));
	}
	// The message's own clock has no tag, since 2018.
	const clock = dateTime(telegram.meterClock).slice(1);
	return encodeNotification({ invokeId: 0, clock, body: structure(items), ...segments(telegram) });
}

function segments({ segmentBytes }: ObisTelegram): { segmentBytes?: number } {
	return segmentBytes === undefined ? {} : { segmentBytes };
}

function aidonPower(c: 1 | 2, powerW: number): number[] {
	return structure([obis(1, 0, c, 7, 0), unsigned32(powerW), scalerUnit(0, UNIT_W)]);
}

function obis(a: number, b: number, c: number, d: number, e: number): number[] {
	return octetString([a, b, c, d, e, 255]);
}

function steps(energyWh: number): number {
	assert(energyWh % REGISTER_STEP_WH === 0, `${energyWh} Wh is a multiple of ${REGISTER_STEP_WH} Wh`);
	return energyWh / REGISTER_STEP_WH;
}
