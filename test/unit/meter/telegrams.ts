/** Kaifa telegrams for properties: any that the encoder takes, and the event that each must come back as. */
import fc from "fast-check";
import type { KaifaTelegram } from "../../../src/meter/kaifaEncoder.js";
import type { MeterDecoder, MeterEvent, TelegramEvent } from "../../../src/meter/telegram.js";

export const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const two = (value: number) => String(value).padStart(2, "0");
export const meterClock = fc
	.tuple(
		fc.integer({ min: 2000, max: 2099 }),
		fc.integer({ min: 1, max: 12 }),
		fc.integer({ min: 1, max: 28 }),
		fc.integer({ min: 0, max: 23 }),
		fc.integer({ min: 0, max: 59 }),
		fc.integer({ min: 0, max: 59 }),
	)
	.map(([y, mo, d, h, mi, s]) => `${y}-${two(mo)}-${two(d)}T${two(h)}:${two(mi)}:${two(s)}`);
const phase = fc.record({ currentMilliA: uint32, voltageDeciV: uint32 });
const text = fc.stringMatching(/^[ -~]{0,16}$/);
const full = {
	phases: fc.oneof(fc.tuple(phase), fc.tuple(phase, phase, phase)),
	importW: uint32,
	exportW: uint32,
	meterId: text,
	meterType: text,
	meterClock,
};

export const anyTelegram: fc.Arbitrary<KaifaTelegram> = fc.oneof(
	fc.record({ list: fc.constant(1 as const), importW: uint32, meterClock }),
	fc.record({ list: fc.constant(2 as const), ...full }),
	fc.record({ list: fc.constant(3 as const), ...full, importWh: uint32, exportWh: uint32 }),
);

/** What a decoder must make of it. */
export function eventOf(telegram: KaifaTelegram): TelegramEvent {
	const { list, meterClock, importW } = telegram;
	const power = {
		kind: "telegram" as const,
		format: "han-kaifa" as const,
		list,
		importMilliW: importW * 1_000,
		meterClock,
	};
	if (telegram.list === 1) return power;
	const { exportW, meterId, meterType } = telegram;
	const full = { ...power, exportMilliW: exportW * 1_000, meterId, meterType };
	if (telegram.list === 2) return full;
	const { importWh, exportWh } = telegram;
	const registers = { importMilliWh: importWh * 1_000, exportMilliWh: exportWh * 1_000, registerStepMilliWh: 1_000 };
	return { ...full, ...registers, sentClock: meterClock };
}

/** Feeds bytes in chunks of the given sizes, over and over. */
export function pushInChunks(decoder: MeterDecoder, bytes: Uint8Array, sizes: readonly number[]): MeterEvent[] {
	const events: MeterEvent[] = [];
	let at = 0;
	for (let i = 0; at < bytes.length; i++) {
		const size = sizes[i % sizes.length] ?? 1;
		events.push(...decoder.push(bytes.subarray(at, at + size)));
		at += size;
	}
	return events;
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
	return Uint8Array.from(parts.flatMap((part) => [...part]));
}
