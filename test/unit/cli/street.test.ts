import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readStreet } from "../../../src/cli/street.js";
import { csvOf, isoOf, MIDNIGHT_MINUTE, streetFolder } from "../../support/streetFolder.js";

const ROWS = csvOf([
	[0, 1, 2],
	[1, 3, 4],
]);

interface Json {
	name: unknown;
	tariff: unknown;
	households: unknown[];
	contracts: unknown[];
	market?: unknown;
}

const household = (name: string, change: object = {}) => ({ name, readings: `${name}.csv`, tokensNok: 10, ...change });
const contract = (change: object = {}) => ({ seller: "a", buyer: "b", priceMicroNokPerWh: 1_000, ...change });
const GOOD: Json = {
	name: "Solbakken",
	tariff: { retailMicroNokPerWh: 2_000, feedInMicroNokPerWh: 400 },
	households: [household("a"), household("b"), household("c")],
	contracts: [contract()],
};

function readWith(change: Partial<Json> = {}, files: Record<string, string> = {}) {
	const street = JSON.stringify({ ...GOOD, ...change }, undefined, "\t");
	return readStreet(streetFolder({ "street.json": street, "a.csv": ROWS, "b.csv": ROWS, "c.csv": ROWS, ...files }));
}

/** Where the mistake is, and what it is, as it is printed. */
function complaint(result: ReturnType<typeof readStreet>): string {
	return result.ok ? "accepted" : `${result.error.where}: ${result.error.what}`;
}

describe("a street's files", () => {
	it("are read with minutes since the epoch, µNOK, and members by their place", () => {
		const files = {
			"a.csv": csvOf([[3, 0, 7], undefined, [1, 5, 0, 4]]),
			"b.csv": csvOf([[2, 1_000_000, 0]]),
			"c.csv": "minute,importWh,exportWh\n",
		};
		const contracts = [
			contract({ from: isoOf(2), energyWh: 500 }),
			contract({ seller: "c", buyer: "b", until: isoOf(2), priceMicroNokPerWh: 1_000_000 }),
		];
		expect(readWith({ contracts }, files)).toEqual({
			ok: true,
			value: {
				name: "Solbakken",
				tariff: { retailMicroNokPerWh: 2_000, feedInMicroNokPerWh: 400, localFeeMicroNokPerWh: 0 },
				households: [
					{
						name: "a",
						tokensMicroNok: 10_000_000,
						readings: [
							{ minute: MIDNIGHT_MINUTE + 1, importWh: 5, exportWh: 0, arrivesMinute: MIDNIGHT_MINUTE + 4 },
							{ minute: MIDNIGHT_MINUTE + 3, importWh: 0, exportWh: 7, arrivesMinute: MIDNIGHT_MINUTE + 3 },
						],
					},
					{
						name: "b",
						tokensMicroNok: 10_000_000,
						readings: [
							{ minute: MIDNIGHT_MINUTE + 2, importWh: 1_000_000, exportWh: 0, arrivesMinute: MIDNIGHT_MINUTE + 2 },
						],
					},
					{ name: "c", tokensMicroNok: 10_000_000, readings: [] },
				],
				contracts: [
					{
						seller: 0,
						buyer: 1,
						priceMicroNokPerWh: 1_000,
						fromMinute: MIDNIGHT_MINUTE + 2,
						untilMinute: undefined,
						energyLimitWh: 500,
					},
					{
						seller: 2,
						buyer: 1,
						priceMicroNokPerWh: 1_000_000,
						fromMinute: undefined,
						untilMinute: MIDNIGHT_MINUTE + 2,
						energyLimitWh: 0,
					},
				],
				firstMinute: MIDNIGHT_MINUTE + 1,
				lastMinute: MIDNIGHT_MINUTE + 3,
				lastArrivalMinute: MIDNIGHT_MINUTE + 4,
			},
		});
	});

	it("may come from Windows, and without a last line end", () => {
		const dos = `\uFEFF${ROWS.replaceAll("\n", "\r\n")}`;
		expect(readWith({}, { "a.csv": dos, "b.csv": ROWS.trimEnd() }).ok).toBe(true);
		const street = `\uFEFF${JSON.stringify(GOOD)}`;
		expect(complaint(readWith({}, { "street.json": street }))).toBe("accepted");
	});

	it("may have minutes with or without seconds, and several contracts one after the other", () => {
		const rows = "minute,importWh,exportWh\n2024-06-01T00:00Z,1,2\n2024-06-01T00:01:00.000Z,1,2\n";
		const contracts = [contract({ until: isoOf(1) }), contract({ from: isoOf(1) }), contract({ buyer: "c" })];
		expect(complaint(readWith({ contracts }, { "a.csv": rows }))).toBe("accepted");
	});

	it("may name an end of a contract that lies far beyond all readings", () => {
		expect(complaint(readWith({ contracts: [contract({ until: "9999-12-31T23:59:00Z" })] }))).toBe("accepted");
	});
});

describe("a mistake in the readings", () => {
	it.each<[string, string, string]>([
		["a wrong header", "minute,import,export\n", "a.csv:1: the header"],
		["a header in another order", "importWh,exportWh,minute\n", "a.csv:1: the header"],
		["an empty file", "", "a.csv:1: the header"],
		["a field too few", "minute,importWh,exportWh\n2024-06-01T00:00:00Z,1\n", "a.csv:2: 2 columns, expected 3"],
		["a field too many", "minute,importWh,exportWh\n2024-06-01T00:00:00Z,1,2,3\n", "a.csv:2: 4 columns, expected 3"],
		["an empty line within", `${ROWS}\n2024-06-01T00:02:00Z,1,2\n`, "a.csv:4: 1 columns, expected 3"],
		["a negative number", `${ROWS}2024-06-01T00:02:00Z,-1,2\n`, 'a.csv:4: importWh: "-1"'],
		["a fraction", `${ROWS}2024-06-01T00:02:00Z,1,2.5\n`, 'a.csv:4: exportWh: "2.5"'],
		["a number with an exponent", `${ROWS}2024-06-01T00:02:00Z,1e3,2\n`, 'a.csv:4: importWh: "1e3"'],
		["a number that is too large", `${ROWS}2024-06-01T00:02:00Z,1,1000001\n`, 'a.csv:4: exportWh: "1000001"'],
		["a number beyond all bounds", `${ROWS}2024-06-01T00:02:00Z,${"9".repeat(400)},0\n`, "a.csv:4: importWh"],
		["no number", `${ROWS}2024-06-01T00:02:00Z,,2\n`, 'a.csv:4: importWh: ""'],
		["a blank before a number", `${ROWS}2024-06-01T00:02:00Z, 1,2\n`, 'a.csv:4: importWh: " 1"'],
		[
			"a minute twice",
			`${ROWS}2024-06-01T00:00:00Z,1,2\n`,
			"a.csv:4: minute 2024-06-01T00:00:00Z was on line 2 already",
		],
		["a minute in local time", `${ROWS}2024-06-01T00:02:00,1,2\n`, 'a.csv:4: "2024-06-01T00:02:00" is no minute'],
		["a minute with an offset", `${ROWS}2024-06-01T00:02:00+02:00,1,2\n`, "a.csv:4:"],
		["a minute with seconds", `${ROWS}2024-06-01T00:02:30Z,1,2\n`, "a.csv:4:"],
		["a 31st of June", `${ROWS}2024-06-31T00:02:00Z,1,2\n`, "a.csv:4:"],
		["an hour 24", `${ROWS}2024-06-01T24:00:00Z,1,2\n`, "a.csv:4:"],
		["a minute before the chain can be", `${ROWS}1970-01-01T00:05:00Z,1,2\n`, "a.csv:4:"],
		["a minute before the epoch", `${ROWS}1969-12-31T23:59:00Z,1,2\n`, "a.csv:4:"],
		["a minute after the year 2200", `${ROWS}2205-01-01T00:00:00Z,1,2\n`, "a.csv:4:"],
		[
			"an arrival before its minute",
			"minute,importWh,exportWh,arrives\n2024-06-01T00:02:00Z,1,2,2024-06-01T00:01:00Z\n",
			"a.csv:2: arrives before its minute",
		],
		[
			"an arrival that is no minute",
			"minute,importWh,exportWh,arrives\n2024-06-01T00:02:00Z,1,2,later\n",
			'a.csv:2: arrives: "later" is no minute',
		],
		[
			"an arrival after the year 2200",
			"minute,importWh,exportWh,arrives\n2024-06-01T00:02:00Z,1,2,2205-01-01T00:00:00Z\n",
			"a.csv:2: arrives",
		],
	])("%s is named with file and line", (_, text, expected) => {
		expect(complaint(readWith({}, { "a.csv": text })).slice(0, expected.length)).toBe(expected);
	});

	it("of a file that is not there names the file", () => {
		const street = { households: [household("a"), household("b"), household("c", { readings: "gone.csv" })] };
		expect(complaint(readWith(street))).toMatch(/gone\.csv: the file is not there$/);
		expect(complaint(readStreet(streetFolder({})))).toMatch(/street\.json: the file is not there$/);
		expect(complaint(readStreet("/nowhere at all"))).toMatch(/street\.json: the file is not there$/);
		expect(complaint(readWith({ households: [household("a", { readings: "." })], contracts: [] }))).toMatch(
			/cannot be read \(EISDIR\)$/,
		);
	});

	it("that nobody has any is named", () => {
		const empty = { "a.csv": "minute,importWh,exportWh\n", "b.csv": "minute,importWh,exportWh\n" };
		const street = { households: [household("a"), household("b")] };
		expect(complaint(readWith(street, empty))).toBe("street.json: no household has a reading");
	});
});

/** As people write it, so that the lines are known. */
const LINES = [
	"{",
	'  "name": "Solbakken",',
	'  "tariff": { "retailMicroNokPerWh": 2000, "feedInMicroNokPerWh": 400 },',
	'  "households": [',
	'    { "name": "a", "readings": "a.csv", "tokensNok": 10 },',
	'    { "name": "b", "readings": "b.csv",',
	'      "tokensNok": 10 },',
	'    { "name": "c", "readings": "c.csv", "tokensNok": 10 }',
	"  ],",
	'  "contracts": [',
	'    { "seller": "a", "buyer": "b", "priceMicroNokPerWh": 1000 },',
	'    { "seller": "a", "buyer": "c",',
	'      "priceMicroNokPerWh": 1000 }',
	"  ]",
	"}",
];

/** The complaint about street.json with one line changed (counted from 1). */
function complaintWith(line: number, text: string): string {
	const lines = LINES.map((each, at) => (at + 1 === line ? text : each));
	return complaint(readWith({}, { "street.json": `${lines.join("\n")}\n` }));
}

describe("a mistake in street.json", () => {
	it("is none in the street that these tests change", () => {
		expect(complaintWith(1, "{")).toBe("accepted");
	});

	it.each<[string, number, string, string]>([
		["no name", 2, "", "street.json:1: name: is missing"],
		["a name that is no text", 2, '"name": 7,', "street.json:2: name: expected a text"],
		["an empty name", 2, '"name": "",', "street.json:2: name: "],
		["a name longer than 40", 2, `"name": "${"x".repeat(41)}",`, "street.json:2: name: "],
		[
			"a negative tariff",
			3,
			'"tariff": { "retailMicroNokPerWh": -1, "feedInMicroNokPerWh": 1 },',
			"street.json:3: tariff.retail",
		],
		["half a tariff", 3, '"tariff": { "retailMicroNokPerWh": 1 },', "street.json:3: tariff.feedInMicroNokPerWh: "],
		[
			"a fractional fee",
			3,
			'"tariff": { "retailMicroNokPerWh": 1, "feedInMicroNokPerWh": 1, "localFeeMicroNokPerWh": 0.5 },',
			"street.json:3: tariff.localFeeMicroNokPerWh: expected a whole number",
		],
		["households that are no list", 4, '"households": 7, "others": [', "street.json:4: households: expected a list"],
		[
			"a household without tokens",
			5,
			'{ "name": "a", "readings": "a.csv" },',
			"street.json:5: households.0.tokensNok: ",
		],
		["a household without name", 5, '{ "readings": "a.csv", "tokensNok": 1 },', "street.json:5: households.0.name: "],
		["negative tokens", 7, '"tokensNok": -10 },', "street.json:7: households.1.tokensNok: expected at least 0"],
		["fractional tokens", 7, '"tokensNok": 0.5 },', "street.json:7: households.1.tokensNok: expected a whole number"],
		["too many tokens", 7, '"tokensNok": 1000000001 },', "street.json:7: households.1.tokensNok: expected at most"],
		["a household that is no object", 8, "7", "street.json:8: households.2: "],
		[
			"a household twice",
			8,
			'{ "name": "b", "readings": "c.csv", "tokensNok": 10 }',
			"street.json:8: household b is there twice",
		],
		[
			"a name that a screen cannot show",
			8,
			'{ "name": "c\\u202e", "readings": "c.csv", "tokensNok": 10 }',
			"street.json:8: households.2.name: ",
		],
		[
			"a name with a blank behind it",
			8,
			'{ "name": "c ", "readings": "c.csv", "tokensNok": 10 }',
			"street.json:8: households.2.name: ",
		],
		[
			"a file name that is none",
			8,
			'{ "name": "c", "readings": "", "tokensNok": 10 }',
			"street.json:8: households.2.readings: ",
		],
		[
			"an unknown seller",
			11,
			'{ "seller": "x", "buyer": "b", "priceMicroNokPerWh": 1000 },',
			"street.json:11: unknown household x",
		],
		[
			"an unknown buyer",
			11,
			'{ "seller": "a", "buyer": "x", "priceMicroNokPerWh": 1000 },',
			"street.json:11: unknown household x",
		],
		["a seller that is the buyer", 12, '{ "seller": "c", "buyer": "c",', "street.json:12: c cannot sell to itself"],
		[
			"overlapping contracts of one buyer",
			12,
			'{ "seller": "c", "buyer": "b",',
			"street.json:12: overlaps contract 1 of the buyer b",
		],
		[
			"a price of 0",
			13,
			'"priceMicroNokPerWh": 0 }',
			"street.json:13: contracts.1.priceMicroNokPerWh: expected at least 1",
		],
		[
			"a price that is too high",
			13,
			'"priceMicroNokPerWh": 1000001 }',
			"street.json:13: contracts.1.priceMicroNokPerWh: ",
		],
		[
			"a price that is text",
			13,
			'"priceMicroNokPerWh": "1000" }',
			"street.json:13: contracts.1.priceMicroNokPerWh: expected a number",
		],
		["no price", 11, '{ "seller": "a", "buyer": "b" },', "street.json:11: contracts.0.priceMicroNokPerWh: "],
		["a limit of 0", 13, '"priceMicroNokPerWh": 1000, "energyWh": 0 }', "street.json:13: contracts.1.energyWh: "],
		[
			"a from that is no minute",
			13,
			'"priceMicroNokPerWh": 1000, "from": "noon" }',
			'street.json:12: from: "noon" is no minute',
		],
		[
			"an until that is no minute",
			13,
			'"priceMicroNokPerWh": 1000, "until": "2024-06-01" }',
			"street.json:12: until: ",
		],
		[
			"a from behind its until",
			13,
			'"priceMicroNokPerWh": 1000, "from": "2024-06-01T00:01:00Z", "until": "2024-06-01T00:01:00Z" }',
			"street.json:12: from is not before until",
		],
	])("%s is named with its line", (_, line, text, expected) => {
		expect(complaintWith(line, text).slice(0, expected.length)).toBe(expected);
	});

	it.each<[string, number, string, number]>([
		["a word without quotes", 2, '"name": Solbakken,', 2],
		["a comma before a bracket", 8, '{ "name": "c", "readings": "c.csv", "tokensNok": 10 },', 9],
		["a comma left out", 3, '"tariff": { "retailMicroNokPerWh": 2000, "feedInMicroNokPerWh": 400 }', 4],
		["a text without its end", 2, '"name": "Solbakken,', 2],
		["a number like 01", 7, '"tokensNok": 01 },', 7],
		["a brace left out", 15, "", 14],
		["something behind the end", 15, "} }", 15],
		["a comment", 10, '// the deals\n"contracts": [', 10],
	])("that does not parse, %s, is named with its line", (_, line, text, where) => {
		expect(complaintWith(line, text)).toMatch(new RegExp(`^street\\.json:${where}: not JSON: `));
	});

	it("is not looked for where only the text looks like it", () => {
		const tricky = [
			"{",
			'  "name": "households tokensNok {[",',
			'  "tariff": { "retailMicroNokPerWh": 2000, "feedInMicroNokPerWh": 400 },',
			'  "contracts": [],',
			'  "households": [',
			'    { "name": "tokensNok", "readings": "a.csv", "tokensNok": 1 },',
			'    { "name": "b \\" { }", "readings": "b.csv",',
			'      "tokensNok": -1 }',
			"  ]",
			"}",
		];
		expect(complaint(readWith({}, { "street.json": tricky.join("\n") }))).toMatch(
			/^street\.json:8: households\.1\.tokens/,
		);
	});

	it("of a file that is no object, or an empty one, is named", () => {
		expect(complaint(readWith({}, { "street.json": "[]" }))).toMatch(/^street\.json:1: name: is missing/);
		expect(complaint(readWith({}, { "street.json": "7" }))).toMatch(/^street\.json:1: the file: expected an object$/);
		expect(complaint(readWith({}, { "street.json": "" }))).toMatch(/^street\.json:1: not JSON: /);
	});

	it("may say how the market is matched, and at which prices each household trades", () => {
		const households = [
			household("a", { buyBelowMicroNokPerWh: 1_500, sellAboveMicroNokPerWh: 1 }),
			household("b", { sellAboveMicroNokPerWh: 500 }),
			household("c"),
		];
		const read = readWith({ households, market: { rule: "pairwise", intervalMinutes: 5 } });
		if (!read.ok) throw new Error(complaint(read));
		expect(read.value.market).toEqual({ choice: "pairwise", intervalMinutes: 5, buysUnderContract: false });
		expect(
			read.value.households.map(({ buyBelowMicroNokPerWh, sellAboveMicroNokPerWh }) => [
				buyBelowMicroNokPerWh,
				sellAboveMicroNokPerWh,
			]),
		).toEqual([
			[1_500, 1],
			[undefined, 500],
			[undefined, undefined],
		]);
		const usual = readWith({ market: { rule: "midMarket" } });
		expect(usual.ok && usual.value.market?.intervalMinutes).toBe(15);
	});

	it.each<[string, unknown, RegExp]>([
		["an unknown rule", { rule: "fair" }, /^street\.json:\d+: market\.rule: expected one of midMarket, uniform/],
		["no rule", { intervalMinutes: 15 }, /^street\.json:\d+: market\.rule: /],
		[
			"an interval that does not divide an hour",
			{ rule: "uniform", intervalMinutes: 7 },
			/market\.intervalMinutes: an hour is no whole number of them$/,
		],
		[
			"an interval of nothing",
			{ rule: "uniform", intervalMinutes: 0 },
			/market\.intervalMinutes: expected at least 1$/,
		],
		["something else in its place", [], /^street\.json:\d+: market/],
	])("with %s for the market is named", (_, market, expected) => {
		expect(complaint(readWith({ market }))).toMatch(expected);
	});

	it("with a price of nothing for automatic trading is named", () => {
		const households = [household("a", { buyBelowMicroNokPerWh: 0 }), household("b"), household("c")];
		expect(complaint(readWith({ households }))).toMatch(/households\.0\.buyBelow\w+: expected at least 1$/);
	});

	it("of more tokens than there can be altogether is named", () => {
		const households = Array.from({ length: 10 }, (_, at) =>
			household(`h${at}`, { readings: "a.csv", tokensNok: 1_000_000_000 }),
		);
		expect(complaint(readWith({ households, contracts: [] }))).toMatch(/^street\.json:\d+: .*tokens/);
		expect(complaint(readWith({ households: households.slice(0, 9), contracts: [] }))).toBe("accepted");
	});

	it("of no household, or of more than 30, is named", () => {
		expect(complaint(readWith({ households: [], contracts: [] }))).toMatch(/expected at least one household$/);
		const many = Array.from({ length: 31 }, (_, at) => household(`h${at}`, { readings: "a.csv" }));
		expect(complaint(readWith({ households: many, contracts: [] }))).toMatch(/expected at most 30 households$/);
	});
});

const THESIS_STREET = "../shared/data/thesis-street";

describe("the street of the thesis", () => {
	it.skipIf(!existsSync(THESIS_STREET))("is read: four households, 48 hours (skipped where the data is absent)", () => {
		const street = readStreet(THESIS_STREET);
		if (!street.ok) throw new Error(complaint(street));
		expect(street.value.households.map(({ readings }) => readings.length <= 2_880)).toEqual([true, true, true, true]);
		expect(street.value.lastMinute - street.value.firstMinute + 1).toBe(2_880);
		expect(street.value.contracts).toHaveLength(2);
	});
});
