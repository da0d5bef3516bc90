import { describe, expect, it } from "vitest";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { TestNeighbourhood } from "../../support/ledger.js";

const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const TURN = { urls: "turn:192.0.2.1:3478", username: "solbakken", credential: "hemmelig" };
const STUN = { urls: "stun:192.0.2.1", username: "", credential: "" };

describe("through which servers devices connect", () => {
	it("the operator says, each time for all of them", () => {
		const street = new TestNeighbourhood(3);
		expect(street.ledger.iceServers).toBeUndefined();
		street.block(soon(street), [street.act("iceServers", 0, { servers: [TURN, STUN] })]);
		expect(street.ledger.iceServers).toEqual([TURN, STUN]);
		street.block(soon(street), [street.act("iceServers", 0, { servers: [STUN] })]);
		expect(street.ledger.iceServers).toEqual([STUN]);
		street.block(soon(street), [street.act("iceServers", 0, { servers: [] })]);
		expect(street.ledger.iceServers).toEqual([]);
	});

	it("nobody else says", () => {
		const street = new TestNeighbourhood(3);
		const act = street.act("iceServers", 1, { servers: [TURN] });
		expect(street.refusal(soon(street), [act])).toEqual({ code: "not-operator" });
	});

	it("is part of the state, and of a state only where something was said", () => {
		const street = new TestNeighbourhood(3);
		const before = snapshotOf(street.ledger, NO_RESULTS).leaves.length;
		street.block(soon(street), [street.act("iceServers", 0, { servers: [TURN] })]);
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		// The servers, and that the operator chose them.
		expect(leaves).toHaveLength(before + 2);
		const opened = openSnapshot(street.ledger, leaves);
		expect(opened.ok && opened.value.iceServers).toEqual([TURN]);
		const root = stateRoot(street.ledger, NO_RESULTS);
		expect(stateRoot({ ...street.ledger, iceServers: [STUN] }, NO_RESULTS)).not.toEqual(root);
		expect(stateRoot({ ...street.ledger, iceServers: undefined }, NO_RESULTS)).not.toEqual(root);
		street.block(soon(street), [street.act("iceServers", 0, { servers: [] })]);
		const none = openSnapshot(street.ledger, snapshotOf(street.ledger, NO_RESULTS).leaves);
		expect(none.ok && none.value.iceServers).toEqual([]);
	});
});

describe("a household's name", () => {
	it("is the operator's to correct, its own as well", () => {
		const street = new TestNeighbourhood(3);
		street.block(soon(street), [street.act("rename", 0, { household: 2, name: "Lie og Moen" })]);
		street.block(soon(street), [street.act("rename", 0, { household: 0, name: "Hansen" })]);
		expect(street.ledger.households.map(({ name }) => name)).toEqual([
			"Hansen",
			street.ledger.households[1]?.name,
			"Lie og Moen",
		]);
		expect(street.ledger.households[0]?.nonce).toBe(2);
	});

	it("is nobody else's, and only of who is there", () => {
		const street = new TestNeighbourhood(3);
		const foreign = street.act("rename", 1, { household: 1, name: "Lie" });
		expect(street.refusal(soon(street), [foreign])).toEqual({ code: "not-operator" });
		const nobody = street.act("rename", 0, { household: 9, name: "Lie" });
		expect(street.refusal(soon(street), [nobody])).toEqual({ code: "unknown-member", member: 9 });
	});
});

describe("the operator's role", () => {
	it("is shared with another household, which then may do as much, and taken again", () => {
		const street = new TestNeighbourhood(3);
		street.block(soon(street), [street.act("role", 0, { household: 1, operator: true })]);
		street.block(soon(street), [street.act("rename", 1, { household: 2, name: "Lie" })]);
		street.block(soon(street), [street.act("role", 1, { household: 0, operator: false })]);
		expect(street.ledger.households.map(({ operator }) => operator)).toEqual([false, true, false]);
		const former = street.act("rename", 0, { household: 2, name: "Moen" });
		expect(street.refusal(soon(street), [former])).toEqual({ code: "not-operator" });
	});

	it("is always somebody's", () => {
		const street = new TestNeighbourhood(3);
		const last = street.act("role", 0, { household: 0, operator: false });
		expect(street.refusal(soon(street), [last])).toEqual({ code: "last-operator" });
		// Nor do two take it from each other in one block.
		street.block(soon(street), [street.act("role", 0, { household: 1, operator: true })]);
		const acts = [
			street.act("role", 0, { household: 1, operator: false }),
			street.act("role", 1, { household: 0, operator: false }),
		];
		expect(street.refusal(soon(street), acts)).toEqual({ code: "not-operator" });
	});

	it("is not given to who has it, nor taken from who has not, nor by anybody else", () => {
		for (const [member, role, cause] of [
			[0, { household: 0, operator: true }, { code: "role-held-already", member: 0 }],
			[0, { household: 1, operator: false }, { code: "role-held-already", member: 1 }],
			[0, { household: 9, operator: true }, { code: "unknown-member", member: 9 }],
			[1, { household: 1, operator: true }, { code: "not-operator" }],
		] as const) {
			const street = new TestNeighbourhood(3);
			expect(street.refusal(soon(street), [street.act("role", member, role)])).toEqual(cause);
		}
	});
});
