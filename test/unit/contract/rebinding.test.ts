import { describe, expect, it } from "vitest";
import { isInUse } from "../../../src/contract/ledger.js";
import { noticeBlocks, noticeMinutesLeft } from "../../../src/contract/notices.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { checkSignatures } from "../../../src/contract/signers.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { equalBytes } from "../../../src/primitives/bytes.js";
import { createVerifier, publicKeyOf } from "../../../src/primitives/signature.js";
import { FIRST_MINUTE, secretOf, signedInvitation, signedJoin, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const WEEK = 10_080;
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const NEW_KEY = publicKeyOf(secretOf("new words"));

/** Four households, of which the last does not vote, and a notice for it; in the minute M. */
function announced(): TestNeighbourhood {
	const street = new TestNeighbourhood(4);
	street.block(soon(street), [street.voters([], [3])]);
	street.block(soon(street), [street.rebinding(3, "new words")]);
	return street;
}

const hasNewKey = (street: TestNeighbourhood) => equalBytes(street.household(3).publicKey, NEW_KEY);

describe("a household that is to have another key", () => {
	it("gets it in the first block past seven days of notice, and its devices are out of use", () => {
		const street = announced();
		street.block(soon(street), [street.admission(3, "phone")]);
		street.pass(WEEK - 1);
		street.minute(M);
		expect(hasNewKey(street)).toBe(false);
		expect(noticeMinutesLeft(street.ledger, street.household(3).notice ?? { countedTotal: 0 })).toBe(1);
		street.minute(M + 1);
		expect(hasNewKey(street)).toBe(true);
		expect(street.household(3).notice).toBeUndefined();
		expect(street.ledger.devices.map((device) => !isInUse(device))).toEqual([false, false, false, true, true]);
		expect(street.ledger.operatorRecord?.map(({ kind, member, household }) => [kind, member, household])).toEqual([
			["rebind", 0, 3],
			["rebound", undefined, 3],
		]);
		// By the new key it goes on: with a device of its own, and everything that it has.
		const old = street.admission(3, "tablet");
		expect(checkSignatures(street.ledger, old, createVerifier())).toEqual({ code: "bad-signature", kind: "device" });
	});

	it("loses none of its days while the chain stands still, nor by blocks that do not count", () => {
		const street = announced();
		const left = () => street.ledger.households[3]?.notice?.countedTotal ?? 0;
		const before = left() - street.ledger.countedTotal;
		expect(before).toBe(WEEK + 1);
		street.block(soon(street));
		expect(left() - street.ledger.countedTotal).toBe(before);
		street.minute(M + 5_000);
		expect(left() - street.ledger.countedTotal).toBe(before - 1);
	});

	it("has as many days where three blocks come in a minute", () => {
		expect(noticeBlocks({ blockIntervalMs: 60_000 })).toBe(WEEK);
		expect(noticeBlocks({ blockIntervalMs: 20_000 })).toBe(3 * WEEK);
	});

	it("keeps the key that it has when it objects, be it in the last block, and be it suspended", () => {
		const street = announced();
		street.block(soon(street), [street.act("suspend", 0, { household: 3 })]);
		street.pass(WEEK);
		street.minute(M, [street.act("contest", 3, { household: 3 })]);
		street.minute(M + 1);
		expect(hasNewKey(street)).toBe(false);
		expect(street.household(3).notice).toBeUndefined();
		expect(street.ledger.operatorRecord?.at(-1)).toMatchObject({ kind: "contest", member: 3, household: 3 });
	});

	it("keeps it as well when an operator takes the notice back, and nobody else does", () => {
		const street = announced();
		const foreign = street.act("contest", 1, { household: 3 });
		expect(street.refusal(soon(street), [foreign])).toEqual({ code: "not-your-household", member: 3 });
		street.block(soon(street), [street.act("contest", 0, { household: 3 })]);
		const again = street.act("contest", 0, { household: 3 });
		expect(street.refusal(soon(street), [again])).toEqual({ code: "no-notice", member: 3 });
	});

	it("has all of its days again after another notice", () => {
		const street = announced();
		street.pass(WEEK - 1);
		street.block(soon(street), [street.rebinding(3, "other words")]);
		street.minute(M);
		street.minute(M + 1);
		expect(hasNewKey(street)).toBe(false);
		expect(street.household(3).notice?.countedTotal).toBeGreaterThan(street.ledger.countedTotal + WEEK - 3);
	});

	it("waits until none of its devices votes: no key takes a vote along", () => {
		const street = new TestNeighbourhood(4);
		street.block(soon(street), [street.rebinding(3, "new words")]);
		street.pass(WEEK + 1);
		street.minute(M);
		expect(hasNewKey(street)).toBe(false);
		expect(street.ledger.voters).toEqual([0, 1, 2, 3]);
		// The operator's device may do that alone, now that it is due.
		street.block(soon(street), [street.keptVoters([], [3])]);
		expect(hasNewKey(street)).toBe(true);
		expect(street.ledger.devices[3]?.revokedIndex).toBeDefined();
	});

	it("keeps everything else: balance, contracts, role, nonce", () => {
		const street = announced();
		street.giveTokens(3, 1_000_000);
		street.contractBetween(0, 3);
		const { publicKey: _, notice: __, meteringDevice: ___, ...before } = street.household(3);
		street.pass(WEEK);
		street.minute(M);
		const { publicKey: ____, notice: _____, meteringDevice: ______, ...after } = street.household(3);
		expect(hasNewKey(street)).toBe(true);
		expect(after).toEqual(before);
		expect(street.contract(0).ended).toBe(false);
	});

	it("is in the state with its notice", () => {
		const street = announced();
		const opened = openSnapshot(street.ledger, snapshotOf(street.ledger, NO_RESULTS).leaves);
		expect(opened.ok && opened.value.households).toEqual(street.ledger.households);
	});

	it("gets none when it is to move out instead: there is one notice of a household at a time", () => {
		const street = announced();
		street.block(soon(street), [street.act("remove", 0, { household: 3 })]);
		expect(street.household(3).notice?.kind).toBe("remove");
		street.passNotice();
		street.minute(M);
		expect(hasNewKey(street)).toBe(false);
		expect(street.household(3).removal).toBeDefined();
	});

	it("keeps its vote for an operator, and the votes for itself", () => {
		const street = announced();
		street.block(soon(street), [
			street.act("appoint", 3, { household: 2 }),
			street.act("appoint", 1, { household: 3 }),
		]);
		street.passNotice();
		street.minute(M);
		expect(hasNewKey(street)).toBe(true);
		expect(street.ledger.households.map(({ appoints }) => appoints)).toEqual([undefined, 3, undefined, 2]);
	});

	it("whose device votes alone gets it when another device votes in its place", () => {
		const street = new TestNeighbourhood(2);
		street.block(soon(street), [street.rebinding(0, "new words")]);
		street.passNotice();
		street.block(soon(street));
		expect(street.ledger.voters).toEqual([0]);
		expect(street.household(0).notice?.kind).toBe("rebind");
		street.block(soon(street), [street.keptVoters([1])]);
		street.block(soon(street), [street.keptVoters([], [0])]);
		expect(street.ledger.voters).toEqual([1]);
		expect(equalBytes(street.household(0).publicKey, NEW_KEY)).toBe(true);
	});
});

describe("notice of another key", () => {
	it("is an operator's, for who is there", () => {
		const street = new TestNeighbourhood(3);
		expect(street.refusal(soon(street), [street.rebinding(2, "new words", 1)])).toEqual({ code: "not-operator" });
		expect(street.refusal(soon(street), [street.rebinding(9, "new words")])).toEqual({
			code: "unknown-member",
			member: 9,
		});
	});

	it("is of nobody whose device votes while no other household has one", () => {
		const street = new TestNeighbourhood(2);
		street.block(soon(street), [street.act("revoke", 1, { device: 1 })]);
		const act = street.rebinding(0, "new words");
		expect(street.refusal(soon(street), [act])).toEqual({ code: "only-voter", device: 0 });
	});

	it("is of a key that is nobody's, nor is to be anybody's", () => {
		const street = announced();
		for (const name of ["household 1", "new words"]) {
			expect(street.refusal(soon(street), [street.rebinding(2, name)])).toEqual({ code: "already-member" });
		}
		const { gridId } = street.ledger;
		const join = signedJoin(7, gridId, {}, signedInvitation(gridId));
		const taken = { ...join, householdKey: NEW_KEY };
		expect(street.refusal(soon(street), [taken])).toEqual({ code: "already-member" });
	});

	it("is signed by the operator and by the new key: nobody is bound to a key that nobody holds", () => {
		const street = new TestNeighbourhood(3);
		const verifier = createVerifier();
		const good = street.rebinding(2, "new words");
		expect(checkSignatures(street.ledger, good, verifier)).toBeUndefined();
		const { keySignature } = street.rebinding(2, "other words");
		// Signed by the operator as it stands, so that only the key's own signature is wrong.
		const forged = street.act("rebind", 0, { household: 2, householdKey: good.householdKey, keySignature });
		expect(checkSignatures(street.ledger, forged, verifier)).toEqual({ code: "bad-signature", kind: "rebind" });
		// Nor is what was signed for another neighbourhood worth anything here.
		const other = new TestNeighbourhood(3, { name: "Another" });
		const elsewhere = other.rebinding(2, "new words");
		const carried = street.act("rebind", 0, {
			household: 2,
			householdKey: elsewhere.householdKey,
			keySignature: elsewhere.keySignature,
		});
		expect(checkSignatures(street.ledger, carried, verifier)).toEqual({ code: "bad-signature", kind: "rebind" });
	});
});
