import { encodeTelegram, SLOTS_PER_MINUTE, type Telegram } from "./support/kaifaFeed.js";
import { serialPtyMissing } from "./support/serialPty.js";
import { tellSerialStory } from "./support/serialStory.js";

/**
 * Both powers change all the time and turn at the edges of minutes, one at its highest and the other at its lowest:
 * there a sum that is no trapezoid is furthest off.
 */
function telegramAt(slot: number): Telegram {
	const slotsToOddMinute = Math.abs((slot % (2 * SLOTS_PER_MINUTE)) - SLOTS_PER_MINUTE);
	const kettleW = slot % 20 < 7 ? 2_000 : 0;
	const importW = 300 + 230 * (SLOTS_PER_MINUTE - slotsToOddMinute) + kettleW;
	const exportW = 200 + 130 * slotsToOddMinute;
	return encodeTelegram(slot, importW, exportW);
}

tellSerialStory("a meter on a real serial port", { missing: serialPtyMissing(), wholeMinutes: 2, telegramAt });
