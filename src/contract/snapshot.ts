/**
 * A snapshot is the preimages of all leaves of a state root. Opened again they are the ledger, on which the following
 * blocks execute as on the original. What makes a snapshot believable is not looked at here but in `chunks.ts`: that its
 * leaves are those of a certified block's state root.
 */
import * as v from "valibot";
import type { FoundingTerms } from "../block/kinds/founding.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { decode } from "../primitives/codec.js";
import { HASH_BYTES } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { CLAIM_LEAF, CORRECTION_LEAF } from "./correctionLeaves.js";
import {
	BANK_LEAF,
	COUNTED_LEAF,
	GLOBALS_LEAF,
	type Globals,
	HISTORY_LEAF,
	ICE_SERVERS_LEAF,
	KEY_ROTATIONS_LEAF,
	MARKET_LEAF,
	MONEY_LEAF,
	NETTED_MONTH_LEAF,
	OPERATOR_ACT_LEAF,
	PAID_OUT_LEAF,
	PREDECESSOR_LEAF,
	TARIFF_LEAF,
	TERMS_LEAF,
} from "./globalLeaves.js";
import type { Waiting } from "./leafPages.js";
import type {
	BankStatement,
	Claim,
	Contract,
	Correction,
	Demand,
	Device,
	Household,
	Ledger,
	Lock,
	MoneyProposal,
	Offer,
	OperatorAct,
	Order,
	Predecessor,
} from "./ledger.js";
import { isLive } from "./market.js";
import { CONTRACT_LEAF, DEMAND_LEAF, LOCK_LEAF, OFFER_LEAF, ORDER_LEAF } from "./marketLeaves.js";
import {
	CREDIT_LEAF,
	DEVICE_LEAF,
	HOUSEHOLD_LEAF,
	OPEN_LEAF,
	PENDING_LEAF,
	SEEN_LEAF,
	STANDING_LEAF,
	TRADING_LEAF,
} from "./memberLeaves.js";
import { NO_RESULTS, type SettlementResults } from "./settlement.js";
import { stateLeaves } from "./stateRoot.js";

/** By the lists' limits no leaf comes near it. */
export const MAX_LEAF_BYTES = 400 * 1_024;

export interface Snapshot {
	/** Preimages in the order of the root's leaves; the first is the root over the block's settlement results. */
	leaves: Uint8Array[];
}

export type SnapshotError =
	/** Not a leaf that any ledger writes, or not where it stands; `leaf`: which. */
	| { code: "bad-snapshot"; leaf: number }
	/** Leaves that contradict one another. */
	| { code: "inconsistent-snapshot"; what: "references" | "money" | "readings" }
	| { code: "snapshot-of-another-neighbourhood"; gridId: Uint8Array };

/** What a receiver knows from the genesis. */
export type Founded = Pick<Ledger, "gridId" | "parameters" | "genesisTimestampMs">;

/** The whole state after a block. */
export function snapshotOf(ledger: Ledger, results: SettlementResults): Snapshot {
	return { leaves: stateLeaves(ledger, results) };
}

/**
 * The ledger of a snapshot. Strict: leaves that the same ledger would not write again, byte for byte, are refused.
 */
export function openSnapshot(genesis: Founded, leaves: readonly Uint8Array[]): Result<Ledger, SnapshotError> {
	const parts: Parts = {
		devices: [],
		offers: [],
		orders: [],
		demands: [],
		locks: [],
		corrections: [],
		claims: [],
		households: [],
		contracts: [],
		counted: [],
	};
	if (leaves[0]?.length !== HASH_BYTES) return refused({ code: "bad-snapshot", leaf: 0 });
	for (const [at, bytes] of leaves.entries()) {
		if (at > 0 && !takeLeaf(parts, bytes)) return refused({ code: "bad-snapshot", leaf: at });
	}
	const { globals, history } = parts;
	if (globals === undefined || history === undefined) return refused({ code: "bad-snapshot", leaf: leaves.length });
	if (!equalBytes(globals.gridId, genesis.gridId)) {
		return refused({ code: "snapshot-of-another-neighbourhood", gridId: globals.gridId });
	}
	const contradiction = contradictionIn(globals, parts);
	if (contradiction !== undefined) return refused({ code: "inconsistent-snapshot", what: contradiction });
	const ledger = ledgerOf(genesis, globals, { ...parts, history });
	const at = firstDifference(stateLeaves(ledger, NO_RESULTS), leaves);
	return at === undefined ? ok(ledger) : refused({ code: "bad-snapshot", leaf: at });
}

/** What the leaves read so far have given. */
interface Parts {
	history?: Ledger["history"];
	globals?: Globals;
	predecessor?: Predecessor;
	iceServers?: Ledger["iceServers"];
	bank?: BankStatement;
	moneyProposal?: MoneyProposal;
	nettedMonth?: number;
	operatorRecord?: OperatorAct[];
	keyRotations?: Ledger["keyRotations"];
	tariff?: Ledger["tariff"];
	market?: Ledger["market"];
	terms?: FoundingTerms;
	devices: Device[];
	offers: Offer[];
	orders: Order[];
	demands: Demand[];
	locks: Lock[];
	corrections: Correction[];
	claims: Claim[];
	paidOutMicroNok?: number;
	households: Household[];
	contracts: Contract[];
	/** Runs of counted blocks that stand in leaves of their own. */
	counted: (readonly [number, number])[];
}

/** Reads a leaf by its kind; false: it is none. */
function takeLeaf(parts: Parts, bytes: Uint8Array): boolean {
	const decoded = decode(bytes, MAX_LEAF_BYTES);
	if (!decoded.ok || !Array.isArray(decoded.value) || typeof decoded.value[0] !== "string") return false;
	const take = TAKERS[decoded.value[0]];
	return take?.(parts, decoded.value) ?? false;
}

type Taker = (parts: Parts, value: unknown) => boolean;

function taker<T>({ shape }: { shape: v.GenericSchema<unknown, T> }, into: (parts: Parts, read: T) => boolean): Taker {
	return (parts, value) => {
		const shaped = v.safeParse(shape, value, { abortEarly: true });
		return shaped.success && into(parts, shaped.output);
	};
}

/** Puts a member of a list at the index that it says. */
function push<T extends { index: number }>(list: T[], one: T): boolean {
	return list.push(one) - 1 === one.index;
}

/** Replaces fields of the household whose leaf came last. */
function addToLast(households: Household[], change: (household: Household) => Partial<Household>): boolean {
	const last = households.pop();
	if (last === undefined) return false;
	households.push({ ...last, ...change(last) });
	return true;
}

/** Gives a household what of it waits to be matched; false: there is no such household. */
function addWaiting(households: Household[], { household, ...interval }: Waiting): boolean {
	const owner = households[household];
	if (owner === undefined) return false;
	households[household] = { ...owner, open: [...owner.open, interval] };
	return true;
}

const TAKERS: Partial<Record<string, Taker>> = Object.assign(Object.create(null), {
	history: taker(HISTORY_LEAF, (parts, history) => {
		parts.history = history;
		return true;
	}),
	globals: taker(GLOBALS_LEAF, (parts, globals) => {
		parts.globals = globals;
		return true;
	}),
	predecessor: taker(PREDECESSOR_LEAF, (parts, predecessor) => {
		parts.predecessor = predecessor;
		return true;
	}),
	iceServers: taker(ICE_SERVERS_LEAF, (parts, servers) => {
		parts.iceServers = servers;
		return true;
	}),
	bank: taker(BANK_LEAF, (parts, bank) => {
		parts.bank = bank;
		return true;
	}),
	money: taker(MONEY_LEAF, (parts, proposal) => {
		parts.moneyProposal = proposal;
		return true;
	}),
	nettedMonth: taker(NETTED_MONTH_LEAF, (parts, nettedMonth) => {
		parts.nettedMonth = nettedMonth;
		return true;
	}),
	operatorAct: taker(OPERATOR_ACT_LEAF, (parts, act) => {
		parts.operatorRecord = [...(parts.operatorRecord ?? []), act];
		return true;
	}),
	tariff: taker(TARIFF_LEAF, (parts, tariff) => {
		parts.tariff = tariff;
		return true;
	}),
	market: taker(MARKET_LEAF, (parts, market) => {
		parts.market = market;
		return true;
	}),
	keyRotations: taker(KEY_ROTATIONS_LEAF, (parts, rotations) => {
		parts.keyRotations = rotations;
		return true;
	}),
	terms: taker(TERMS_LEAF, (parts, terms) => {
		parts.terms = terms;
		return true;
	}),
	counted: taker(COUNTED_LEAF, (parts, page) => parts.counted.push(...page) > 0),
	device: taker(DEVICE_LEAF, (parts, device) => push(parts.devices, device)),
	offer: taker(OFFER_LEAF, (parts, offer) => parts.offers.push(offer) > 0),
	order: taker(ORDER_LEAF, (parts, order) => parts.orders.push(order) > 0),
	demand: taker(DEMAND_LEAF, (parts, demand) => parts.demands.push(demand) > 0),
	lock: taker(LOCK_LEAF, (parts, lock) => parts.locks.push(lock) > 0),
	correction: taker(CORRECTION_LEAF, (parts, correction) => parts.corrections.push(correction) > 0),
	claim: taker(CLAIM_LEAF, (parts, claim) => parts.claims.push(claim) > 0),
	paidOut: taker(PAID_OUT_LEAF, (parts, paidOutMicroNok) => {
		parts.paidOutMicroNok = paidOutMicroNok;
		return true;
	}),
	household: taker(HOUSEHOLD_LEAF, (parts, household) => push(parts.households, household)),
	standing: taker(STANDING_LEAF, (parts, standing) => addToLast(parts.households, () => standing)),
	credit: taker(CREDIT_LEAF, (parts, creditMicroNok) => addToLast(parts.households, () => ({ creditMicroNok }))),
	trading: taker(TRADING_LEAF, (parts, trading) => addToLast(parts.households, () => ({ trading }))),
	open: taker(OPEN_LEAF, (parts, page) => page.every((waiting) => addWaiting(parts.households, waiting))),
	seen: taker(SEEN_LEAF, (parts, page) => addToLast(parts.households, ({ seen }) => ({ seen: [...seen, ...page] }))),
	pending: taker(PENDING_LEAF, (parts, page) =>
		addToLast(parts.households, ({ pending }) => ({ pending: [...pending, ...page] })),
	),
	contract: taker(CONTRACT_LEAF, (parts, contract) => push(parts.contracts, contract)),
} satisfies Record<string, Taker>);

/** What the rules rely on: without it a later block would trip over its own assertions. */
function contradictionIn(
	globals: Globals,
	{
		devices,
		offers,
		orders,
		demands,
		locks,
		households,
		contracts,
		predecessor,
		bank,
		moneyProposal,
		nettedMonth,
		paidOutMicroNok = 0,
		...between
	}: Parts,
): "references" | "money" | "readings" | undefined {
	const isMember = (member: number) => member < households.length;
	const isDevice = (device: number) => device < devices.length;
	const refers =
		globals.voters.every(isDevice) &&
		(predecessor?.unconfirmed ?? []).every(isMember) &&
		isMember(bank?.member ?? 0) &&
		isMember(bank?.confirmed?.member ?? 0) &&
		isMember(moneyProposal?.member ?? 0) &&
		(moneyProposal?.confirmed ?? []).every(isMember) &&
		devices.every(({ household }) => isMember(household)) &&
		households.every(({ meteringDevice, appoints = 0 }) => isDevice(meteringDevice) && isMember(appoints)) &&
		offers.every(({ seller }) => isMember(seller)) &&
		[...orders, ...demands, ...locks].every(({ member }) => isMember(member)) &&
		between.corrections.every(({ member, counterparty }) => isMember(member) && isMember(counterparty)) &&
		between.claims.every(({ debtor, creditor }) => isMember(debtor) && isMember(creditor)) &&
		contracts.every(({ seller, buyer }) => isMember(seller) && isMember(buyer));
	if (!refers) return "references";
	const sumMicroNok =
		households.reduce((sum, { balanceMicroNok }) => sum + balanceMicroNok, 0) +
		locks.reduce((sum, { amountMicroNok }) => sum + amountMicroNok, 0);
	const linesMicroNok = households.reduce((sum, { creditMicroNok }) => sum + creditMicroNok, 0);
	const reserveMicroNok = globals.issuedMicroNok - paidOutMicroNok;
	if (reserveMicroNok < 0 || sumMicroNok !== reserveMicroNok + linesMicroNok) return "money";
	if ((globals.moneyKind === "monthly") !== (nettedMonth !== undefined)) return "money";
	const reads = households.every(({ pending }) =>
		pending.every(
			({ importWh, exportWh, boughtWh, soldWh, minute }, at) =>
				boughtWh <= importWh && soldWh <= exportWh && (pending[at - 1]?.minute ?? -1) < minute,
		),
	);
	return reads ? undefined : "readings";
}

function ledgerOf(genesis: Founded, globals: Globals, parts: Parts & Pick<Ledger, "history">): Ledger {
	const { households, devices, contracts, history, terms } = parts;
	const { moneyKind, retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = globals;
	const tariff = { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh };
	const parameters = { ...genesis.parameters, moneyKind, ...tariff, terms };
	return {
		gridId: genesis.gridId,
		parameters,
		index: globals.index,
		timestampMs: globals.timestampMs,
		genesisTimestampMs: genesis.genesisTimestampMs,
		households,
		devices,
		voters: globals.voters,
		votersSinceIndex: globals.votersSinceIndex,
		offers: new Map(parts.offers.map((offer) => [toHex(offer.id), offer])),
		contracts,
		liveContracts: contracts
			.filter((contract) => isLive({ households, parameters }, contract))
			.map(({ index }) => index),
		orders: new Map(parts.orders.map((order) => [toHex(order.id), order])),
		demands: new Map(parts.demands.map((demand) => [toHex(demand.id), demand])),
		counted: [...globals.counted, ...parts.counted],
		countedTotal: globals.countedTotal,
		history,
		usedInvitations: globals.usedInvitations,
		corrections: new Map(parts.corrections.map((correction) => [toHex(correction.id), correction])),
		claims: new Map(parts.claims.map((claim) => [toHex(claim.id), claim])),
		locks: new Map(parts.locks.map((lock) => [toHex(lock.id), lock])),
		issuedMicroNok: globals.issuedMicroNok,
		paidOutMicroNok: parts.paidOutMicroNok ?? 0,
		bank: parts.bank,
		moneyProposal: parts.moneyProposal,
		nettedMonth: parts.nettedMonth,
		iceServers: parts.iceServers,
		operatorRecord: parts.operatorRecord,
		keyRotations: parts.keyRotations,
		tariff: parts.tariff,
		market: parts.market,
		predecessor: parts.predecessor,
	};
}

/** Where two lists of leaves differ, the results aside; undefined: nowhere. */
function firstDifference(written: readonly Uint8Array[], given: readonly Uint8Array[]): number | undefined {
	const count = Math.max(written.length, given.length);
	for (let at = 1; at < count; at++) {
		const [a, b] = [written[at], given[at]];
		if (a === undefined || b === undefined || !equalBytes(a, b)) return at;
	}
	return undefined;
}
