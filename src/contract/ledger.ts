/**
 * The ledger: everything that executing the chain has made of it. A ledger never changes; executing a block makes the
 * next one, which shares all that stayed the same. An uncommitted block's ledger is simply dropped on truncation.
 */
import type { IceServer } from "../block/iceServer.js";
import type { CorrectionReason } from "../block/kinds/correcting.js";
import type { FoundingParameters, RealMoneyKind } from "../block/kinds/founding.js";
import type { MarketChoice, TariffStep } from "../block/kinds/trading.js";
import type { MountainRange } from "../block/merkle.js";
import type { Reading } from "../block/reading.js";
import type { Schedule } from "../block/schedule.js";
import { assert } from "../primitives/assert.js";
import { divideFloor } from "../primitives/units.js";
import type { CountedBlocks } from "./countedBlocks.js";
import type { MinuteRanges } from "./minuteRanges.js";

export interface Ledger {
	/** Hash of the genesis block: names the neighbourhood in everything signed. */
	readonly gridId: Uint8Array;
	readonly parameters: FoundingParameters;
	/** Head: the block whose execution made this ledger. */
	readonly index: number;
	readonly timestampMs: number;
	readonly genesisTimestampMs: number;
	/** By member index: given once, never reused. */
	readonly households: readonly Household[];
	/** By device index: given once, never reused. */
	readonly devices: readonly Device[];
	/** Device indices of the voters, ascending. */
	readonly voters: readonly number[];
	/** The block that made them the voters. */
	readonly votersSinceIndex: number;
	/** Open offers by id in hex, in the order in which they came. */
	readonly offers: ReadonlyMap<string, Offer>;
	/** All contracts ever made, by contract index. */
	readonly contracts: readonly Contract[];
	/** Indices of the contracts with minutes still to settle, ascending. */
	readonly liveContracts: readonly number[];
	/** Open `buy` orders by id in hex. */
	readonly orders: ReadonlyMap<string, Order>;
	/** What households are to pay by rule and have not, by id in hex, oldest first (`netting.ts`). */
	readonly demands: ReadonlyMap<string, Demand>;
	/** Tokens that wait for their payout, by id in hex. */
	readonly locks: ReadonlyMap<string, Lock>;
	/** Corrections that are proposed, declined or without an amount, by id in hex, in the order in which they came. */
	readonly corrections: ReadonlyMap<string, Correction>;
	/** What was agreed upon and could not be paid, by id in hex, oldest first. */
	readonly claims: ReadonlyMap<string, Claim>;
	readonly counted: CountedBlocks;
	/** Blocks that counted, since genesis. */
	readonly countedTotal: number;
	/** Mountain range over the hashes of all earlier blocks. */
	readonly history: MountainRange;
	/** Ids in hex of the invitations that were used and have not expired, with their expiry. */
	readonly usedInvitations: ReadonlyMap<string, number>;
	/** Ever created; those that were paid out and destroyed are counted apart. */
	readonly issuedMicroNok: number;
	readonly paidOutMicroNok: number;
	/** What the account with the members' money holds, as it was stated last; undefined: never (`bank.ts`). */
	readonly bank: BankStatement | undefined;
	/** Tokens worth NOK that an operator proposed last in place of trial kroner; undefined: never (`money.ts`). */
	readonly moneyProposal: MoneyProposal | undefined;
	/** The month up to whose beginning credit was netted last (`netting.ts`); undefined: money is not `monthly`. */
	readonly nettedMonth: number | undefined;
	/** Through which devices that cannot see each other connect; undefined: nobody has said anything about it yet. */
	readonly iceServers: readonly IceServer[] | undefined;
	/** What operators did last, oldest first; undefined: nothing that is kept (`operatorRecord.ts`). */
	readonly operatorRecord: readonly OperatorAct[] | undefined;
	/** How the network key has changed; undefined: no household has moved out yet (`keyRotation.ts`). */
	readonly keyRotations: KeyRotations | undefined;
	/** The utility's prices that were stated and are still needed, by time; undefined: those of the founding hold. */
	readonly tariff: readonly TariffStep[] | undefined;
	/** Undefined: nothing has ever been matched here. */
	readonly market: Market | undefined;
	/** Where the neighbourhood was founded again: the chain that it goes on from. */
	readonly predecessor: Predecessor | undefined;
}

/** The chain that a neighbourhood had before it was founded again. */
export interface Predecessor {
	readonly gridId: Uint8Array;
	/** Its last certified block, whose state this chain began with. */
	readonly index: number;
	readonly hash: Uint8Array;
	/** Id of the `refound` that the households confirm. */
	readonly proposal: Uint8Array;
	/** Member indices of the households that have not confirmed yet, ascending. */
	readonly unconfirmed: readonly number[];
}

export interface Household {
	readonly index: number;
	readonly name: string;
	/** The thesis's node id. */
	readonly publicKey: Uint8Array;
	readonly operator: boolean;
	/** An operator's word: nothing that it signs counts but that a device of its own is out of use. */
	readonly suspended: boolean;
	/** It moves out, or has: its index stays its own. */
	readonly removal: Removal | undefined;
	/** Its vote, until it is withdrawn or changed: member index of the household that it wants for an operator. */
	readonly appoints: number | undefined;
	/** What an operator is about to do to it, unless somebody objects: one thing at a time. */
	readonly notice: Notice | undefined;
	/** Device index of the one device whose readings count. */
	readonly meteringDevice: number;
	readonly joinedMinute: number;
	/** Nonce of its last act. */
	readonly nonce: number;
	/** Its credit line among it: what it may use before it has paid for it. */
	readonly balanceMicroNok: number;
	/** Its credit line (`credit.ts`): what of the balance is the neighbours' trust, and not its money. */
	readonly creditMicroNok: number;
	/** Metered altogether, late readings included. */
	readonly importWh: number;
	readonly exportWh: number;
	/** Settled under contracts. */
	readonly boughtWh: number;
	readonly soldWh: number;
	/** The rest: bought from and sold to the utility. */
	readonly utilityImportWh: number;
	readonly utilityExportWh: number;
	/** As a seller: all its minutes before this one have settled. */
	readonly settledUntilMinute: number;
	/** Minutes whose reading is on the chain (back to the reading window). */
	readonly seen: MinuteRanges;
	/** Readings whose contract-minutes have not all settled, by minute ascending. */
	readonly pending: readonly PendingReading[];
	/** Its standing orders by time: the one that holds, and what is to come; empty: it has never given any. */
	readonly trading: readonly TradingTerms[];
	/** What contracts left of its minutes in intervals that are not matched, by time. */
	readonly open: readonly OpenInterval[];
}

/** The market that trades by itself (`automaticMarket.ts`). */
export interface Market {
	readonly intervalMinutes: number;
	/** Whether a household buys here in minutes in which a contract of its own sells to it. */
	readonly buysUnderContract: boolean;
	/** By time: what holds at `matchedUntilMinute`, and what is to come. */
	readonly choices: readonly { readonly fromMinute: number; readonly choice: MarketChoice }[];
	/** All intervals before this minute, which begins one, are matched. */
	readonly matchedUntilMinute: number;
}

/** A household's standing order. */
export interface TradingTerms {
	readonly fromMinute: number;
	/** 0: as the tariff makes it; undefined: it buys nothing. */
	readonly buyBelowMicroNokPerWh: number | undefined;
	readonly sellAboveMicroNokPerWh: number | undefined;
	readonly paysMoreForLocal: boolean;
}

/** What contracts left of a household's minutes in one interval. */
export interface OpenInterval {
	readonly fromMinute: number;
	/** Of so many minutes. */
	readonly minutes: number;
	readonly importWh: number;
	readonly exportWh: number;
	/** What of it can be traded. */
	readonly needWh: number;
	readonly surplusWh: number;
}

export interface Removal {
	/** Id of the `remove` transaction. */
	readonly id: Uint8Array;
	/** The first minute that is not its any more: contracts ended with it, and nothing from it on is metered. */
	readonly fromMinute: number;
	/** Everything was settled and paid out: its devices are out of use. */
	readonly completed: boolean;
}

/** Of another key for a household, or of its moving out. */
export type Notice = Announced & {
	/** When so many blocks have counted it takes effect. */
	readonly countedTotal: number;
};

export type Announced =
	| { readonly kind: "rebind"; readonly householdKey: Uint8Array }
	/** Id of the `remove` transaction. */
	| { readonly kind: "remove"; readonly id: Uint8Array };

export interface PendingReading extends Reading {
	readonly boughtWh: number;
	readonly soldWh: number;
}

export interface Device {
	readonly index: number;
	/** Member index of the household it belongs to. */
	readonly household: number;
	readonly publicKey: Uint8Array;
	readonly alwaysOn: boolean;
	/** The block that took it out of use: nothing that it signs counts from there on. Undefined: it is in use. */
	readonly revokedIndex: number | undefined;
}

export interface Offer {
	/** Id of the `offer` transaction. */
	readonly id: Uint8Array;
	readonly seller: number;
	readonly priceMicroNokPerWh: number;
	readonly fromMinute: number;
	readonly untilMinute: number;
	/** Per contract; 0: no limit. */
	readonly energyLimitWh: number;
	readonly noticeMinutes: number;
	readonly buyer: number | undefined;
	/** 0: any number. */
	readonly maxBuyers: number;
	/** Member indices of those who accepted, in order. */
	readonly accepted: readonly number[];
	/** Undefined: at all hours. */
	readonly schedule: Schedule | undefined;
}

export interface Contract {
	readonly index: number;
	/** Id of the `accept` transaction. */
	readonly id: Uint8Array;
	readonly offerId: Uint8Array;
	readonly seller: number;
	readonly buyer: number;
	readonly priceMicroNokPerWh: number;
	readonly fromMinute: number;
	/** First minute after its period; an `end` brings it forward. */
	readonly untilMinute: number;
	/** Whether an `end` was given. */
	readonly ended: boolean;
	/** 0: no limit. */
	readonly energyLimitWh: number;
	readonly noticeMinutes: number;
	readonly deliveredWh: number;
	readonly amountMicroNok: number;
	/** Last minute with a delivery, at first the minute before `fromMinute`. */
	readonly lastDeliveryMinute: number;
	/** In which minutes of its period it holds; undefined: in all of them. */
	readonly schedule: Schedule | undefined;
}

export interface Order {
	/** Id of the `buy` transaction. */
	readonly id: Uint8Array;
	readonly member: number;
	readonly amountMicroNok: number;
	readonly timestampMs: number;
}

/** What a household is to pay for what it used of its credit line. */
export interface Demand {
	/** Of the month's netting, or of the transaction by which the household moves out. */
	readonly id: Uint8Array;
	readonly member: number;
	readonly amountMicroNok: number;
	/** For which month, as `netting.ts` counts them. */
	readonly month: number;
	/** Of the block in which it came into being. */
	readonly timestampMs: number;
}

/** The bank account that holds the money of the tokens, as an operator stated it last. */
export interface BankStatement {
	/** Id of the `bank` transaction. */
	readonly id: Uint8Array;
	/** Member index of the operator. */
	readonly member: number;
	/** In which the account held so much. */
	readonly minute: number;
	/** Of the block. */
	readonly timestampMs: number;
	readonly balanceMicroNok: number;
	/** Issued and not paid out, locks among it, where the statement stands in the chain. */
	readonly circulationMicroNok: number;
	/** Of all statements so far. */
	readonly feesMicroNok: number;
	readonly interestMicroNok: number;
	/** Came, belongs to no order, and is still there. */
	readonly unmatchedMicroNok: number;
	/** The last confirmation, be it of an earlier statement; undefined: nobody ever did. */
	readonly confirmed: BankConfirmation | undefined;
}

export interface BankConfirmation {
	/** Id of the `bank` transaction that was confirmed. */
	readonly statementId: Uint8Array;
	readonly member: number;
	/** Of the block. */
	readonly timestampMs: number;
}

/** That trial kroner end and tokens are worth NOK, and who has agreed. */
export interface MoneyProposal {
	/** Id of the `money` transaction. */
	readonly id: Uint8Array;
	/** Member index of the operator. */
	readonly member: number;
	readonly moneyKind: RealMoneyKind;
	readonly reason: string;
	/** Of the block. */
	readonly timestampMs: number;
	/** Member indices of the households that have agreed, ascending; whoever proposed it is one. */
	readonly confirmed: readonly number[];
	/** The first minute that is paid with tokens worth NOK; undefined: not all have agreed. */
	readonly fromMinute: number | undefined;
}

/** What operators did, and what came about by rule in their stead. The number of each kind is its place: append only. */
export const RECORDED_KINDS = [
	"issue",
	"voters",
	"iceServers",
	"rename",
	"role",
	"suspend",
	"remove",
	"payout",
	/** By rule: a household that moved out is settled and paid. */
	"movedOut",
	/** By rule: more than two thirds of the households named an operator. */
	"appointed",
	"rebind",
	"contest",
	/** By rule: a notice is over, and the household has another key. */
	"rebound",
	"market",
	"tariff",
	"bank",
	"money",
	/** By rule: all households have agreed that tokens are worth NOK. */
	"realMoney",
	"credit",
] as const;

export interface OperatorAct {
	readonly kind: (typeof RECORDED_KINDS)[number];
	/** Of the block. */
	readonly timestampMs: number;
	/** Member index of the operator; undefined: it came about by rule. */
	readonly member: number | undefined;
	/** Member index of the household that it concerned. */
	readonly household: number | undefined;
	/** Whether a role, a vote or a suspension was given, or taken. */
	readonly isGiven: boolean;
	/** 0 where no money moved. */
	readonly amountMicroNok: number;
	/** The former name and the new one, the bank's reference, the addresses of the servers, the former credit line. */
	readonly texts: readonly string[];
}

/** Tokens that are nobody's to spend any more: they wait until their money has been paid out. */
export interface Lock {
	/** Id of what asked for the money: a transaction, or a month's netting. */
	readonly id: Uint8Array;
	/** Member index of the household to which it is owed. */
	readonly member: number;
	readonly amountMicroNok: number;
	/** Of the block since which they are locked. */
	readonly timestampMs: number;
}

/** What a household proposes to put right with another, or disputes (`correcting.ts`). */
export interface Correction {
	/** Id of the `correct` transaction. */
	readonly id: Uint8Array;
	/** Member index of the household that proposes it. */
	readonly member: number;
	readonly counterparty: number;
	readonly fromMinute: number;
	/** First minute after the period. */
	readonly untilMinute: number;
	readonly reason: CorrectionReason;
	readonly energyWh: number;
	/** 0: no amount is proposed, the period is disputed. */
	readonly amountMicroNok: number;
	/** Whether `member` pays, or `counterparty`. */
	readonly isPayer: boolean;
	readonly note: string | undefined;
	/** Of the block. */
	readonly timestampMs: number;
	/** Why the counterparty declined, "" without a word; undefined: it has not. */
	readonly declined: string | undefined;
}

/** What a household owes another after a correction. */
export interface Claim {
	/** Id of the `correct` transaction. */
	readonly id: Uint8Array;
	/** Member indices. */
	readonly debtor: number;
	readonly creditor: number;
	/** What is left of it. */
	readonly amountMicroNok: number;
	/** Of the block in which it was agreed upon. */
	readonly timestampMs: number;
}

/** Nothing of it is forgotten: a device that was away has to mix in all that it has missed. */
export interface KeyRotations {
	/** What was mixed into the network key, in order: once for each household that moved out, at the most. */
	readonly salts: readonly KeySalt[];
	/** A household is out since this minute: the key is changed by the first reading of a later one. */
	readonly dueAfterMinute: number | undefined;
}

export interface KeySalt {
	/** 16 bytes. */
	readonly salt: Uint8Array;
	/** Of the block. */
	readonly timestampMs: number;
}

/** A ledger in the making: the lists are its own, what is in them is replaced, never changed. */
export type Draft = {
	-readonly [K in keyof Ledger]: Ledger[K];
} & { households: Household[]; contracts: Contract[] };

/** A member's household. The index must be a member's. */
export function householdOf(ledger: Pick<Ledger, "households">, member: number): Household {
	const household = ledger.households[member];
	assert(household !== undefined, `member ${member} exists`);
	return household;
}

/** Whether a device is one whose signatures count. */
export function isInUse(device: Device | undefined): device is Device & { readonly revokedIndex: undefined } {
	return device !== undefined && device.revokedIndex === undefined;
}

/** A contract by its index, which must exist. */
export function contractOf(ledger: Ledger, index: number): Contract {
	const contract = ledger.contracts[index];
	assert(contract !== undefined, `contract ${index} exists`);
	return contract;
}

/** Replaces fields of a household in a draft. */
export function changeHousehold(draft: Draft, member: number, change: Partial<Household>): void {
	draft.households[member] = { ...householdOf(draft, member), ...change };
}

/** Replaces fields of a contract in a draft. */
export function changeContract(draft: Draft, index: number, change: Partial<Contract>): void {
	draft.contracts[index] = { ...contractOf(draft, index), ...change };
}

/** Energy that a contract may still deliver. */
export function remainingWh(contract: Contract): number {
	return contract.energyLimitWh === 0 ? Number.MAX_SAFE_INTEGER : contract.energyLimitWh - contract.deliveredWh;
}

/** Energy that a balance pays at a price: "paused" on the screens where this is 0. */
export function affordableWh(balanceMicroNok: number, priceMicroNokPerWh: number): number {
	return divideFloor(balanceMicroNok, priceMicroNokPerWh);
}
