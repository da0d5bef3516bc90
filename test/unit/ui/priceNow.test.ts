import { describe, expect, it } from "vitest";
import type { ContractView, LastMinuteView, StreetView } from "../../../src/node/view.js";
import { minutePrice, neighbourPerMille, nextPrice } from "../../../src/ui/priceNow.js";

const NOTHING: LastMinuteView = {
	minute: 100,
	importWh: 0,
	exportWh: 0,
	bought: [],
	sold: [],
	restImportWh: 0,
	restExportWh: 0,
};

function streetWith(
	last: Partial<LastMinuteView> | undefined,
	contract?: Partial<ContractView>,
	terms?: object,
): StreetView {
	return {
		self: { index: 0 },
		tariff: { retailMicroNokPerWh: 1_500, feedInMicroNokPerWh: 400, localFeeMicroNokPerWh: 100 },
		ownRetailMicroNokPerWh: 1_400,
		...(last && { lastMinute: { ...NOTHING, ...last } }),
		market: {
			automatic: { ...(terms && { terms }) },
			contracts: contract ? [{ buyer: 0, seller: 3, state: "active", priceMicroNokPerWh: 900, ...contract }] : [],
		},
	} as unknown as StreetView;
}

describe("what the last minute cost", () => {
	const bought = [
		{ other: 2, energyWh: 10, amountMicroNok: 8_000 },
		{ other: 3, energyWh: 30, amountMicroNok: 27_000 },
	];

	it("is the average of neighbours with what the grid takes, and of the utility as this household pays it", () => {
		const price = minutePrice(streetWith({ importWh: 60, bought, restImportWh: 20 }));
		// 10 × 900 + 30 × 1,000 + 20 × 1,400 = 67,000 over 60 Wh
		expect(price).toEqual({
			minute: 100,
			averageMicroNokPerWh: 1_117,
			parts: [
				{ of: 3, energyWh: 30, priceMicroNokPerWh: 1_000 },
				{ of: 2, energyWh: 10, priceMicroNokPerWh: 900 },
				{ of: "rest", energyWh: 20, priceMicroNokPerWh: 1_400 },
			],
			isRestOpen: false,
		});
	});

	it("leaves the rest open until the market has matched it, where the household trades by itself", () => {
		const terms = { buyBelowMicroNokPerWh: 0, paysMoreForLocal: false };
		const rest = { importWh: 5, restImportWh: 5 };
		const matched = { fromMinute: 90, boughtWh: 1, soldWh: 0, paidMicroNok: 1, earnedMicroNok: 0 };
		const open = (said: object, last: object = rest) => minutePrice(streetWith(last, undefined, said))?.isRestOpen;
		expect(open(terms)).toBe(true);
		expect(open(terms, { ...rest, matched: { ...matched, untilMinute: 100 } })).toBe(true);
		expect(open(terms, { ...rest, matched: { ...matched, untilMinute: 105 } })).toBe(false);
		expect(open({ ...terms, fromMs: 1 })).toBe(false);
		expect(open({ paysMoreForLocal: false })).toBe(false);
	});

	it("is nothing where nothing came in, or nothing has settled", () => {
		expect(minutePrice(streetWith({ exportWh: 4, restExportWh: 4 }))).toBeUndefined();
		expect(minutePrice(streetWith(undefined))).toBeUndefined();
	});
});

describe("what the next kWh costs", () => {
	it("is the contract's price while its seller has enough, else the utility's", () => {
		const enough = { importWh: 9, bought: [{ other: 3, energyWh: 9, amountMicroNok: 8_100 }] };
		expect(nextPrice(streetWith(enough, {}))).toEqual({ of: "contract", seller: 3, priceMicroNokPerWh: 1_000 });
		expect(nextPrice(streetWith({ ...enough, importWh: 10, restImportWh: 1 }, {}))).toMatchObject({ why: "tooLittle" });
		expect(nextPrice(streetWith(enough, { state: "paused" }))).toMatchObject({
			why: "paused",
			priceMicroNokPerWh: 1_400,
		});
		expect(nextPrice(streetWith(enough))).toMatchObject({ of: "utility", why: "none" });
	});

	it("is with sun to spare what it would have been sold for", () => {
		const sold = [{ other: 1, energyWh: 10, amountMicroNok: 9_000 }];
		const some = { exportWh: 15, sold, restExportWh: 5 };
		expect(nextPrice(streetWith(some))).toEqual({ of: "ownSurplus", priceMicroNokPerWh: 400 });
		expect(nextPrice(streetWith({ exportWh: 10, sold }))).toEqual({ of: "ownSurplus", priceMicroNokPerWh: 900 });
	});
});

it("the neighbours' share is what contracts moved of the last minute", () => {
	expect(neighbourPerMille(streetWith({ importWh: 40, restImportWh: 10 }))).toEqual({
		inPerMille: 750,
		outPerMille: 0,
	});
	expect(neighbourPerMille(streetWith(undefined))).toEqual({ inPerMille: 0, outPerMille: 0 });
});
