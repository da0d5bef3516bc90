/**
 * A household's minutes, days, months and movements as rows of a file, a slice at a time. Two kinds of CSV: one as a
 * spreadsheet in Norwegian reads it (semicolons, decimal commas, local time), one by the standards (RFC 4180, ISO 8601,
 * decimal points, UTC and local time); and JSON, whose amounts are the ledger's own integers (Wh, µNOK). Its words are its
 * format, so they stand here. Numbers are made of integers digit by digit.
 */
import { decimalString } from "../primitives/decimal.js";
import { dateOfDay, type LocalTimeRule, localMinuteOf, offsetMinutesAt } from "../primitives/localTime.js";
import { MS_PER_MINUTE, minuteOf } from "../primitives/units.js";
import type { BilledMinutes } from "./bill.js";
import type { Period } from "./periods.js";
import type { Bill, ExportFormat, ExportWhat } from "./protocol.js";
import { type Account, changeOf } from "./statement.js";
import type { MovementView } from "./view.js";

type Column =
	/** When something begins, a minute. */
	| { readonly kind: "minute"; readonly nb: string; readonly name: string }
	| {
			readonly kind: "count" | "energyWh" | "amountMicroNok" | "text" | "word";
			readonly nb: string;
			readonly name: string;
	  };

/** By their columns; undefined: nothing is known, which is no zero. */
export type Row = readonly (number | string | undefined)[];

const column = (kind: Column["kind"], nb: string, name: string): Column => ({ kind, nb, name });
const FROM = column("minute", "Fra", "from");
const ENERGY = [
	column("energyWh", "Tatt ut", "import"),
	column("energyWh", "Matet inn", "export"),
	column("energyWh", "Kjøpt av naboer", "bought"),
	column("energyWh", "Solgt til naboer", "sold"),
	column("amountMicroNok", "Betalt naboer", "paid"),
	column("amountMicroNok", "Fått av naboer", "earned"),
];
const SUMS = [
	FROM,
	column("count", "Minutter", "minutes"),
	column("count", "Målte minutter", "measured_minutes"),
	...ENERGY,
	column("energyWh", "Fra strømleverandøren", "from_utility"),
	column("energyWh", "Til strømleverandøren", "to_utility"),
	column("amountMicroNok", "Kostnad hos strømleverandøren", "utility_cost"),
	column("amountMicroNok", "Inntekt fra strømleverandøren", "utility_income"),
	column("amountMicroNok", "Lokal nettleie", "local_fee"),
];
const COLUMNS: Readonly<Record<ExportWhat, readonly Column[]>> = {
	minutes: [FROM, ...ENERGY],
	days: SUMS,
	months: SUMS,
	movements: [
		FROM,
		column("word", "Hva", "what"),
		column("text", "Med hvem", "with"),
		column("text", "Avtale", "contract"),
		column("energyWh", "Energi", "energy"),
		column("amountMicroNok", "Beløp", "amount"),
		column("text", "Referanse", "reference"),
		column("text", "Handling", "act"),
	],
};

/** Without it a spreadsheet takes UTF-8 for something else. */
const BYTE_ORDER_MARK = "\uFEFF";
const LINE_END = "\r\n";

/** What stands before the first row. `of`: what a reader of JSON wants to know of its origin. */
export function exportHead(format: ExportFormat, what: ExportWhat, of: Readonly<Record<string, string>>): string {
	const columns = COLUMNS[what];
	switch (format) {
		case "csv-nb":
			return BYTE_ORDER_MARK + line(columns.flatMap(norwegianTitles), ";");
		case "csv-iso":
			return line(columns.flatMap(titles), ",");
		case "json": {
			const names = columns.flatMap(jsonNames);
			return `[${JSON.stringify({ format: "nabostrom-export", version: 1, what, ...of, columns: names })}`;
		}
	}
}

/** What stands behind the last one. */
export function exportTail(format: ExportFormat): string {
	return format === "json" ? "\n]\n" : "";
}

/** The minutes from the household's first on, as far as they have ended. */
export function minuteRows(
	{ series, paidMicroNok, earnedMicroNok }: BilledMinutes,
	{ fromMinute, untilMinute }: Period,
) {
	const rows: Row[] = [];
	for (let minute = fromMinute; minute < untilMinute; minute++) {
		const at = minute - series.fromMinute;
		if ((series.importWh[at] ?? -1) < 0) rows.push([minute, ...ENERGY.map(() => undefined)]);
		else {
			const { importWh, exportWh, boughtWh, soldWh } = series;
			rows.push([minute, importWh[at], exportWh[at], boughtWh[at], soldWh[at], paidMicroNok[at], earnedMicroNok[at]]);
		}
	}
	return rows;
}

/** One day or month. `minutes`: of it that have ended. */
export function sumRow({ fromMinute }: Period, { total }: Bill, minutes: number): Row {
	return [
		fromMinute,
		minutes,
		total.minutes,
		total.importWh,
		total.exportWh,
		total.boughtWh,
		total.soldWh,
		total.paidMicroNok,
		total.earnedMicroNok,
		total.fromUtilityWh,
		total.toUtilityWh,
		total.utilityCostMicroNok,
		total.utilityIncomeMicroNok,
		total.localFeeMicroNok,
	];
}

/** What a household's tokens did; `nameOf`: of a member. A day's trades stand at the day's beginning. */
export function movementRows(
	{ movements, others, gaps }: Pick<Account, "movements" | "others" | "gaps">,
	{ fromMinute, untilMinute }: Period,
	nameOf: (member: number) => string,
): Row[] {
	const rows = movements.map((movement): Row => {
		const begin = "timestampMs" in movement ? minuteOf(movement.timestampMs) : movement.dayMinute;
		const { type } = movement;
		return [
			begin,
			type,
			"other" in movement ? nameOf(movement.other) : undefined,
			"contractId" in movement ? movement.contractId : undefined,
			"energyWh" in movement ? movement.energyWh : undefined,
			changedOrCarried(movement),
			"reference" in movement ? movement.reference : undefined,
			"reference" in movement ? movement.id : undefined,
		];
	});
	const rest = (
		minute: number,
		type: string,
		{ inMicroNok, outMicroNok }: { inMicroNok: number; outMicroNok: number },
	) =>
		[inMicroNok, -outMicroNok]
			.filter((amountMicroNok) => amountMicroNok !== 0)
			.map(
				(amountMicroNok): Row => [minute, type, undefined, undefined, undefined, amountMicroNok, undefined, undefined],
			);
	return [
		...rows,
		...others.flatMap((other) => rest(other.dayMinute, "other", other)),
		...gaps.flatMap((gap) => {
			// One that goes on beyond the slice stands in the slice in which it ends.
			const end = minuteOf(gap.untilMs);
			return end >= fromMinute && end < untilMinute ? rest(end, "unknown", gap) : [];
		}),
	];
}

function changedOrCarried(movement: MovementView): number {
	return movement.type === "carried" ? movement.amountMicroNok : changeOf(movement);
}

/** Rows as text, each with its line end before or behind it. */
export function exportRows(format: ExportFormat, what: ExportWhat, rows: readonly Row[], rule: LocalTimeRule): string {
	const columns = COLUMNS[what];
	const cellsOf = { "csv-nb": norwegianCells, "csv-iso": isoCells, json: jsonCells }[format];
	let text = "";
	for (const row of rows) {
		const cells: string[] = [];
		for (const [at, { kind }] of columns.entries()) cells.push(...cellsOf(kind, row[at], rule));
		text += format === "json" ? `,\n[${cells.join(",")}]` : line(cells, format === "csv-nb" ? ";" : ",");
	}
	return text;
}

function line(cells: readonly string[], separator: string): string {
	return cells.join(separator) + LINE_END;
}

// ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────

function norwegianTitles({ kind, nb }: Column): string[] {
	if (kind === "minute") return [`${nb} (lokal tid)`, "Foran UTC"];
	if (kind === "energyWh") return [`${nb} (kWh)`];
	return [kind === "amountMicroNok" ? `${nb} (kr)` : nb];
}

function titles({ kind, name }: Column): string[] {
	if (kind === "minute") return [`${name}_utc`, `${name}_local`];
	if (kind === "energyWh") return [`${name}_kwh`];
	return [kind === "amountMicroNok" ? `${name}_nok` : name];
}

function jsonNames({ kind, name }: Column): string[] {
	if (kind === "minute") return [`${name}_utc`, `${name}_local`];
	if (kind === "energyWh") return [`${name}_wh`];
	return [kind === "amountMicroNok" ? `${name}_micro_nok` : name];
}

// ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────────

function norwegianCells(kind: Column["kind"], value: number | string | undefined, rule: LocalTimeRule): string[] {
	if (kind === "minute") return norwegianTime(Number(value), rule);
	if (value === undefined) return [""];
	if (typeof value === "string") return [textCell(kind === "word" ? (WORDS[value] ?? value) : value)];
	return [decimalOf(kind, value).replace(".", ",")];
}

function isoCells(kind: Column["kind"], value: number | string | undefined, rule: LocalTimeRule): string[] {
	if (kind === "minute") return isoTimes(Number(value), rule);
	if (value === undefined) return [""];
	return [typeof value === "string" ? textCell(value) : decimalOf(kind, value)];
}

function jsonCells(kind: Column["kind"], value: number | string | undefined, rule: LocalTimeRule): string[] {
	if (kind === "minute") return isoTimes(Number(value), rule).map((time) => JSON.stringify(time));
	return [value === undefined ? "null" : JSON.stringify(value)];
}

function decimalOf(kind: Column["kind"], value: number): string {
	if (kind === "energyWh") return decimalString(value, 3, 3);
	return kind === "amountMicroNok" ? decimalString(value, 6, 6) : String(value);
}

/** What the movements are called where a person reads them. */
const WORDS: Readonly<Record<string, string>> = {
	issued: "Strømkroner mottatt",
	paidOut: "Utbetalt",
	bought: "Kjøpt under avtale",
	sold: "Solgt under avtale",
	matchedBought: "Kjøpt i markedet",
	matchedSold: "Solgt i markedet",
	carried: "Med fra den gamle kjeden",
	correctionReceived: "Rettelse mottatt",
	correctionPaid: "Rettelse betalt",
	creditGranted: "Kredittramme gitt",
	creditWithdrawn: "Kredittramme trukket tilbake",
	other: "Annet",
	unknown: "Ikke kjent på denne enheten",
};

/**
 * A name or a reference, which its author chose: a spreadsheet takes what begins like a formula for one and carries it
 * out, so an apostrophe stands before it (OWASP, "CSV Injection").
 */
function textCell(text: string): string {
	const harmless = /^\s*[=+\-@|%]|^[\t\r\n]/.test(text) ? `'${text}` : text;
	return /[";,\r\n\t]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function norwegianTime(minute: number, rule: LocalTimeRule): string[] {
	const { year, month, day, hour, minuteOfHour } = clockAt(minute, rule);
	return [`${day}.${month}.${year} ${hour}:${minuteOfHour}`, offsetText(offsetMinutesAt(rule, minute))];
}

function isoTimes(minute: number, rule: LocalTimeRule): string[] {
	const { year, month, day, hour, minuteOfHour } = clockAt(minute, rule);
	const utc = new Date(minute * MS_PER_MINUTE).toISOString().replace(/:\d\d\.\d{3}Z$/, "Z");
	return [utc, `${year}-${month}-${day}T${hour}:${minuteOfHour}${offsetText(offsetMinutesAt(rule, minute))}`];
}

function clockAt(minute: number, rule: LocalTimeRule) {
	const { day, minuteOfDay } = localMinuteOf(minute + offsetMinutesAt(rule, minute));
	const date = dateOfDay(day);
	const minuteOfHour = minuteOfDay % 60;
	return {
		year: date.year,
		month: twoDigits(date.month),
		day: twoDigits(date.dayOfMonth),
		hour: twoDigits((minuteOfDay - minuteOfHour) / 60),
		minuteOfHour: twoDigits(minuteOfHour),
	};
}

/** `+02:00` */
function offsetText(offsetMinutes: number): string {
	const size = Math.abs(offsetMinutes);
	return `${offsetMinutes < 0 ? "-" : "+"}${twoDigits((size - (size % 60)) / 60)}:${twoDigits(size % 60)}`;
}

function twoDigits(value: number): string {
	return String(value).padStart(2, "0");
}
