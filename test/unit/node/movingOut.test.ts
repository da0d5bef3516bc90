import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/primitives/bytes.js";
import { foundedStreet } from "../../support/cluster.js";

const TEN_NOK = 10_000_000;

describe("a household that moves out", () => {
	it("is taken off the voters, paid out and then out, as everybody sees and its own device says", async () => {
		const cluster = await foundedStreet(4);
		const buy = await cluster.act(3, { type: "buy", amountMicroNok: TEN_NOK });
		await cluster.act(0, { type: "issue", orderId: buy, amountMicroNok: TEN_NOK, reference: "KID 1" });
		const id = await cluster.act(0, { type: "remove", household: 3 });
		expect(cluster.view(3).self.movingOut).toBe("payout");
		expect(cluster.view(3).balance).toMatchObject({ balanceMicroNok: 0, payouts: [{ id, amountMicroNok: TEN_NOK }] });
		expect(await cluster.outcome(3, { type: "buy", amountMicroNok: TEN_NOK })).toBe("moved-out");

		// The operator's node does it by itself; the device votes until then.
		const votersOf = (at: number) => cluster.street(at).chain.head.ledger.voters;
		expect(votersOf(0)).toEqual([0, 1, 2, 3]);
		await cluster.until(() => votersOf(0).length === 3, "three vote");
		await cluster.settle();
		expect(cluster.view(0).operator?.payouts).toMatchObject([{ id, member: 3, amountMicroNok: TEN_NOK }]);
		await cluster.act(0, { type: "payout", lockId: id, amountMicroNok: TEN_NOK, reference: "KID 2" });
		for (const at of [0, 1, 2]) expect(cluster.view(at).members[3]?.movingOut).toBe("completed");
		expect(cluster.view(0).operator).toMatchObject({ payouts: [], paidOutMicroNok: TEN_NOK });

		const { chain, faults, balance } = cluster.view(3);
		expect(chain).toMatchObject({ role: "observer", notVoting: "moved-out" });
		expect(chain.outOfUse).toBeUndefined();
		expect(faults.map(({ fault }) => fault.code)).toEqual(["moved-out"]);
		expect(balance.movements).toMatchObject([
			{ type: "paidOut", reference: "KID 2", amountMicroNok: TEN_NOK },
			{ type: "issued", reference: "KID 1", amountMicroNok: TEN_NOK },
		]);
		// Nor is it let back among the voters, however well it keeps up.
		await cluster.run(120_000, 1_000);
		expect(votersOf(0)).toEqual([0, 1, 2]);
		expect(cluster.street(3).chain.head.block.index).toBeGreaterThan(0);
	});

	it("hands in no reading of a minute in which it had moved out, and its statement is kept", async () => {
		const cluster = await foundedStreet(4);
		const buy = await cluster.act(3, { type: "buy", amountMicroNok: TEN_NOK });
		await cluster.act(0, { type: "issue", orderId: buy, amountMicroNok: TEN_NOK, reference: "KID 1" });
		await cluster.command(3, { type: "meterSource", source: "simulated", seed: 1, profile: "consumer" });
		await cluster.run(130_000, 1_000);
		const id = await cluster.act(0, { type: "remove", household: 3 });
		const household = () => cluster.street(0).chain.head.ledger.households[3];
		const until = household()?.removal?.fromMinute ?? 0;
		await cluster.run(240_000, 1_000);
		expect(household()?.seen.at(-1)?.[1]).toBe(until);
		expect(cluster.street(3).outbox.size).toBe(0);
		await cluster.act(0, { type: "payout", lockId: id, amountMicroNok: TEN_NOK, reference: "KID 2" });
		cluster.off(3);
		await cluster.on(3);
		expect(cluster.view(3).balance.movements.map(({ type }) => type)).toEqual(["paidOut", "issued"]);
		expect(toHex(cluster.street(3).chain.head.ledger.households[3]?.removal?.id ?? new Uint8Array())).toBe(id);
	});
});
