import { describe, expect, it } from "vitest";
import { awaitedHouseholds } from "../../../src/contract/money.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { FIRST_MINUTE, signedInvitation, signedJoin, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const REASON = "We share one meter, and the utility bills the association.";
const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;

/** Three households that play with money; the second has 5 kr of it. */
function trial(parameters: ConstructorParameters<typeof TestNeighbourhood>[1] = {}): TestNeighbourhood {
	const street = new TestNeighbourhood(3, { moneyKind: "trial", ...parameters });
	street.giveTokens(1, 5_000_000);
	return street;
}

function propose(street: TestNeighbourhood, member = 0): Uint8Array {
	const act = street.act("money", member, { proposed: { moneyKind: "prepaid", reason: REASON } });
	street.block(soon(street), [act]);
	return street.id(act);
}

function confirm(street: TestNeighbourhood, proposalId: Uint8Array, ...members: number[]): void {
	street.block(
		soon(street),
		members.map((member) => street.act("moneyConfirm", member, { proposalId })),
	);
}

/** Who has not agreed, by member index. */
const awaited = ({ ledger }: TestNeighbourhood) =>
	ledger.moneyProposal && awaitedHouseholds(ledger, ledger.moneyProposal).map(({ index }) => index);
const isReal = ({ ledger }: TestNeighbourhood) => ledger.parameters.moneyKind !== "trial";

function join(street: TestNeighbourhood): void {
	street.block(soon(street), [signedJoin(5, street.ledger.gridId, {}, signedInvitation(street.ledger.gridId))]);
}

describe("tokens that are worth NOK", () => {
	it("come when every household has agreed to the operator's proposal, which is the operator's own yes", () => {
		const street = trial();
		const proposalId = propose(street);
		expect(awaited(street)).toEqual([1, 2]);
		confirm(street, proposalId, 1);
		expect([awaited(street), isReal(street)]).toEqual([[2], false]);
		confirm(street, proposalId, 2);
		expect(isReal(street)).toBe(true);
		expect(street.ledger.parameters.moneyKind).toBe("prepaid");
		expect(street.ledger.moneyProposal).toMatchObject({ member: 0, reason: REASON, fromMinute: M + 1 });
		expect(street.ledger.operatorRecord?.map(({ kind, texts }) => [kind, ...texts])).toEqual([
			["money", "prepaid", REASON],
			["realMoney", "prepaid"],
		]);
	});

	it("are proposed by an operator that may act, and never again once they are there", () => {
		const street = trial();
		expect(street.refusal(soon(street), [street.act("money", 1)])).toEqual({ code: "not-operator" });
		confirm(street, propose(street), 1, 2);
		expect(street.refusal(soon(street), [street.act("money", 0)])).toEqual({ code: "money-is-real" });
		expect(street.refusal(soon(street), [street.act("moneyConfirm", 1)])).toEqual({ code: "money-is-real" });
		const founded = new TestNeighbourhood(3);
		expect(founded.refusal(soon(founded), [founded.act("money", 0)])).toEqual({ code: "money-is-real" });
	});

	it("wait for another yes of everybody where something else is proposed", () => {
		const street = trial();
		const first = propose(street);
		confirm(street, first, 1);
		const second = propose(street);
		expect(awaited(street)).toEqual([1, 2]);
		expect(street.refusal(soon(street), [street.act("moneyConfirm", 2, { proposalId: first })])).toEqual({
			code: "unknown-money-proposal",
		});
		confirm(street, second, 2);
		expect(street.refusal(soon(street), [street.act("moneyConfirm", 2, { proposalId: second })])).toEqual({
			code: "money-confirmed-already",
		});
		confirm(street, second, 1);
		expect(isReal(street)).toBe(true);
	});

	it("do not come where an operator takes the proposal back", () => {
		const street = trial();
		const takeBack = () => street.act("money", 0, { proposed: undefined });
		expect(street.refusal(soon(street), [takeBack()])).toEqual({ code: "unknown-money-proposal" });
		const proposalId = propose(street);
		street.block(soon(street), [takeBack()]);
		expect(street.ledger.moneyProposal).toBeUndefined();
		expect(street.refusal(soon(street), [street.act("moneyConfirm", 1, { proposalId })])).toEqual({
			code: "unknown-money-proposal",
		});
		expect(street.ledger.operatorRecord?.map(({ kind, isGiven }) => [kind, isGiven])).toEqual([
			["money", true],
			["money", false],
		]);
	});

	it("wait for a household that has joined meanwhile, and not for one that moves out", () => {
		const street = trial();
		const proposalId = propose(street);
		street.minute(M);
		join(street);
		confirm(street, proposalId, 1, 2);
		expect([awaited(street), isReal(street)]).toEqual([[3], false]);
		// It came with an invitation just now, and so it goes at once.
		street.block(soon(street), [street.act("remove", 0, { household: 3 })]);
		expect([awaited(street), isReal(street)]).toEqual([[], true]);
	});

	it("wait for a suspended household, which cannot agree: nobody gets round it so", () => {
		const street = trial();
		const proposalId = propose(street);
		street.block(soon(street), [street.act("suspend", 0, { household: 2 })]);
		confirm(street, proposalId, 1);
		expect([awaited(street), isReal(street)]).toEqual([[2], false]);
		expect(street.refusal(soon(street), [street.act("moneyConfirm", 2, { proposalId })])).toEqual({
			code: "suspended",
		});
		street.block(soon(street), [street.act("suspend", 0, { household: 2, suspended: false })]);
		confirm(street, proposalId, 2);
		expect(isReal(street)).toBe(true);
	});
});

describe("when tokens come to be worth NOK", () => {
	it("trial kroner, orders and what was to be paid out are void, and nothing counts as issued", () => {
		const street = trial();
		street.giveTokens(2, 7_000_000);
		// The third household moves out, and what it has is locked.
		street.block(soon(street), [street.voters([], [2])]);
		street.block(soon(street), [street.act("leave", 2), street.act("buy", 1)]);
		expect([street.ledger.locks.size, street.ledger.orders.size]).toEqual([1, 1]);
		confirm(street, propose(street), 1);
		expect(street.balances()).toEqual([0, 0, 0]);
		expect([street.ledger.locks.size, street.ledger.orders.size]).toEqual([0, 0]);
		expect(street.ledger).toMatchObject({ issuedMicroNok: 0, paidOutMicroNok: 0 });
		expect(street.household(2).removal?.completed).toBe(true);
		street.giveTokens(1, 1_000_000);
		expect(street.balances()).toEqual([0, 1_000_000, 0]);
		expect(street.refusal(soon(street), [street.act("redeem", 1, { amountMicroNok: 1_000_000 })])).toBeUndefined();
	});

	it("contracts and offers of the trial end, and minutes of the trial are never paid with them", () => {
		const street = trial();
		street.contractBetween(0, 1);
		street.block(soon(street), [street.act("offer", 2)]);
		street.minute(M, []);
		street.minute(M + 1, [street.reading(0, M + 1, 0, 50)]);
		// The buyer's reading of M + 1 is still out.
		const proposalId = propose(street);
		confirm(street, proposalId, 1, 2);
		expect(street.contract(0)).toMatchObject({ untilMinute: M + 3, ended: true, deliveredWh: 0 });
		expect([street.ledger.liveContracts, street.ledger.offers.size]).toEqual([[], 0]);
		street.giveTokens(1, 5_000_000);
		street.minute(M + 2, [street.reading(1, M + 1, 50, 0), street.reading(1, M + 2, 50, 0)]);
		street.minute(M + 3, [street.reading(0, M + 2, 0, 50)]);
		expect(street.balances()).toEqual([0, 5_000_000, 0]);
		expect(street.household(1)).toMatchObject({ boughtWh: 0, utilityImportWh: 100 });
		expect(street.household(0)).toMatchObject({ soldWh: 0, utilityExportWh: 100 });
		// What is agreed upon now is paid.
		street.contractBetween(0, 1);
		street.minute(M + 5, [street.reading(1, M + 5, 50, 0), street.reading(0, M + 5, 0, 50)]);
		expect(street.balances()).toEqual([50_000, 4_950_000, 0]);
	});

	it("what neighbours owe one another is void, and minutes of the trial are never put right with money", () => {
		const street = trial({ settlementGraceBlocks: 0 });
		for (let minute = M; minute < M + 4; minute++) street.minute(minute);
		const period = { counterparty: 2, fromMinute: M, untilMinute: M + 2 };
		const agreed = street.act("correct", 1, { ...period, amountMicroNok: 6_000_000, isPayer: true });
		const open = street.act("correct", 1, { ...period, amountMicroNok: 7, isPayer: true });
		const answer = street.act("answer", 2, { correctionId: street.id(agreed), isAgreed: true });
		street.block(soon(street), [agreed, open, answer]);
		expect([street.ledger.claims.size, street.ledger.corrections.size]).toEqual([1, 1]);
		confirm(street, propose(street), 1, 2);
		expect([street.ledger.claims.size, street.ledger.corrections.size]).toEqual([0, 0]);
		street.giveTokens(1, 5_000_000);
		expect(street.balances()).toEqual([0, 5_000_000, 0]);
		const { fromMinute = 0 } = street.ledger.moneyProposal ?? {};
		for (let minute = M + 4; minute < M + 8; minute++) street.minute(minute);
		const late = street.act("correct", 1, { ...period, fromMinute: fromMinute - 1, untilMinute: fromMinute + 1 });
		expect(street.refusal(soon(street), [late])).toEqual({ code: "period-of-trial", fromMinute });
		const since = street.act("correct", 1, { ...period, fromMinute, untilMinute: fromMinute + 1 });
		expect(street.refusal(soon(street), [since])).toBeUndefined();
	});

	it("simulated readings settle no more", () => {
		const street = trial();
		const trade = (minute: number) =>
			street.minute(minute, [
				street.reading(0, minute, 0, 50, "simulated"),
				street.reading(1, minute, 50, 0, "simulated"),
			]);
		street.contractBetween(0, 1);
		trade(M + 1);
		expect(street.household(1).boughtWh).toBe(50);
		confirm(street, propose(street), 1, 2);
		street.giveTokens(1, 5_000_000);
		street.contractBetween(0, 1);
		trade(M + 4);
		expect(street.household(1).boughtWh).toBe(50);
		expect(street.balances()).toEqual([0, 5_000_000, 0]);
	});

	it("nobody trades by itself before it says so again, and what waited goes to the utility", () => {
		const market = { choice: "midMarket", intervalMinutes: 5, buysUnderContract: false } as const;
		const localTime = { offsetMinutes: 60, summerTime: true };
		const street = trial({ terms: { localTime, market } });
		const all = () => [0, 1].map((member) => street.act("limits", member));
		street.block(soon(street), all());
		const first = street.ledger.market?.matchedUntilMinute ?? 0;
		const trade = (minute: number) =>
			street.minute(minute, [street.reading(0, minute, 0, 50), street.reading(1, minute, 50, 0)]);
		trade(first);
		trade(first + 1);
		expect(street.household(1).open).toHaveLength(1);
		confirm(street, propose(street), 1, 2);
		expect(street.household(1)).toMatchObject({ open: [], trading: [], utilityImportWh: 100 });
		expect(street.ledger.market?.matchedUntilMinute).toBe(first + 5);
		street.giveTokens(1, 5_000_000);
		for (let minute = first + 2; minute < first + 10; minute++) trade(minute);
		expect(street.household(1)).toMatchObject({ boughtWh: 0, utilityImportWh: 500 });
		street.block(soon(street), all());
		for (let minute = first + 10; minute < first + 20; minute++) trade(minute);
		expect(street.household(1).boughtWh).toBeGreaterThan(0);
	});
});

describe("in the state, a proposal of tokens worth NOK", () => {
	it("is a leaf that is there only once there was one, and comes out as it was", () => {
		const street = trial();
		const leavesOf = () => snapshotOf({ ...street.ledger, operatorRecord: undefined }, NO_RESULTS).leaves.length;
		const before = leavesOf();
		const proposalId = propose(street);
		expect(leavesOf()).toBe(before + 1);
		confirm(street, proposalId, 1);
		for (const members of [[], [2]]) {
			confirm(street, proposalId, ...members);
			const opened = openSnapshot(street.ledger, snapshotOf(street.ledger, NO_RESULTS).leaves);
			expect(opened.ok && opened.value.moneyProposal).toEqual(street.ledger.moneyProposal);
			expect(opened.ok && stateRoot(opened.value, NO_RESULTS)).toEqual(stateRoot(street.ledger, NO_RESULTS));
		}
	});

	it("comes to a device that knows nothing but the genesis with the kind of money that holds", () => {
		const street = trial();
		const { ledger: founded } = new TestNeighbourhood(3, { moneyKind: "trial" });
		confirm(street, propose(street), 1, 2);
		const genesis = { ...founded, gridId: street.ledger.gridId };
		const opened = openSnapshot(genesis, snapshotOf(street.ledger, NO_RESULTS).leaves);
		expect(opened.ok && opened.value.parameters.moneyKind).toBe("prepaid");
	});

	it("names members only", () => {
		const street = trial();
		propose(street);
		const { moneyProposal } = street.ledger;
		for (const change of [{ member: 3 }, { confirmed: [0, 3] }]) {
			const damaged = { ...street.ledger, moneyProposal: moneyProposal && { ...moneyProposal, ...change } };
			const opened = openSnapshot(street.ledger, snapshotOf(damaged, NO_RESULTS).leaves);
			expect(opened).toEqual({ ok: false, error: { code: "inconsistent-snapshot", what: "references" } });
		}
	});
});
