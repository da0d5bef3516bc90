import { beforeAll, describe, expect, it } from "vitest";
import type { ExportRequest, PeriodStatement } from "../../../src/node/protocol.js";
import { type Cluster, foundedStreet, SHORT_DAYS } from "../../support/cluster.js";

/** Clocks here show UTC. The street is founded on 20 February 2025, and nothing is older. */
const minute = (iso: string) => Date.parse(iso) / 60_000;
const FEBRUARY = { fromMinute: minute("2025-02-01T00:00Z"), untilMinute: minute("2025-03-01T00:00Z") };
const YEAR = { fromMinute: minute("2025-01-01T00:00Z"), untilMinute: minute("2026-01-01T00:00Z") };
const [BUYER, SELLER] = [1, 2];
const PRICE = 1_000;
const FEE = 50;

async function statementOf(cluster: Cluster, at: number, period: { fromMinute: number; untilMinute: number }) {
	const reply = await cluster.command(at, { type: "statement", ...period });
	if (!reply.ok || reply.value.type !== "statement") throw new Error(JSON.stringify(reply));
	return reply.value.statement;
}

async function sliceOf(cluster: Cluster, at: number, request: Partial<ExportRequest>): Promise<string> {
	const days = { fromMinute: minute("2025-02-19T00:00Z"), untilMinute: minute("2025-02-21T00:00Z") };
	const asked = { what: "minutes", format: "csv-iso", ...days, isFirst: true, isLast: true, ...request } as const;
	const reply = await cluster.command(at, { type: "exportSlice", ...asked });
	if (!reply.ok || reply.value.type !== "exportSlice") throw new Error(JSON.stringify(reply));
	return reply.value.text;
}

const inOf = ({ total }: PeriodStatement) =>
	total.openingMicroNok + total.issuedMicroNok + total.soldMicroNok + total.matchedSoldMicroNok + total.otherInMicroNok;
const outOf = ({ total }: PeriodStatement) =>
	total.closingMicroNok + total.paidOutMicroNok + total.boughtMicroNok + total.matchedBoughtMicroNok;

describe("a street of nodes", () => {
	let cluster: Cluster;
	/** What was read of the buyer and the seller, by minute. */
	const read = new Map<number, { importWh: number; exportWh: number }>();

	beforeAll(async () => {
		cluster = await foundedStreet(3, { settings: SHORT_DAYS });
		const orderId = await cluster.act(BUYER, { type: "buy", amountMicroNok: 5_000_000 });
		await cluster.act(0, { type: "issue", orderId, amountMicroNok: 5_000_000, reference: "=KID 7" });
		const fromMinute = Math.floor(cluster.chainMs / 60_000) + 1;
		const terms = { priceMicroNokPerWh: PRICE, fromMinute, untilMinute: fromMinute + 1_000, noticeMinutes: 0 };
		const offerId = await cluster.act(SELLER, { type: "offer", ...terms });
		await cluster.act(BUYER, { type: "accept", offerId });
		const prices = { retailMicroNokPerWh: 2_000, feedInMicroNokPerWh: 700, localFeeMicroNokPerWh: FEE };
		await cluster.act(0, { type: "tariff", steps: [{ fromMinute, ...prices }] });
		for (let at = 0; at < 6; at++) {
			await cluster.nextMinute(1_000);
			const now = Math.floor(cluster.chainMs / 60_000) - 1;
			if (now >= fromMinute) read.set(now, { importWh: 30 + at, exportWh: 20 + 3 * at });
			await cluster.read(BUYER, now, 30 + at, 0);
			await cluster.read(SELLER, now, 0, 20 + 3 * at);
			await cluster.run(8_000, 500);
		}
		await cluster.settle();
	});

	/** Each minute by itself: the seller's surplus as far as the buyer needs it. */
	const tradedWh = () => [...read.values()].map(({ importWh, exportWh }) => Math.min(importWh, exportWh));
	const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);

	it("states a month of buyer and seller: energy times price, tokens in, and balances that add up", async () => {
		expect(read.size).toBeGreaterThan(4);
		const energyWh = sum(tradedWh());
		const buyer = await statementOf(cluster, BUYER, FEBRUARY);
		const contract = { priceMicroNokPerWh: PRICE, energyWh, amountMicroNok: energyWh * PRICE };
		expect(buyer.contracts).toMatchObject([{ type: "bought", otherName: cluster.view(SELLER).self.name, ...contract }]);
		expect(buyer.transfers).toMatchObject([{ type: "issued", amountMicroNok: 5_000_000, reference: "=KID 7" }]);
		expect(buyer.total).toMatchObject({
			openingMicroNok: 0,
			closingMicroNok: 5_000_000 - energyWh * PRICE,
			boughtWh: energyWh,
			localFeeMicroNok: energyWh * FEE,
			grossSalesMicroNok: 0,
			measuredMinutes: 6,
			unknownMicroNok: 0,
		});
		expect(buyer.total.closingMicroNok).toBe(cluster.view(BUYER).balance.balanceMicroNok);
		expect(inOf(buyer)).toBe(outOf(buyer));
		const seller = await statementOf(cluster, SELLER, FEBRUARY);
		expect(seller.contracts).toMatchObject([{ type: "sold", otherName: cluster.view(BUYER).self.name, ...contract }]);
		expect(seller.total).toMatchObject({
			closingMicroNok: energyWh * PRICE,
			grossSalesMicroNok: energyWh * PRICE,
			exportWh: sum(Array.from({ length: 6 }, (_, at) => 20 + 3 * at)),
		});
		expect(seller).toMatchObject({
			isOver: false,
			isSettled: false,
			household: { name: cluster.view(SELLER).self.name },
		});
		expect(seller.keptFromMs).toBeUndefined();
		const { head } = cluster.street(SELLER).chain;
		expect(seller.head).toMatchObject({ index: head.block.index, timestampMs: head.block.timestampMs });
		// From the founding on: minutes that ended and that nobody measured are missing.
		const ended =
			Math.floor(head.block.timestampMs / 60_000) -
			Math.floor(cluster.street(0).chain.head.ledger.genesisTimestampMs / 60_000);
		expect(seller.total.minutes).toBe(ended);
	});

	it("states a year, month by month, and says after a restart the same", async () => {
		const year = await statementOf(cluster, BUYER, YEAR);
		expect(year.months).toHaveLength(11);
		const [february, march] = year.months;
		expect(february).toMatchObject({ ...FEBRUARY, closingMicroNok: year.total.closingMicroNok });
		expect(march).toMatchObject({ openingMicroNok: year.total.closingMicroNok, boughtWh: 0, minutes: 0 });
		cluster.off(BUYER);
		await cluster.on(BUYER);
		await cluster.settle();
		const { head: _, ...again } = await statementOf(cluster, BUYER, YEAR);
		expect(again).toEqual({ ...year, head: undefined, total: again.total, months: again.months });
		expect(again.total).toMatchObject({ ...year.total, minutes: again.total.minutes });
	});

	it("writes minutes, days and movements, in slices that make the same file as one", async () => {
		const whole = await sliceOf(cluster, BUYER, {});
		const rows = whole.trim().split("\r\n").slice(1);
		const measured = rows.filter((row) => !row.endsWith(",,,,,,"));
		expect(measured).toHaveLength(6);
		const [firstTraded = 0] = read.keys();
		const at = new Date(firstTraded * 60_000).toISOString().slice(0, 16);
		const [wh = 0] = tradedWh();
		const kwh = (value: number) => `0.${String(value).padStart(3, "0")}`;
		const row = [`${at}Z`, `${at}+00:00`, kwh(read.get(firstTraded)?.importWh ?? 0), "0.000", kwh(wh), "0.000"];
		expect(measured).toContain([...row, `0.${String(wh * PRICE).padStart(6, "0")}`, "0.000000"].join(","));
		const noon = minute("2025-02-20T00:00Z");
		const slices = [
			await sliceOf(cluster, BUYER, { untilMinute: noon, isLast: false }),
			await sliceOf(cluster, BUYER, { fromMinute: noon, isFirst: false }),
		];
		expect(slices.join("")).toBe(whole);
		const [, day = ""] = (await sliceOf(cluster, BUYER, { what: "days" })).trim().split("\r\n");
		expect(day.split(",").slice(3, 4)).toEqual(["6"]);
		const [, ...moved] = (await sliceOf(cluster, BUYER, { what: "movements" })).trim().split("\r\n");
		expect(moved.flatMap((line) => line.split(",").slice(2, 3))).toEqual(["bought", "issued"]);
		expect(moved[1]).toContain(",5.000000,'=KID 7,");
	});

	it("refuses what is no whole day, is too long for a slice, or was before anything", async () => {
		const { fromMinute, untilMinute } = FEBRUARY;
		const half = { fromMinute: fromMinute + 720, untilMinute };
		expect(await cluster.outcome(BUYER, { type: "statement", ...half })).toBe("bad-period");
		const before = { fromMinute: minute("2024-01-01T00:00Z"), untilMinute: minute("2025-01-01T00:00Z") };
		expect(await cluster.outcome(BUYER, { type: "statement", ...before })).toBe("statement-not-kept");
		const slice = { type: "exportSlice", what: "minutes", format: "json", isFirst: true, isLast: true } as const;
		expect(await cluster.outcome(BUYER, { ...slice, ...FEBRUARY })).toBe("bad-period");
	});
});
