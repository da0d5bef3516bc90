/**
 * Speaks as a Kaifa meter: the bytes that kaifa.ts reads. The simulated household and the tests send them through the
 * same decoder as a real port.
 */
import { dateTime, encodeNotification, octetText, structure, unsigned32 } from "./dlmsEncoder.js";

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

/** One frame with its two flags. */
export function encodeKaifa(telegram: KaifaTelegram): Uint8Array {
	const clock = dateTime(telegram.meterClock);
	return encodeNotification({ invokeId: 0x40, clock, body: structure(items(telegram, clock)) });
}

function items(telegram: KaifaTelegram, clock: number[]): number[][] {
	if (telegram.list === 1) return [unsigned32(telegram.importW)];
	const list2 = [
		octetText("KFM_001"),
		octetText(telegram.meterId),
		octetText(telegram.meterType),
		unsigned32(telegram.importW),
		unsigned32(telegram.exportW),
		unsigned32(0),
		unsigned32(0),
		...telegram.phases.map((phase) => unsigned32(phase.currentMilliA)),
		...telegram.phases.map((phase) => unsigned32(phase.voltageDeciV)),
	];
	if (telegram.list === 2) return list2;
	return [...list2, clock, unsigned32(telegram.importWh), unsigned32(telegram.exportWh), unsigned32(0), unsigned32(0)];
}
