import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expect as expectPage } from "./support/expect.js";
import { encodeTelegram, type Fed, feed, nextSlot, SLOT_MS, SLOTS_PER_MINUTE, type Telegram } from "./support/kaifaFeed.js";
import {
	type Compared,
	chainReadings,
	compare,
	connectMeter,
	foundAlone,
	measure,
	openSerialHome,
	meterCounts,
	report,
	type SerialHome,
} from "./support/serialHome.js";
import { serialPtyMissing } from "./support/serialPty.js";

/** A meter on a serial port of the operating system, and the real app, from the click to the chain. */
const missing = serialPtyMissing();
if (missing !== undefined) console.log(`the serial port's tests are skipped: ${missing}`);

const WHOLE_MINUTES = 2;

/**
 * Both powers change all the time and are highest or lowest at the edges of minutes, where a sum that is no trapezoid
 * is furthest off.
 */
function telegramAt(slot: number): Telegram {
	const kettleW = slot % 20 < 7 ? 2_000 : 0;
	const importW = 300 + Math.round(140 * (SLOTS_PER_MINUTE - distanceToOddMinute(slot))) + kettleW;
	const exportW = 200 + Math.round(130 * distanceToOddMinute(slot));
	return encodeTelegram(slot, importW, exportW);
}

/** In slots, to the nearest beginning of an odd minute. */
function distanceToOddMinute(slot: number): number {
	return Math.abs((slot % (2 * SLOTS_PER_MINUTE)) - SLOTS_PER_MINUTE);
}
