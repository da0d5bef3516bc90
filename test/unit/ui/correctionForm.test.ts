import { describe, expect, test } from "vitest";
import type { ContractView, UnsettledRun } from "../../../src/node/view.js";
import {
	type CorrectionFields,
	correctionOfRun,
	NO_CORRECTION,
	readCorrection,
} from "../../../src/ui/correctionForm.js";

const minuteAt = (time: string) => Date.parse(time) / 60_000;
const fields: CorrectionFields = {
	...NO_CORRECTION,
	counterparty: "2",
	from: "2026-11-23T08:15",
	until: "2026-11-23T09:00",
	energy: "1,5",
	amount: "12,50",
};

describe("the form of a correction", () => {
	test("becomes the command, by Oslo's clock, in Wh and µNOK", () => {
		expect(readCorrection({ ...fields, note: " Måleren sto " })).toEqual({
			ok: true,
			value: {
				type: "correct",
				counterparty: 2,
				fromMinute: minuteAt("2026-11-23T07:15:00Z"),
				untilMinute: minuteAt("2026-11-23T08:00:00Z"),
				reason: "wrongRegister",
				energyWh: 1_500,
				amountMicroNok: 12_500_000,
				isPayer: false,
				note: "Måleren sto",
			},
		});
	});

	test("disputes the period where no amount is given", () => {
		expect(readCorrection({ ...fields, energy: "", amount: " " })).toMatchObject({
			ok: true,
			value: { energyWh: 0, amountMicroNok: 0 },
		});
	});

	test.each([
		["counterparty", { counterparty: "" }, "required"],
		["from", { from: "i går" }, "bad-date"],
		["until", { until: "2026-11-23T08:15" }, "until-before-from"],
		["amount", { amount: "-3" }, "bad-number"],
		["energy", { energy: "0,0001" }, "too-many-decimals"],
	] as const)("says what is wrong with the field %s", (field, wrong, code) => {
		expect(readCorrection({ ...fields, ...wrong })).toMatchObject({ ok: false, error: { field, code } });
	});
});

describe("what the form begins with for readings that settled nothing", () => {
	const fromMinute = minuteAt("2026-11-23T07:15:00Z");
	const sold: UnsettledRun = {
		reason: "late",
		fromMinute,
		untilMinute: fromMinute + 45,
		importWh: 100,
		exportWh: 1_500,
	};
	const contract: ContractView = {
		id: "ab".repeat(32),
		seller: 1,
		buyer: 2,
		mine: true,
		priceMicroNokPerWh: 900,
		fromMinute: fromMinute - 1_000,
		untilMinute: fromMinute + 1,
		ended: false,
		noticeMinutes: 0,
		deliveredWh: 0,
		amountMicroNok: 0,
		state: "active",
		settledUntilMinute: fromMinute,
	};

	test("is exactly those minutes, what was sold in them, and who would have bought it at which price", () => {
		expect(correctionOfRun(sold, [contract], 1)).toEqual({
			...NO_CORRECTION,
			counterparty: "2",
			from: "2026-11-23T08:15",
			until: "2026-11-23T09:00",
			reason: "lateReadings",
			energy: "1,500",
			amount: "1,35",
			pays: "neighbour",
		});
	});

	test("has the buyer pay, and is of what was used, where a buyer's readings were typed", () => {
		const used = { ...sold, reason: "typed", importWh: 200, exportWh: 0 } as const;
		expect(correctionOfRun(used, [contract], 2)).toMatchObject({
			counterparty: "1",
			reason: "typedRegisters",
			energy: "0,200",
			amount: "0,18",
			pays: "self",
		});
	});

	test("leaves neighbour and amount open where several had a contract then, or none", () => {
		const open = { counterparty: "", amount: "", energy: "1,500" };
		expect(correctionOfRun(sold, [contract, { ...contract, buyer: 3 }], 1)).toMatchObject(open);
		expect(correctionOfRun(sold, [{ ...contract, untilMinute: fromMinute }], 1)).toMatchObject(open);
	});

	test("can be read as it is", () => {
		expect(readCorrection(correctionOfRun(sold, [contract], 1))).toMatchObject({
			ok: true,
			value: { fromMinute, untilMinute: fromMinute + 45, energyWh: 1_500, amountMicroNok: 1_350_000 },
		});
	});
});
