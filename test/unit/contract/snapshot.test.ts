import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { executeBlock } from "../../../src/contract/execute.js";
import type { Ledger } from "../../../src/contract/ledger.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, type SnapshotError, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { type CborValue, decode, encode } from "../../../src/primitives/codec.js";
import { blockMsOf, FIRST_MINUTE, signedInvitation, signedJoin, TestNeighbourhood } from "../../support/ledger.js";
import { foundedFor, play, scenario } from "../../support/scenario.js";

// Lives here are half an hour long: notices are over in a minute.
vi.mock(import("../../../src/primitives/units.js"), async (units) => ({
	...(await units()),
	HOUSEHOLD_NOTICE_MINUTES: 1,
}));

const M = FIRST_MINUTE;

function reopened(genesis: Ledger, ledger: Ledger): Ledger {
	const opened = openSnapshot(genesis, snapshotOf(ledger, NO_RESULTS).leaves);
	if (!opened.ok) throw new Error(JSON.stringify(opened.error));
	return opened.value;
}

/** With the orders of its maps, which count. */
const inOrder = (ledger: Ledger) => ({
	...ledger,
	offers: [...ledger.offers],
	orders: [...ledger.orders],
	locks: [...ledger.locks],
	corrections: [...ledger.corrections],
	claims: [...ledger.claims],
	usedInvitations: [...ledger.usedInvitations],
});

/** A street with everything in it. */
function busyStreet(): TestNeighbourhood {
	const street = new TestNeighbourhood(3);
	street.giveTokens(1, 1_000_000);
	street.contractBetween(0, 1);
	street.block(street.head.timestampMs + 1, [street.act("offer", 0), street.act("buy", 2)]);
	street.block(street.head.timestampMs + 1, [
		signedJoin(5, street.ledger.gridId, {}, signedInvitation(street.ledger.gridId)),
	]);
	street.minute(M);
	street.minute(M + 1, [street.reading(0, M + 1, 0, 5), street.reading(1, M + 1, 5, 0)]);
	street.minute(M + 2, [street.reading(0, M + 2, 0, 5)]);
	return street;
}

/** A block every other minute, and a buyer whose readings wait for its seller's: many runs of everything. */
function gappyStreet(): TestNeighbourhood {
	const street = new TestNeighbourhood(2, { settlementGraceBlocks: 5_000, readingWindowBlocks: 10_000 });
	street.contractBetween(0, 1);
	for (let minute = M + 2; minute < M + 302; minute += 2) street.minute(minute, [street.reading(1, minute, 7, 0)]);
	return street;
}

describe("a snapshot", () => {
	it("opens to the same ledger, on which the following blocks make the same state roots", () => {
		fc.assert(
			fc.property(scenario, fc.nat(), (story, cut) => {
				const genesis = foundedFor(story).ledger;
				const all = [...play(story)];
				const at = cut % all.length;
				const original = all[at]?.executed;
				if (original === undefined) throw new Error("there is a block");
				const { leaves } = snapshotOf(original.ledger, original.results);
				const opened = openSnapshot(genesis, leaves);
				if (!opened.ok) throw new Error(JSON.stringify(opened.error));
				let ledger = opened.value;
				expect(inOrder(ledger)).toEqual(inOrder(original.ledger));
				expect(toHex(stateRoot(ledger, original.results))).toBe(toHex(original.stateRoot));
				for (const { block } of all.slice(at + 1)) {
					const executed = executeBlock(ledger, block, block.transactions);
					if (!executed.ok) throw new Error(executed.error.cause.code);
					expect(toHex(executed.value.stateRoot)).toBe(toHex(block.stateRoot));
					ledger = executed.value.ledger;
				}
			}),
			{ numRuns: 60 },
		);
	});

	it("finds the contracts that are still live, whatever their past", () => {
		const short = scenario.map((story) => ({
			...story,
			firstActs: story.firstActs.map((act) => (act.kind === "offer" ? { ...act, length: 4 } : act)),
		}));
		let finished = 0;
		fc.assert(
			fc.property(short, (story) => {
				const genesis = foundedFor(story).ledger;
				for (const { executed } of play(story)) {
					const { contracts, liveContracts } = executed.ledger;
					expect(reopened(genesis, executed.ledger).liveContracts).toEqual(liveContracts);
					finished += contracts.length - liveContracts.length;
				}
			}),
			{ numRuns: 25 },
		);
		expect(finished).toBeGreaterThan(50);
	});

	it("holds offers, orders, devices, used invitations and a member who joined later", () => {
		const { ledger } = busyStreet();
		expect([ledger.offers.size, ledger.orders.size, ledger.usedInvitations.size]).toEqual([1, 1, 1]);
		expect(ledger.households).toHaveLength(4);
		expect(inOrder(reopened(ledger, ledger))).toEqual(inOrder(ledger));
	});

	it("holds lists that are too long for one leaf: counted blocks, minutes seen, readings that wait", () => {
		const { ledger } = gappyStreet();
		expect(ledger.counted.length).toBeGreaterThan(100);
		expect(ledger.households[1]?.seen.length).toBeGreaterThan(64);
		expect(ledger.households[1]?.pending.length).toBeGreaterThan(64);
		const { leaves } = snapshotOf(ledger, NO_RESULTS);
		const kinds = leaves.slice(1).map((leaf) => {
			const value = decode(leaf, 1_000_000);
			return value.ok && Array.isArray(value.value) ? value.value[0] : undefined;
		});
		expect(kinds).toEqual([
			"history",
			"globals",
			"counted",
			"device",
			"device",
			"household",
			"household",
			"seen",
			"pending",
			"contract",
		]);
		expect(inOrder(reopened(ledger, ledger))).toEqual(inOrder(ledger));
	});

	it("holds what the chain was founded on, and says nothing of it where it was founded before there was any", () => {
		const terms = {
			localTime: { offsetMinutes: 120, summerTime: true },
			market: { choice: "pairwise", intervalMinutes: 10, buysUnderContract: true },
		} as const;
		const told = new TestNeighbourhood(2, { terms });
		told.minute(M);
		// By itself: whoever reads it need not have heard it from the genesis.
		const genesis = { ...told.ledger, parameters: { ...told.ledger.parameters, terms: undefined } };
		expect(reopened(genesis, told.ledger).parameters.terms).toEqual(terms);
		const kinds = (ledger: Ledger) =>
			snapshotOf(ledger, NO_RESULTS)
				.leaves.slice(1)
				.map((leaf) => {
					const decoded = decode(leaf, leaf.length);
					return decoded.ok && Array.isArray(decoded.value) ? decoded.value[0] : undefined;
				});
		expect(kinds(told.ledger)).toContain("terms");
		expect(kinds(busyStreet().ledger)).not.toContain("terms");
	});

	it("forgets an invitation that has expired, which is refused for that from then on", () => {
		const street = busyStreet();
		const again = signedJoin(6, street.ledger.gridId, {}, signedInvitation(street.ledger.gridId));
		expect(street.refusal(blockMsOf(M + 59), [again])).toEqual({ code: "invitation-used" });
		street.minute(M + 59);
		expect(street.ledger.usedInvitations.size).toBe(1);
		street.minute(M + 60);
		expect(street.ledger.usedInvitations.size).toBe(0);
		expect(street.refusal(blockMsOf(M + 61), [again])).toEqual({ code: "invitation-expired", expiryMinute: M + 60 });
	});
});

describe("leaves that no ledger writes", () => {
	const { ledger } = busyStreet();
	const { leaves } = snapshotOf(ledger, NO_RESULTS);
	const open = (given: readonly Uint8Array[], genesis: Ledger = ledger): SnapshotError | "opened" => {
		const opened = openSnapshot(genesis, given);
		return opened.ok ? "opened" : opened.error;
	};
	const fieldsOf = (at: number): CborValue[] => {
		const value = decode(leaves[at] ?? new Uint8Array(), 100_000);
		if (!value.ok || !Array.isArray(value.value)) throw new Error("a leaf");
		return value.value;
	};
	const at = (kind: string, nth = 0) =>
		leaves.flatMap((_, leaf) => (leaf > 0 && fieldsOf(leaf)[0] === kind ? [leaf] : []))[nth] ?? -1;
	const withField = (leaf: number, field: number, value: CborValue) =>
		leaves.map((bytes, each) => (each === leaf ? encode(fieldsOf(leaf).with(field, value)) : bytes));

	it("of another neighbourhood are refused with its grid id", () => {
		const other = new TestNeighbourhood(3, { name: "Another" }).ledger;
		expect(open(leaves, other)).toEqual({ code: "snapshot-of-another-neighbourhood", gridId: ledger.gridId });
	});

	it("are refused by the place where they stand, wherever one is doubled, exchanged or cut short", () => {
		expect(open(leaves)).toBe("opened");
		for (let leaf = 0; leaf < leaves.length; leaf++) {
			const doubled = leaves.flatMap((bytes, each) => (each === leaf ? [bytes, bytes] : [bytes]));
			expect(open(doubled)).toMatchObject({ code: "bad-snapshot" });
			const short = leaves.map((bytes, each) => (each === leaf ? bytes.subarray(0, -1) : bytes));
			expect(open(short)).toEqual({ code: "bad-snapshot", leaf });
		}
		const exchanged = (a: number, b: number) => leaves.with(a, leaves[b] ?? ZERO).with(b, leaves[a] ?? ZERO);
		for (let leaf = 1; leaf + 1 < leaves.length; leaf++) {
			expect(open(exchanged(leaf, leaf + 1))).toMatchObject({ code: "bad-snapshot" });
		}
	});

	it("are refused without history, globals, or one that another refers to", () => {
		const without = (leaf: number) => open(leaves.filter((_, each) => each !== leaf));
		expect(without(at("history"))).toEqual({ code: "bad-snapshot", leaf: leaves.length - 1 });
		expect(without(at("globals"))).toEqual({ code: "bad-snapshot", leaf: leaves.length - 1 });
		expect(without(at("device"))).toEqual({ code: "bad-snapshot", leaf: at("device") });
		expect(without(at("device", 3))).toEqual({ code: "inconsistent-snapshot", what: "references" });
		expect(without(at("household", 3))).toEqual({ code: "inconsistent-snapshot", what: "references" });
		expect(open([])).toEqual({ code: "bad-snapshot", leaf: 0 });
	});

	it("are refused where a field is of another kind or a kind is unknown", () => {
		const household = at("household");
		expect(open(withField(household, 0, "constructor"))).toEqual({ code: "bad-snapshot", leaf: household });
		expect(open(withField(household, 0, 7))).toEqual({ code: "bad-snapshot", leaf: household });
		expect(open(withField(household, 8, -1))).toEqual({ code: "bad-snapshot", leaf: household });
		expect(open(withField(household, 2, ""))).toEqual({ code: "bad-snapshot", leaf: household });
		expect(open(withField(household, 1, 9))).toEqual({ code: "bad-snapshot", leaf: household });
		expect(open(withField(at("contract"), 9, 2))).toEqual({ code: "bad-snapshot", leaf: at("contract") });
	});

	it.each<[string, () => Uint8Array[], string]>([
		["a contract of a stranger", () => withField(at("contract"), 4, 9), "references"],
		["an offer of a stranger", () => withField(at("offer"), 2, 9), "references"],
		["an order of a stranger", () => withField(at("order"), 2, 9), "references"],
		["a device of a stranger", () => withField(at("device"), 2, 9), "references"],
		["a metering device that is not there", () => withField(at("household"), 5, 9), "references"],
		["a voter that is not there", () => withField(at("globals"), 10, [9]), "references"],
		["money that nobody issued", () => withField(at("household"), 8, 1), "money"],
		[
			"a reading of which more was bought than read",
			() => withField(at("household"), 17, [[M + 2, 0, 5, 0, 1, 0]]),
			"readings",
		],
	])("are refused with %s", (_, wrong, what) => {
		expect(open(wrong())).toEqual({ code: "inconsistent-snapshot", what });
	});
});

const ZERO = new Uint8Array();
