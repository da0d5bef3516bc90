import { describe, expect, it } from "vitest";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { TestNeighbourhood } from "../../support/ledger.js";

const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const NO_RESULTS = { settled: [], rests: [] };
const TURN = { urls: "turn:192.0.2.1:3478", username: "solbakken", credential: "hemmelig" };
const STUN = { urls: "stun:192.0.2.1", username: "", credential: "" };

describe("through which servers devices connect", () => {
	it("the operator says, each time for all of them", () => {
		const street = new TestNeighbourhood(3);
		expect(street.ledger.iceServers).toEqual([]);
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

	it("is part of the state, and of a state only where there are any", () => {
		const street = new TestNeighbourhood(3);
		const before = snapshotOf(street.ledger, NO_RESULTS).leaves.length;
		street.block(soon(street), [street.act("iceServers", 0, { servers: [TURN] })]);
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		expect(leaves).toHaveLength(before + 1);
		const opened = openSnapshot(street.ledger, leaves);
		expect(opened.ok && opened.value.iceServers).toEqual([TURN]);
		const root = stateRoot(street.ledger, NO_RESULTS);
		expect(stateRoot({ ...street.ledger, iceServers: [STUN] }, NO_RESULTS)).not.toEqual(root);
		expect(stateRoot({ ...street.ledger, iceServers: [] }, NO_RESULTS)).not.toEqual(root);
	});
});
