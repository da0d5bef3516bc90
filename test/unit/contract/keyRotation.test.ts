import { describe, expect, it } from "vitest";
import { checkCertificate } from "../../../src/consensus/certificate.js";
import { executeCandidates } from "../../../src/contract/execute.js";
import type { KeySalt } from "../../../src/contract/ledger.js";
import { openRefounding } from "../../../src/contract/refounding.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { taggedHash } from "../../../src/primitives/hash.js";
import { createVerifier } from "../../../src/primitives/signature.js";
import { blockMsOf, FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";
import { confirmOf, refoundedGenesis, refoundOf } from "../../support/refounding.js";

const M = FIRST_MINUTE;
const hashSalt = taggedHash("key-salt");
const saltOf = ({ signature }: { signature: Uint8Array }) => hashSalt(signature).slice(0, 16);
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const saltsOf = ({ ledger }: TestNeighbourhood): readonly KeySalt[] => ledger.keyRotations?.salts ?? [];

/** Only the first three devices vote; the blocks are of the minute M + 1. */
function streetOf(households: number): TestNeighbourhood {
	const street = new TestNeighbourhood(households);
	street.minute(M);
	for (let device = households - 1; device >= 3; device--) street.block(soon(street), [street.voters([], [device])]);
	return street;
}

function moveOut(street: TestNeighbourhood, household: number): void {
	street.block(soon(street), [street.act("remove", 0, { household })]);
	street.passNotice();
	street.block(soon(street));
	expect(street.household(household).removal?.completed).toBe(true);
}

describe("the network key", () => {
	it("is changed by the first reading of a minute that had not begun when a household was out", () => {
		const street = streetOf(4);
		expect(street.ledger.keyRotations).toBeUndefined();
		moveOut(street, 3);
		expect(street.ledger.keyRotations).toEqual({ salts: [], dueAfterMinute: M + 1 });
		// Blocks alone do not, nor acts, nor readings that it may have been told of.
		street.minute(M + 1, [street.reading(0, M, 0, 5), street.reading(1, M + 1, 5, 0), street.act("offer", 0)]);
		expect(saltsOf(street)).toEqual([]);
		const late = street.reading(2, M + 1, 0, 5);
		const first = street.reading(0, M + 2, 0, 5);
		street.minute(M + 2, [late, first, street.reading(1, M + 2, 0, 5)]);
		const salts = [{ salt: saltOf(first), timestampMs: blockMsOf(M + 2) }];
		expect(street.ledger.keyRotations).toEqual({ salts, dueAfterMinute: undefined });
		street.minute(M + 3, [street.reading(0, M + 3, 0, 5)]);
		expect(saltsOf(street)).toEqual(salts);
	});

	it("is not changed while a household that moves out is still there", () => {
		const street = streetOf(4);
		street.giveTokens(3, 1_000_000);
		const act = street.act("remove", 0, { household: 3 });
		street.block(soon(street), [act]);
		street.passNotice();
		for (const minute of [M + 1, M + 2, M + 3]) street.minute(minute, [street.reading(0, minute, 0, 5)]);
		expect(street.ledger.keyRotations).toBeUndefined();
		street.block(soon(street), [street.act("payout", 0, { lockId: street.id(act), amountMicroNok: 1_000_000 })]);
		expect(street.ledger.keyRotations).toEqual({ salts: [], dueAfterMinute: M + 4 });
	});

	it("is changed once for two who are out before it could be, by what neither was told, and again for a third", () => {
		const street = streetOf(6);
		moveOut(street, 5);
		street.minute(M + 1);
		moveOut(street, 4);
		// Enough for the first, but the second may still have heard of it.
		street.minute(M + 2, [street.reading(0, M + 2, 0, 5)]);
		expect(saltsOf(street)).toEqual([]);
		const reading = street.reading(0, M + 3, 0, 5);
		street.minute(M + 3, [reading]);
		expect(saltsOf(street).map(({ salt }) => salt)).toEqual([saltOf(reading)]);
		moveOut(street, 3);
		const next = street.reading(1, M + 5, 0, 5);
		street.minute(M + 5, [next]);
		expect(saltsOf(street).map(({ salt }) => salt)).toEqual([saltOf(reading), saltOf(next)]);
	});

	it("is changed for the proposer as for those who follow", () => {
		const street = streetOf(4);
		moveOut(street, 3);
		const { ledger, head } = street;
		const readings = [street.reading(0, M + 2, 0, 5), street.reading(1, M + 2, 5, 0)];
		street.minute(M + 2, readings);
		const frame = { index: head.index + 1, previousHash: street.head.previousHash, timestampMs: blockMsOf(M + 2) };
		const proposed = executeCandidates(ledger, frame, readings, () => true);
		expect(proposed.ledger.keyRotations).toEqual(street.ledger.keyRotations);
		expect(proposed.stateRoot).toEqual(street.head.stateRoot);
		expect(saltsOf(street)).toHaveLength(1);
	});

	it("is part of the state: changed, and to be changed", () => {
		const street = streetOf(5);
		const reopened = () => {
			const opened = openSnapshot(street.ledger, snapshotOf(street.ledger, NO_RESULTS).leaves);
			return opened.ok ? opened.value : opened.error;
		};
		const leaves = () => snapshotOf(street.ledger, NO_RESULTS).leaves.filter((leaf) => isRotations(leaf)).length;
		expect(leaves()).toBe(0);
		moveOut(street, 4);
		expect([reopened(), leaves()]).toEqual([street.ledger, 1]);
		street.minute(M + 2, [street.reading(0, M + 2, 0, 5)]);
		moveOut(street, 3);
		expect(street.ledger.keyRotations).toMatchObject({ salts: [{}], dueAfterMinute: M + 3 });
		expect([reopened(), leaves()]).toEqual([street.ledger, 1]);
		const { keyRotations, ...rest } = street.ledger;
		if (keyRotations === undefined) throw new Error("it was changed");
		const [first] = keyRotations.salts;
		if (first === undefined) throw new Error("it was changed");
		const others = [
			undefined,
			{ ...keyRotations, dueAfterMinute: undefined },
			{ ...keyRotations, salts: [] },
			{ ...keyRotations, salts: [{ ...first, salt: new Uint8Array(16) }] },
			{ ...keyRotations, salts: [{ ...first, timestampMs: 1 }] },
		];
		const roots = others.map((other) => stateRoot({ ...rest, keyRotations: other }, NO_RESULTS));
		for (const root of roots) expect(root).not.toEqual(stateRoot(street.ledger, NO_RESULTS));
	});

	it("goes over into the chain that the neighbourhood is founded again with, and is changed there where it was due", () => {
		const street = streetOf(5);
		moveOut(street, 4);
		street.minute(M + 2, [street.reading(0, M + 2, 0, 5)]);
		moveOut(street, 3);
		const before = saltsOf(street);
		const refound = refoundOf(street);
		const confirms = [0, 1, 2].map((member) => confirmOf(refound, member));
		const genesis = refoundedGenesis(refound, confirms);
		const opened = openRefounding(genesis, createVerifier(), checkCertificate);
		if (!opened.ok) throw new Error(opened.error.code);
		expect(opened.value.keyRotations).toEqual({ salts: before, dueAfterMinute: M + 3 });
		const next = streetOf(5);
		next.ledger = opened.value;
		next.blocks.splice(0, next.blocks.length, genesis);
		next.minute(M + 3, [next.reading(0, M + 3, 0, 5)]);
		expect(saltsOf(next)).toEqual(before);
		const reading = next.reading(0, M + 4, 0, 5);
		next.minute(M + 4, [reading]);
		expect(saltsOf(next)).toEqual([...before, { salt: saltOf(reading), timestampMs: blockMsOf(M + 4) }]);
	});
});

function isRotations(leaf: Uint8Array): boolean {
	return new TextDecoder().decode(leaf).includes("keyRotations");
}
