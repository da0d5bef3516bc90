import { describe, expect, it } from "vitest";
import { EVERY_DAY } from "../../../src/block/schedule.js";
import { removalStep } from "../../../src/contract/movingOut.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { checkSignatures } from "../../../src/contract/signers.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { createVerifier } from "../../../src/primitives/signature.js";
import { FIRST_MINUTE, signedInvitation, signedJoin, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;

/** Households 0 and 1 are of the founding; their devices alone vote, and the third's not. */
function streetOf(households: number, parameters = {}): TestNeighbourhood {
	const street = new TestNeighbourhood(households, parameters);
	for (let device = households - 1; device >= 3; device--) street.block(soon(street), [street.voters([], [device])]);
	return street;
}

/** Notice is given, and when it is over the household begins to move out: in the minute in which it is now. */
function remove(street: TestNeighbourhood, household: number): Uint8Array {
	const act = street.act("remove", 0, { household });
	street.block(soon(street), [act]);
	street.passNotice();
	street.block(soon(street));
	return street.id(act);
}

const stepOf = (street: TestNeighbourhood, member: number) => removalStep(street.ledger, member);

describe("a household that moves out", () => {
	it("is out at once when it owns nothing, trades with nobody and does not vote", () => {
		const street = streetOf(4);
		remove(street, 3);
		expect(stepOf(street, 3)).toBe("completed");
		expect(street.ledger.devices[3]?.revokedIndex).toBeDefined();
		expect(street.ledger.devices[2]?.revokedIndex).toBeUndefined();
	});

	it("is not kept by a contract whose hours are over, and is by one whose last minute has not settled", () => {
		// By the clocks of the neighbourhood M is 22:20.
		const hours = (from: number, until: number) => ({
			days: EVERY_DAY,
			fromMinuteOfDay: 1_340 + from,
			untilMinuteOfDay: 1_340 + until,
		});
		const early = streetOf(4);
		early.contractBetween(0, 3, { schedule: hours(1, 2) });
		early.minute(M + 1, [early.reading(0, M + 1, 0, 1), early.reading(3, M + 1, 1, 0)]);
		expect(early.ledger.liveContracts).toEqual([0]);
		remove(early, 3);
		expect(early.contract(0)).toMatchObject({ untilMinute: M + 3, ended: true });
		expect(stepOf(early, 3)).toBe("completed");

		const late = streetOf(4);
		late.contractBetween(0, 3, { schedule: hours(1, 3) });
		late.minute(M + 1, [late.reading(0, M + 1, 0, 1), late.reading(3, M + 1, 1, 0)]);
		remove(late, 3);
		expect(stepOf(late, 3)).toBe("settling");
		late.minute(M + 2, [late.reading(0, M + 2, 0, 1), late.reading(3, M + 2, 1, 0)]);
		expect(stepOf(late, 3)).toBe("completed");
	});

	it("sells and buys until the minute is over, is settled, and is paid out before it is out", () => {
		const street = streetOf(5);
		for (const member of [3, 4]) street.giveTokens(member, 1_000_000);
		street.contractBetween(3, 0);
		street.contractBetween(0, 3);
		street.contractBetween(1, 4);
		street.giveTokens(0, 100_000);
		street.minute(M + 1, [street.reading(0, M + 1, 2, 7), street.reading(3, M + 1, 5, 2)]);
		expect(street.balances()).toEqual([103_000, 0, 0, 997_000, 1_000_000]);

		// In the middle of the minute M + 2.
		const id = remove(street, 3);
		expect(stepOf(street, 3)).toBe("settling");
		expect(street.contract(0)).toMatchObject({ untilMinute: M + 3, ended: true });
		expect(street.contract(1)).toMatchObject({ untilMinute: M + 3, ended: true });
		expect(street.contract(2).ended).toBe(false);
		expect(street.ledger.locks.size).toBe(0);

		street.minute(M + 2, [street.reading(0, M + 2, 1, 4), street.reading(3, M + 2, 4, 1)]);
		expect(street.household(3).soldWh).toBe(3);
		expect(street.balances()[3]).toBe(0);
		expect([...street.ledger.locks.values()]).toMatchObject([{ id, member: 3, amountMicroNok: 994_000 }]);
		expect(stepOf(street, 3)).toBe("payout");

		const payout = street.act("payout", 0, { lockId: id, amountMicroNok: 994_000 });
		street.block(soon(street), [payout]);
		expect(stepOf(street, 3)).toBe("completed");
		expect(street.ledger.locks.size).toBe(0);
		expect(street.ledger).toMatchObject({ issuedMicroNok: 2_100_000, paidOutMicroNok: 994_000 });
		expect(street.ledger.devices[3]?.revokedIndex).toBeDefined();
	});

	it("waits for its readings no longer than the grace", () => {
		const street = streetOf(4);
		street.giveTokens(0, 1_000_000);
		street.contractBetween(3, 0);
		street.minute(M + 1);
		remove(street, 3);
		for (let minute = M + 2; minute < M + 5; minute++) street.minute(minute);
		expect(stepOf(street, 3)).toBe("settling");
		street.minute(M + 5);
		expect(stepOf(street, 3)).toBe("completed");
	});

	it("offers nothing any more, is offered nothing, and its orders are void", () => {
		const street = streetOf(4);
		street.block(soon(street), [
			street.act("offer", 3),
			street.act("offer", 0, { buyer: 3 }),
			street.act("offer", 0, { buyer: 1 }),
			street.act("buy", 3),
			street.act("buy", 1),
		]);
		remove(street, 3);
		expect([...street.ledger.offers.values()].map(({ buyer }) => buyer)).toEqual([1]);
		expect([...street.ledger.orders.values()].map(({ member }) => member)).toEqual([1]);
		const offer = street.act("offer", 0, { buyer: 3 });
		expect(street.refusal(soon(street), [offer])).toEqual({ code: "moved-out", member: 3 });
	});

	it("is metered to the end of the minute in which it was said, late readings included", () => {
		const street = streetOf(4);
		street.giveTokens(3, 1_000_000);
		street.minute(M + 1);
		remove(street, 3);
		street.minute(M + 2, [street.reading(3, M + 2, 5, 0)]);
		street.block(soon(street), [street.reading(3, M + 1, 7, 0)]);
		expect(street.household(3).importWh).toBe(12);
		street.minute(M + 3);
		const after = street.reading(3, M + 3, 5, 0);
		expect(street.refusal(soon(street), [after])).toEqual({
			code: "after-membership",
			minute: M + 3,
			fromMinute: M + 3,
		});
	});

	it("signs nothing new, but that a device of its own is out of use", () => {
		const street = streetOf(4);
		street.giveTokens(3, 1_000_000);
		street.block(soon(street), [street.admission(3, "phone")]);
		remove(street, 3);
		for (const act of [street.act("offer", 3), street.act("buy", 3), street.admission(3, "tablet")]) {
			expect(street.refusal(soon(street), [act])).toEqual({ code: "moved-out", member: 3 });
		}
		street.block(soon(street), [street.act("revoke", 3, { device: 4 })]);
		expect(street.ledger.devices[4]?.revokedIndex).toBeDefined();
	});

	it("is out only when none of its devices votes: no removal takes a vote along", () => {
		const street = streetOf(4);
		remove(street, 2);
		expect(street.ledger.voters).toEqual([0, 1, 2]);
		expect(stepOf(street, 2)).toBe("voters");
		expect(street.ledger.devices[2]?.revokedIndex).toBeUndefined();
		street.block(soon(street), [street.voters([], [2])]);
		expect(stepOf(street, 2)).toBe("completed");
		expect(street.ledger.devices[2]?.revokedIndex).toBeDefined();
		expect(street.ledger.voters).toEqual([0, 1]);
	});

	it("is taken off the voters by the operator's device alone, once it moves out and not before", () => {
		const street = streetOf(4);
		expect(street.refusal(soon(street), [street.keptVoters([], [2])])).toEqual({ code: "voters-by-household" });
		remove(street, 2);
		street.block(soon(street), [street.keptVoters([], [2])]);
		expect(stepOf(street, 2)).toBe("completed");
		expect(street.ledger.operatorRecord?.map(({ kind, household }) => [kind, household])).toEqual([
			["remove", 2],
			["voters", 2],
			["movedOut", 2],
		]);
	});

	it("votes no more once it does not, whether or not it is out", () => {
		const street = streetOf(4);
		street.giveTokens(3, 1_000_000);
		remove(street, 3);
		expect(street.refusal(soon(street), [street.voters([3])])).toEqual({ code: "moved-out", member: 3 });
	});

	it("keeps its index and its key for ever, and signs no reading as soon as it is out", () => {
		const street = streetOf(4);
		remove(street, 3);
		const { gridId } = street.ledger;
		street.block(soon(street), [signedJoin(5, gridId, {}, signedInvitation(gridId))]);
		expect(street.household(4).name).toBe("Hus 5");
		const invited = signedInvitation(gridId, { id: new Uint8Array(16).fill(8) });
		const back = signedJoin(3, gridId, {}, invited);
		expect(street.refusal(soon(street), [back])).toEqual({ code: "already-member" });
		const reading = street.reading(3, M, 5, 0);
		expect(checkSignatures(street.ledger, reading, createVerifier())).toEqual({ code: "device-revoked", device: 3 });
	});

	it("is no operator any more", () => {
		const street = streetOf(4);
		street.block(soon(street), [street.act("role", 0, { household: 3, operator: true })]);
		street.giveTokens(3, 1_000_000);
		remove(street, 3);
		expect(street.household(3).operator).toBe(false);
		for (const kind of ["role", "suspend", "remove"] as const) {
			const act = street.act(kind, 0, { household: 3 });
			expect(street.refusal(soon(street), [act])).toEqual({ code: "moved-out", member: 3 });
		}
	});

	it("is in the state, and what was paid out, and what is to be", () => {
		const street = streetOf(5);
		street.giveTokens(3, 1_000_000);
		street.giveTokens(4, 2_000_000);
		const before = snapshotOf(street.ledger, NO_RESULTS).leaves.length;
		const id = remove(street, 3);
		remove(street, 4);
		street.block(soon(street), [street.act("payout", 0, { lockId: id, amountMicroNok: 1_000_000 })]);
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		// What was paid out, one lock, where two households stand, the record of four things, and that the key is to be changed.
		expect(leaves).toHaveLength(before + 9);
		const opened = openSnapshot(street.ledger, leaves);
		if (!opened.ok) throw new Error(opened.error.code);
		expect(opened.value.households).toEqual(street.ledger.households);
		expect([...opened.value.locks]).toEqual([...street.ledger.locks]);
		expect(opened.value.paidOutMicroNok).toBe(1_000_000);
		const without = leaves.filter((leaf) => !new TextDecoder().decode(leaf).includes("dlock"));
		expect(without).toHaveLength(leaves.length - 1);
		expect(openSnapshot(street.ledger, without)).toMatchObject({
			error: { code: "inconsistent-snapshot", what: "money" },
		});
	});
});

describe("a removal", () => {
	it("is an operator's, of who is there", () => {
		for (const [member, household, cause] of [
			[1, 3, { code: "not-operator" }],
			[0, 9, { code: "unknown-member", member: 9 }],
			// Itself, too, but the last one.
			[0, 0, { code: "last-operator" }],
		] as const) {
			const street = streetOf(4);
			expect(street.refusal(soon(street), [street.act("remove", member, { household })])).toEqual(cause);
		}
	});

	it("leaves somebody who can vote", () => {
		const street = new TestNeighbourhood(2);
		street.block(soon(street), [
			street.act("role", 0, { household: 1, operator: true }),
			street.act("revoke", 1, { device: 1 }),
		]);
		expect(street.ledger.voters).toEqual([0]);
		const act = street.act("remove", 1, { household: 0 });
		expect(street.refusal(soon(street), [act])).toEqual({ code: "only-voter", device: 0 });
		// Who does not vote takes no vote along.
		const phone = street.admission(1, "phone");
		street.block(soon(street), [phone]);
		expect(street.refusal(soon(street), [street.act("remove", 1, { household: 0 })])).toBeUndefined();
	});
});

describe("the notice that a household moves out", () => {
	const hasBegun = (street: TestNeighbourhood, member = 3) => street.household(member).removal !== undefined;

	function announced(): TestNeighbourhood {
		const street = streetOf(4);
		street.giveTokens(3, 1_000_000);
		street.contractBetween(0, 3);
		street.block(soon(street), [street.act("remove", 0, { household: 3 })]);
		return street;
	}

	it("stands for seven days, in which it trades, meters and signs as before", () => {
		const street = announced();
		street.pass(10_079);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 5), street.reading(3, M + 1, 5, 0), street.act("offer", 3)]);
		expect(street.household(3)).toMatchObject({ boughtWh: 5, removal: undefined });
		expect(street.contract(0).ended).toBe(false);
		// In the first block past them its contract ends with the minute.
		street.minute(M + 2, [street.reading(0, M + 2, 0, 5), street.reading(3, M + 2, 5, 0)]);
		expect(street.household(3).removal?.fromMinute).toBe(M + 4);
		expect(street.contract(0)).toMatchObject({ untilMinute: M + 4, ended: true });
		expect(street.household(3).notice).toBeUndefined();
		expect([...street.ledger.offers.values()]).toEqual([]);
	});

	it("loses none of its days while the chain stands still", () => {
		const street = announced();
		street.minute(M + 50_000);
		street.minute(M + 50_001);
		expect(hasBegun(street)).toBe(false);
	});

	it("is void when the household objects, be it in the last block, and be it suspended", () => {
		const street = announced();
		street.block(soon(street), [street.act("suspend", 0, { household: 3 })]);
		street.passNotice();
		street.block(soon(street), [street.act("contest", 3, { household: 3 })]);
		street.passNotice();
		street.minute(M + 2);
		expect(hasBegun(street)).toBe(false);
		expect(street.ledger.operatorRecord?.map(({ kind, member, household }) => [kind, member, household])).toEqual([
			["remove", 0, 3],
			["suspend", 0, 3],
			["contest", 3, 3],
		]);
	});

	it("is void when any operator takes it back, and nobody else can", () => {
		const street = announced();
		const foreign = street.act("contest", 1, { household: 3 });
		expect(street.refusal(soon(street), [foreign])).toEqual({ code: "not-your-household", member: 3 });
		street.block(soon(street), [street.act("role", 0, { household: 1 })]);
		street.block(soon(street), [street.act("contest", 1, { household: 3 })]);
		street.passNotice();
		street.minute(M + 2);
		expect(hasBegun(street)).toBe(false);
	});

	it("is in the state", () => {
		const street = announced();
		const opened = openSnapshot(street.ledger, snapshotOf(street.ledger, NO_RESULTS).leaves);
		expect(opened.ok && opened.value.households).toEqual(street.ledger.households);
	});

	it("of an operator waits while it has come to be the last one that acts", () => {
		const street = streetOf(4);
		street.block(soon(street), [street.act("role", 0, { household: 2 })]);
		street.block(soon(street), [street.act("remove", 0, { household: 2 })]);
		street.block(soon(street), [street.act("role", 0, { household: 0, operator: false })]);
		street.passNotice();
		street.block(soon(street));
		expect(hasBegun(street, 2)).toBe(false);
		// Nor is its device out of use by then.
		const step = street.keptVoters([], [2], { member: 2 });
		expect(street.refusal(soon(street), [step])).toEqual({ code: "voters-by-household" });
		street.block(soon(street), [street.act("role", 2, { household: 1 })]);
		expect(hasBegun(street, 2)).toBe(true);
		expect(street.household(2).operator).toBe(false);
	});

	it("of all operators lets all but one of them go", () => {
		const street = streetOf(4);
		street.block(soon(street), [street.act("role", 0, { household: 3 })]);
		street.block(soon(street), [street.act("remove", 0, { household: 3 }), street.act("remove", 0, { household: 0 })]);
		street.passNotice();
		street.block(soon(street));
		expect([hasBegun(street, 0), hasBegun(street, 3)]).toEqual([true, false]);
	});
});

describe("who votes while households move out", () => {
	it("may be one of them alone: its device votes until another comes in its place", () => {
		const street = new TestNeighbourhood(2);
		street.block(soon(street), [street.act("role", 0, { household: 1 })]);
		street.block(soon(street), [street.act("remove", 1, { household: 0 })]);
		street.passNotice();
		street.block(soon(street));
		expect(stepOf(street, 0)).toBe("voters");
		street.block(soon(street), [street.keptVoters([1], [], { member: 1 })]);
		expect(street.ledger.voters).toEqual([0, 1]);
		street.block(soon(street), [street.keptVoters([], [0], { member: 1 })]);
		expect(street.ledger.voters).toEqual([1]);
		expect(stepOf(street, 0)).toBe("completed");
	});

	it("may be three one after another, and the last one is not stranded", () => {
		const street = streetOf(5);
		street.block(soon(street), [street.act("role", 0, { household: 4 })]);
		for (const household of [1, 2, 0]) {
			street.block(soon(street), [street.act("remove", 4, { household })]);
			street.passNotice();
			street.block(soon(street));
		}
		for (const device of [1, 2]) street.block(soon(street), [street.keptVoters([], [device], { member: 4 })]);
		expect(street.ledger.voters).toEqual([0]);
		expect([1, 2, 0].map((member) => stepOf(street, member))).toEqual(["completed", "completed", "voters"]);
		street.block(soon(street), [street.keptVoters([4], [], { member: 4 })]);
		street.block(soon(street), [street.keptVoters([], [0], { member: 4 })]);
		expect(stepOf(street, 0)).toBe("completed");
	});
});

describe("a payout", () => {
	function owing(): { street: TestNeighbourhood; lockId: Uint8Array } {
		const street = streetOf(4);
		street.giveTokens(3, 1_000_000);
		return { street, lockId: remove(street, 3) };
	}

	it("is an operator's, of what is owed, once", () => {
		const { street, lockId } = owing();
		const foreign = street.act("payout", 1, { lockId });
		expect(street.refusal(soon(street), [foreign])).toEqual({ code: "not-operator" });
		expect(street.refusal(soon(street), [street.act("payout", 0)])).toEqual({ code: "unknown-lock" });
		const less = street.act("payout", 0, { lockId, amountMicroNok: 999_999 });
		expect(street.refusal(soon(street), [less])).toEqual({
			code: "amount-differs",
			orderedMicroNok: 1_000_000,
			amountMicroNok: 999_999,
		});
		street.block(soon(street), [street.act("payout", 0, { lockId })]);
		expect(street.refusal(soon(street), [street.act("payout", 0, { lockId })])).toEqual({ code: "unknown-lock" });
	});

	it("is void when it was not taken into a block in time", () => {
		const { street, lockId } = owing();
		street.minute(M + 10);
		const late = street.act("payout", 0, { lockId, expiryMinute: M + 10 });
		expect(street.refusal(soon(street), [late])).toMatchObject({ code: "expired" });
	});
});
