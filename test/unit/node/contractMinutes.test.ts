import { beforeAll, describe, expect, it } from "vitest";
import type { Command } from "../../../src/node/protocol.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";

const MS_PER_MINUTE = 60_000;
const PRICE = 1_000;
const [NOBODY, FIRST, SECOND, SELLER] = [0, 1, 2, 3] as const;

/** Minutes of a street in which two households share what a third has left. */
describe("a contract minute by minute", () => {
	let cluster: Cluster;
	let contractId = "";
	let named = "";
	let fromMinute = 0;

	/** What each household reads for the minute that is over: [import, export]; absent: nothing. */
	async function minute(...readings: readonly (readonly [number, number] | undefined)[]): Promise<void> {
		await cluster.nextMinute(0);
		const over = Math.floor(cluster.view(0).chainMs / MS_PER_MINUTE) - 1;
		for (const [at, reading] of readings.entries()) if (reading) await cluster.read(at, over, ...reading);
		await cluster.run(6_000);
	}

	async function minutesAt(at: number, id = contractId) {
		const untilMinute = fromMinute + 20;
		const reply = await cluster.command(at, { type: "contractMinutes", contractId: id, fromMinute, untilMinute });
		if (!reply.ok || reply.value.type !== "contractMinutes") throw new Error(JSON.stringify(reply));
		return reply.value;
	}

	beforeAll(async () => {
		cluster = await foundedStreet(4);
		for (const [member, amountMicroNok] of [
			// What 20 Wh cost.
			[FIRST, 20 * PRICE],
			[SECOND, 1_000_000],
		] as const) {
			const orderId = await cluster.act(member, { type: "buy", amountMicroNok });
			await cluster.act(NOBODY, { type: "issue", orderId, amountMicroNok, reference: "x" });
		}
		const nowMinute = Math.floor(cluster.view(0).chainMs / MS_PER_MINUTE);
		const offer: Command = {
			type: "offer",
			priceMicroNokPerWh: PRICE,
			fromMinute: nowMinute,
			untilMinute: nowMinute + 10_000,
			noticeMinutes: 0,
		};
		const offerId = await cluster.act(SELLER, offer);
		contractId = await cluster.act(FIRST, { type: "accept", offerId });
		await cluster.act(SECOND, { type: "accept", offerId });
		named = await cluster.act(SELLER, { ...offer, buyer: NOBODY });
		// The contracts begin with the minute after their block's.
		await minute([0, 0], [0, 0], [0, 0], [0, 0]);
		fromMinute = Math.floor(cluster.view(0).chainMs / MS_PER_MINUTE);
		await minute([0, 0], [10, 0], [20, 0], [0, 50]);
		await minute([0, 0], [10, 0], [20, 0], [0, 15]);
		await minute([0, 0], [0, 0], [20, 0], [0, 15]);
		await minute([0, 0], [10, 0], [20, 0], [0, 0]);
		await minute([0, 0], [10, 0], [0, 0], [0, 4]);
		await minute([0, 0], [10, 0], [0, 0], [0, 50]);
		await minute([0, 0], [10, 0], [20, 0], undefined);
	});

	it("says of each what was needed, what there was, what came of it, and why", async () => {
		const { minutes, others } = await minutesAt(FIRST);
		expect(minutes.slice(0, 7)).toEqual([
			{ minute: fromMinute, neededWh: 10, surplusWh: 50, energyWh: 10, othersWh: 20, reason: "all" },
			{ minute: fromMinute + 1, neededWh: 10, surplusWh: 15, energyWh: 5, othersWh: 10, reason: "shared" },
			{ minute: fromMinute + 2, neededWh: 0, surplusWh: 15, energyWh: 0, othersWh: 15, reason: "noNeed" },
			{ minute: fromMinute + 3, neededWh: 10, surplusWh: 0, energyWh: 0, othersWh: 0, reason: "noSurplus" },
			{ minute: fromMinute + 4, neededWh: 10, surplusWh: 4, energyWh: 4, othersWh: 0, reason: "allSurplus" },
			{ minute: fromMinute + 5, neededWh: 10, surplusWh: 50, energyWh: 1, othersWh: 0, reason: "unpaidOrLate" },
			{ minute: fromMinute + 6, neededWh: 10, surplusWh: -1, energyWh: 0, othersWh: 0, reason: "waiting" },
		]);
		expect(others).toEqual([{ member: SECOND, energyWh: 45 }]);
	});

	it("says the same to the seller, and nothing to anybody else", async () => {
		expect(await minutesAt(SELLER)).toEqual(await minutesAt(FIRST));
		for (const at of [NOBODY, SECOND]) {
			const command = { type: "contractMinutes", contractId, fromMinute, untilMinute: fromMinute + 1 } as const;
			expect(await cluster.command(at, command)).toMatchObject({ ok: false, error: { code: "unknown-contract" } });
		}
	});

	it("sums to what the contract says that it delivered", async () => {
		const { minutes } = await minutesAt(FIRST);
		const sum = minutes.reduce((all, { energyWh }) => all + energyWh, 0);
		const contract = cluster.view(FIRST).market.contracts.find(({ id }) => id === contractId);
		expect(contract).toMatchObject({ deliveredWh: sum, amountMicroNok: sum * PRICE });
	});

	it("expects of the next week what the last one had, with those who share it now", async () => {
		// 10, 5, none needed, nothing there, 4 and with money again 10, of 10 with both readings.
		expect((await minutesAt(FIRST)).likely).toEqual({ neededWh: 50, shareWh: 29 });
	});

	it("and its offer say what is left at which hours, to those whom it is for", async () => {
		const ask = (at: number) => cluster.command(at, { type: "offerOutlook", offerId: named });
		const reply = await ask(NOBODY);
		if (!reply.ok || reply.value.type !== "offerOutlook") throw new Error(JSON.stringify(reply));
		const { surplus, past } = reply.value.outlook;
		// 134 Wh exported and 65 of them delivered.
		const hours = surplus.filter(({ minutes }) => minutes > 0);
		expect(hours.reduce((all, { minutes, surplusWh }) => all + (minutes * surplusWh) / 60, 0)).toBeCloseTo(69, 0);
		expect(past).toMatchObject({ importWh: 0, shareWh: 0 });
		expect(await ask(FIRST)).toMatchObject({ ok: false, error: { code: "unknown-offer" } });
		const shown = (at: number) => cluster.view(at).market.offers.map(({ id }) => id);
		expect([shown(NOBODY), shown(SELLER), shown(FIRST)].map((ids) => ids.includes(named))).toEqual([true, true, false]);
	});

	it("is refused for a time that is none, and for what nobody knows", async () => {
		const period = { fromMinute, untilMinute: fromMinute - 1 };
		const bad = await cluster.command(FIRST, { type: "contractMinutes", contractId, ...period });
		expect(bad).toMatchObject({ ok: false, error: { code: "bad-period" } });
		const none = await cluster.command(FIRST, { type: "offerOutlook", offerId: "00".repeat(32) });
		expect(none).toMatchObject({ ok: false, error: { code: "unknown-offer" } });
	});
});
