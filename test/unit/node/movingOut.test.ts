import { describe, expect, it, vi } from "vitest";
import { toHex } from "../../../src/primitives/bytes.js";
import { foundedStreet } from "../../support/cluster.js";
import { removeHousehold } from "../../support/removal.js";

// Seven days of blocks take too long here.
vi.mock(import("../../../src/primitives/units.js"), async (units) => ({
	...(await units()),
	HOUSEHOLD_NOTICE_MINUTES: 1,
}));

const TEN_NOK = 10_000_000;

describe("a household that moves out", () => {
	it("is taken off the voters, paid out and then out, as everybody sees and its own device says", async () => {
		const cluster = await foundedStreet(4);
		const buy = await cluster.act(3, { type: "buy", amountMicroNok: TEN_NOK });
		await cluster.act(0, { type: "issue", orderId: buy, amountMicroNok: TEN_NOK, reference: "KID 1" });
		const id = await removeHousehold(cluster, 3);
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

	it("is given no block after the one in which it is out, though its device stays on, and starts again", async () => {
		const cluster = await foundedStreet(4);
		await removeHousehold(cluster, 3);
		await cluster.until(() => cluster.view(0).members[3]?.movingOut === "completed", "it is out");
		await cluster.settle();
		const lastIndex = cluster.street(0).chain.head.ledger.devices[3]?.revokedIndex;
		await cluster.act(1, { type: "buy", amountMicroNok: TEN_NOK });
		cluster.off(3);
		await cluster.on(3);
		await cluster.act(1, { type: "buy", amountMicroNok: TEN_NOK });
		await cluster.run(30_000, 1_000);
		expect(cluster.view(3).chain.notVoting).toBe("moved-out");
		expect(cluster.street(3).chain.head.block.index).toBe(lastIndex);
		expect(cluster.street(0).chain.head.block.index).toBeGreaterThan(lastIndex ?? 0);
	});

	it("does not propose to found the neighbourhood again, and is told why", async () => {
		const cluster = await foundedStreet(4);
		const buy = await cluster.act(3, { type: "buy", amountMicroNok: TEN_NOK });
		await cluster.act(0, { type: "issue", orderId: buy, amountMicroNok: TEN_NOK, reference: "KID 1" });
		await removeHousehold(cluster, 3);
		for (const at of [0, 1, 2]) cluster.off(at);
		await cluster.run(12_000, 500);
		expect(cluster.view(3).refounding).toBeUndefined();
		expect(await cluster.outcome(3, { type: "refound" })).toBe("moved-out");
	});

	it("hands in no reading of a minute in which it had moved out, and its statement is kept", async () => {
		const cluster = await foundedStreet(4);
		const buy = await cluster.act(3, { type: "buy", amountMicroNok: TEN_NOK });
		await cluster.act(0, { type: "issue", orderId: buy, amountMicroNok: TEN_NOK, reference: "KID 1" });
		await cluster.command(3, { type: "meterSource", source: "simulated", seed: 1, profile: "consumer" });
		await cluster.run(130_000, 1_000);
		const id = await removeHousehold(cluster, 3);
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

describe("the notice that a household moves out", () => {
	it("is seen by everybody, and void when the household objects or an operator takes it back", async () => {
		const cluster = await foundedStreet(3);
		for (const [at, notice] of [2, 0].entries()) {
			await cluster.act(0, { type: "remove", household: 2 });
			for (const house of [0, 1, 2]) {
				expect(cluster.view(house).members[2]?.notice).toEqual({ kind: "remove", minutesLeft: 2 });
			}
			expect(cluster.view(2).self.movingOut).toBeUndefined();
			// Until it is over the household does what it likes.
			await cluster.act(2, { type: "buy", amountMicroNok: TEN_NOK });
			expect(await cluster.outcome(1, { type: "contest", household: 2 })).toBe("not-your-household");
			await cluster.act(notice, { type: "contest", household: 2 });
			expect(cluster.view(1).members[2]?.notice).toBeUndefined();
			expect(cluster.view(1).operatorRecord.slice(0, 2)).toMatchObject([
				{ kind: "contest", member: notice, household: 2 },
				{ kind: "remove", member: 0, household: 2 },
			]);
			expect(cluster.view(1).operatorRecord).toHaveLength(2 * (at + 1));
		}
		await cluster.run(240_000, 1_000);
		expect(cluster.view(0).members[2]?.movingOut).toBeUndefined();
	});
});

describe("a household whose device votes alone", () => {
	it("is replaced by the only other one, and then out", async () => {
		const cluster = await foundedStreet(2);
		const votersOf = (at: number) => cluster.street(at).chain.head.ledger.voters;
		expect(votersOf(1)).toEqual([0]);
		await cluster.act(0, { type: "role", household: 1, operator: true });
		await removeHousehold(cluster, 0, 1);
		await cluster.until(() => cluster.view(1).members[0]?.movingOut === "completed", "it is out", 240_000, 1_000);
		expect(votersOf(1)).toEqual([1]);
		// The chain goes on by the other one alone.
		cluster.off(0);
		const { index } = cluster.street(1).chain.head.block;
		await cluster.until(() => cluster.street(1).chain.head.block.index > index + 1, "more blocks", 240_000, 1_000);
	});

	it("leaves the vote to another by hand, and stays", async () => {
		const cluster = await foundedStreet(2);
		const votersOf = (at: number) => cluster.street(at).chain.head.ledger.voters;
		await cluster.act(0, { type: "voters", added: [1], removed: [] });
		await cluster.act(0, { type: "voters", added: [], removed: [0] });
		for (const at of [0, 1]) expect(votersOf(at)).toEqual([1]);
		await cluster.act(0, { type: "buy", amountMicroNok: TEN_NOK });
		// The operator took it off the list: nothing lets it vote again by itself.
		await cluster.run(120_000, 1_000);
		expect(votersOf(0)).toEqual([1]);
	});
});
