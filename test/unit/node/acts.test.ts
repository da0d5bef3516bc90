import { describe, expect, it } from "vitest";
import { refusalKeyOf } from "../../../src/node/outbox.js";
import { Statement } from "../../../src/node/statement.js";
import type { ChainChange } from "../../../src/node/storage.js";
import { CENTRAL_EUROPEAN_TIME, localMinuteAt } from "../../../src/primitives/localTime.js";
import { type Cluster, FIRST_MINUTE, foundedStreet, SHORT_DAYS } from "../../support/cluster.js";

const offer = (
	change: Partial<{ priceMicroNokPerWh: number; fromMinute: number; untilMinute: number; buyer: number }> = {},
) => ({
	type: "offer" as const,
	priceMicroNokPerWh: 1_000,
	fromMinute: FIRST_MINUTE,
	untilMinute: FIRST_MINUTE + 1_000,
	noticeMinutes: 0,
	...change,
});
const NOBODYS_ID = "00".repeat(32);
const contracts = (cluster: Cluster, at: number) => cluster.view(at).market.contracts;

describe("an act", () => {
	it("goes from command to confirmed: buy and issue, offer, accept, settlement, end", async () => {
		const cluster = await foundedStreet(3);
		const orderId = await cluster.act(1, { type: "buy", amountMicroNok: 5_000_000 });
		expect(cluster.view(0).operator?.orders).toMatchObject([{ id: orderId, member: 1, amountMicroNok: 5_000_000 }]);
		await cluster.act(0, { type: "issue", orderId, amountMicroNok: 5_000_000, reference: "KID 7" });
		expect(cluster.view(1).balance).toMatchObject({
			balanceMicroNok: 5_000_000,
			orders: [],
			movements: [{ type: "issued", amountMicroNok: 5_000_000, reference: "KID 7" }],
		});

		const offerId = await cluster.act(2, offer());
		expect(cluster.view(1).market.offers).toMatchObject([{ id: offerId, seller: 2, mine: false, buyers: 0 }]);
		const contractId = await cluster.act(1, { type: "accept", offerId });
		expect(contracts(cluster, 1)).toMatchObject([{ id: contractId, seller: 2, buyer: 1, mine: true, ended: false }]);

		await cluster.nextMinute(1_000);
		await cluster.nextMinute(1_000);
		const minute = Math.floor(cluster.chainMs / 60_000) - 1;
		await cluster.read(2, minute, 0, 300);
		await cluster.read(1, minute, 200, 0);
		await cluster.nextMinute();
		await cluster.nextMinute();
		// The minute before it waits for its readings; all of them settle in order once those are here too.
		for (let m = FIRST_MINUTE; m < minute; m++) for (const at of [1, 2]) await cluster.read(at, m, 0, 0);
		await cluster.nextMinute();
		expect(contracts(cluster, 1)).toMatchObject([{ deliveredWh: 200, amountMicroNok: 200_000 }]);
		expect(cluster.view(1).balance.balanceMicroNok).toBe(4_800_000);
		expect(cluster.view(2).balance.balanceMicroNok).toBe(200_000);

		await cluster.act(2, { type: "end", contractId });
		expect(contracts(cluster, 1)).toMatchObject([{ ended: true }]);
		expect(cluster.view(2).own.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
			"end confirmed",
			"offer confirmed",
		]);
	});

	it("that states the bank's balance is shown to all, stops the issuing where money is missing, and is confirmed by another", async () => {
		const cluster = await foundedStreet(3, { moneyKind: "prepaid" });
		const orderId = await cluster.act(1, { type: "buy", amountMicroNok: 5_000_000 });
		const minute = Math.floor(cluster.street(0).chain.head.ledger.timestampMs / 60_000);
		const nothing = { feesMicroNok: 0, interestMicroNok: 0, unmatchedMicroNok: 0, clearedMicroNok: 0 };
		const bank = { type: "bank" as const, minute, balanceMicroNok: 4_000_000, ...nothing };
		const issue = { type: "issue" as const, orderId, amountMicroNok: 5_000_000, reference: "KID 7" };
		await cluster.act(0, { ...bank, interestMicroNok: 4_500_000 });
		expect(cluster.view(2).balance.bank).toMatchObject({ statedBy: 0, differenceMicroNok: -500_000 });
		expect(await cluster.outcome(0, issue)).toBe("bank-shortfall");
		const statementId = await cluster.act(0, { ...bank, feesMicroNok: 500_000 });
		await cluster.act(0, issue);
		expect(await cluster.outcome(0, { type: "bankConfirm", statementId })).toBe("own-statement");
		await cluster.act(2, { type: "bankConfirm", statementId });
		expect(cluster.view(1).balance.bank).toMatchObject({
			id: statementId,
			atMs: minute * 60_000,
			differenceMicroNok: 0,
			confirmed: { member: 2, isOfThis: true },
		});
		expect(await cluster.outcome(0, { ...bank, feesMicroNok: -1 })).toBe("bad-amount");
	});

	it("that ends trial kroner is asked of every household, and what was moved in them stays to be seen", async () => {
		const cluster = await foundedStreet(3);
		const orderId = await cluster.act(1, { type: "buy", amountMicroNok: 5_000_000 });
		await cluster.act(0, { type: "issue", orderId, amountMicroNok: 5_000_000, reference: "play" });
		const proposed = { moneyKind: "prepaid" as const, reason: "We share one meter." };
		expect(await cluster.outcome(0, { type: "money", proposed: { ...proposed, reason: " two\nlines" } })).toBe(
			"bad-reason",
		);
		await cluster.act(0, { type: "money", proposed });
		await cluster.act(0, { type: "money" });
		expect(cluster.view(1).moneyProposal).toBeUndefined();
		const proposalId = await cluster.act(0, { type: "money", proposed });
		expect(cluster.view(1).moneyProposal).toMatchObject({
			id: proposalId,
			proposedBy: 0,
			...proposed,
			awaited: [1, 2],
		});
		for (const at of [1, 2]) await cluster.act(at, { type: "moneyConfirm", proposalId });
		const { balance, moneyKind, moneyProposal } = cluster.view(1);
		expect([moneyKind, moneyProposal?.awaited, balance.balanceMicroNok]).toEqual(["prepaid", [], 0]);
		expect(moneyProposal?.sinceMs).toBeGreaterThan(0);
		const second = await cluster.act(1, { type: "buy", amountMicroNok: 7_000_000 });
		await cluster.act(0, { type: "issue", orderId: second, amountMicroNok: 7_000_000, reference: "KID 7" });
		const { movements } = cluster.view(1).balance;
		expect(movements.map(({ type, isTrial }) => [type, isTrial])).toEqual([
			["issued", undefined],
			["trialEnded", undefined],
			["issued", true],
		]);
		const { statement } = cluster.street(1);
		const again = new Statement(
			cluster.street(1).chain.head.ledger.households[1]?.publicKey ?? new Uint8Array(),
			CENTRAL_EUROPEAN_TIME,
		);
		expect(again.restore(statement.toRecord())).toBe(true);
		expect(again.movements()).toEqual(movements);
	});

	it("on credit are seen as line, use and bill by the household, and by the operator of all", async () => {
		const founding = { ...SHORT_DAYS.founding, blockIntervalMs: 60_000, settlementGraceBlocks: 2 };
		const cluster = await foundedStreet(4, { moneyKind: "monthly", settings: { founding } });
		expect(await cluster.outcome(0, { type: "credit", household: 1, creditMicroNok: -1 })).toBe("bad-amount");
		expect(await cluster.outcome(1, { type: "credit", household: 1, creditMicroNok: 1 })).toBe("not-operator");
		await cluster.act(0, { type: "credit", household: 1, creditMicroNok: 5_000_000 });
		const { balance, operator } = cluster.view(1);
		expect(balance).toMatchObject({
			balanceMicroNok: 5_000_000,
			credit: { member: 1, lineMicroNok: 5_000_000, usedMicroNok: 0, owedMicroNok: 0, demands: [] },
			movements: [{ type: "creditGranted", amountMicroNok: 5_000_000 }],
		});
		expect(operator).toBeUndefined();
		const nothing = { usedMicroNok: 0, owedMicroNok: 0 };
		const lines = [0, 5_000_000, 0, 0].map((lineMicroNok, member) => ({ member, lineMicroNok, ...nothing }));
		expect(cluster.view(0).operator?.credit).toEqual({ lines, demands: [] });
		expect(await cluster.outcome(1, { type: "redeem", amountMicroNok: 1 })).toBe("credit-not-yours");
		// Half of it is a neighbour's after a correction, and who moves out is asked for it at once.
		const fromMinute = Math.floor(cluster.chainMs / 60_000);
		for (let minute = 0; minute < 6; minute++) await cluster.nextMinute();
		const period = { fromMinute, untilMinute: fromMinute + 1, reason: "other" as const, energyWh: 0 };
		const amount = { amountMicroNok: 2_500_001, isPayer: true };
		const correctionId = await cluster.act(1, { type: "correct", counterparty: 2, ...period, ...amount });
		await cluster.act(2, { type: "answer", correctionId, isAgreed: true });
		expect(cluster.view(0).operator?.credit?.lines[1]).toMatchObject({
			usedMicroNok: 2_500_001,
			owedMicroNok: 2_500_001,
		});
		await cluster.act(1, { type: "leave" });
		const [demand] = cluster.view(0).operator?.credit?.demands ?? [];
		expect(demand).toMatchObject({ member: 1, amountMicroNok: 2_500_001 });
		expect(cluster.view(1).balance.credit).toMatchObject({ usedMicroNok: 0, demands: [demand] });
		expect(cluster.view(1).self.movingOut).toBe("debt");
		const orderId = demand?.id ?? "";
		await cluster.act(0, { type: "issue", orderId, amountMicroNok: 2_500_001, reference: demand?.reference ?? "" });
		expect(cluster.view(0).operator?.credit?.demands).toEqual([]);
		const moved = cluster.view(1).balance.movements.map(({ type }) => type);
		expect(moved).toEqual(expect.arrayContaining(["issued", "creditWithdrawn", "correctionPaid", "creditGranted"]));
	});

	it("of the leader, made in a minute's first seconds, waits for that minute's block where it is too early for the last", async () => {
		const cluster = await foundedStreet(3);
		const leader = cluster.leader();
		const seller = (leader + 1) % 3;
		await cluster.nextMinute(10_000);
		const untilMinute = Math.floor(cluster.chainMs / 60_000) + 2;
		const first = await cluster.act(seller, offer({ untilMinute }));
		const second = await cluster.act(seller, offer());
		await cluster.act(leader, { type: "accept", offerId: first });
		// A quick block is stamped in the minute before, in which the first contract is still in the second one's way.
		await cluster.nextMinute(1_000);
		expect(cluster.leader()).toBe(leader);
		const id = await cluster.act(leader, { type: "accept", offerId: second });
		expect(cluster.own(leader, id)).toMatchObject({ state: "confirmed" });
		expect(contracts(cluster, leader)).toHaveLength(2);
	});

	it("for some hours is shown with them, at which its contract holds", async () => {
		const cluster = await foundedStreet(3);
		const day = { days: 127, fromMinuteOfDay: 0, untilMinuteOfDay: 1_440 };
		const started = localMinuteAt(CENTRAL_EUROPEAN_TIME, Math.floor(cluster.chainMs / 60_000)).minuteOfDay;
		// From two hours ago until an hour ago, and for as long as the test can take.
		const hours = (from: number, until: number) => ({
			days: 127,
			fromMinuteOfDay: (started + from + 1_440) % 1_440,
			untilMinuteOfDay: (started + until + 1_440) % 1_440 || 1_440,
		});
		const untilMinute = FIRST_MINUTE + 10_000;
		const past = await cluster.act(2, { ...offer({ untilMinute }), schedule: hours(-120, -60) });
		const now = await cluster.act(2, { ...offer({ untilMinute }), schedule: hours(-60, 120) });
		const all = await cluster.act(2, { ...offer({ untilMinute }), schedule: day });
		const short = await cluster.act(1, { ...offer({ untilMinute: FIRST_MINUTE + 300 }), schedule: hours(0, 4) });
		await cluster.act(0, { type: "accept", offerId: short });
		expect(cluster.view(1).market.offers).toMatchObject([
			{ id: past, schedule: hours(-120, -60) },
			{ id: now, schedule: hours(-60, 120) },
			{ id: all, schedule: day },
			{ id: short },
		]);
		await cluster.act(1, { type: "accept", offerId: past });
		await cluster.act(1, { type: "accept", offerId: now });
		expect(cluster.view(1).market.offers.find(({ id }) => id === all)).toMatchObject({
			refusal: "overlapping-contract",
		});
		for (let minutes = 0; minutes < 5; minutes++) await cluster.nextMinute();
		expect(contracts(cluster, 0)).toMatchObject([{ state: "over", ended: false }, {}, {}]);
		expect(contracts(cluster, 1)).toMatchObject([
			{},
			{ schedule: hours(-120, -60), state: "resting" },
			{ schedule: hours(-60, 120), state: "paused" },
		]);
		for (const bad of [
			{ ...day, days: 0 },
			{ ...day, untilMinuteOfDay: 1_441 },
			{ ...day, fromMinuteOfDay: 0.5 },
		]) {
			expect(await cluster.outcome(2, { ...offer(), schedule: bad })).toBe("bad-schedule");
		}
	});

	it("that is refused says why, at once, and uses up no nonce", async () => {
		const cluster = await foundedStreet(3);
		const offerId = await cluster.act(2, offer({ buyer: 0 }));
		const own = await cluster.act(1, offer());
		for (const [at, command, code] of [
			[1, { type: "accept", offerId: NOBODYS_ID }, "unknown-offer"],
			[1, { type: "accept", offerId }, "offer-for-another"],
			[1, { type: "accept", offerId: own }, "own-offer"],
			[1, { type: "accept", offerId: "xyz" }, "bad-id"],
			[1, { type: "withdraw", offerId }, "not-your-offer"],
			[1, { type: "end", contractId: NOBODYS_ID }, "unknown-contract"],
			[1, { type: "issue", orderId: NOBODYS_ID, amountMicroNok: 1, reference: "KID" }, "not-operator"],
			[0, { type: "issue", orderId: NOBODYS_ID, amountMicroNok: 1, reference: "KID" }, "unknown-order"],
			[0, { type: "issue", orderId: NOBODYS_ID, amountMicroNok: 1, reference: "" }, "bad-reference"],
			[1, { type: "buy", amountMicroNok: 0 }, "bad-amount"],
			[1, offer({ priceMicroNokPerWh: 0 }), "bad-price"],
			[1, offer({ untilMinute: FIRST_MINUTE }), "bad-period"],
			[1, offer({ fromMinute: 1, untilMinute: 2 }), "offer-expired"],
			[1, { type: "series", member: 2, fromMinute: 0, untilMinute: 1 }, "not-your-readings"],
		] as const) {
			expect([command.type, await cluster.outcome(at, command)]).toEqual([command.type, code]);
		}
		await cluster.act(1, { type: "buy", amountMicroNok: 1 });
		expect(cluster.street(0).chain.head.ledger.households[1]?.nonce).toBe(2);
	});

	it("waits for the one before it: one is under way at a time, in the order in which they were asked for", async () => {
		const cluster = await foundedStreet(3);
		cluster.isolate(1);
		const ids = [1, 2, 3].map((amountMicroNok) => cluster.ask(1, { type: "buy", amountMicroNok }));
		await cluster.deliver();
		expect(ids.map((id) => cluster.reply(id) !== undefined)).toEqual([true, false, false]);
		cluster.mend();
		await cluster.until(() => ids.every((id) => cluster.reply(id)?.ok), "all of them are signed");
		await cluster.until(() => cluster.street(1).outbox.size === 0, "all of them are confirmed");
		expect(cluster.view(1).balance.orders.map(({ amountMicroNok }) => amountMicroNok)).toEqual([1, 2, 3]);
	});

	it("that cannot be confirmed keeps the next one waiting for a minute at most", async () => {
		const cluster = await foundedStreet(3);
		cluster.isolate(1);
		expect(await cluster.outcome(1, { type: "buy", amountMicroNok: 1 })).toBe("ok");
		const id = cluster.ask(1, { type: "buy", amountMicroNok: 2 });
		await cluster.run(61_000, 500);
		expect(cluster.reply(id)).toMatchObject({ ok: false, error: { code: "act-pending" } });
		cluster.mend();
		await cluster.until(() => cluster.street(1).outbox.size === 0, "the first one is confirmed after all");
	});

	/** Household 1 has signed what another one's act makes impossible, and does not know it yet. */
	async function tooLate() {
		const cluster = await foundedStreet(3);
		const offerId = await cluster.act(2, { ...offer(), maxBuyers: 1 } as ReturnType<typeof offer>);
		cluster.isolate(1);
		const reply = await cluster.command(1, { type: "accept", offerId });
		if (!reply.ok || reply.value.type !== "signed") throw new Error("signed");
		const { id } = reply.value;
		await cluster.until(
			() => cluster.street(0).raft?.leader === 0 || cluster.street(0).raft?.leader === 2,
			"the others are led",
		);
		expect(await cluster.outcome(0, { type: "accept", offerId })).toBe("ok");
		await cluster.until(() => cluster.street(0).outbox.size === 0, "the other was faster");
		return { cluster, id };
	}

	it("that another act made impossible in the meantime is refused at the committed head", async () => {
		const { cluster, id } = await tooLate();
		cluster.mend();
		await cluster.until(() => cluster.own(1, id)?.state === "refused", "the slower one is told");
		expect(cluster.own(1, id)?.code).toMatch(/unknown-offer|offer-taken/);
		expect(cluster.street(1).outbox.size).toBe(0);
	});

	it("is told to be refused when that is written: what a crash brings back may be taken after all", async () => {
		const { cluster, id } = await tooLate();
		const { storage } = cluster.house(1);
		storage.hasNoRoomFor = (change: ChainChange) =>
			change.outboxPut?.some((record) => record.id === refusalKeyOf(id)) === true;
		cluster.mend();
		await cluster.until(() => cluster.street(1).halted, "its end is not written");
		expect(cluster.own(1, id)?.state).not.toBe("refused");
		expect(cluster.street(1).outbox.has(id)).toBe(true);
		storage.hasNoRoomFor = () => false;
		cluster.off(1);
		await cluster.on(1);
		await cluster.until(() => cluster.own(1, id)?.state === "refused", "it is told after the next start");
		cluster.off(1);
		await cluster.on(1);
		expect(cluster.own(1, id)).toMatchObject({ kind: "accept", state: "refused" });
		expect(cluster.street(1).outbox.size).toBe(0);
	});
});

describe("readings", () => {
	const imported = (cluster: Cluster, member: number) =>
		cluster.street(0).chain.head.ledger.households[member]?.importWh;

	it("made while the mesh is away stay in the outbox, survive a restart, and are handed in later, each once", async () => {
		const cluster = await foundedStreet(3);
		cluster.isolate(2);
		for (let minute = 0; minute < 5; minute++) {
			await cluster.nextMinute(1_000);
			await cluster.read(2, FIRST_MINUTE + minute, 10 + minute);
		}
		expect(cluster.view(2).chain.pending).toBe(5);
		cluster.off(2);
		await cluster.on(2);
		expect(cluster.view(2).chain.pending).toBe(5);
		cluster.mend();
		await cluster.until(() => cluster.street(2).outbox.size === 0, "they are handed in");
		await cluster.settle();
		expect(imported(cluster, 2)).toBe(60);
		expect(cluster.street(0).chain.head.ledger.households[2]?.seen).toEqual([[FIRST_MINUTE, FIRST_MINUTE + 5]]);
	});

	it("said twice by the meter are signed once", async () => {
		const cluster = await foundedStreet(3);
		await cluster.nextMinute(1_000);
		for (const importWh of [7, 7, 8]) await cluster.read(1, FIRST_MINUTE, importWh);
		expect(cluster.street(1).outbox.size).toBe(1);
		await cluster.nextMinute();
		await cluster.settle();
		await cluster.read(1, FIRST_MINUTE, 9);
		expect(cluster.street(1).outbox.size).toBe(0);
		expect(imported(cluster, 1)).toBe(7);
	});
});
