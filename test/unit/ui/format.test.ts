import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { decimalString } from "../../../src/primitives/decimal.js";
import {
	formatAge,
	formatBytes,
	formatDateTime,
	formatEnergy,
	formatHash,
	formatKroner,
	formatKronerNumber,
	formatKwh,
	formatPower,
	formatPrice,
	formatSaving,
	formatSignedKroner,
	formatTime,
	oreInput,
} from "../../../src/ui/format.js";
import { setLocale } from "../../../src/ui/locale.svelte.js";

const NBSP = "\u00a0";

vi.stubGlobal("localStorage", { setItem: () => {}, getItem: () => null });
afterEach(() => setLocale("nb"));

describe("Norwegian", () => {
	test("kroner from µNOK, rounded half away from zero to øre", () => {
		expect(formatKroner(1_234_500_000)).toBe(`1${NBSP}234,50${NBSP}kr`);
		expect(formatKroner(412_505_000)).toBe(`412,51${NBSP}kr`);
		expect(formatKroner(412_504_999)).toBe(`412,50${NBSP}kr`);
	});

	test("a minus is U+2212, a plus says that something came in, a zero has no sign", () => {
		expect(formatSignedKroner(-5_110_000)).toBe(`\u22125,11${NBSP}kr`);
		expect(formatSignedKroner(9_310_000)).toBe(`+9,31${NBSP}kr`);
		expect(formatSignedKroner(-4_999)).toBe(`0,00${NBSP}kr`);
	});

	test("the largest circulation keeps its last µNOK", () => {
		expect(formatKronerNumber(8_999_999_999_999_999, 6).replaceAll(NBSP, " ")).toBe("8 999 999 999,999999");
	});

	test("energy, power, price, saving", () => {
		expect(formatEnergy(640)).toBe(`640${NBSP}Wh`);
		expect(formatEnergy(8_425)).toBe(`8,43${NBSP}kWh`);
		expect(formatKwh(31)).toBe(`0,03${NBSP}kWh`);
		expect(formatPower(3_420)).toBe(`3,42${NBSP}kW`);
		expect(formatPrice(1184)).toBe(`118,4${NBSP}øre/kWh`);
		expect(formatSaving(-266_000)).toBe(`26,6${NBSP}øre/kWh`);
	});

	test("times are Oslo's, in summer and in winter", () => {
		expect(formatTime(Date.UTC(2026, 5, 18, 12, 6))).toBe("14:06");
		expect(formatTime(Date.UTC(2026, 11, 18, 12, 6))).toBe("13:06");
		expect(formatDateTime(Date.UTC(2026, 5, 18, 22, 30))).toContain("19.");
	});

	test("an age in the unit that says most", () => {
		expect([18_000, 300_000, 3 * 3_600_000, 50 * 3_600_000].map(formatAge)).toEqual(["18 s", "5 min", "3 t", "2 d"]);
	});

	test("bytes as the unit that says most", () => {
		expect([49_000, 12_345_678, 999_999_999, 1_234_000_000].map(formatBytes)).toEqual([
			`0,0${NBSP}MB`,
			`12,3${NBSP}MB`,
			`1${NBSP}000,0${NBSP}MB`,
			`1,2${NBSP}GB`,
		]);
	});

	test("what a field is filled with can be read again", () => {
		expect([oreInput(1184), oreInput(1450), oreInput(123_450)]).toEqual(["118,4", "145", "12345"]);
	});
});

describe("English", () => {
	test("kroner and prices", () => {
		setLocale("en");
		expect(formatKroner(1_234_500_000)).toBe(`NOK${NBSP}1,234.50`);
		expect(formatPrice(1184)).toBe(`118.4${NBSP}øre/kWh`);
		expect(oreInput(1184)).toBe("118.4");
	});
});

test("a decimal string holds every digit: read back, it is the same integer", () => {
	fc.assert(
		fc.property(fc.maxSafeInteger(), (value) => {
			expect(BigInt(decimalString(value, 6, 6).replace(".", ""))).toBe(BigInt(value));
		}),
	);
});

test("hashes are grouped by four", () => {
	expect(formatHash("0123456789ab")).toBe("0123 4567 89ab");
	expect(formatHash("0123456789ab", 2)).toBe("0123 4567 …");
});
