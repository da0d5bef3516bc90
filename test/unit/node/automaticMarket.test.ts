import { beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_NODE_SETTINGS } from "../../../src/node/dependencies.js";
import { readProofFile } from "../../../src/node/proofFile.js";
import { prove, verifyProofFile } from "../../../src/node/proofFileCheck.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";
import { keyedVerifier } from "../../support/keyedSignatures.js";

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

/** What 300 Wh trade at where the tariff is the only limit. */
function midMarketOf(cluster: Cluster) {
	const { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = cluster.view(0).tariff;
	const priceMicroNokPerWh = Math.floor((retailMicroNokPerWh - localFeeMicroNokPerWh + feedInMicroNokPerWh) / 2);
	return { choice: "midMarket", priceMicroNokPerWh, amountMicroNok: 300 * priceMicroNokPerWh } as const;
}

describe("a street that trades by itself", () => {
	let cluster: Cluster;
	let beginMs = 0;

	beforeAll(async () => {
		// Checkpoints from which a restart begins: what was matched below them is not executed again.
		const founding = { ...DEFAULT_NODE_SETTINGS.founding, checkpointBlocks: 10 };
		cluster = await foundedStreet(3, { settings: { founding } });
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
		const { amountMicroNok } = midMarketOf(cluster);
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

	it("proves a household's share of an interval, and only that, to anybody", async () => {
		const fromMinute = beginMs / MS_PER_MINUTE;
		const request = { type: "proofFile", fromMinute, untilMinute: fromMinute + 15 } as const;
		// The block that matched it may only be certified with the next one.
		await tradedMinute(cluster);
		const reply = await cluster.command(1, request);
		if (!reply.ok || reply.value.type !== "proofFile") throw new Error(JSON.stringify(reply));
		const { text, fileName } = reply.value;
		const proven = verifyProofFile(text, keyedVerifier);
		if (!proven.ok) throw new Error(proven.error.code);
		const { choice, priceMicroNokPerWh, amountMicroNok } = midMarketOf(cluster);
		const interval = { fromMinute, untilMinute: fromMinute + 15, choice, priceMicroNokPerWh };
		const traded = { boughtWh: 0, paidMicroNok: 0, soldWh: 300, earnedMicroNok: amountMicroNok };
		expect(proven.value.blocks.flatMap(({ shares }) => shares)).toEqual([{ ...interval, household: 1, ...traded }]);
		expect(proven.value.blocks.flatMap(({ settled }) => settled)).toEqual([]);
		expect(proven.value.title).toBe(`share of the market from minute ${fromMinute} on`);
		expect(fileName).toMatch(/^nabostrom-.*-market\.json$/);
		expect(text.length).toBeLessThanOrEqual(4_000);
		const file = readProofFile(text);
		if (!file.ok) throw new Error(file.error.code);
		const [part = new Uint8Array()] = file.value.parts;
		let same = 0;
		for (let bit = 0; bit < part.length * 8; bit += 5) {
			const damaged = part.slice();
			damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
			const outcome = prove({ ...file.value, parts: [damaged] }, keyedVerifier);
			// A root does not say of how many leaves it is: another number may lead to it, from the same that is proven.
			if (outcome.ok) expect(outcome.value).toEqual(proven.value);
			same += outcome.ok ? 1 : 0;
		}
		expect(same).toBeLessThan(part.length / 100);
		// Household 0 has traded nothing, and nothing stands in an interval that is not matched yet.
		expect((await cluster.command(0, request)).ok).toBe(false);
		const later = { ...request, fromMinute: fromMinute + 15, untilMinute: fromMinute + 30 };
		expect(await cluster.command(1, later)).toMatchObject({ ok: false, error: { code: "proof-not-kept" } });
		expect((await cluster.command(1, { ...request, untilMinute: -1 })).ok).toBe(false);
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

	it("says what another rule would have made of a household's past, before a restart and after it", async () => {
		const fromMinute = beginMs / MS_PER_MINUTE;
		const request = { type: "whatIf", fromMinute, untilMinute: fromMinute + 60 } as const;
		const { amountMicroNok } = midMarketOf(cluster);
		const really = await cluster.command(2, { ...request, rule: "midMarket" });
		if (!really.ok || really.value.type !== "whatIf") throw new Error(JSON.stringify(really));
		const { was, would, ...counted } = really.value.whatIf;
		expect(counted).toEqual({ intervals: 2, kept: 2, firstMinute: fromMinute });
		expect(was).toMatchObject({ boughtWh: 600, soldWh: 0, paidMicroNok: 2 * amountMicroNok, earnedMicroNok: 0 });
		expect(would).toEqual(was);
		// Half as much need as surplus: a third of the way from what the utility pays to what it takes.
		const { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = cluster.view(0).tariff;
		const gain = retailMicroNokPerWh - localFeeMicroNokPerWh - feedInMicroNokPerWh;
		const other = await cluster.command(2, { ...request, rule: "balance" });
		if (!other.ok || other.value.type !== "whatIf") throw new Error(JSON.stringify(other));
		const price = feedInMicroNokPerWh + Math.floor((gain * 2) / 5);
		expect(other.value.whatIf.would).toMatchObject({ boughtWh: 600, paidMicroNok: 600 * price });
		cluster.off(2);
		await cluster.on(2);
		await cluster.until(() => cluster.height(2) === cluster.height(0), "it has caught up");
		expect(await cluster.command(2, { ...request, rule: "balance" })).toEqual(other);
		const bad = { ...request, rule: "none" as "balance" };
		expect(await cluster.command(2, bad)).toMatchObject({ ok: false, error: { code: "bad-market" } });
		const long = { ...request, rule: "balance", untilMinute: fromMinute + 40 * 1_440 } as const;
		expect(await cluster.command(2, long)).toMatchObject({ ok: false, error: { code: "bad-period" } });
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
