/** What is begun of this household's meter, as it is kept: energy that is in no reading yet, and readings asked about. */
import * as v from "valibot";
import { minute, natural, perhaps } from "../block/fieldShapes.js";
import { QUALITIES, type Reading } from "../block/reading.js";
import type { EnergyLine } from "../meter/energyLine.js";
import type { MeterMemory, RegisterDoubt } from "../meter/meterPipeline.js";
import type { MinuteEnergyState } from "../meter/minuteEnergy.js";
import type { Registers } from "../meter/registers.js";
import type { CborValue } from "../primitives/codec.js";
import type { Result } from "../primitives/result.js";
import { decodeRecord, encodeRecord, optional, type RecordError } from "./records.js";

const whole = v.pipe(v.number(), v.safeInteger());

/** Flags of a gap. */
const LOST = 1;
const LONG = 2;

const lineShape = v.pipe(
	v.strictTuple([
		perhaps(v.strictTuple([natural, perhaps(natural)])),
		v.array(v.strictTuple([natural, natural, natural])),
		v.array(v.strictTuple([natural, natural, perhaps(natural), natural])),
		v.strictTuple([natural, whole, whole, natural]),
		perhaps(v.strictTuple([natural, natural])),
		v.strictTuple([whole, natural, natural, natural]),
	]),
	v.transform(([last, minutes, gaps, due, register, since]): EnergyLine => {
		const [heldMilliWh, remainderMilliWh, carryMilliWh, restHalfMilliWMs] = due;
		const [sinceMilliWh, emittedGapMs, lostGapMs, lostMilliWh] = since;
		return {
			last: last === undefined ? undefined : { atMs: last[0], powerMilliW: last[1] },
			minutes: minutes.map(([minute, milliWh, coveredMs]) => ({ minute, milliWh, coveredMs })),
			gaps: gaps.map(([fromMs, toMs, milliWh, flags]) => ({
				fromMs,
				toMs,
				milliWh,
				isLong: (flags & LONG) !== 0,
				isLost: (flags & LOST) !== 0,
			})),
			heldMilliWh,
			remainderMilliWh,
			carryMilliWh,
			restHalfMilliWMs,
			register: register === undefined ? undefined : { milliWh: register[0], atMs: register[1] },
			sinceMilliWh,
			emittedGapMs,
			lostGapMs,
			lostMilliWh,
			trail: [],
			behindMs: undefined,
		};
	}),
);

/** The last minute's trail is left out: a register that was taken before a restart and comes after it is some Wh off. */
function lineFields(line: EnergyLine): CborValue {
	const { last, register } = line;
	return [
		optional(last === undefined ? undefined : [last.atMs, optional(last.powerMilliW)]),
		line.minutes.map(({ minute, milliWh, coveredMs }) => [minute, milliWh, coveredMs]),
		line.gaps.map(({ fromMs, toMs, milliWh, isLong, isLost }) => {
			return [fromMs, toMs, optional(milliWh), (isLong ? LONG : 0) | (isLost ? LOST : 0)];
		}),
		[line.heldMilliWh, line.remainderMilliWh, line.carryMilliWh, line.restHalfMilliWMs],
		optional(register === undefined ? undefined : [register.milliWh, register.atMs]),
		[line.sinceMilliWh, line.emittedGapMs, line.lostGapMs, line.lostMilliWh],
	];
}

const registersShape = v.pipe(
	v.strictTuple([perhaps(natural), perhaps(natural), natural, natural, perhaps(v.string())]),
	v.transform(
		([importMilliWh, exportMilliWh, stepMilliWh, atMs, clock]): Registers => ({
			importMilliWh,
			exportMilliWh,
			stepMilliWh,
			atMs,
			clock,
		}),
	),
);

function registerFields({ importMilliWh, exportMilliWh, stepMilliWh, atMs, clock }: Registers): CborValue {
	return [optional(importMilliWh), optional(exportMilliWh), stepMilliWh, atMs, optional(clock)];
}

const energyShape = v.pipe(
	v.strictTuple([
		natural,
		v.array(v.strictTuple([minute, minute])),
		natural,
		perhaps(v.string()),
		perhaps(registersShape),
		lineShape,
		lineShape,
	]),
	v.transform(
		([nextMinute, held, listenedMs, meterId, registers, imported, exported]): MinuteEnergyState => ({
			nextMinute,
			held: held.map(([fromMinute, toMinute]) => ({ fromMinute, toMinute })),
			listenedMs,
			// Since then it was not listened.
			closedAtMs: undefined,
			faultSinceMs: undefined,
			meterId,
			registers,
			import: imported,
			export: exported,
		}),
	),
);

const readingShape = v.pipe(
	v.strictTuple([minute, natural, natural, v.picklist(QUALITIES)]),
	v.transform(([minute, importWh, exportWh, quality]): Reading => ({ minute, importWh, exportWh, quality })),
);

const doubtShape = v.pipe(
	v.strictTuple([v.picklist(["backwards", "implausible"]), v.picklist(["import", "export"]), natural, natural]),
	v.transform(
		([code, direction, beforeMilliWh, milliWh]): RegisterDoubt => ({ code, direction, beforeMilliWh, milliWh }),
	),
);

const memoryShape = v.pipe(
	v.strictTuple([energyShape, v.array(readingShape), perhaps(doubtShape)]),
	v.transform(([energy, questioned, doubt]): MeterMemory => ({ energy, questioned, doubt })),
);

export function encodeMeter({ energy, questioned, doubt }: MeterMemory): Uint8Array {
	const { nextMinute, held, listenedMs, meterId, registers } = energy;
	return encodeRecord([
		[
			nextMinute,
			held.map(({ fromMinute, toMinute }) => [fromMinute, toMinute]),
			listenedMs,
			optional(meterId),
			optional(registers === undefined ? undefined : registerFields(registers)),
			lineFields(energy.import),
			lineFields(energy.export),
		],
		questioned.map(({ minute, importWh, exportWh, quality }) => [minute, importWh, exportWh, quality]),
		optional(doubt === undefined ? undefined : [doubt.code, doubt.direction, doubt.beforeMilliWh, doubt.milliWh]),
	]);
}

export function decodeMeter(record: Uint8Array): Result<MeterMemory, RecordError> {
	return decodeRecord(record, memoryShape);
}
