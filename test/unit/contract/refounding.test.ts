import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	type Block,
	blockHash,
	decodeBlock,
	encodeBlock,
	headerFields,
	MAX_GENESIS_BYTES,
} from "../../../src/block/block.js";
import { certificateFields } from "../../../src/block/certificate.js";
import { MAX_MEMBERS } from "../../../src/block/fieldShapes.js";
import type { ConfirmTransaction, RefoundTransaction } from "../../../src/block/kinds/founding.js";
import { transactionId } from "../../../src/block/transaction.js";
import {
	decodeProposal,
	encodeProposal,
	encodeTransaction,
	MAX_PROPOSAL_BYTES,
} from "../../../src/block/transactionCodec.js";
import { checkCertificate } from "../../../src/consensus/certificate.js";
import { slotOf } from "../../../src/contract/countedBlocks.js";
import { executeBlock } from "../../../src/contract/execute.js";
import type { Ledger } from "../../../src/contract/ledger.js";
import { refoundedLedger } from "../../../src/contract/predecessor.js";
import { openProposal, openRefounding } from "../../../src/contract/refounding.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { checkSignatures } from "../../../src/contract/signers.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { isNewcomer } from "../../../src/contract/standing.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { encode } from "../../../src/primitives/codec.js";
import { ZERO_HASH } from "../../../src/primitives/hash.js";
import { blockMsOf, FIRST_MINUTE, signedInvitation, signedJoin, TestNeighbourhood } from "../../support/ledger.js";
import { certifiedBy, confirmOf, refoundedGenesis, refoundOf, signedRefound } from "../../support/refounding.js";
import { rememberingVerifier as verifier } from "../../support/rememberedSignatures.js";
import { foundedFor, play, scenario } from "../../support/scenario.js";

const M = FIRST_MINUTE;

/** Five households; 0 sells to 1, one minute has settled, and of the next one the buyer's reading is missing. */
function street(name = "Solbakken"): TestNeighbourhood {
	const made = new TestNeighbourhood(5, { name });
	made.giveTokens(1, 1_000_000);
	made.contractBetween(0, 1);
	made.block(made.head.timestampMs + 1, [made.act("offer", 2), made.act("buy", 3)]);
	made.minute(M, [made.reading(0, M, 0, 30), made.reading(1, M, 20, 0)]);
	made.minute(M + 1, [made.reading(0, M + 1, 0, 30), made.reading(1, M + 1, 20, 0)]);
	made.minute(M + 2, [made.reading(0, M + 2, 0, 30)]);
	return made;
}

const old = street();
const confirms = (refound: RefoundTransaction, members = [0, 1, 2, 3]) =>
	members.map((member) => confirmOf(refound, member));

function opened(genesis: Block): Ledger {
	const ledger = openRefounding(genesis, verifier, checkCertificate);
	if (!ledger.ok) throw new Error(JSON.stringify(ledger.error));
	return ledger.value;
}

const outcome = (genesis: Block) => {
	const ledger = openRefounding(genesis, verifier, checkCertificate);
	return ledger.ok ? "opened" : ledger.error;
};

describe("a neighbourhood that is founded again", () => {
	const refound = refoundOf(old);
	const genesis = refoundedGenesis(refound, confirms(refound));
	const ledger = opened(genesis);

	it("begins with block 0 of a chain of its own, from its bytes alone", () => {
		const decoded = decodeBlock(encodeBlock(genesis), ZERO_HASH);
		if (!decoded.ok) throw new Error(decoded.error.code);
		expect(opened(decoded.value)).toEqual(ledger);
		expect(ledger).toMatchObject({ gridId: blockHash(genesis), index: 0, voters: [0], votersSinceIndex: 0 });
		expect(ledger.gridId).not.toEqual(old.ledger.gridId);
	});

	it("keeps balances, contracts, offers, orders, what was read and settled, to the last µNOK and Wh", () => {
		const { households, devices, contracts, liveContracts, offers, orders, counted, issuedMicroNok } = ledger;
		expect({ households, devices, contracts, liveContracts, counted, issuedMicroNok }).toEqual({
			households: old.ledger.households,
			devices: old.ledger.devices,
			contracts: old.ledger.contracts,
			liveContracts: old.ledger.liveContracts,
			counted: old.ledger.counted,
			issuedMicroNok: old.ledger.issuedMicroNok,
		});
		expect([...offers, ...orders]).toEqual([...old.ledger.offers, ...old.ledger.orders]);
		expect([offers.size, orders.size, liveContracts.length]).toEqual([1, 1, 1]);
		expect(ledger.households[0]?.balanceMicroNok).toBe(20_000);
		expect({ ...ledger.parameters, salt: old.ledger.parameters.salt }).toEqual(old.ledger.parameters);
	});

	it("says which chain and block it goes on from, and who has not confirmed yet", () => {
		expect(ledger.predecessor).toEqual({
			gridId: old.ledger.gridId,
			index: old.head.index,
			hash: blockHash(old.head),
			proposal: transactionId(refound, ZERO_HASH),
			unconfirmed: [4],
		});
		const { leaves } = snapshotOf(ledger, NO_RESULTS);
		expect(openSnapshot({ ...ledger, gridId: ZERO_HASH }, leaves)).toEqual({
			ok: true,
			value: { ...ledger, gridId: ZERO_HASH },
		});
	});

	/** The new chain as a street of its own. */
	function newStreet(): TestNeighbourhood {
		const next = street();
		next.ledger = ledger;
		next.blocks.splice(0, next.blocks.length, genesis);
		return next;
	}

	it("settles the minute whose reading was missing once it is there, and no minute twice", () => {
		const next = newStreet();
		next.minute(M + 60);
		const again = next.reading(1, M + 1, 20, 0);
		expect(next.refusal(blockMsOf(M + 61), [again])).toEqual({ code: "duplicate-reading", member: 1, minute: M + 1 });
		const { results } = next.minute(M + 61, [next.reading(1, M + 2, 10, 0)]);
		expect(results.settled.map(({ minute, deliveries }) => [minute, deliveries[0]?.energyWh])).toEqual([[M + 2, 10]]);
		expect(next.balances()).toEqual([30_000, 970_000, 0, 0, 0]);
	});

	it("lets a household confirm later, once, under the new chain's id", () => {
		const next = newStreet();
		const late = confirmOf(refound, 4, { gridId: ledger.gridId });
		expect(next.refusal(blockMsOf(M + 60), [confirmOf(refound, 3, { gridId: ledger.gridId })])).toEqual({
			code: "already-confirmed",
			member: 3,
		});
		expect(checkSignatures(ledger, confirmOf(refound, 4), verifier)).toEqual({
			code: "bad-signature",
			kind: "confirm",
		});
		expect(checkSignatures(ledger, confirmOf(refound, 4, { signer: 3, gridId: ledger.gridId }), verifier)).toEqual({
			code: "bad-signature",
			kind: "confirm",
		});
		next.minute(M + 60, [late]);
		expect(next.ledger.predecessor?.unconfirmed).toEqual([]);
		expect(next.refusal(blockMsOf(M + 61), [late])).toEqual({ code: "already-confirmed", member: 4 });
		expect(old.refusal(blockMsOf(M + 61), [late])).toEqual({ code: "confirmation-for-another", member: 4 });
	});

	it("has an operator: the old one, or whoever proposed it where no operator goes over", () => {
		const byNeighbour = refoundOf(old, { member: 1, voters: [1] });
		const operators = (members: number[]) =>
			opened(refoundedGenesis(byNeighbour, confirms(byNeighbour, members))).households.flatMap(({ index, operator }) =>
				operator ? [index] : [],
			);
		expect(operators([1, 2, 3, 4])).toEqual([0, 1]);
		expect(operators([0, 1, 2, 3])).toEqual([0]);
	});

	it("gives all seven days again for what an operator has given notice of", () => {
		const noticed = street();
		noticed.block(noticed.head.timestampMs + 1, [
			noticed.rebinding(3, "new words"),
			noticed.act("remove", 0, { household: 4 }),
		]);
		noticed.pass(10_000);
		noticed.minute(M + 60);
		const proposal = refoundOf(noticed);
		const next = opened(refoundedGenesis(proposal, confirms(proposal)));
		expect(next.countedTotal).toBe(0);
		expect(next.households.map(({ notice }) => notice)).toMatchObject([
			undefined,
			undefined,
			undefined,
			{ kind: "rebind", countedTotal: 10_081 },
			{ kind: "remove", countedTotal: 10_081 },
		]);
	});

	it("has the same founders, and newcomers are what they were", () => {
		const made = street();
		const invited = signedInvitation(made.ledger.gridId);
		made.block(made.head.timestampMs + 1, [signedJoin(5, made.ledger.gridId, {}, invited)]);
		const next = refoundOf(made);
		const ledger = opened(refoundedGenesis(next, confirms(next)));
		expect(ledger.households.map((household) => isNewcomer(ledger, household))).toEqual(
			made.ledger.households.map(({ index }) => index === 5),
		);
	});

	it("is not proposed by who moves out: it might have to be the operator", () => {
		const made = street();
		made.block(made.head.timestampMs + 1, [made.act("remove", 0, { household: 4 })]);
		made.passNotice();
		made.block(made.head.timestampMs + 1);
		const next = refoundOf(made, { member: 4 });
		const opened = openProposal(next, verifier, checkCertificate);
		expect(opened).toMatchObject({ ok: false, error: { code: "unknown-member", member: 4 } });
	});

	it("keeps what the first chain was founded on, however often it is founded again, and adds nothing to an older one", () => {
		const terms = {
			localTime: { offsetMinutes: 0, summerTime: false },
			market: { choice: "balance", intervalMinutes: 5, buysUnderContract: true },
		} as const;
		const told = new TestNeighbourhood(5, { terms });
		told.minute(M);
		const first = refoundOf(told);
		told.ledger = opened(refoundedGenesis(first, confirms(first)));
		expect(told.ledger.parameters.terms).toEqual(terms);
		told.blocks.splice(0, told.blocks.length, refoundedGenesis(first, confirms(first)));
		told.minute(M + 60);
		const second = refoundOf(told);
		expect(opened(refoundedGenesis(second, confirms(second))).parameters.terms).toEqual(terms);
		expect(ledger.parameters.terms).toBeUndefined();
	});

	it("keeps credit lines and what is to be paid, and nets the month that turned while the chain stood still", () => {
		const credited = new TestNeighbourhood(5, { moneyKind: "monthly" });
		for (const household of [1, 2]) {
			const line = credited.act("credit", 0, { household, creditMicroNok: 1_000_000 });
			credited.block(credited.head.timestampMs + 1, [line]);
		}
		const buys = (minute: number) => {
			credited.contractBetween(0, 1, { fromMinute: minute, untilMinute: minute + 1 });
			credited.minute(minute, [credited.reading(0, minute, 0, 30), credited.reading(1, minute, 20, 0)]);
		};
		buys(M + 1);
		const [march, april] = [Date.UTC(2025, 2, 1), Date.UTC(2025, 3, 1)];
		credited.block(march);
		buys(march / 60_000 + 1);
		const before = credited.ledger;
		const again = refoundOf(credited, { timestampMs: april });
		const begun = refoundedGenesis(again, confirms(again));
		credited.ledger = opened(begun);
		expect(credited.ledger.households).toEqual(before.households);
		expect([credited.ledger.demands, credited.ledger.nettedMonth]).toEqual([before.demands, before.nettedMonth]);
		credited.blocks.splice(0, credited.blocks.length, begun);
		credited.block(april + 1);
		expect([...credited.ledger.demands.values()].map(({ amountMicroNok }) => amountMicroNok)).toEqual([20_000, 20_000]);
		expect([...credited.ledger.locks.values()].map(({ amountMicroNok }) => amountMicroNok)).toEqual([20_000, 20_000]);
	});

	it("can be founded again itself", () => {
		const next = newStreet();
		next.minute(M + 60);
		const second = refoundOf(next);
		const again = opened(refoundedGenesis(second, confirms(second, [0, 1, 2, 4])));
		expect(again.predecessor).toMatchObject({ gridId: ledger.gridId, index: 1, unconfirmed: [3] });
		expect(again.households).toEqual(next.ledger.households);
	});

	it("settles as if nothing had happened: the same blocks make the same ledger in both chains", () => {
		let settled = 0;
		const same = fc.property(scenario, fc.nat(), (story, cut) => {
			const all = [...play(story)];
			const at = cut % all.length;
			const before = all[at];
			if (before === undefined) throw new Error("there is a block");
			const { block, executed } = before;
			const timestampMs = block.timestampMs + 1;
			const { blockIntervalMs } = story;
			// The genesis takes no interval's place, and no block's time.
			fc.pre(slotOf(timestampMs, blockIntervalMs) === slotOf(block.timestampMs, blockIntervalMs));
			fc.pre(all[at + 1]?.block.timestampMs !== timestampMs);
			const { gridId } = foundedFor(story).ledger;
			const from = { ledger: executed.ledger, header: block, hash: blockHash(block) };
			const { voters, parameters } = executed.ledger;
			const proposed = { ...refoundOf(old), timestampMs, voters, salt: parameters.salt };
			// Under the old id: the acts that follow name offers and contracts by ids that it is part of.
			let continued: Ledger = { ...refoundedLedger(from, proposed, ZERO_HASH, []), gridId };
			let original = executed.ledger;
			for (const [index, { block: next }] of all.slice(at + 1).entries()) {
				const frame = { index: index + 1, previousHash: next.previousHash, timestampMs: next.timestampMs };
				const [one, other] = [
					executeBlock(continued, frame, next.transactions),
					executeBlock(original, next, next.transactions),
				];
				if (!one.ok || !other.ok) throw new Error("both chains take the block");
				expect(one.value.results).toEqual(other.value.results);
				settled += one.value.results.settled.length;
				continued = one.value.ledger;
				original = other.value.ledger;
			}
			// Of another key there is notice for as long as if it had begun with the new chain.
			const besidesNotices = ({ households }: Ledger) => households.map(({ notice: _, ...rest }) => rest);
			expect(besidesNotices(continued)).toEqual(besidesNotices(original));
			const parts = [
				"contracts",
				"offers",
				"orders",
				"locks",
				"counted",
				"corrections",
				"claims",
				"bank",
				"moneyProposal",
				"issuedMicroNok",
			] as const;
			for (const part of parts) expect(continued[part]).toEqual(original[part]);
			expect(continued.paidOutMicroNok).toBe(original.paidOutMicroNok);
		});
		fc.assert(same, { numRuns: 10 });
		// Lives in which enough settles: what follows is not left to chance.
		fc.assert(same, { numRuns: 20, seed: 12 });
		expect(settled).toBeGreaterThan(40);
	});
});

describe("who founds a neighbourhood again", () => {
	const refound = refoundOf(old);

	it("is more than two thirds of the households: of five four, not three", () => {
		expect(outcome(refoundedGenesis(refound, confirms(refound, [0, 1, 2, 4])))).toBe("opened");
		expect(outcome(refoundedGenesis(refound, confirms(refound, [0, 1, 2])))).toEqual({
			code: "too-few-confirmations",
			confirmed: 3,
			households: 5,
		});
	});

	it("is nobody without its proposer, and without whoever is to vote", () => {
		expect(outcome(refoundedGenesis(refound, confirms(refound, [1, 2, 3, 4])))).toEqual({
			code: "confirmation-needed",
			member: 0,
		});
		const voting = refoundOf(old, { voters: [0, 2, 4] });
		expect(outcome(refoundedGenesis(voting, confirms(voting, [0, 1, 2, 3])))).toEqual({
			code: "confirmation-needed",
			member: 4,
		});
		expect(outcome(refoundedGenesis(voting, confirms(voting, [0, 2, 3, 4])))).toBe("opened");
	});

	const other = refoundOf(old, { salt: new Uint8Array(16).fill(8) });
	const replaced = (by: ConfirmTransaction) => [...confirms(refound, [0, 1, 2]), by];
	it.each<[string, ConfirmTransaction[], object]>([
		["forged", replaced(confirmOf(refound, 3, { signer: 2 })), { code: "bad-signature", kind: "confirm" }],
		[
			"of another neighbourhood",
			replaced(confirmOf(refound, 3, { gridId: old.ledger.gridId })),
			{ code: "bad-signature" },
		],
		["given twice", replaced(confirmOf(refound, 2)), { code: "confirmation-repeated", member: 2 }],
		["out of order", confirms(refound, [1, 0, 2, 3]), { code: "confirmation-repeated", member: 0 }],
		["of another proposal", replaced(confirmOf(other, 3)), { code: "confirmation-for-another", member: 3 }],
		["of a stranger", replaced(confirmOf(refound, 7)), { code: "unknown-member", member: 7 }],
	])("is not found by a confirmation that is %s", (_, given, error) => {
		expect(outcome(refoundedGenesis(refound, given))).toMatchObject(error);
	});

	it("is closed by the proposer: of one proposal and the same confirmations nobody else makes a genesis", () => {
		const given = confirms(refound);
		const seal = { code: "bad-genesis", what: "seal" };
		expect(outcome(refoundedGenesis(refound, given, 1))).toEqual(seal);
		const genesis = refoundedGenesis(refound, given);
		const more = confirms(refound, [0, 1, 2, 3, 4]);
		const sealed = genesis.transactions.at(-1);
		if (sealed === undefined) throw new Error("there is a seal");
		expect(outcome({ ...genesis, transactions: [refound, ...more, sealed] })).toEqual(seal);
		expect(outcome({ ...genesis, transactions: [refound, ...given] })).toMatchObject({ what: "transactions" });
		expect(outcome({ ...genesis, transactions: [refound, ...given, ...given.slice(0, 1), sealed] })).toMatchObject({
			code: "confirmation-repeated",
		});
		expect(outcome({ ...genesis, transactions: [sealed, ...given, refound] })).toMatchObject({ what: "transactions" });
	});
});

describe("a proposal by itself", () => {
	it("comes back from its bytes, and nothing else is one", () => {
		const refound = refoundOf(old);
		const decoded = decodeProposal(encodeProposal(refound));
		if (!decoded.ok) throw new Error(decoded.error.code);
		expect(toHex(encodeProposal(decoded.value))).toBe(toHex(encodeProposal(refound)));
		expect(decodeProposal(encodeTransaction(confirmOf(refound, 1)))).toMatchObject({ error: { code: "bad-shape" } });
		expect(decodeProposal(new Uint8Array(MAX_PROPOSAL_BYTES + 1))).toMatchObject({ error: { code: "too-long" } });
		expect(MAX_PROPOSAL_BYTES + MAX_MEMBERS * encodeTransaction(confirmOf(refound, 1)).length).toBeLessThan(
			MAX_GENESIS_BYTES - 1_024,
		);
	});
});

describe("a proposal to found a neighbourhood again is refused", () => {
	const good = refoundOf(old);
	const { predecessor } = good;
	const outcomeOf = (changed: RefoundTransaction) => {
		const genesis = refoundedGenesis(good, confirms(good));
		const given = confirms(changed);
		return outcome({
			...genesis,
			timestampMs: changed.timestampMs,
			transactions: [changed, ...given, ...genesis.transactions.slice(-1)],
		});
	};
	const withState = (change: Partial<RefoundTransaction["predecessor"]>) =>
		signedRefound({ ...good, predecessor: { ...predecessor, ...change } });
	const certificate = (voters: number[], head: Block = old.head, gridId = old.ledger.gridId) =>
		encode(certificateFields(certifiedBy(voters, head, gridId)));
	const elsewhere = street("Furulia");

	it.each<[string, () => RefoundTransaction, object]>([
		[
			"with leaves of another state",
			() => withState({ leaves: snapshotOf(elsewhere.ledger, elsewhere.results.at(-1) ?? NO_RESULTS).leaves }),
			{ code: "manifest-differs-from-state-root" },
		],
		[
			"with a leaf left out",
			() => withState({ leaves: predecessor.leaves.slice(0, -1) }),
			{ code: "manifest-differs-from-state-root" },
		],
		[
			"from another neighbourhood's block",
			() => withState({ ...refoundOf(elsewhere).predecessor, gridId: old.ledger.gridId }),
			{ code: "snapshot-of-another-neighbourhood" },
		],
		[
			"under another genesis time",
			() => withState({ genesisTimestampMs: predecessor.genesisTimestampMs + 1 }),
			{ code: "bad-snapshot" },
		],
		[
			"from a block that too few voters signed",
			() => withState({ certificate: certificate([0, 1]) }),
			{ code: "predecessor-not-certified", cause: "certificate-without-majority" },
		],
		[
			"from a block that was signed for another neighbourhood",
			() => withState({ certificate: certificate([0, 1, 2], old.head, elsewhere.ledger.gridId) }),
			{ code: "predecessor-not-certified", cause: "certificate-bad-signature" },
		],
		[
			"with another block's certificate",
			() => withState({ certificate: certificate([0, 1, 2], old.blocks[2]) }),
			{ code: "bad-predecessor", what: "certificate" },
		],
		["without a header", () => withState({ header: encode([1, 2]) }), { code: "bad-predecessor", what: "header" }],
		[
			"with another header",
			() => withState({ header: encode(headerFields({ ...old.head, term: 7 })) }),
			{ code: "bad-predecessor", what: "certificate" },
		],
		["in bytes that are none", () => withState({ certificate: Uint8Array.of(0xff) }), { what: "certificate" }],
		[
			"that begins before the old chain ends",
			() => signedRefound({ ...good, timestampMs: old.head.timestampMs }),
			{ code: "bad-predecessor", what: "timestamp" },
		],
		["by a stranger", () => signedRefound({ ...good, member: 9 }), { code: "unknown-member", member: 9 }],
		["in another's name", () => signedRefound(good, 1), { code: "bad-genesis", what: "proposer-signature" }],
		["with two voters", () => signedRefound({ ...good, voters: [0, 1] }), { code: "refounding-voters", voters: 2 }],
		["with none", () => signedRefound({ ...good, voters: [] }), { code: "refounding-voters", voters: 0 }],
		["with one twice", () => signedRefound({ ...good, voters: [0, 1, 1] }), { code: "refounding-voters", voters: 3 }],
		["with an unknown device", () => signedRefound({ ...good, voters: [9] }), { code: "unknown-device", device: 9 }],
	])("%s", (_, changed, error) => {
		expect(outcomeOf(changed())).toMatchObject(error);
	});

	it("with a device that its household took out of use, or two of one household", () => {
		const busy = street();
		busy.block(busy.head.timestampMs + 1, [busy.admission(1, "second"), busy.act("revoke", 2, { device: 2 })]);
		const result = (voters: number[]) => {
			const proposed = refoundOf(busy, { voters });
			try {
				refoundedGenesis(proposed, confirms(proposed));
			} catch (error) {
				return String(error);
			}
			return "opened";
		};
		expect(result([2])).toContain('"unknown-device","device":2');
		expect(result([0, 1, 5])).toContain('"household-votes-already","member":1');
		expect(result([0, 3, 5])).toBe("opened");
	});

	it("from a genesis: nothing was agreed upon there", () => {
		const fresh = new TestNeighbourhood(5);
		fresh.results.push(NO_RESULTS);
		expect(() => refoundedGenesis(refoundOf(fresh), [])).toThrow('"bad-predecessor","what":"certificate"');
	});
});
