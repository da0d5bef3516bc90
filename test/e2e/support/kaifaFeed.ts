/**
 * A Kaifa meter that speaks into a port in real time, with the noise and the damage of a real line, and what its
 * samples amount to: an integration of its own, which shares nothing with the app's.
 */
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeKaifa, type KaifaTelegram } from "../../../src/meter/kaifaEncoder.js";

/** One telegram of the meter, and what it says. */
export interface Telegram {
	bytes: Uint8Array;
	importW: number;
	/** Absent in list 1. */
	exportW?: number;
}

/** What the meter says in a slot, counted from the epoch and from the first that is fed. */
export type TelegramAt = (slot: number, sinceFirst: number) => Telegram;

export interface Sample {
	/** When its frame's last byte was sent. */
	atMs: number;
	importW: number;
	exportW?: number;
}

export interface Fed {
	samples: Sample[];
	/** Runs of bytes that belong to no frame. */
	noises: number;
	/** Frames that were spoilt on the way: one bit of the header, or one of the power. */
	damagedHeaders: number;
	damagedPowers: number;
}

export interface MinuteEnergy {
	minute: number;
	importWh: number;
	exportWh: number;
}

const MS_PER_MINUTE = 60_000;
const WATT_MS_PER_WH = 3_600_000;
/** List 1 comes every 2 s: slots are counted from the epoch, 30 to the minute. */
const SLOT_MS = 2_000;
export const SLOTS_PER_MINUTE = 30;
/** Each fifth slot, so every 10 s, has list 2. */
const FULL_LIST_SLOTS = 5;
/**
 * The meter's clock goes this much behind the host's: each minute's first full list comes so long after the edge. The
 * minute is closed 4 s after it, with what is known then.
 */
const PHASE_MS = 1_300;
/** The meter goes on for so long after the last minute. */
const TAIL_SLOTS = 4;
/** A frame arrives in two pieces. */
const PIECES_APART_MS = 60;
const NOISE_EVERY_SLOTS = 7;
/** Every five minutes, in these slots from the first on, a spoilt frame comes too. */
const DAMAGE_EVERY_SLOTS = 5 * SLOTS_PER_MINUTE;
const DAMAGED_POWER_SLOT = 17;
const DAMAGED_HEADER_SLOT = 40;
const LONGEST_NOISE_BYTES = 40;
/** What a spoilt frame says: nobody could miss it in a minute's energy. */
const DAMAGED_FRAME_W = 60_000;
/** Where list 1 has its control byte, and a byte of its power. */
const CONTROL_BYTE = 6;
const POWER_BYTE = 36;

export function isFullListSlot(slot: number): boolean {
	return slot % FULL_LIST_SLOTS === 0;
}

/** A telegram in the project's own encoding: list 2 where the slot has it, else list 1. */
export function encodeTelegram(slot: number, importW: number, exportW: number): Telegram {
	const meterClock = new Date(slot * SLOT_MS).toISOString().slice(0, 19);
	if (!isFullListSlot(slot)) return { bytes: encodeKaifa({ list: 1, importW, meterClock }), importW };
	const telegram: KaifaTelegram = {
		list: 2,
		importW,
		exportW,
		meterClock,
		meterId: "6970631401753985",
		meterType: "MA304H3E",
		phases: [{ currentMilliA: 4_000, voltageDeciV: 2_320 }],
	};
	return { bytes: encodeKaifa(telegram), importW, exportW };
}

/** Speaks from now until so many whole minutes are over, and a little longer. */
export async function feed(port: Writable, wholeMinutes: number, telegramAt: TelegramAt): Promise<Fed> {
	const fed: Fed = { samples: [], noises: 0, damagedHeaders: 0, damagedPowers: 0 };
	const firstSlot = Math.ceil((Date.now() - PHASE_MS) / SLOT_MS);
	const firstFullSlot = Math.ceil(firstSlot / FULL_LIST_SLOTS) * FULL_LIST_SLOTS;
	const firstMinute = Math.ceil(slotMs(firstFullSlot) / MS_PER_MINUTE);
	const lastSlot = (firstMinute + wholeMinutes) * SLOTS_PER_MINUTE + TAIL_SLOTS;
	for (let slot = firstSlot; slot <= lastSlot; slot++) {
		const telegram = telegramAt(slot, slot - firstSlot);
		await sleepUntil(slotMs(slot));
		if (slot % NOISE_EVERY_SLOTS === 0) {
			fed.noises += 1;
			port.write(noise(slot));
		}
		const damageSlot = (slot - firstSlot) % DAMAGE_EVERY_SLOTS;
		if (damageSlot === DAMAGED_POWER_SLOT) {
			fed.damagedPowers += 1;
			port.write(damagedFrame(slot, POWER_BYTE));
		}
		if (damageSlot === DAMAGED_HEADER_SLOT) {
			fed.damagedHeaders += 1;
			port.write(damagedFrame(slot, CONTROL_BYTE));
		}
		const half = telegram.bytes.length >> 1;
		port.write(telegram.bytes.subarray(0, half));
		await sleep(PIECES_APART_MS);
		const { bytes, ...powers } = telegram;
		port.write(bytes.subarray(half));
		fed.samples.push({ atMs: Date.now(), ...powers });
	}
	return fed;
}

/** The energy of each minute that the samples of both directions cover wholly. */
export function integrate(samples: readonly Sample[]): MinuteEnergy[] {
	const imported = samples.map(({ atMs, importW }): Point => [atMs, importW]);
	const exported = samples.flatMap(({ atMs, exportW }): Point[] => (exportW === undefined ? [] : [[atMs, exportW]]));
	const fromMs = Math.max(imported[0]?.[0] ?? 0, exported[0]?.[0] ?? 0);
	const untilMs = Math.min(imported.at(-1)?.[0] ?? 0, exported.at(-1)?.[0] ?? 0);
	const minutes: MinuteEnergy[] = [];
	for (
		let minute = Math.ceil(fromMs / MS_PER_MINUTE);
		imported.length > 0 && exported.length > 0 && (minute + 1) * MS_PER_MINUTE <= untilMs;
		minute++
	) {
		minutes.push({ minute, importWh: energyWh(imported, minute), exportWh: energyWh(exported, minute) });
	}
	return minutes;
}

/** Time in ms, power in W. */
type Point = readonly [atMs: number, powerW: number];

/** The area under the line through the points, between a minute's edges: in floating point, corner by corner. */
function energyWh(points: readonly Point[], minute: number): number {
	const fromMs = minute * MS_PER_MINUTE;
	const untilMs = fromMs + MS_PER_MINUTE;
	const inside = points.filter(([atMs]) => atMs > fromMs && atMs < untilMs);
	const corners: Point[] = [[fromMs, powerAt(points, fromMs)], ...inside, [untilMs, powerAt(points, untilMs)]];
	let wattMs = 0;
	for (const [at, [toMs, toW]] of corners.entries()) {
		const [beforeMs, beforeW] = corners[at - 1] ?? [toMs, toW];
		wattMs += ((beforeW + toW) / 2) * (toMs - beforeMs);
	}
	return wattMs / WATT_MS_PER_WH;
}

function powerAt(points: readonly Point[], atMs: number): number {
	const after = points.findIndex(([pointMs]) => pointMs >= atMs);
	const [toMs, toW] = points[after] ?? [atMs, Number.NaN];
	const [fromMs, fromW] = points[after - 1] ?? [toMs, toW];
	return toMs === fromMs ? toW : fromW + ((toW - fromW) * (atMs - fromMs)) / (toMs - fromMs);
}

/** Bytes that no frame begins with, other ones and another number of them in each slot. */
function noise(slot: number): Uint8Array {
	const length = 1 + (slot % LONGEST_NOISE_BYTES);
	return Uint8Array.from({ length }, (_, at) => ((slot + 1) * 31 + at * 73) % 0x70);
}

/** A frame of list 1 in which one bit has fallen over. */
function damagedFrame(slot: number, at: number): Uint8Array {
	const meterClock = new Date(slot * SLOT_MS).toISOString().slice(0, 19);
	const bytes = encodeKaifa({ list: 1, importW: DAMAGED_FRAME_W, meterClock });
	bytes[at] = (bytes[at] ?? 0) ^ 0x04;
	return bytes;
}

function slotMs(slot: number): number {
	return slot * SLOT_MS + PHASE_MS;
}

async function sleepUntil(atMs: number): Promise<void> {
	for (let leftMs = atMs - Date.now(); leftMs > 0; leftMs = atMs - Date.now()) await sleep(leftMs);
}
