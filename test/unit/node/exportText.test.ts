import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BilledMinutes } from "../../../src/node/bill.js";
import { exportHead, exportRows, exportTail, minuteRows, movementRows } from "../../../src/node/exportText.js";
import { CENTRAL_EUROPEAN_TIME as OSLO } from "../../../src/primitives/localTime.js";

const minute = (iso: string) => Date.parse(iso) / 60_000;

/** Minutes of a house: 54 Wh in, 2 bought at 1 µNOK/Wh beyond a krone, but for one in ten, of which nothing is known. */
function billed(fromMinute: number, untilMinute: number): BilledMinutes {
	const length = untilMinute - fromMinute;
	const values = (wh: number) => Int32Array.from({ length }, (_, at) => (at % 10 === 9 ? -1 : wh));
	return {
		series: {
			...{ member: 0, fromMinute, importWh: values(54), exportWh: values(0) },
			boughtWh: new Int32Array(length).fill(2),
			soldWh: new Int32Array(length),
		},
		paidMicroNok: new Array<number>(length).fill(1_000_002),
		earnedMicroNok: new Array<number>(length).fill(0),
		prices: [],
		ownRetail: [],
	};
}

const lines = (text: string) => text.split("\r\n").slice(0, -1);

function minutesOf(format: "csv-nb" | "csv-iso" | "json", from: string, until: string): string {
	const period = { fromMinute: minute(from), untilMinute: minute(until) };
	return exportRows(format, "minutes", minuteRows(billed(period.fromMinute, period.untilMinute), period), OSLO);
}

/** RFC 4180, read by nobody's library: cells of one row. */
function cells(row: string, separator: string): string[] {
	const found: string[] = [];
	let at = 0;
	while (at <= row.length) {
		let cell = "";
		if (row[at] === '"') {
			for (at++; ; at++) {
				if (row[at] !== '"') cell += row[at];
				else if (row[at + 1] === '"') cell += row[at++];
				else break;
			}
			at++;
		} else for (; at < row.length && row[at] !== separator; at++) cell += row[at];
		found.push(cell);
		at++;
	}
	return found;
}

const named = (name: string, reference: string) =>
	movementRows(
		{
			movements: [
				{ type: "bought", amountMicroNok: 5, energyWh: 1_234, dayMinute: 0, contractId: "ab", other: 1 },
				{ type: "issued", amountMicroNok: 9_007_199_254_740_991, timestampMs: 60_000, reference, id: "cd" },
			],
			others: [{ dayMinute: 0, inMicroNok: 0, outMicroNok: 30_000 }],
			gaps: [],
		},
		{ fromMinute: 0, untilMinute: 1_380 },
		() => name,
	);

describe("a file of minutes", () => {
	it("has in autumn the hour after two twice, told apart by what the clocks are ahead of UTC", () => {
		const rows = lines(minutesOf("csv-nb", "2026-10-24T22:00Z", "2026-10-25T23:00Z")).map((row) => cells(row, ";"));
		expect(rows.length).toBe(1_500);
		const twice = rows.filter(([time]) => time === "25.10.2026 02:30").map(([, ahead]) => ahead);
		expect(twice).toEqual(["+02:00", "+01:00"]);
		const iso = lines(minutesOf("csv-iso", "2026-10-24T22:00Z", "2026-10-25T23:00Z")).map((row) => cells(row, ","));
		const twiceInIso = iso.map((row) => row.slice(0, 2)).filter(([, local]) => local?.startsWith("2026-10-25T02:30"));
		expect(twiceInIso).toEqual([
			["2026-10-25T00:30Z", "2026-10-25T02:30+02:00"],
			["2026-10-25T01:30Z", "2026-10-25T02:30+01:00"],
		]);
	});

	it("has in spring no hour after two", () => {
		const rows = lines(minutesOf("csv-iso", "2026-03-28T23:00Z", "2026-03-29T22:00Z")).map((row) => cells(row, ","));
		expect(rows.length).toBe(1_380);
		expect(rows.filter(([, local]) => local?.startsWith("2026-03-29T02"))).toEqual([]);
		expect(rows[119]?.slice(0, 2)).toEqual(["2026-03-29T00:59Z", "2026-03-29T01:59+01:00"]);
		expect(rows[120]?.slice(0, 2)).toEqual(["2026-03-29T01:00Z", "2026-03-29T03:00+02:00"]);
	});

	it("begins with the mark by which a Norwegian spreadsheet knows it, and leaves empty what nobody measured", () => {
		expect(exportHead("csv-nb", "minutes", {})).toBe(
			"\uFEFFFra (lokal tid);Foran UTC;Tatt ut (kWh);Matet inn (kWh);Kjøpt av naboer (kWh);Solgt til naboer (kWh);" +
				"Betalt naboer (kr);Fått av naboer (kr)\r\n",
		);
		const rows = lines(minutesOf("csv-nb", "2026-06-01T22:00Z", "2026-06-01T22:10Z"));
		expect(rows[0]).toBe("02.06.2026 00:00;+02:00;0,054;0,000;0,002;0,000;1,000002;0,000000");
		expect(rows[9]).toBe("02.06.2026 00:09;+02:00;;;;;;");
	});

	it("is in JSON one list, whatever slices it is made of, with the ledger's own integers", () => {
		const slices = ["T22:00Z T22:10Z", "T22:10Z T22:10Z", "T22:10Z T22:12Z"].map((slice) => {
			const [from = "", until = ""] = slice.split(" ").map((time) => `2026-06-01${time}`);
			return minutesOf("json", from, until);
		});
		const whole = exportHead("json", "minutes", { household: "Lie" }) + slices.join("") + exportTail("json");
		const [head, ...rows] = JSON.parse(whole);
		expect(head).toMatchObject({ format: "nabostrom-export", version: 1, what: "minutes", household: "Lie" });
		expect(head.columns).toHaveLength(8);
		expect(rows).toHaveLength(12);
		expect(rows[0]).toEqual(["2026-06-01T22:00Z", "2026-06-02T00:00+02:00", 54, 0, 2, 0, 1_000_002, 0]);
		expect(rows[9].slice(2)).toEqual([null, null, null, null, null, null]);
	});
});

describe("a cell that its author chose", () => {
	const dangerous = fc
		.tuple(fc.constantFrom("=", "+", "-", "@", "\t=", " =", "|", "%"), fc.string())
		.map(([begin, rest]) => begin + rest);

	it("is no formula, and stays in its place, whatever it says", () => {
		const check = (text: string, isFormula: boolean) => {
			for (const [format, separator] of [
				["csv-nb", ";"],
				["csv-iso", ","],
			] as const) {
				const file = exportRows(format, "movements", named(text, text), OSLO);
				const kept = isFormula ? `'${text}` : text;
				const end = format === "csv-nb" ? ["5", "9007199254,740991"] : ["5", "9007199254.740991"];
				const [first = [], second = [], ...others] = splitRows(file).map((row) => cells(row, separator));
				expect([first[3], second[7]]).toEqual([kept, kept]);
				expect([first.length, second.length, others.length]).toEqual([9, 9, 1]);
				expect(second[6]).toBe(end[1]);
			}
		};
		fc.assert(fc.property(dangerous, (text) => check(text, true)));
		fc.assert(fc.property(fc.stringMatching(/^[A-Za-zæøåÆØÅ0-9][ -~\r\n"';,]*$/), (text) => check(text, false)));
	});

	it("that is a word of the program is said in Norwegian only where it is one", () => {
		const [first = ""] = splitRows(exportRows("csv-nb", "movements", named("sold", "issued"), OSLO));
		expect(cells(first, ";").slice(2, 7)).toEqual(["Kjøpt under avtale", "sold", "ab", "1,234", "-0,000005"]);
	});
});

/** Rows end where a line end stands outside of quotes. */
function splitRows(text: string): string[] {
	const rows: string[] = [];
	let row = "";
	let isQuoted = false;
	for (let at = 0; at < text.length; at++) {
		if (text[at] === '"') isQuoted = !isQuoted;
		if (!isQuoted && text.startsWith("\r\n", at)) {
			rows.push(row);
			row = "";
			at++;
		} else row += text[at];
	}
	return rows;
}
