import { beforeAll, describe, expect, it } from "vitest";
import { type Cluster, foundedStreet } from "../../support/cluster.js";

const MS_PER_MINUTE = 60_000;
const GIVEN_MICRO_NOK = 100_000_000;

/** A minute goes by in which household 1 has 30 Wh too much and household 2 needs 20 Wh. */
async function tradedMinute(cluster: Cluster): Promise<void> {
	await cluster.nextMinute(0);
	const minute = Math.floor(cluster.view(0).chainMs / MS_PER_MINUTE) - 1;
	await cluster.read(0, minute, 0, 0);
	await cluster.read(1, minute, 0, 30);
	await cluster.read(2, minute, 20, 0);
	await cluster.run(6_000);
}

describe("a street that trades by itself", () => {
	let cluster: Cluster;
	let beginMs = 0;

	beforeAll(async () => {
		cluster = await foundedStreet(3);
		const orderId = await cluster.act(2, { type: "buy", amountMicroNok: GIVEN_MICRO_NOK });
		const issued = { orderId, amountMicroNok: GIVEN_MICRO_NOK, reference: "x" };
		await cluster.act(0, { type: "issue", ...issued });
		const { choice, changeFromMs } = cluster.view(0).market.automatic;
		expect(choice).toBe("none");
		beginMs = changeFromMs;
		const fromMinute = changeFromMs / MS_PER_MINUTE;
		expect(await cluster.outcome(1, { type: "market", choice: "midMarket", fromMinute })).toBe("not-operator");
		await cluster.act(0, { type: "market", choice: "midMarket", fromMinute });
		await cluster.act(1, { type: "limits", sellAboveMicroNokPerWh: 0 });
		await cluster.act(2, { type: "limits", buyBelowMicroNokPerWh: 0 });
	});

	it("says to each household what it trades at, and to all by which rule", () => {
		const { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = cluster.view(0).tariff;
		expect(cluster.view(0).market.automatic).toMatchObject({ next: { choice: "midMarket", fromMs: beginMs } });
		expect(cluster.view(0).market.automatic.terms).toBeUndefined();
		expect(cluster.view(1).market.automatic).toMatchObject({
			terms: { sellAboveMicroNokPerWh: 0 },
			sellLimitMicroNokPerWh: feedInMicroNokPerWh,
		});
		expect(cluster.view(2).market.automatic.buyLimitMicroNokPerWh).toBe(retailMicroNokPerWh - localFeeMicroNokPerWh);
	});

	it("settles a quarter of an hour, and shows it in balance, minutes and movements", async () => {
		while (cluster.view(0).chainMs < beginMs) await tradedMinute(cluster);
		expect(cluster.view(0).market.automatic.choice).toBe("midMarket");
		const before = cluster.view(1).today.soldWh;
		expect(before).toBe(0);
		for (let minute = 0; minute <= 15; minute++) await tradedMinute(cluster);
		const { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = cluster.view(0).tariff;
		const price = Math.floor((retailMicroNokPerWh - localFeeMicroNokPerWh + feedInMicroNokPerWh) / 2);
		const amountMicroNok = 300 * price;
		expect(cluster.view(1).balance).toMatchObject({
			balanceMicroNok: amountMicroNok,
			movements: [{ type: "matchedSold", energyWh: 300, amountMicroNok }],
		});
		expect(cluster.view(2).balance.balanceMicroNok).toBe(GIVEN_MICRO_NOK - amountMicroNok);
		expect(cluster.view(1).today).toMatchObject({ soldWh: 300, earnedMicroNok: amountMicroNok });
		const fromMinute = beginMs / MS_PER_MINUTE;
		const reply = await cluster.command(2, { type: "series", member: 2, fromMinute, untilMinute: fromMinute + 15 });
		if (!reply.ok || reply.value.type !== "series") throw new Error(JSON.stringify(reply));
		expect([...reply.value.series.boughtWh]).toEqual(Array.from({ length: 15 }, () => 20));
	});

	it("goes on after a restart in the middle of an interval, and what was matched is still shown", async () => {
		cluster.off(1);
		await cluster.on(1);
		await cluster.until(() => cluster.height(1) === cluster.height(0), "it has caught up");
		expect(cluster.view(1).balance.movements).toMatchObject([{ type: "matchedSold", energyWh: 300 }]);
		expect(cluster.view(1).today.soldWh).toBe(300);
		for (let minute = 0; minute < 15; minute++) await tradedMinute(cluster);
		expect(cluster.view(1).today.soldWh).toBe(600);
	});

	it("takes prices from the operator, which hold from their minute on", async () => {
		const fromMinute = Math.floor(cluster.view(0).chainMs / MS_PER_MINUTE) + 2;
		const step = { fromMinute, retailMicroNokPerWh: 3_000, feedInMicroNokPerWh: 100, localFeeMicroNokPerWh: 50 };
		expect(await cluster.outcome(0, { type: "tariff", steps: [] })).toBe("bad-period");
		expect(await cluster.outcome(0, { type: "tariff", steps: [step, step] })).toBe("bad-period");
		const dear = { ...step, retailMicroNokPerWh: 1_000_001 };
		expect(await cluster.outcome(0, { type: "tariff", steps: [dear] })).toBe("bad-price");
		await cluster.act(0, { type: "tariff", steps: [step] });
		for (const at of [0, 1, 2]) expect(cluster.view(at).nextTariffs).toEqual([step]);
		await tradedMinute(cluster);
		await tradedMinute(cluster);
		expect(cluster.view(2).tariff.retailMicroNokPerWh).toBe(3_000);
		expect(cluster.view(2).nextTariffs).toEqual([]);
		expect(cluster.view(2).market.automatic.buyLimitMicroNokPerWh).toBe(2_950);
		expect(cluster.view(1).operatorRecord[0]).toMatchObject({
			kind: "tariff",
			texts: [`${fromMinute}`, "3000", "100", "50"],
		});
	});

	it("refuses limits that are no price, and a rule without notice", async () => {
		expect(await cluster.outcome(1, { type: "limits", buyBelowMicroNokPerWh: -1 })).toBe("bad-price");
		const { chainMs } = cluster.view(0);
		const quarterMs = 15 * MS_PER_MINUTE;
		const soon = Math.ceil(chainMs / quarterMs) * 15;
		expect(await cluster.outcome(0, { type: "market", choice: "balance", fromMinute: soon })).toBe("market-too-early");
	});
});
