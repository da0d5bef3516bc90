import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { encodeTelegram, type Telegram, type TelegramAt } from "../e2e/support/kaifaFeed.js";
import { serialPtyMissing } from "../e2e/support/serialPty.js";
import { tellSerialStory } from "../e2e/support/serialStory.js";

/**
 * Ten minutes of what real meters said: first captured frames byte for byte, then captured powers in frames of the
 * project's own, re-timed to this computer's clock.
 */
const CAPTURES = fileURLToPath(new URL("../../../shared/meters/captures/", import.meta.url));
const STREAMS = ["kaifa_no_stream_list1_list3_midnight", "kaifa_no_stream_inner_flags", "kaifa_no_hour_stream"];
const SERIES = "series_kaifa_12h_2s.json";
/** From here on the captured house has a boiler that comes and goes. */
const SERIES_IMPORT_FROM = 6_300;
/** The captured house exports nothing; another hour of its use, turned round, stands for its roof. */
const SERIES_EXPORT_FROM = 2_200;

/** What INDEX.json says of a capture: frames without their flags, and what an independent decoder read. */
interface Capture {
	file: string;
	messages: { offset: number; frameBytes: number; obis: Record<string, { value: number }> }[];
}

interface Series {
	importW: number[];
}

const missing = existsSync(CAPTURES) ? serialPtyMissing() : "the captures of real meters are not here";
tellSerialStory("ten minutes of a captured meter on a real serial port", {
	missing,
	wholeMinutes: 10,
	telegramAt: missing === undefined ? capturedMeter() : () => ({ bytes: new Uint8Array(), importW: 0 }),
});

function capturedMeter(): TelegramAt {
	const index: Capture[] = JSON.parse(readFileSync(`${CAPTURES}INDEX.json`, "utf8"));
	const frames = STREAMS.flatMap((name) => capturedFrames(index, `${name}.hex`));
	const { importW }: Series = JSON.parse(readFileSync(CAPTURES + SERIES, "utf8"));
	return (slot, sinceFirst) => {
		const frame = frames[sinceFirst];
		if (frame !== undefined) return frame;
		const at = sinceFirst - frames.length;
		return encodeTelegram(slot, importW[SERIES_IMPORT_FROM + at] ?? 0, importW[SERIES_EXPORT_FROM + at] ?? 0);
	};
}

function capturedFrames(index: readonly Capture[], file: string): Telegram[] {
	const bytes = Buffer.from(readFileSync(CAPTURES + file, "utf8").replace(/\s/g, ""), "hex");
	const messages = index.find((capture) => capture.file === file)?.messages ?? [];
	return messages.map(({ offset, frameBytes, obis }) => {
		const exported = obis["1-0:2.7.0.255"]?.value;
		return {
			bytes: bytes.subarray(offset, offset + frameBytes + 2),
			importW: obis["1-0:1.7.0.255"]?.value ?? 0,
			...(exported === undefined ? {} : { exportW: exported }),
		};
	});
}
