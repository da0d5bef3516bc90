/** Reads a street's files: `street.json` and a CSV of readings per household. Every mistake names file and line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { nameShape } from "../block/fieldShapes.js";
import type { FoundingMarket } from "../block/kinds/founding.js";
import { MATCHING_RULES } from "../block/kinds/trading.js";
import { DEFAULT_INTERVAL_MINUTES } from "../contract/automaticMarket.js";
import { CSV_HEADER, type CsvError, type CsvReading, minuteOfText, parseReadingsCsv } from "../meter/readingsCsv.js";
import { ok, type Result, refused } from "../primitives/result.js";
import {
	MAX_AMOUNT_MICRO_NOK,
	MAX_CIRCULATION_MICRO_NOK,
	MAX_PRICE_MICRO_NOK_PER_WH,
	MAX_READING_WH,
	MICRO_NOK_PER_NOK,
} from "../primitives/units.js";
import { jsonLines } from "./jsonLines.js";

export interface Street {
	name: string;
	tariff: { retailMicroNokPerWh: number; feedInMicroNokPerWh: number; localFeeMicroNokPerWh: number };
	/** The market that trades by itself; undefined: none. */
	market: FoundingMarket | undefined;
	households: StreetHousehold[];
	/** In file order. Member indices; minutes since the epoch. */
	contracts: StreetContract[];
	firstMinute: number;
	/** Of the readings, and of their arrivals. */
	lastMinute: number;
	lastArrivalMinute: number;
}

export interface StreetHousehold {
	name: string;
	tokensMicroNok: number;
	/** At which prices it trades by itself; undefined: it does not. */
	buyBelowMicroNokPerWh: number | undefined;
	sellAboveMicroNokPerWh: number | undefined;
	/** By minute ascending. */
	readings: CsvReading[];
}

export interface StreetContract {
	seller: number;
	buyer: number;
	priceMicroNokPerWh: number;
	fromMinute: number | undefined;
	/** First minute that it does not cover. */
	untilMinute: number | undefined;
	energyLimitWh: number;
}

/** One clear line for a person: where, and what. */
export interface StreetError {
	code: "bad-street";
	where: string;
	what: string;
}

/** Reads a folder. */
export function readStreet(folder: string): Result<Street, StreetError> {
	const file = "street.json";
	const text = read(folder, file);
	if (!text.ok) return text;
	let json: unknown;
	const lines = jsonLines(text.value);
	try {
		json = JSON.parse(text.value);
	} catch (error) {
		// The message may quote the text, line ends and all.
		const what = (error as Error).message.replace(/\s+/g, " ");
		return bad(`${file}:${lines.errorLine}`, `not JSON: ${what}`);
	}
	const shaped = v.safeParse(STREET_SHAPE, json);
	if (!shaped.success) {
		const [issue] = shaped.issues;
		const path = v.getDotPath(issue) ?? "";
		return bad(`${file}:${lines.lineOf(path)}`, `${path === "" ? "the file" : path}: ${issue.message}`);
	}
	const { name, tariff, market, households: listed, contracts: promised } = shaped.output;
	const line = (path: string) => `${file}:${lines.lineOf(path)}`;

	const households: StreetHousehold[] = [];
	let tokensMicroNok = 0;
	for (const [at, household] of listed.entries()) {
		if (households.some((other) => other.name === household.name)) {
			return bad(line(`households.${at}.name`), `household ${household.name} is there twice`);
		}
		tokensMicroNok += household.tokensNok * MICRO_NOK_PER_NOK;
		if (tokensMicroNok > MAX_CIRCULATION_MICRO_NOK) {
			const limitNok = MAX_CIRCULATION_MICRO_NOK / MICRO_NOK_PER_NOK;
			return bad(line(`households.${at}.tokensNok`), `more than ${limitNok} tokens altogether`);
		}
		const readings = readReadings(folder, household.readings);
		if (!readings.ok) return readings;
		households.push({
			name: household.name,
			tokensMicroNok: household.tokensNok * MICRO_NOK_PER_NOK,
			buyBelowMicroNokPerWh: household.buyBelowMicroNokPerWh,
			sellAboveMicroNokPerWh: household.sellAboveMicroNokPerWh,
			readings: readings.value,
		});
	}
	const minutes = households.flatMap(({ readings }) => readings.flatMap(({ minute }) => [minute]));
	if (minutes.length === 0) return bad(file, "no household has a reading");
	const contracts = readContracts(promised, households, line);
	if (!contracts.ok) return contracts;
	const arrivals = households.flatMap(({ readings }) => readings.map(({ arrivesMinute }) => arrivesMinute));
	return ok({
		name,
		tariff,
		market: market && { choice: market.rule, intervalMinutes: market.intervalMinutes, buysUnderContract: false },
		households,
		contracts: contracts.value,
		firstMinute: minutes.reduce((a, b) => Math.min(a, b)),
		lastMinute: minutes.reduce((a, b) => Math.max(a, b)),
		lastArrivalMinute: arrivals.reduce((a, b) => Math.max(a, b)),
	});
}

function bad(where: string, what: string): { ok: false; error: StreetError } {
	return refused({ code: "bad-street", where, what });
}

function read(folder: string, file: string): Result<string, StreetError> {
	try {
		return ok(readFileSync(join(folder, file), "utf8").replace(/^\uFEFF/, ""));
	} catch (error) {
		const code = (error as { code?: string }).code;
		return bad(
			join(folder, file),
			code === "ENOENT" ? "the file is not there" : `cannot be read (${code ?? "unknown"})`,
		);
	}
}

// ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────

function readReadings(folder: string, file: string): Result<StreetHousehold["readings"], StreetError> {
	const text = read(folder, file);
	if (!text.ok) return text;
	const { readings, errors } = parseReadingsCsv(text.value);
	const [first] = errors;
	return first === undefined ? ok(readings) : bad(`${file}:${first.line}`, wordsOf(first));
}

function wordsOf(error: CsvError): string {
	switch (error.code) {
		case "csv-bad-header":
			return `the header is "${error.text}", expected "${CSV_HEADER}[,arrives]"`;
		case "csv-bad-columns":
			return `${error.found} columns, expected ${error.expected}`;
		case "csv-bad-minute":
			return `"${error.text}" is no minute like 2018-05-21T00:00:00Z`;
		case "csv-minute-out-of-range":
			return `${error.text} is not from 1970-01-02 to 2199`;
		case "csv-bad-energy":
			return `${error.column}: "${error.text}" is not a whole number of Wh from 0 to ${MAX_READING_WH}`;
		case "csv-bad-arrival":
			return `arrives: "${error.text}" is no minute`;
		case "csv-arrival-out-of-range":
			return `arrives: ${error.text} is not from 1970-01-02 to 2199`;
		case "csv-arrives-before-its-minute":
			return "arrives before its minute";
		case "csv-duplicate-minute":
			return `minute ${error.text} was on line ${error.firstLine} already`;
	}
}

// ── contracts ────────────────────────────────────────────────────────────────────────────────────────────────────

function readContracts(
	promised: v.InferOutput<typeof STREET_SHAPE>["contracts"],
	households: readonly StreetHousehold[],
	line: (path: string) => string,
): Result<StreetContract[], StreetError> {
	const contracts: StreetContract[] = [];
	for (const [at, contract] of promised.entries()) {
		const where = line(`contracts.${at}`);
		const seller = households.findIndex(({ name }) => name === contract.seller);
		const buyer = households.findIndex(({ name }) => name === contract.buyer);
		if (seller < 0) return bad(where, `unknown household ${contract.seller}`);
		if (buyer < 0) return bad(where, `unknown household ${contract.buyer}`);
		if (seller === buyer) return bad(where, `${contract.seller} cannot sell to itself`);
		const fromMinute = contract.from === undefined ? undefined : minuteOfText(contract.from);
		const untilMinute = contract.until === undefined ? undefined : minuteOfText(contract.until);
		if (contract.from !== undefined && fromMinute === undefined)
			return bad(where, `from: "${contract.from}" is no minute`);
		if (contract.until !== undefined && untilMinute === undefined) {
			return bad(where, `until: "${contract.until}" is no minute`);
		}
		const [from, until] = [fromMinute ?? Number.NEGATIVE_INFINITY, untilMinute ?? Number.POSITIVE_INFINITY];
		if (from >= until) return bad(where, "from is not before until");
		const overlap = contracts.findIndex(
			(other) =>
				other.buyer === buyer &&
				from < (other.untilMinute ?? Number.POSITIVE_INFINITY) &&
				(other.fromMinute ?? Number.NEGATIVE_INFINITY) < until,
		);
		if (overlap >= 0) return bad(where, `overlaps contract ${overlap + 1} of the buyer ${contract.buyer}`);
		contracts.push({
			seller,
			buyer,
			priceMicroNokPerWh: contract.priceMicroNokPerWh,
			fromMinute,
			untilMinute,
			energyLimitWh: contract.energyWh ?? 0,
		});
	}
	return ok(contracts);
}

// ── street.json ──────────────────────────────────────────────────────────────────────────────────────────────────

const integer = (min: number, max: number) =>
	v.pipe(
		v.number("expected a number"),
		v.integer("expected a whole number"),
		v.minValue(min, `expected at least ${min}`),
		v.maxValue(max, `expected at most ${max}`),
	);
const text = v.pipe(v.string("expected a text"), v.minLength(1, "expected a text"), v.maxLength(40, "longer than 40"));
/** A name as the chain takes it. */
const name = v.pipe(
	text,
	v.check((text) => v.is(nameShape, text), "has a blank at an end or a character that a screen cannot show"),
);
/** Says of a missing field that it is missing. */
const object = ({ expected }: { expected: string | null }) =>
	expected === "Object" ? "expected an object" : "is missing";
const MINUTES_PER_HOUR = 60;
const tariffPrice = integer(0, MAX_PRICE_MICRO_NOK_PER_WH);

const STREET_SHAPE = v.object(
	{
		name,
		tariff: v.object(
			{
				retailMicroNokPerWh: tariffPrice,
				feedInMicroNokPerWh: tariffPrice,
				localFeeMicroNokPerWh: v.optional(tariffPrice, 0),
			},
			object,
		),
		market: v.optional(
			v.object(
				{
					rule: v.picklist(MATCHING_RULES, `expected one of ${MATCHING_RULES.join(", ")}`),
					intervalMinutes: v.optional(
						v.pipe(
							integer(1, MINUTES_PER_HOUR),
							v.check((minutes) => MINUTES_PER_HOUR % minutes === 0, "an hour is no whole number of them"),
						),
						DEFAULT_INTERVAL_MINUTES,
					),
				},
				object,
			),
		),
		households: v.pipe(
			v.array(
				v.object(
					{
						name,
						readings: v.pipe(v.string("expected a file name"), v.minLength(1, "expected a file name")),
						tokensNok: integer(0, MAX_AMOUNT_MICRO_NOK / MICRO_NOK_PER_NOK),
						buyBelowMicroNokPerWh: v.optional(integer(1, MAX_PRICE_MICRO_NOK_PER_WH)),
						sellAboveMicroNokPerWh: v.optional(integer(1, MAX_PRICE_MICRO_NOK_PER_WH)),
					},
					object,
				),
				"expected a list",
			),
			v.minLength(1, "expected at least one household"),
			v.maxLength(30, "expected at most 30 households"),
		),
		contracts: v.array(
			v.object(
				{
					seller: text,
					buyer: text,
					priceMicroNokPerWh: integer(1, MAX_PRICE_MICRO_NOK_PER_WH),
					from: v.optional(v.string("expected a text")),
					until: v.optional(v.string("expected a text")),
					energyWh: v.optional(integer(1, 1_000_000_000_000)),
				},
				object,
			),
			"expected a list",
		),
	},
	object,
);
