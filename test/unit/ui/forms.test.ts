import { describe, expect, test } from "vitest";
import { readFounding, readName, USUAL_MARKET } from "../../../src/ui/foundForm.js";
import { type OfferFields, readOffer, type ScheduleFields } from "../../../src/ui/offerForm.js";

describe("founding", () => {
	const fields = {
		neighbourhood: " Solbakken ",
		household: "Bjørkeveien  12",
		retail: "145",
		feedIn: "60,5",
		localFee: "0",
		moneyKind: "trial",
		market: USUAL_MARKET,
	} as const;

	test("becomes the settings, prices in µNOK/Wh", () => {
		expect(readFounding(fields)).toEqual({
			ok: true,
			value: {
				neighbourhood: {
					name: "Solbakken",
					moneyKind: "trial",
					retailMicroNokPerWh: 1450,
					feedInMicroNokPerWh: 605,
					localFeeMicroNokPerWh: 0,
					market: { choice: "midMarket", intervalMinutes: 15, buysUnderContract: false },
				},
				householdName: "Bjørkeveien 12",
			},
		});
	});

	test("goes by the market that was chosen", () => {
		const market = { choice: "pairwise", intervalMinutes: 30, buysUnderContract: true } as const;
		const read = readFounding({ ...fields, market });
		expect(read.ok && read.value.neighbourhood.market).toEqual(market);
	});

	test("tells everything that is wrong at once", () => {
		const read = readFounding({ ...fields, household: " ", retail: "dyrt", feedIn: "" });
		expect(read).toEqual({
			ok: false,
			error: {
				code: "bad-fields",
				errors: { household: { code: "required" }, retail: { code: "bad-number" }, feedIn: { code: "required" } },
			},
		});
	});

	test("a name has an end", () => {
		expect(readName("å".repeat(41))).toEqual({ ok: false, error: { code: "name-too-long", max: 40 } });
	});
});

describe("an offer", () => {
	const nowMs = Date.parse("2026-06-18T12:06:18Z");
	const fields: OfferFields = {
		price: "98",
		fromDate: "2026-06-18",
		untilDate: "2026-06-20",
		energyLimit: "",
		noticeMinutes: 60,
		buyer: "",
		maxBuyers: "",
		schedule: { when: "always", days: [], fromMinuteOfDay: 480, untilMinuteOfDay: 960 },
	};

	test("from today begins with the next minute and covers its last day", () => {
		expect(readOffer(fields, nowMs)).toEqual({
			ok: true,
			value: {
				type: "offer",
				priceMicroNokPerWh: 980,
				fromMinute: Date.parse("2026-06-18T12:07Z") / 60_000,
				untilMinute: Date.parse("2026-06-20T22:00Z") / 60_000,
				noticeMinutes: 60,
			},
		});
	});

	test("for one household has no number of buyers", () => {
		const read = readOffer({ ...fields, buyer: "3", maxBuyers: "2", energyLimit: "12,5" }, nowMs);
		expect(read).toMatchObject({ ok: true, value: { buyer: 3, energyLimitWh: 12_500 } });
		expect(read.ok && "maxBuyers" in read.value).toBe(false);
	});

	test.each<[Partial<ScheduleFields>, number]>([
		[{ when: "weekdays" }, 0b0011111],
		[{ when: "weekend" }, 0b1100000],
		[{ when: "own", days: [6, 0, 2] }, 0b1000101],
	])("at hours of %o has those of its days", (change, days) => {
		const read = readOffer({ ...fields, schedule: { ...fields.schedule, ...change } }, nowMs);
		const schedule = { days, fromMinuteOfDay: 480, untilMinuteOfDay: 960 };
		expect(read).toMatchObject({ ok: true, value: { schedule } });
	});

	test.each<[Partial<OfferFields>, object]>([
		[{ schedule: { ...fields.schedule, when: "own", days: [] } }, { code: "required", field: "schedule" }],
		[{ price: "" }, { code: "required", field: "price" }],
		[{ fromDate: "" }, { code: "bad-date", field: "fromDate" }],
		[{ untilDate: "2026-06-17" }, { code: "until-before-from", field: "untilDate" }],
		[{ energyLimit: "mye" }, { code: "bad-number", field: "energyLimit" }],
		[{ maxBuyers: "0" }, { code: "too-small", min: 1, field: "maxBuyers" }],
	])("%o is refused at its field", (change, error) => {
		expect(readOffer({ ...fields, ...change }, nowMs)).toEqual({ ok: false, error });
	});
});
