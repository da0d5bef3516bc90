import { describe, expect, it } from "vitest";
import { type Block, blockHash, decodeBlock, encodeBlock } from "../../../src/block/block.js";
import { localTimeOf } from "../../../src/block/kinds/founding.js";
import type { JoinTransaction } from "../../../src/block/kinds/members.js";
import { createGenesis, openGenesis } from "../../../src/contract/genesis.js";
import { checkSignatures } from "../../../src/contract/signers.js";
import { MAX_VOTERS, MIN_VOTERS } from "../../../src/contract/voters.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { ZERO_HASH } from "../../../src/primitives/hash.js";
import {
	blockMsOf,
	DEFAULT_PARAMETERS,
	FIRST_MINUTE,
	FOUNDED_MS,
	genesisOf,
	secretOf,
	signedFound,
	signedInvitation,
	signedJoin,
	TestNeighbourhood,
} from "../../support/ledger.js";
import { rememberingVerifier as verifier } from "../../support/rememberedSignatures.js";

const joinsOf = (count: number, alwaysOn: (member: number) => boolean = () => true) =>
	Array.from({ length: count }, (_, member) => signedJoin(member, ZERO_HASH, { alwaysOn: alwaysOn(member) }));

function opened(block: Block) {
	const ledger = openGenesis(block, verifier);
	if (!ledger.ok) throw new Error(JSON.stringify(ledger.error));
	return ledger.value;
}

describe("genesis", () => {
	const joins = joinsOf(3);
	const genesis = genesisOf({}, joins);

	it("is block 0 with nothing before it, and its hash names the neighbourhood", () => {
		expect(genesis).toMatchObject({ index: 0, term: 0, proposer: 0, previousHash: ZERO_HASH, timestampMs: FOUNDED_MS });
		expect(toHex(opened(genesis).gridId)).toBe(toHex(blockHash(genesis)));
	});

	it("opens from its bytes", () => {
		const decoded = decodeBlock(encodeBlock(genesis), ZERO_HASH);
		if (!decoded.ok) throw new Error(decoded.error.code);
		expect(opened(decoded.value)).toEqual(opened(genesis));
	});

	it("makes everybody in the lobby a member in order, the founder operator, with a device each and no money", () => {
		const ledger = opened(genesis);
		expect(ledger.parameters).toEqual(DEFAULT_PARAMETERS);
		expect(
			ledger.households.map(({ name, operator, meteringDevice, balanceMicroNok, nonce, joinedMinute }) => ({
				name,
				operator,
				meteringDevice,
				balanceMicroNok,
				nonce,
				joinedMinute,
			})),
		).toEqual(
			[0, 1, 2].map((member) => ({
				name: `Hus ${member}`,
				operator: member === 0,
				meteringDevice: member,
				balanceMicroNok: 0,
				nonce: 0,
				joinedMinute: FIRST_MINUTE,
			})),
		);
		expect(ledger.devices.map(({ publicKey }) => toHex(publicKey))).toEqual(
			joins.map(({ deviceKey }) => toHex(deviceKey)),
		);
		expect(ledger.issuedMicroNok).toBe(0);
	});

	it("says how the clocks go; one that was founded before any did means those of Norway", () => {
		const localTime = { offsetMinutes: 120, summerTime: true };
		const told = genesisOf({ terms: { localTime, market: undefined } }, joins);
		const decoded = decodeBlock(encodeBlock(told), ZERO_HASH);
		if (!decoded.ok) throw new Error(decoded.error.code);
		const { parameters, gridId } = opened(decoded.value);
		expect(localTimeOf(parameters)).toEqual(localTime);
		expect(gridId).not.toEqual(opened(genesis).gridId);
		expect(told.stateRoot).not.toEqual(genesis.stateRoot);
		const untold = opened(genesis).parameters;
		expect(untold.terms).toBeUndefined();
		expect(localTimeOf(untold)).toEqual({ offsetMinutes: 60, summerTime: true });
	});

	it.each([-721, 841])("whose clocks are %i minutes ahead of UTC is none", (offsetMinutes) => {
		const told = genesisOf({ terms: { localTime: { offsetMinutes, summerTime: false }, market: undefined } }, joins);
		expect(decodeBlock(encodeBlock(told), ZERO_HASH)).toMatchObject({ ok: false });
	});

	it("is another neighbourhood with another salt, name, time or member", () => {
		const salted = genesisOf({ salt: new Uint8Array(16).fill(1) }, joins);
		const named = genesisOf({ name: "Furulia" }, joins);
		const more = genesisOf({}, joinsOf(4));
		const later = createGenesis(signedFound(), joins, FOUNDED_MS + 1);
		if (!later.ok) throw new Error("later");
		const ids = [genesis, salted, named, more, later.value].map((block) => toHex(opened(block).gridId));
		expect(new Set(ids).size).toBe(5);
	});
});

describe("the voters at the founding", () => {
	const votersOf = (count: number, alwaysOn: (member: number) => boolean) =>
		opened(genesisOf({}, joinsOf(count, alwaysOn))).voters;

	it("are the devices that are always on", () => {
		expect(votersOf(5, (member) => member !== 1)).toEqual([0, 2, 3, 4]);
		expect(votersOf(4, (member) => member > 0)).toEqual([1, 2, 3]);
	});

	it(`are the founder's device alone with fewer than ${MIN_VOTERS}, whether it is always on or not`, () => {
		expect(votersOf(1, () => true)).toEqual([0]);
		expect(votersOf(2, () => true)).toEqual([0]);
		expect(votersOf(5, (member) => member < 2)).toEqual([0]);
		expect(votersOf(5, (member) => member > 2)).toEqual([0]);
		expect(votersOf(3, () => false)).toEqual([0]);
	});

	it(`are at most ${MAX_VOTERS}`, () => {
		expect(votersOf(27, () => true)).toEqual(Array.from({ length: 25 }, (_, at) => at));
	});
});

describe("a genesis", () => {
	const joins = joinsOf(3);
	const genesis = genesisOf({}, joins);
	const errorOf = (change: Partial<Block>) => {
		const result = openGenesis({ ...genesis, ...change }, verifier);
		return result.ok ? "opened" : result.error;
	};
	const withTransactions = (transactions: Block["transactions"]) => errorOf({ transactions });
	const found = signedFound();
	const bad = (what: string) => ({ code: "bad-genesis", what });

	it.each<[string, Partial<Block>]>([
		["another version", { version: 2 }],
		["another index", { index: 1 }],
		["a block before it", { previousHash: new Uint8Array(32).fill(1) }],
		["a term", { term: 1 }],
		["another proposer", { proposer: 1 }],
	])("with %s is refused", (_, change) => {
		expect(errorOf(change)).toEqual(bad("header"));
	});

	it("without its founding, with two, without members, or with anything else in it is refused", () => {
		const street = new TestNeighbourhood(1);
		const reading = street.reading(0, FIRST_MINUTE, 1, 0);
		for (const transactions of [
			[],
			joins,
			[found],
			[found, found, ...joins],
			[...joins, found],
			[found, ...joins, reading],
		]) {
			expect(withTransactions(transactions)).toEqual(bad("transactions"));
		}
	});

	it("that its founder did not sign as it stands is refused", () => {
		expect(withTransactions([{ ...found, name: "Furulia" }, ...joins])).toEqual(bad("founder-signature"));
		expect(withTransactions([signedFound({}, secretOf("household 1")), ...joins])).toEqual(bad("founder-signature"));
		expect(withTransactions([signedFound({}, secretOf("device 0")), ...joins])).toEqual(bad("founder-signature"));
		// Who comes first is the founder: nobody else can be put in its place.
		expect(withTransactions([found, ...[...joins].reverse()])).toEqual(bad("founder-signature"));
	});

	it("with a member that did not sign with both its keys, or signed something else, is refused", () => {
		const [first, second, third] = joins;
		if (first === undefined || second === undefined || third === undefined) throw new Error("three joins");
		const swapped = { ...second, signatures: { ...second.signatures, device: second.signatures.household } };
		const other = { ...second, signatures: { ...second.signatures, household: second.signatures.device } };
		const renamed = { ...second, name: "Hus 9" };
		const observing: JoinTransaction = { ...second, alwaysOn: false };
		const elsewhere = signedJoin(1, new Uint8Array(32).fill(3));
		const invited = signedJoin(1, ZERO_HASH, {}, signedInvitation(ZERO_HASH));
		for (const wrong of [swapped, other, renamed, observing, elsewhere, invited]) {
			expect(withTransactions([found, first, wrong, third])).toEqual(bad("member-signature"));
		}
	});

	it("with the same member twice is refused, and cannot be written", () => {
		const [first] = joins;
		if (first === undefined) throw new Error("a join");
		const error = { code: "bad-founding-member", at: 3, cause: { code: "already-member" } };
		expect(withTransactions([found, ...joins, first])).toEqual(error);
		expect(createGenesis(found, [...joins, first], FOUNDED_MS)).toEqual({ ok: false, error });
	});

	it("whose state root is not that of its execution is refused", () => {
		expect(errorOf({ stateRoot: ZERO_HASH })).toEqual(bad("state-root"));
		expect(errorOf({ timestampMs: FOUNDED_MS + 1 })).toEqual(bad("state-root"));
		expect(withTransactions([found, ...joinsOf(4)])).toEqual(bad("state-root"));
	});
});

describe("joining later", () => {
	const street = () => new TestNeighbourhood(2);
	const soon = (each: TestNeighbourhood) => each.head.timestampMs + 1;
	const invited = (each: TestNeighbourhood, change: Parameters<typeof signedInvitation>[1] = {}, signer = 0) =>
		signedJoin(5, each.ledger.gridId, {}, signedInvitation(each.ledger.gridId, change, signer));

	it("takes an operator's invitation, and makes a member whose device observes", () => {
		const each = street();
		each.block(blockMsOf(FIRST_MINUTE), [invited(each)]);
		expect(each.household(2)).toMatchObject({
			name: "Hus 5",
			operator: false,
			joinedMinute: FIRST_MINUTE + 1,
			nonce: 0,
		});
		expect(each.ledger.devices).toHaveLength(3);
		expect(each.ledger.voters).toEqual([0]);
		expect(each.ledger.usedInvitations.get("07".repeat(16))).toBe(FIRST_MINUTE + 60);
	});

	it("is refused without an invitation", () => {
		const each = street();
		expect(each.refusal(soon(each), [signedJoin(5, each.ledger.gridId)])).toEqual({ code: "invitation-missing" });
	});

	it("is refused with an invitation of somebody who is no operator", () => {
		const each = street();
		expect(each.refusal(soon(each), [invited(each, { operator: 1 }, 1)])).toEqual({ code: "not-operator" });
		expect(each.refusal(soon(each), [invited(each, { operator: 9 }, 0)])).toEqual({ code: "not-operator" });
	});

	it("is refused with an invitation that was used", () => {
		const each = street();
		each.block(soon(each), [invited(each)]);
		const again = signedJoin(6, each.ledger.gridId, {}, signedInvitation(each.ledger.gridId));
		expect(each.refusal(soon(each), [again])).toEqual({ code: "invitation-used" });
	});

	it("is refused after the invitation's expiry, which itself is still good", () => {
		const each = street();
		const join = invited(each, { expiryMinute: FIRST_MINUTE + 3 });
		expect(each.refusal((FIRST_MINUTE + 4) * 60_000 - 1, [join])).toBeUndefined();
		expect(each.refusal((FIRST_MINUTE + 4) * 60_000, [join])).toEqual({
			code: "invitation-expired",
			expiryMinute: FIRST_MINUTE + 3,
		});
	});

	it("is refused to a household or a device that is a member already", () => {
		const each = street();
		const same = signedJoin(1, each.ledger.gridId, {}, signedInvitation(each.ledger.gridId));
		expect(each.refusal(soon(each), [same])).toEqual({ code: "already-member" });
		const [other] = [signedJoin(5, each.ledger.gridId, {}, signedInvitation(each.ledger.gridId))];
		expect(each.refusal(soon(each), [{ ...other, deviceKey: same.deviceKey }])).toEqual({ code: "already-member" });
		expect(each.refusal(soon(each), [{ ...other, householdKey: same.householdKey }])).toEqual({
			code: "already-member",
		});
	});

	it("needs four signatures: both keys', the one-time key's and the operator's; each for this neighbourhood", () => {
		const each = street();
		const join = invited(each);
		const codeOf = (change: JoinTransaction) => checkSignatures(each.ledger, change, verifier)?.code;
		expect(codeOf(join)).toBeUndefined();
		const { signatures, invitation } = join;
		if (invitation === undefined) throw new Error("an invitation");
		expect(codeOf({ ...join, signatures: { ...signatures, household: signatures.device } })).toBe("bad-signature");
		expect(codeOf({ ...join, signatures: { ...signatures, device: signatures.household } })).toBe("bad-signature");
		expect(codeOf({ ...join, signatures: { ...signatures, oneTime: signatures.device } })).toBe("bad-signature");
		expect(codeOf({ ...join, signatures: { ...signatures, oneTime: undefined } })).toBe("invitation-missing");
		expect(codeOf({ ...join, invitation: { ...invitation, expiryMinute: 120_000_000 } })).toBe("bad-signature");
		expect(codeOf({ ...join, name: "Hus 9" })).toBe("bad-signature");
		// Signed by the neighbour instead of the operator that it names.
		expect(codeOf(invited(each, { operator: 0 }, 1))).toBe("bad-signature");
		expect(codeOf(invited(each, { operator: 9 }))).toBe("unknown-member");
		const elsewhere = new TestNeighbourhood(2, { name: "Furulia" });
		expect(codeOf(invited(elsewhere))).toBe("bad-signature");
		expect(codeOf(signedJoin(5, each.ledger.gridId, {}, signedInvitation(elsewhere.ledger.gridId)))).toBe(
			"bad-signature",
		);
	});
});
