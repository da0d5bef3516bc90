import { describe, expect, it } from "vitest";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { FIRST_MINUTE, signedInvitation, signedJoin, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;

function suspend(street: TestNeighbourhood, household: number, member = 0): void {
	street.block(soon(street), [street.act("suspend", member, { household })]);
}

describe("a suspended household", () => {
	it("meters, and its contracts settle", () => {
		const street = new TestNeighbourhood(3);
		street.giveTokens(1, 1_000_000);
		street.contractBetween(0, 1);
		suspend(street, 1);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 5), street.reading(1, M + 1, 5, 0)]);
		expect(street.household(1).boughtWh).toBe(5);
		expect(street.balances()).toEqual([5_000, 995_000, 0]);
	});

	it("signs nothing new, but that a device of its own is out of use", () => {
		const street = new TestNeighbourhood(3);
		street.block(soon(street), [street.admission(1, "phone")]);
		suspend(street, 1);
		for (const act of [
			street.act("offer", 1),
			street.act("buy", 1),
			street.act("accept", 1),
			street.admission(1, "tablet"),
			// It is told first that it is suspended, whatever else is wrong.
			street.act("rename", 1, { household: 1 }, 99),
		]) {
			expect(street.refusal(soon(street), [act])).toEqual({ code: "suspended" });
		}
		street.block(soon(street), [street.act("revoke", 1, { device: 3 })]);
		expect(street.ledger.devices[3]?.revokedIndex).toBeDefined();
	});

	it("acts again once that is lifted", () => {
		const street = new TestNeighbourhood(3);
		suspend(street, 1);
		street.block(soon(street), [street.act("suspend", 0, { household: 1, suspended: false })]);
		street.block(soon(street), [street.act("buy", 1)]);
		expect(street.ledger.orders.size).toBe(1);
	});

	it("runs nothing as an operator, and nobody comes in by its invitations", () => {
		const street = new TestNeighbourhood(3);
		street.block(soon(street), [street.act("role", 0, { household: 1, operator: true })]);
		const { gridId } = street.ledger;
		const join = signedJoin(3, gridId, {}, signedInvitation(gridId, { operator: 1 }, 1));
		expect(street.refusal(soon(street), [join])).toBeUndefined();
		suspend(street, 1);
		expect(street.refusal(soon(street), [street.act("rename", 1)])).toEqual({ code: "suspended" });
		expect(street.refusal(soon(street), [join])).toEqual({ code: "not-operator" });
	});

	it("has no say in who votes as an operator, be it by its device", () => {
		const street = new TestNeighbourhood(4);
		street.block(soon(street), [street.voters([], [3])]);
		street.block(soon(street), [street.act("role", 0, { household: 1, operator: true })]);
		expect(street.refusal(soon(street), [street.keptVoters([3], [], { member: 1, device: 1 })])).toBeUndefined();
		suspend(street, 1);
		const kept = street.keptVoters([3], [], { member: 1, device: 1 });
		expect(street.refusal(soon(street), [kept])).toEqual({ code: "not-operator" });
	});

	it("is in the state as long as it is one", () => {
		const street = new TestNeighbourhood(3);
		const before = snapshotOf(street.ledger, NO_RESULTS).leaves.length;
		suspend(street, 1);
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		const opened = openSnapshot(street.ledger, leaves);
		expect(opened.ok && opened.value.households.map(({ suspended }) => suspended)).toEqual([false, true, false]);
		street.block(soon(street), [street.act("suspend", 0, { household: 1, suspended: false })]);
		// What stays is the record of both.
		expect(snapshotOf(street.ledger, NO_RESULTS).leaves).toHaveLength(before + 2);
	});
});

describe("a suspension", () => {
	it("is an operator's, of who is there and is not suspended already", () => {
		for (const [member, fields, cause] of [
			[1, { household: 2 }, { code: "not-operator" }],
			[0, { household: 9 }, { code: "unknown-member", member: 9 }],
			[0, { household: 1, suspended: false }, { code: "suspended-already", member: 1 }],
		] as const) {
			const street = new TestNeighbourhood(3);
			expect(street.refusal(soon(street), [street.act("suspend", member, fields)])).toEqual(cause);
		}
	});

	it("leaves an operator that can lift it, and so does the role", () => {
		const street = new TestNeighbourhood(3);
		const itself = street.act("suspend", 0, { household: 0 });
		expect(street.refusal(soon(street), [itself])).toEqual({ code: "last-operator" });
		street.block(soon(street), [street.act("role", 0, { household: 1, operator: true })]);
		suspend(street, 0, 1);
		const last = street.act("suspend", 1, { household: 1 });
		expect(street.refusal(soon(street), [last])).toEqual({ code: "last-operator" });
		// The founder is an operator as well, but one that can do nothing.
		const role = street.act("role", 1, { household: 1, operator: false });
		expect(street.refusal(soon(street), [role])).toEqual({ code: "last-operator" });
		street.block(soon(street), [street.act("role", 1, { household: 0, operator: false })]);
		expect(street.ledger.households.map(({ operator }) => operator)).toEqual([false, true, false]);
	});
});
