import { describe, expect, it } from "vitest";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { TestNeighbourhood } from "../../support/ledger.js";

const NO_RESULTS = { settled: [], rests: [] };
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const operatorsOf = (street: TestNeighbourhood) =>
	street.ledger.households.flatMap(({ index, operator }) => (operator ? [index] : []));
const votesOf = (street: TestNeighbourhood) => street.ledger.households.map(({ appoints }) => appoints);

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
		expect(votesOf(street)).toEqual(Array(6).fill(undefined));
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

	it("is named by those who have not moved out", () => {
		const street = new TestNeighbourhood(5);
		vote(street, 1, 1, 2);
		vote(street, 4, 3, 4);
		for (const device of [4, 3]) street.block(soon(street), [street.voters([], [device])]);
		street.block(soon(street), [street.act("remove", 0, { household: 4 })]);
		// What was meant for the household that leaves is void, and so is its own vote.
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
		expect(operatorsOf(street)).toEqual([0]);
		street.block(soon(street), [street.act("remove", 0, { household: 4 })]);
		expect(operatorsOf(street)).toEqual([0, 1]);
	});

	it("is in the state with every vote", () => {
		const street = new TestNeighbourhood(4);
		vote(street, 1, 2);
		const opened = openSnapshot(street.ledger, snapshotOf(street.ledger, NO_RESULTS).leaves);
		expect(opened.ok && opened.value.households).toEqual(street.ledger.households);
	});

	it("does not come of votes from before an operator decided about its role", () => {
		const street = new TestNeighbourhood(4);
		vote(street, 1, 1, 2);
		street.block(soon(street), [street.act("role", 0, { household: 1 })]);
		street.block(soon(street), [street.act("role", 0, { household: 1, operator: false })]);
		vote(street, 1, 3);
		expect(operatorsOf(street)).toEqual([0]);
	});
});

describe("a vote for an operator", () => {
	it("is for who is there and cannot act as one yet, and changes something", () => {
		for (const [household, cause] of [
			[9, { code: "unknown-member", member: 9 }],
			[0, { code: "role-held-already", member: 0 }],
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
