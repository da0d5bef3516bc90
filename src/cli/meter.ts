/**
 * `npm run meter -- FILE [--json]`: what a meter said, from a file of its bytes, raw or as hex text, in whatever known
 * format. Exit code 0: telegrams were read; 1: none could be; 2: the file could not be.
 */
import { readFileSync } from "node:fs";
import { createMeterDecoder } from "../meter/anyFormat.js";
import type { DropReason, MeterEvent, TelegramEvent } from "../meter/telegram.js";
import { divideFloor } from "../primitives/units.js";

const MILLI = 1_000;
const HEX_TEXT = /^[\s0-9A-Fa-f]+$/;

const WORDS: Readonly<Record<DropReason, string>> = {
	noise: "belongs to no telegram",
	"bad-header-checksum": "the header's checksum is wrong",
	"bad-frame-checksum": "the checksum is wrong, or lacks",
	"cut-off": "ends before it is whole",
	encrypted: "is encrypted: the grid company has the key, or can switch encryption off",
	"bad-telegram": "is not what a meter sends",
	"unknown-list": "is whole, but nothing in it is known",
};

const args = process.argv.slice(2);
const isJson = args.includes("--json");
const files = args.filter((arg) => arg !== "--json");
const [file] = files;
if (file === undefined || files.length > 1 || file.startsWith("-")) {
	console.error("usage: npm run meter -- FILE [--json]");
	process.exit(2);
}
const decoder = createMeterDecoder();
const events = [...decoder.push(readBytes(file)), ...decoder.end()];
for (const event of events) console.log(isJson ? JSON.stringify(jsonOf(event)) : sentenceOf(event));
const telegrams = events.filter(({ kind }) => kind === "telegram").length;
if (!isJson) console.log(`${telegrams} telegrams, ${events.length - telegrams} times something was dropped`);
process.exitCode = telegrams > 0 ? 0 : 1;

/** A file of hex digits and blanks alone is their bytes. */
function readBytes(path: string): Uint8Array {
	try {
		const content = readFileSync(path);
		const text = content.toString("latin1");
		return Uint8Array.from(HEX_TEXT.test(text) ? Buffer.from(text.replaceAll(/\s/g, ""), "hex") : content);
	} catch (error) {
		console.error(error instanceof Error ? error.message : String(error));
		process.exit(2);
	}
}

/** Whole W and Wh, rounded down. */
function wholeUnits(event: TelegramEvent): Record<string, number> {
	const { importMilliW, exportMilliW, importMilliWh, exportMilliWh } = event;
	const milli = { importW: importMilliW, exportW: exportMilliW, importWh: importMilliWh, exportWh: exportMilliWh };
	return Object.fromEntries(
		Object.entries(milli).flatMap(([key, value]) => (value === undefined ? [] : [[key, divideFloor(value, MILLI)]])),
	);
}

function jsonOf(event: MeterEvent): Record<string, unknown> {
	if (event.kind === "dropped") return { kind: event.kind, reason: event.reason };
	const { kind, format, meterId, meterClock } = event;
	return { kind, format, meterId, ...wholeUnits(event), meterClock };
}

function sentenceOf(event: MeterEvent): string {
	if (event.kind === "dropped") return `(${event.bytes} bytes: ${WORDS[event.reason]})`;
	const { format, meterId, meterType, meterClock } = event;
	const values = Object.entries(wholeUnits(event)).map(([key, value]) =>
		key.endsWith("Wh") ? `${key.slice(0, -2)} register ${value} Wh` : `${key.slice(0, -1)} ${value} W`,
	);
	const meter = [meterType, meterId].filter((each) => each !== undefined).join(" ");
	return [format, meterClock, meter, ...values].filter((each) => each !== undefined && each !== "").join("  ");
}
