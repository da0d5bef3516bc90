/**
 * A file of a household's past, fetched from the node slice by slice: between two slices the node does whatever else there
 * is, and who stops asks for no more. The slices become one file without being joined in memory.
 */

import { type Command, type ExportFormat, type ExportWhat, SLICE_DAYS } from "../node/protocol.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE } from "../primitives/units.js";
import { firstMinuteOf, isoDate } from "./calendar.js";
import type { CommandResult } from "./nodeClient.svelte.js";

export interface ExportParts {
	readonly what: ExportWhat;
	readonly format: ExportFormat;
	readonly fromMinute: number;
	readonly untilMinute: number;
	command(command: Command): Promise<CommandResult>;
	/** From 0 to 1. */
	onProgress(done: number): void;
	isCancelled(): boolean;
}

export type ExportOutcome =
	| { readonly type: "done"; readonly parts: string[] }
	| { readonly type: "cancelled" }
	| { readonly type: "failed"; readonly code: string };

/** Fetches the slices of a file, in their order. */
export async function fetchExport(asked: ExportParts): Promise<ExportOutcome> {
	const { what, format, fromMinute, untilMinute } = asked;
	const parts: string[] = [];
	for (let from = fromMinute; from < untilMinute; ) {
		if (asked.isCancelled()) return { type: "cancelled" };
		const until = Math.min(untilMinute, sliceEnd(from, what));
		const slice = { fromMinute: from, untilMinute: until, isFirst: from === fromMinute, isLast: until === untilMinute };
		const result = await asked.command({ type: "exportSlice", what, format, ...slice });
		if (!result.ok) return { type: "failed", code: result.error.code };
		if (result.value.type === "exportSlice") parts.push(result.value.text);
		asked.onProgress((until - fromMinute) / (untilMinute - fromMinute));
		from = until;
	}
	return asked.isCancelled() ? { type: "cancelled" } : { type: "done", parts };
}

/** Months are summed up whole; days are local ones, of which some have 23 or 25 hours. */
function sliceEnd(fromMinute: number, what: ExportWhat): number {
	const date = isoDate(fromMinute * MS_PER_MINUTE);
	if (what !== "months") return firstMinuteOf(date, SLICE_DAYS[what]) ?? fromMinute + MINUTES_PER_DAY;
	const [year = 0, month = 0] = date.split("-").map(Number);
	const next = month === 12 ? `${year + 1}-01-01` : `${year}-${String(month + 1).padStart(2, "0")}-01`;
	return firstMinuteOf(next) ?? fromMinute + MINUTES_PER_DAY;
}

const EXTENSIONS: Readonly<Record<ExportFormat, string>> = { "csv-nb": "csv", "csv-iso": "csv", json: "json" };
const TYPES: Readonly<Record<ExportFormat, string>> = {
	"csv-nb": "text/csv;charset=utf-8",
	"csv-iso": "text/csv;charset=utf-8",
	json: "application/json",
};

/** What a file with this content is to a browser. */
export function exportType(format: ExportFormat): string {
	return TYPES[format];
}

/** By household and period, so that files lie in their order in a folder; whatever a name holds, it is one file's name. */
export function exportFileName(householdName: string, what: ExportWhat, period: string, format: ExportFormat): string {
	const name = householdName
		.normalize("NFC")
		.replaceAll(/[^\p{L}\p{N}]+/gu, "-")
		.replaceAll(/^-+|-+$/g, "");
	const variant = format === "csv-iso" ? "-iso" : "";
	return `nabostrom-${[...(name === "" ? [] : [name]), period, what].join("-")}${variant}.${EXTENSIONS[format]}`;
}
