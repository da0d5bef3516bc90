import { beforeAll, describe, expect, it } from "vitest";
import type { BilledMinutes } from "../../../src/node/bill.js";
import { dayHoursOf, decodeHours, encodeHours, minutesOfDay } from "../../../src/node/hours.js";
import type { BillFigures, Usage, UsageOf, UsageUnit } from "../../../src/node/protocol.js";
import type { ChainStorage } from "../../../src/node/storage.js";
import { Pieces } from "../../../src/node/usage.js";
import { CENTRAL_EUROPEAN_TIME, dayOfDate, firstMinuteOfDay } from "../../../src/primitives/localTime.js";
import { ok } from "../../../src/primitives/result.js";
import { type Cluster, foundedStreet, SHORT_DAYS } from "../../support/cluster.js";
import { createRandom } from "../../support/xorshift.js";

const OSLO = CENTRAL_EUROPEAN_TIME;
const dayOf = (year: number, month: number, dayOfMonth: number) => dayOfDate({ year, month, dayOfMonth });
/** Clocks are put forward, and back. */
const SPRING = dayOf(2026, 3, 29);
const AUTUMN = dayOf(2026, 10, 25);

/** Minutes of a time with whatever flowed and was paid in them; now and then none. */
function livedIn(fromMinute: number, untilMinute: number): BilledMinutes {
	const random = createRandom(fromMinute);
	const length = untilMinute - fromMinute;
	const below = (limit: number) => Int32Array.from({ length }, () => random(limit));
	const importWh = below(90).map((wh) => (wh < 5 ? -1 : wh));
	const exportWh = below(60).map((wh, at) => ((importWh[at] ?? -1) < 0 ? -1 : wh));
	const part = (whole: Int32Array) => whole.map((wh) => Math.max(0, Math.floor(wh / 3)));
	const series = { member: 0, fromMinute, importWh, exportWh, boughtWh: part(importWh), soldWh: part(exportWh) };
	const prices = [
		{ fromMinute, retailMicroNokPerWh: 1_500, feedInMicroNokPerWh: 400, localFeeMicroNokPerWh: 30, isKept: true },
	];
	const money = (wh: Int32Array) => Array.from(wh, (each) => each * 1_001);
	return {
		series,
		paidMicroNok: money(series.boughtWh),
		earnedMicroNok: money(series.soldWh),
		prices,
		ownRetail: [],
	};
}

const sumOf = (values: Iterable<number>) => [...values].reduce((all, value) => all + value, 0);

describe("a day by the hour", () => {
	for (const [name, day, count] of [
		["in winter", dayOf(2026, 1, 14), 24],
		["when clocks are put forward", SPRING, 23],
		["when clocks are put back", AUTUMN, 25],
	] as const) {
		it(`${name} has ${count} hours, and is read as it was written`, () => {
			const { fromMinute, untilMinute } = minutesOfDay(OSLO, day);
			const hours = dayHoursOf(day, livedIn(fromMinute, untilMinute));
			expect(hours.hours.length).toBe(count);
			expect(decodeHours(OSLO, day, encodeHours(hours, true))).toEqual(hours);
			const neighbours = decodeHours(OSLO, day, encodeHours(hours, false));
			expect(neighbours?.hours.map(({ importWh }) => importWh)).toEqual(hours.hours.map(({ importWh }) => importWh));
			expect(neighbours?.hours.every((hour) => hour.paidMicroNok === 0 && hour.savedMicroNok === 0)).toBe(true);
		});
	}

	it("knows the least and the most of an hour's minutes, and nothing of those without a reading", () => {
		const { fromMinute, untilMinute } = minutesOfDay(OSLO, SPRING);
		const billed = livedIn(fromMinute, untilMinute);
		const { importWh } = billed.series;
		importWh.fill(-1, 60, 120);
		const { hours } = dayHoursOf(SPRING, billed);
		const measured = [...importWh.subarray(0, 60)].filter((wh) => wh >= 0);
		expect(hours[0]).toMatchObject({
			minutes: measured.length,
			importMinWh: Math.min(...measured),
			importMaxWh: Math.max(...measured),
		});
		expect(hours[1]).toMatchObject({ minutes: 0, importWh: 0, importMinWh: 0, importMaxWh: 0 });
	});

	it("that was damaged, or is of a day with other hours, is none", () => {
		const { fromMinute, untilMinute } = minutesOfDay(OSLO, SPRING);
		const record = encodeHours(dayHoursOf(SPRING, livedIn(fromMinute, untilMinute)), true);
		expect(decodeHours(OSLO, AUTUMN, record)).toBeUndefined();
		expect(decodeHours(OSLO, SPRING, record.subarray(0, 20))).toBeUndefined();
		for (let at = 0; at < record.length; at += 97) {
			const hurt = record.slice();
			hurt[at] = (hurt[at] ?? 0) ^ 4;
			expect(decodeHours(OSLO, SPRING, hurt)).toBeUndefined();
		}
	});
});

describe("pieces of a time", () => {
	const from = dayOf(2026, 3, 27);
	const until = dayOf(2026, 4, 3);
	const period = { fromMinute: firstMinuteOfDay(OSLO, from), untilMinute: firstMinuteOfDay(OSLO, until) };
	const whole = livedIn(period.fromMinute, period.untilMinute);
	const part = (fromMinute: number, untilMinute: number): BilledMinutes => {
		const [a, b] = [fromMinute - period.fromMinute, untilMinute - period.fromMinute];
		const { importWh, exportWh, boughtWh, soldWh } = whole.series;
		const series = {
			member: 0,
			fromMinute,
			importWh: importWh.subarray(a, b),
			exportWh: exportWh.subarray(a, b),
			boughtWh: boughtWh.subarray(a, b),
			soldWh: soldWh.subarray(a, b),
		};
		const money = { paidMicroNok: whole.paidMicroNok.slice(a, b), earnedMicroNok: whole.earnedMicroNok.slice(a, b) };
		return { ...whole, series, ...money };
	};
	const days = Array.from({ length: until - from }, (_, at) => {
		const { fromMinute, untilMinute } = minutesOfDay(OSLO, from + at);
		return dayHoursOf(from + at, part(fromMinute, untilMinute));
	});

	it("of every length add up to the same, minute by minute", () => {
		const measured = [...whole.series.importWh].filter((wh) => wh >= 0);
		for (const unit of ["hour", "day", "month"] as const) {
			const pieces = new Pieces(OSLO, unit, period);
			pieces.addHours(days);
			const total = pieces.total();
			expect(total).toMatchObject({ minutes: measured.length, importWh: sumOf(measured) });
			expect(total.paidMicroNok).toBe(
				sumOf(whole.paidMicroNok.filter((_, at) => (whole.series.importWh[at] ?? -1) >= 0)),
			);
			expect(sumOf(pieces.figures.savedMicroNok)).toBe(total.savedMicroNok);
			expect(Math.max(...pieces.band.importMaxWh)).toBe(Math.max(...measured));
		}
		const quarters = new Pieces(OSLO, "quarter", period);
		quarters.addMinutes(whole.series);
		expect(quarters.starts.length).toBe((period.untilMinute - period.fromMinute) / 15 + 1);
		expect(quarters.total()).toMatchObject({ minutes: measured.length, importWh: sumOf(measured) });
		const [first] = quarters.figures.importWh;
		expect(first).toBe(sumOf([...whole.series.importWh.subarray(0, 15)].filter((wh) => wh >= 0)));
	});

	it("are cut where local days and months end", () => {
		const byDay = new Pieces(OSLO, "day", period);
		const lengths = [...byDay.starts.subarray(1)].map((end, at) => (end - (byDay.starts[at] ?? 0)) / 60);
		expect(lengths).toEqual([24, 24, 23, 24, 24, 24, 24]);
		expect([...new Pieces(OSLO, "month", period).starts]).toEqual([
			period.fromMinute,
			firstMinuteOfDay(OSLO, dayOf(2026, 4, 1)),
			period.untilMinute,
		]);
		expect(new Pieces(OSLO, "hour", period).starts.length).toBe(7 * 24 - 1 + 1);
	});

	it("leave out hours of days beside them", () => {
		const narrow = { fromMinute: minutesOfDay(OSLO, from + 1).fromMinute, untilMinute: period.untilMinute - 1_440 };
		const pieces = new Pieces(OSLO, "day", narrow);
		pieces.addHours(days);
		const inside = days.slice(1, -1).flatMap(({ hours }) => hours.map(({ exportWh }) => exportWh));
		expect(pieces.total().exportWh).toBe(sumOf(inside));
	});
});

describe("a street of nodes", () => {
	const minute = (iso: string) => Date.parse(iso) / 60_000;
	/** Clocks here show UTC. The street is founded on 20 February 2025. */
	const YEAR = { fromMinute: minute("2025-01-01T00:00Z"), untilMinute: minute("2026-01-01T00:00Z") };
	const WEEK = { fromMinute: minute("2025-02-17T00:00Z"), untilMinute: minute("2025-02-24T00:00Z") };
	const [BUYER, SELLER] = [1, 2];
	let cluster: Cluster;

	const ask = (at: number, of: UsageOf, unit: UsageUnit, period = YEAR) =>
		cluster.command(at, { type: "usage", of, unit, ...period });

	async function usageOf(at: number, of: UsageOf, unit: UsageUnit, period = YEAR): Promise<Usage> {
		const reply = await ask(at, of, unit, period);
		if (!reply.ok || reply.value.type !== "usage") throw new Error(JSON.stringify(reply));
		return reply.value.usage;
	}

	beforeAll(async () => {
		cluster = await foundedStreet(3, { settings: SHORT_DAYS });
		const orderId = await cluster.act(BUYER, { type: "buy", amountMicroNok: 5_000_000 });
		await cluster.act(0, { type: "issue", orderId, amountMicroNok: 5_000_000, reference: "KID 7" });
		const fromMinute = Math.floor(cluster.chainMs / 60_000) + 1;
		const terms = { priceMicroNokPerWh: 1_000, fromMinute, untilMinute: fromMinute + 1_000, noticeMinutes: 0 };
		const offerId = await cluster.act(SELLER, { type: "offer", ...terms });
		await cluster.act(BUYER, { type: "accept", offerId });
		for (let at = 0; at < 6; at++) {
			await cluster.nextMinute(1_000);
			const now = Math.floor(cluster.chainMs / 60_000) - 1;
			await cluster.read(BUYER, now, 30 + at, 0);
			await cluster.read(SELLER, now, 0, 20 + 3 * at);
			await cluster.run(8_000, 500);
		}
		await cluster.settle();
	});

	it("says of a year what its statement says, by whatever pieces, and with whom", async () => {
		const reply = await cluster.command(BUYER, { type: "statement", ...YEAR });
		if (!reply.ok || reply.value.type !== "statement") throw new Error(JSON.stringify(reply));
		const { total } = reply.value.statement;
		expect(total.boughtWh).toBeGreaterThan(0);
		for (const unit of ["day", "month"] as const) {
			const usage = await usageOf(BUYER, BUYER, unit);
			const { importWh, boughtWh, localFeeMicroNok } = total;
			expect(usage.total).toMatchObject({ importWh, boughtWh, localFeeMicroNok, minutes: total.measuredMinutes });
			expect(usage.total.paidMicroNok).toBe(total.boughtMicroNok);
			expect(usage.memberMinutes).toBe(total.minutes);
			expect(usage.partners).toEqual([
				{ other: SELLER, boughtWh, soldWh: 0, paidMicroNok: total.boughtMicroNok, earnedMicroNok: 0 },
			]);
		}
		const quarters = await usageOf(BUYER, BUYER, "quarter", WEEK);
		expect(quarters.total).toMatchObject({ importWh: total.importWh, boughtWh: total.boughtWh });
	});

	it("shows an operator everybody's and all together, without their money, and a household its own alone", async () => {
		const [buyer, seller, all] = await Promise.all(
			([BUYER, SELLER, "all"] as const).map((of) => usageOf(0, of, "day")),
		);
		const energies = ["importWh", "exportWh", "boughtWh", "soldWh", "minutes"] as const;
		for (const field of energies) {
			expect(all?.total[field]).toBe((buyer?.total[field] ?? 0) + (seller?.total[field] ?? 0));
		}
		expect(all?.total.boughtWh).toBe(all?.total.soldWh);
		expect(buyer?.total.paidMicroNok).toBe(0);
		expect(await ask(BUYER, SELLER, "day")).toMatchObject({ ok: false, error: { code: "not-your-readings" } });
		expect(await ask(BUYER, "all", "day")).toMatchObject({ ok: false, error: { code: "not-your-readings" } });
		expect(await ask(0, 7, "day")).toMatchObject({ ok: false, error: { code: "not-your-readings" } });
	});

	it("refuses what is no whole day, and what is too long for its pieces", async () => {
		const bad = { ok: false, error: { code: "bad-period" } };
		expect(await ask(0, 0, "day", { ...YEAR, fromMinute: YEAR.fromMinute + 1 })).toMatchObject(bad);
		expect(await ask(0, 0, "hour")).toMatchObject(bad);
		expect(await ask(0, 0, "quarter")).toMatchObject(bad);
		expect(await ask(0, 0, "day", { fromMinute: YEAR.untilMinute, untilMinute: YEAR.fromMinute })).toMatchObject(bad);
	});

	/** The buyer's node is started anew on what is stored, as another version may have left it. */
	async function afterStart(readHours?: () => ReturnType<ChainStorage["readHours"]>): Promise<BillFigures[]> {
		cluster.off(BUYER);
		const { storage } = cluster.house(BUYER);
		const open = storage.openChain.bind(storage);
		storage.openChain = async (name) => {
			const opened = await open(name);
			return opened.ok && readHours !== undefined ? ok({ ...opened.value, readHours }) : opened;
		};
		await cluster.on(BUYER);
		await cluster.settle();
		storage.openChain = open;
		const usages = await Promise.all([usageOf(BUYER, BUYER, "day"), usageOf(BUYER, BUYER, "quarter", WEEK)]);
		return usages.map(({ total }) => total);
	}

	it("says the same after a start: of hours that are stored, or where those are missing or damaged of minutes", async () => {
		const before = [(await usageOf(BUYER, BUYER, "day")).total, (await usageOf(BUYER, BUYER, "quarter", WEEK)).total];
		expect(await afterStart()).toEqual(before);
		const [name = ""] = [...cluster.house(BUYER).storage.names].filter((each) => !each.startsWith("lobby"));
		const opened = await cluster.house(BUYER).storage.openChain(name);
		const stored = opened.ok ? await opened.value.readHours(BUYER, 0, 30_000) : opened;
		expect(stored.ok && stored.value.length).toBe(1);
		expect(await afterStart(() => Promise.resolve(ok([])))).toEqual(before);
		const damaged = { member: BUYER, day: Math.floor(cluster.chainMs / 86_400_000), record: new Uint8Array(40) };
		expect(await afterStart(() => Promise.resolve(ok([damaged])))).toEqual(before);
	});
});
