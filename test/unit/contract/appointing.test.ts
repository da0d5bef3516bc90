import { describe, expect, it } from "vitest";
import { wantedHousehold } from "../../../src/contract/appointing.js";
import { agreementRefusal } from "../../../src/contract/confirmations.js";
import { removalStep } from "../../../src/contract/movingOut.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { FIRST_MINUTE, signedInvitation, signedJoin, TestNeighbourhood } from "../../support/ledger.js";

const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const operatorsOf = (street: TestNeighbourhood) =>
	street.ledger.households.flatMap(({ index, operator }) => (operator ? [index] : []));
const WANTED = { code: "wanted-by-households", member: 1 };
const votesOf = (street: TestNeighbourhood) => street.ledger.households.map(({ appoints }) => appoints);

/** Notice that a household moves out, until it is over. */
function remove(street: TestNeighbourhood, household: number): void {
	street.block(soon(street), [street.act("remove", 0, { household })]);
	street.passNotice();
	street.block(soon(street));
}

/** These households join a minute after the founding. */
function invite(street: TestNeighbourhood, ...members: number[]): void {
	const { gridId } = street.ledger;
	const joins = members.map((member) => {
		const invited = signedInvitation(gridId, { id: new Uint8Array(16).fill(member) });
		return signedJoin(member, gridId, {}, invited);
	});
	street.minute(FIRST_MINUTE + 1, joins);
}

/** A block in which these households vote. */
function vote(street: TestNeighbourhood, household: number | undefined, ...members: number[]): void {
	street.block(
		soon(street),
		members.map((member) => street.act("appoint", member, { household })),
	);
}

describe("another operator", () => {
	it("is whom more than two thirds of the households name: of six five, not four", () => {
		const street = new TestNeighbourhood(6);
		vote(street, 2, 1, 2, 3, 4);
		expect(operatorsOf(street)).toEqual([0]);
		vote(street, 2, 5);
		expect(operatorsOf(street)).toEqual([0, 2]);
		// The votes stand.
		expect(votesOf(street)).toEqual([undefined, 2, 2, 2, 2, 2]);
		expect(street.ledger.operatorRecord).toMatchObject([{ kind: "appointed", member: undefined, household: 2 }]);
		// It can do what an operator does from the next block on.
		street.block(soon(street), [street.act("role", 2, { household: 0, operator: false })]);
		expect(operatorsOf(street)).toEqual([2]);
	});

	it("is nobody where the votes are for different households, and each household has one", () => {
		const street = new TestNeighbourhood(3);
		vote(street, 1, 0, 1);
		vote(street, 2, 2);
		expect(operatorsOf(street)).toEqual([0]);
		expect(votesOf(street)).toEqual([1, 1, 2]);
		// In place of the one before.
		vote(street, 2, 0);
		expect(votesOf(street)).toEqual([2, 1, 2]);
		vote(street, 2, 1);
		expect(operatorsOf(street)).toEqual([0, 2]);
	});

	it("is not named by a vote that was taken back", () => {
		const street = new TestNeighbourhood(3);
		vote(street, 1, 0, 1);
		vote(street, undefined, 0);
		vote(street, 1, 2);
		expect(operatorsOf(street)).toEqual([0]);
		expect(votesOf(street)).toEqual([undefined, 1, 1]);
	});

	it("is named by suspended households as well, and is suspended no longer", () => {
		const street = new TestNeighbourhood(4);
		// Whoever has the operator's key suspends everybody.
		street.block(
			soon(street),
			[1, 2, 3].map((household) => street.act("suspend", 0, { household })),
		);
		vote(street, 1, 1, 2, 3);
		expect(operatorsOf(street)).toEqual([0, 1]);
		expect(street.household(1).suspended).toBe(false);
		street.block(soon(street), [street.act("suspend", 1, { household: 2, suspended: false })]);
		expect(street.household(2).suspended).toBe(false);
	});

	it("is named by who moves out as well, until it is out", () => {
		const street = new TestNeighbourhood(5);
		vote(street, 1, 1, 2);
		vote(street, 4, 3);
		remove(street, 4);
		expect(removalStep(street.ledger, 4)).toBe("voters");
		// It changes its mind, and counts among the five.
		vote(street, 1, 4);
		expect(votesOf(street)).toEqual([undefined, 1, 1, 4, 1]);
		expect(operatorsOf(street)).toEqual([0]);
		const other = street.act("offer", 4);
		expect(street.refusal(soon(street), [other])).toEqual({ code: "moved-out", member: 4 });
		street.block(soon(street), [street.voters([], [4])]);
		// Out: its vote is void, and what was meant for it.
		expect(removalStep(street.ledger, 4)).toBe("completed");
		expect(votesOf(street)).toEqual([undefined, 1, 1, undefined, undefined]);
		const mover = street.act("appoint", 4, { household: 1 });
		expect(street.refusal(soon(street), [mover])).toEqual({ code: "moved-out", member: 4 });
		// Three of four are enough.
		vote(street, 1, 3);
		expect(operatorsOf(street)).toEqual([0, 1]);
	});

	it("comes about by a removal, too, that leaves the votes enough", () => {
		const street = new TestNeighbourhood(5);
		vote(street, 1, 1, 2, 3);
		remove(street, 4);
		expect(operatorsOf(street)).toEqual([0]);
		street.block(soon(street), [street.voters([], [4])]);
		expect(operatorsOf(street)).toEqual([0, 1]);
	});

	it("is nobody who moves out: it could not act as one", () => {
		const street = new TestNeighbourhood(5);
		for (const device of [4, 3]) street.block(soon(street), [street.voters([], [device])]);
		street.giveTokens(3, 1_000_000);
		vote(street, 3, 1, 2, 3);
		remove(street, 3);
		const late = street.act("appoint", 0, { household: 3 });
		expect(street.refusal(soon(street), [late])).toEqual({ code: "moved-out", member: 3 });
		// Three of five were not enough; of four they would be.
		remove(street, 4);
		expect(votesOf(street)).toEqual([undefined, 3, 3, 3, undefined]);
		expect(operatorsOf(street)).toEqual([0]);
	});

	it("is in the state with every vote", () => {
		const street = new TestNeighbourhood(4);
		vote(street, 1, 2);
		const opened = openSnapshot(street.ledger, snapshotOf(street.ledger, NO_RESULTS).leaves);
		expect(opened.ok && opened.value.households).toEqual(street.ledger.households);
	});

	it("stays one for as long as the votes stand, and can be dismissed when they do not", () => {
		const street = new TestNeighbourhood(4);
		vote(street, 1, 1, 2, 3);
		const dismissal = () => street.act("role", 0, { household: 1, operator: false });
		expect(street.refusal(soon(street), [dismissal()])).toEqual(WANTED);
		// Two of four stand behind it then.
		vote(street, undefined, 3);
		expect(operatorsOf(street)).toEqual([0, 1]);
		street.block(soon(street), [dismissal()]);
		expect(operatorsOf(street)).toEqual([0]);
		vote(street, 1, 3);
		expect(operatorsOf(street)).toEqual([0, 1]);
	});

	it("may step down and move out itself: what was meant for it is void", () => {
		const street = new TestNeighbourhood(4);
		vote(street, 1, 1, 2, 3);
		street.block(soon(street), [street.act("role", 1, { household: 1, operator: false })]);
		expect([operatorsOf(street), votesOf(street)]).toEqual([[0], [undefined, undefined, undefined, undefined]]);
		vote(street, 1, 1, 2, 3);
		street.block(soon(street), [street.act("remove", 1, { household: 1 })]);
		expect(votesOf(street)).toEqual([undefined, undefined, undefined, undefined]);
		expect(street.household(1).notice?.kind).toBe("remove");
	});

	it("is the only one who makes others one, and takes notices back, while they want it", () => {
		const street = new TestNeighbourhood(5);
		street.block(soon(street), [street.act("role", 0, { household: 4 })]);
		vote(street, 1, 1, 2, 3, 4);
		const overruled = { code: "another-wanted", member: 1 };
		for (const thief of [0, 4]) {
			expect(street.refusal(soon(street), [street.act("role", thief, { household: 3 })])).toEqual(overruled);
		}
		street.block(soon(street), [street.act("remove", 1, { household: 4 })]);
		expect(street.refusal(soon(street), [street.act("contest", 0, { household: 4 })])).toEqual(overruled);
		// The household itself still objects, and who is wanted takes it back.
		expect(street.refusal(soon(street), [street.act("contest", 4, { household: 4 })])).toBeUndefined();
		street.block(soon(street), [street.act("contest", 1, { household: 4 })]);
		street.block(soon(street), [street.act("role", 1, { household: 3 })]);
		expect(operatorsOf(street)).toEqual([0, 1, 3, 4]);
	});

	it("may be one that an operator made: so it stays one", () => {
		const street = new TestNeighbourhood(3);
		street.block(soon(street), [street.act("role", 0, { household: 1 })]);
		vote(street, 1, 0, 1, 2);
		const dismissal = street.act("role", 0, { household: 1, operator: false });
		expect(street.refusal(soon(street), [dismissal])).toEqual(WANTED);
		// It was one before: nothing has come about.
		expect(street.ledger.operatorRecord?.map(({ kind }) => kind)).toEqual(["role"]);
	});
});

/**
 * Somebody has got hold of household 0's key, and signs as an operator whatever undoes the votes for household 1. The
 * households vote meanwhile. However it is done, they have an operator afterwards, who takes the thief's role.
 */
describe("against a thief of the operator's key, the households", () => {
	function takeTheRole(street: TestNeighbourhood): void {
		street.block(soon(street), [street.act("role", 1, { household: 0, operator: false })]);
		expect(operatorsOf(street)).toEqual([1]);
	}

	/** The thief does this in a block of its own, if it is taken. */
	function theft(
		street: TestNeighbourhood,
		kind: "role" | "suspend" | "remove" | "money" | "credit",
		fields: object,
	): void {
		const act = street.act(kind, 0, fields);
		if (street.refusal(soon(street), [act]) === undefined) street.block(soon(street), [act]);
	}

	it("keep their votes when it gives the role and takes it", () => {
		const street = new TestNeighbourhood(4);
		for (const member of [1, 2, 3]) {
			vote(street, 1, member);
			theft(street, "role", { household: 1, operator: true });
			theft(street, "role", { household: 1, operator: false });
		}
		expect(votesOf(street)).toEqual([undefined, 1, 1, 1]);
		expect(operatorsOf(street)).toEqual([0, 1]);
		for (const kind of ["suspend", "remove"] as const) {
			expect(street.refusal(soon(street), [street.act(kind, 0, { household: 1 })])).toEqual(WANTED);
		}
		takeTheRole(street);
	});

	it("have an operator when all of them are suspended before they vote", () => {
		const street = new TestNeighbourhood(4);
		for (const member of [1, 2, 3]) {
			for (const household of [1, 2, 3]) theft(street, "suspend", { household });
			vote(street, 1, member);
		}
		expect(street.household(1)).toMatchObject({ operator: true, suspended: false });
		theft(street, "suspend", { household: 1 });
		takeTheRole(street);
	});

	it("have one at the end of the very block in which it is dismissed while the last vote is on its way", () => {
		const street = new TestNeighbourhood(4);
		street.block(soon(street), [street.act("role", 0, { household: 1 })]);
		vote(street, 1, 1, 2);
		street.block(soon(street), [
			street.act("role", 0, { household: 1, operator: false }),
			street.act("appoint", 3, { household: 1 }),
		]);
		expect(operatorsOf(street)).toEqual([0, 1]);
	});

	it("are not left alone with it when it removes everybody and pays them out", () => {
		const street = new TestNeighbourhood(4);
		for (const device of [3, 2, 1]) street.block(soon(street), [street.voters([], [device])]);
		for (const member of [1, 2, 3]) street.giveTokens(member, 1_000_000);
		const removals = [1, 2, 3].map((household) => street.act("remove", 0, { household }));
		street.block(soon(street), removals);
		// Days later two of them have objected, and the third has not looked.
		for (const member of [1, 2]) street.block(soon(street), [street.act("contest", member, { household: member })]);
		street.passNotice();
		street.block(soon(street));
		expect(street.ledger.households.map(({ removal }) => removal !== undefined)).toEqual([false, false, false, true]);
		// It votes as long as it is not out, and the thief is no two thirds.
		vote(street, 1, 1, 2, 3);
		expect(operatorsOf(street)).toEqual([0, 1]);
		const [, , last] = removals;
		if (last === undefined) throw new Error("there are three");
		street.block(soon(street), [street.act("payout", 0, { lockId: street.id(last) })]);
		expect(removalStep(street.ledger, 3)).toBe("completed");
		expect(operatorsOf(street)).toEqual([0, 1]);
		takeTheRole(street);
	});

	it("lose no vote by notices that nobody has objected to, until somebody is out", () => {
		const street = new TestNeighbourhood(4);
		for (const member of [1, 2, 3]) street.giveTokens(member, 1_000_000);
		vote(street, 0, 0);
		street.block(
			soon(street),
			[1, 2, 3].map((household) => street.act("remove", 0, { household })),
		);
		street.passNotice();
		street.block(soon(street));
		// All of them move out, and the thief's own vote is one of four.
		expect(street.ledger.households.filter(({ removal }) => removal !== undefined)).toHaveLength(3);
		expect(wantedHousehold(street.ledger)).toBeUndefined();
	});

	it("overrule the notice that their candidate moves out", () => {
		const street = new TestNeighbourhood(4);
		street.block(soon(street), [street.act("remove", 0, { household: 1 })]);
		street.passNotice();
		// In the block in which it is over.
		vote(street, 1, 1, 2, 3);
		expect(street.household(1)).toMatchObject({ operator: true, notice: undefined, removal: undefined });
		expect(operatorsOf(street)).toEqual([0, 1]);
		takeTheRole(street);
	});

	it("are not outvoted by households that it invites, until these have been here for seven days", () => {
		const street = new TestNeighbourhood(4);
		vote(street, 1, 1, 2, 3);
		invite(street, 4, 5, 6);
		// They can vote, but count for nothing yet.
		vote(street, 0, 0, 4, 5, 6);
		expect(street.refusal(soon(street), [street.act("role", 0, { household: 1, operator: false })])).toEqual(WANTED);
		street.minute(FIRST_MINUTE + 10_080);
		expect(wantedHousehold(street.ledger)).toBe(1);
		street.minute(FIRST_MINUTE + 10_081);
		expect(wantedHousehold(street.ledger)).toBeUndefined();
		expect(operatorsOf(street)).toEqual([0, 1]);
	});

	it("send away whom it has invited, at once and for good: these never have a say", () => {
		const street = new TestNeighbourhood(4);
		vote(street, 1, 1, 2, 3);
		invite(street, 4, 5, 6);
		street.giveTokens(4, 1_000_000);
		vote(street, 0, 4, 5, 6);
		// Another operator gives them notice, as it does the others.
		street.block(soon(street), [street.act("remove", 0, { household: 6 })]);
		expect([street.household(6).notice?.kind, street.household(6).removal]).toEqual(["remove", undefined]);
		street.block(
			soon(street),
			[4, 5, 6].map((household) => street.act("remove", 1, { household })),
		);
		expect([4, 5, 6].map((member) => removalStep(street.ledger, member))).toEqual(["payout", "completed", "completed"]);
		// Owed something, the first is still here a week later.
		street.minute(FIRST_MINUTE + 20_000);
		expect([removalStep(street.ledger, 4), wantedHousehold(street.ledger)]).toEqual(["payout", 1]);
		vote(street, undefined, 1);
		// Two of four: it does not count.
		expect(wantedHousehold(street.ledger)).toBeUndefined();
	});

	it("are not taken over to another chain by households that it invites, nor kept from one of their own", () => {
		const street = new TestNeighbourhood(4);
		const puppets = Array.from({ length: 12 }, (_, n) => n + 4);
		invite(street, ...puppets);
		const agreement = { member: 0, voters: [0] };
		const thieves = new Set([0, ...puppets]);
		const refusal = { code: "too-few-confirmations", confirmed: 1, households: 4 };
		expect(agreementRefusal(street.ledger, agreement, thieves)).toEqual(refusal);
		expect(agreementRefusal(street.ledger, { member: 1, voters: [1] }, new Set([1, 2, 3]))).toBeUndefined();
		// Where nobody else is left it is theirs to decide: the time that they lack does not pass while nothing is founded.
		const removal = { id: new Uint8Array(32), fromMinute: FIRST_MINUTE + 1, completed: false };
		const households = street.ledger.households.map((each) => (each.index < 4 ? { ...each, removal } : each));
		const left = { ...street.ledger, households };
		const others = { member: 4, voters: [4] };
		expect(agreementRefusal(left, others, new Set(puppets))).toBeUndefined();
		expect(agreementRefusal(left, others, new Set(puppets.slice(0, 8)))).toMatchObject({
			confirmed: 8,
			households: 12,
		});
		street.minute(FIRST_MINUTE + 10_081);
		expect(agreementRefusal(street.ledger, agreement, thieves)).toBeUndefined();
	});

	it("leave the votes as they are when they propose real kroner, which come only with every household's word", () => {
		const street = new TestNeighbourhood(4, { moneyKind: "trial" });
		vote(street, 1, 1, 2, 3);
		theft(street, "money", {});
		expect(wantedHousehold(street.ledger)).toBe(1);
		expect(street.ledger.parameters.moneyKind).toBe("trial");
		// The one that the households want takes it back.
		street.block(soon(street), [street.act("money", 1, { proposed: undefined })]);
		expect(street.ledger.moneyProposal).toBeUndefined();
	});

	it("leave the votes as they are when they set credit lines, and keep nobody from paying and going", () => {
		const street = new TestNeighbourhood(4, { moneyKind: "monthly" }, 3);
		vote(street, 1, 1, 2, 3);
		theft(street, "credit", { household: 3 });
		expect(wantedHousehold(street.ledger)).toBe(1);
		street.block(soon(street), [street.act("leave", 3)]);
		const line = street.act("credit", 0, { household: 3 });
		expect(street.refusal(soon(street), [line])).toEqual({ code: "moved-out", member: 3 });
		expect(street.household(3).removal?.completed).toBe(true);
	});

	it("fill the record with no more than one line, however long their votes stand", () => {
		const street = new TestNeighbourhood(4);
		vote(street, 1, 1, 2, 3);
		for (let block = 0; block < 5; block++) {
			theft(street, "role", { household: 1, operator: false });
			theft(street, "suspend", { household: 1 });
			theft(street, "remove", { household: 1 });
		}
		expect(street.ledger.operatorRecord?.map(({ kind }) => kind)).toEqual(["appointed"]);
	});
});

describe("a vote for an operator", () => {
	it("is for who is there, and changes something", () => {
		for (const [household, cause] of [
			[9, { code: "unknown-member", member: 9 }],
			[undefined, { code: "vote-unchanged" }],
		] as const) {
			const street = new TestNeighbourhood(3);
			expect(street.refusal(soon(street), [street.act("appoint", 1, { household })])).toEqual(cause);
		}
		const street = new TestNeighbourhood(3);
		vote(street, 1, 2);
		const again = street.act("appoint", 2, { household: 1 });
		expect(street.refusal(soon(street), [again])).toEqual({ code: "vote-unchanged" });
	});
});
