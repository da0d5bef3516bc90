import { describe, expect, it } from "vitest";
import { householdOf } from "../../../src/contract/ledger.js";
import { NO_RESULTS, type SettlementResults } from "../../../src/contract/settlement.js";
import { LastMinute } from "../../../src/node/lastMinute.js";
import { TestNeighbourhood } from "../../support/ledger.js";

const { ledger } = new TestNeighbourhood(3);
const OWN = 1;

function keptOf(...blocks: Partial<SettlementResults>[]) {
	const last = new LastMinute(householdOf(ledger, OWN).publicKey);
	for (const results of blocks) last.add({ ledger, results: { ...NO_RESULTS, ...results } });
	return last.view;
}

const delivery = (buyer: number, energyWh: number) => ({
	contract: 0,
	buyer,
	energyWh,
	amountMicroNok: energyWh * 1_000,
});
const settled = (seller: number, minute: number, ...deliveries: ReturnType<typeof delivery>[]) => ({
	seller,
	minute,
	availableWh: 100,
	deliveries,
});
const rest = (household: number, minute: number, importWh: number, exportWh = 0) => ({
	household,
	minute,
	importWh,
	exportWh,
});

describe("the last settled minute", () => {
	it("is known when its rest is booked, with what sellers settled in blocks before", () => {
		expect(keptOf({ settled: [settled(0, 50, delivery(OWN, 12))] })).toBeUndefined();
		expect(
			keptOf(
				{ settled: [settled(0, 50, delivery(OWN, 12), delivery(2, 9))] },
				{ settled: [settled(2, 50, delivery(OWN, 3))], rests: [rest(OWN, 50, 5), rest(2, 50, 70)] },
			),
		).toEqual({
			minute: 50,
			importWh: 20,
			exportWh: 0,
			bought: [
				{ other: 0, energyWh: 12, amountMicroNok: 12_000 },
				{ other: 2, energyWh: 3, amountMicroNok: 3_000 },
			],
			sold: [],
			restImportWh: 5,
			restExportWh: 0,
		});
	});

	it("knows to whom it sold, and is not replaced by one that settles later and was before", () => {
		const later = { settled: [settled(OWN, 60, delivery(2, 8))], rests: [rest(OWN, 60, 0, 4)] };
		const earlier = { rests: [rest(OWN, 59, 7)] };
		expect(keptOf(later, earlier)).toMatchObject({
			minute: 60,
			exportWh: 12,
			sold: [{ other: 2, energyWh: 8, amountMicroNok: 8_000 }],
			restExportWh: 4,
		});
	});

	it("comes with what the market matched of this household last", () => {
		const share = { household: OWN, boughtWh: 6, soldWh: 0, paidMicroNok: 5_400, earnedMicroNok: 0 };
		const matched = [{ fromMinute: 45, untilMinute: 60, shares: [share, { ...share, household: 2 }] }];
		const view = keptOf({ rests: [rest(OWN, 60, 7)] }, { matched: matched as unknown as SettlementResults["matched"] });
		const { household: _, ...figures } = share;
		expect(view?.matched).toEqual({ fromMinute: 45, untilMinute: 60, ...figures });
	});
});
