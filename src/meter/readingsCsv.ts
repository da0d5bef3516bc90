/**
 * A file of readings: `minute,importWh,exportWh`, minutes as ISO UTC, whole Wh; an optional fourth column says in which
 * minute a reading is handed in. What is wrong is told line by line.
 */
import type { Reading } from "../block/reading.js";
import { MAX_READING_WH, MINUTES_PER_DAY, MS_PER_MINUTE } from "../primitives/units.js";

export const CSV_HEADER = "minute,importWh,exportWh";

export interface CsvReading extends Omit<Reading, "quality"> {
	/** The minute in which it is handed in; its own, where the file does not say. */
	arrivesMinute: number;
}

/** `line` counts from 1; `text` is what stands there. */
export type CsvError = { line: number } & (
	| { code: "csv-bad-header"; text: string }
	| { code: "csv-bad-columns"; found: number; expected: number }
	| { code: "csv-bad-minute"; text: string }
	| { code: "csv-minute-out-of-range"; text: string }
	| { code: "csv-bad-energy"; column: "importWh" | "exportWh"; text: string }
	| { code: "csv-bad-arrival"; text: string }
	| { code: "csv-arrival-out-of-range"; text: string }
	| { code: "csv-arrives-before-its-minute" }
	| { code: "csv-duplicate-minute"; text: string; firstLine: number }
);

/** Readings by minute ascending, and the lines that are none. */
export function parseReadingsCsv(content: string): { readings: CsvReading[]; errors: CsvError[] } {
	const lines = content.replace(/^\uFEFF/, "").split(/\r?\n/);
	const header = lines[0] ?? "";
	if (header !== CSV_HEADER && header !== `${CSV_HEADER},arrives`) {
		return { readings: [], errors: [{ line: 1, code: "csv-bad-header", text: header }] };
	}
	const columns = header.split(",").length;
	const lineOfMinute = new Map<number, number>();
	const readings: CsvReading[] = [];
	const errors: CsvError[] = [];
	for (const [at, text] of lines.entries()) {
		if (at === 0 || (text === "" && at === lines.length - 1)) continue;
		const line = at + 1;
		const row = parseRow(text, line, columns);
		if ("code" in row) {
			errors.push(row);
			continue;
		}
		const firstLine = lineOfMinute.get(row.minute);
		if (firstLine !== undefined) {
			errors.push({ line, code: "csv-duplicate-minute", text: text.split(",")[0] ?? "", firstLine });
			continue;
		}
		lineOfMinute.set(row.minute, line);
		readings.push(row);
	}
	return { readings: readings.sort((a, b) => a.minute - b.minute), errors };
}

function parseRow(text: string, line: number, columns: number): CsvReading | CsvError {
	const fields = text.split(",");
	if (fields.length !== columns) return { line, code: "csv-bad-columns", found: fields.length, expected: columns };
	const [minuteText = "", importText = "", exportText = "", arrivesText = ""] = fields;
	const minute = minuteOfText(minuteText);
	if (minute === undefined) return { line, code: "csv-bad-minute", text: minuteText };
	if (!isOfThisAge(minute)) return { line, code: "csv-minute-out-of-range", text: minuteText };
	const importWh = energyOfText(importText);
	const exportWh = energyOfText(exportText);
	if (importWh === undefined) return { line, code: "csv-bad-energy", column: "importWh", text: importText };
	if (exportWh === undefined) return { line, code: "csv-bad-energy", column: "exportWh", text: exportText };
	const arrivesMinute = arrivesText === "" ? minute : minuteOfText(arrivesText);
	if (arrivesMinute === undefined) return { line, code: "csv-bad-arrival", text: arrivesText };
	if (arrivesMinute < minute) return { line, code: "csv-arrives-before-its-minute" };
	if (!isOfThisAge(arrivesMinute)) return { line, code: "csv-arrival-out-of-range", text: arrivesText };
	return { minute, importWh, exportWh, arrivesMinute };
}

function energyOfText(text: string): number | undefined {
	if (!/^\d{1,7}$/.test(text)) return undefined;
	const energyWh = Number(text);
	return energyWh <= MAX_READING_WH ? energyWh : undefined;
}

/** Minutes that a chain can hold, with some room to found it before them and to settle after them. */
function isOfThisAge(minute: number): boolean {
	return minute >= MINUTES_PER_DAY && minute * MS_PER_MINUTE < Date.UTC(2200, 0, 1);
}

/** Whole minutes in ISO UTC, as `2018-05-21T00:00:00Z`. */
export function minuteOfText(text: string): number | undefined {
	if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:00(\.000)?)?Z$/.test(text)) return undefined;
	const ms = Date.parse(text);
	// Date.parse takes the 31st of every month; what does not come out the same was no date.
	if (!Number.isSafeInteger(ms) || new Date(ms).toISOString().slice(0, 16) !== text.slice(0, 16)) return undefined;
	return ms / MS_PER_MINUTE;
}
