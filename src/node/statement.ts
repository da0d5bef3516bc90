/**
 * What a household sees of its own money and energy, derived from the executed chain: movements, and sums by local day, kept
 * for ever. Whatever its tokens did that no movement here says (in blocks that never came here) is kept as the
 * difference that it made, so that an account always adds up.
 */
import * as v from "valibot";
import { hash, natural } from "../block/fieldShapes.js";
import type { IssueTransaction, PayoutTransaction } from "../block/kinds/treasury.js";
import type { Household, Ledger } from "../contract/ledger.js";
import { assert } from "../primitives/assert.js";
import { fromHex, toHex } from "../primitives/bytes.js";
import type { CborValue } from "../primitives/codec.js";
import { type LocalTimeRule, startOfDayMinute } from "../primitives/localTime.js";
import { add, MINUTES_PER_DAY, MS_PER_MINUTE, minuteOf } from "../primitives/units.js";
import type { Link } from "./chain.js";
import { idOf } from "./mempool.js";
import { type EndedCorrection, endedShape, movedShape, PutRight } from "./putRight.js";
import { decodeRecord, encodeRecord } from "./records.js";
import type { MovementView, ShownMovementView } from "./view.js";

const SHOWN_MOVEMENTS = 50;

/** Money that came through the bank, or went. */
type Transfer = Extract<MovementView, { reference: string }>;
/** What became of the household's credit line. */
type CreditMovement = Extract<MovementView, { type: "creditGranted" | "creditWithdrawn" }>;
type CarriedMovement = Extract<MovementView, { type: "carried" }>;
/** Where trial kroner were void and tokens came to be worth NOK. */
interface TrialEnd {
	readonly timestampMs: number;
	/** The first minute that is paid with tokens worth NOK. */
	readonly fromMinute: number;
}
type TradeMovement = Extract<MovementView, { type: "bought" | "sold" }>;
type MatchedMovement = Extract<MovementView, { type: "matchedBought" | "matchedSold" }>;

/** What came and went, µNOK. */
interface InAndOut {
	readonly inMicroNok: number;
	readonly outMicroNok: number;
}

/** Tokens that moved by neither energy nor bank. */
interface OtherMovement extends InAndOut {
	readonly dayMinute: number;
}

/** Blocks from one time until another never came to this device; all that is known of them is what the tokens did. */
export interface StatementGap extends InAndOut {
	readonly fromMs: number;
	readonly untilMs: number;
}

/** Where the tokens stood after a block; what is locked for a payout is among them until it is paid out. */
interface Seen {
	readonly index: number;
	readonly timestampMs: number;
	readonly heldMicroNok: number;
}

/** A household's tokens over a time: opening and all that moved make closing, to the µNOK. */
export interface Account {
	readonly openingMicroNok: number;
	readonly closingMicroNok: number;
	/** Ascending. Energy counts in the day in which it flowed, also where it settled later. */
	readonly movements: readonly MovementView[];
	/** By neither energy nor bank, by day. */
	readonly others: readonly OtherMovement[];
	readonly gaps: readonly StatementGap[];
	/** What was before is not known here. */
	readonly keptFromMs: number;
}

export class Statement {
	readonly #publicKey: Uint8Array;
	readonly #localTime: LocalTimeRule;
	/** Newest last. */
	#transfers: Transfer[] = [];
	/** Newest last; what one block did to the line, in sum. */
	#credits: CreditMovement[] = [];
	/** Where the neighbourhood was founded again: one. */
	#carried: CarriedMovement[] = [];
	/** Undefined: it was one kind of money from the founding on. */
	#trialEnd: TrialEnd | undefined;
	/** By contract and day. */
	readonly #trades = new Map<string, TradeMovement>();
	/** What the market matched, by side and day. */
	readonly #matched = new Map<string, MatchedMovement>();
	readonly #putRight = new PutRight();
	/** By day. */
	readonly #others = new Map<number, OtherMovement>();
	#gaps: StatementGap[] = [];
	#keptFromMs = 0;
	/** Undefined: no block has been taken in yet of a chain that knows this household. */
	#seen: Seen | undefined;
	#day = { fromMinute: 0, untilMinute: 0 };
	/** Undefined: to be made anew. */
	#shown: ShownMovementView[] | undefined;

	constructor(publicKey: Uint8Array, localTime: LocalTimeRule) {
		this.#publicKey = publicKey;
		this.#localTime = localTime;
	}

	/** Takes in a committed block; `parent` is the ledger before it. */
	add(parent: Ledger, link: Link): void {
		const self = link.ledger.households.find((household) => toHex(household.publicKey) === toHex(this.#publicKey));
		if (self === undefined) return;
		this.#shown = undefined;
		let movedMicroNok = 0;
		const { predecessor } = link.ledger;
		if (link.block.index === 0 && predecessor !== undefined) {
			const { index: blockIndex } = predecessor;
			const { timestampMs } = link.block;
			this.#carried = [{ type: "carried", amountMicroNok: self.balanceMicroNok, timestampMs, blockIndex }];
		}
		for (const transaction of link.block.transactions) {
			if (transaction.kind === "payout") {
				if (parent.locks.get(toHex(transaction.lockId))?.member !== self.index) continue;
				this.#addTransfer("paidOut", transaction, link);
				movedMicroNok -= transaction.amountMicroNok;
				continue;
			}
			if (transaction.kind !== "issue") continue;
			if (memberOfOrder(parent, link, transaction.orderId) !== self.index) continue;
			this.#addTransfer("issued", transaction, link);
			movedMicroNok += transaction.amountMicroNok;
		}
		movedMicroNok += this.#addCredit(parent, link, self);
		movedMicroNok += this.#putRight.add(parent, link, self.index);
		for (const { seller, minute, deliveries } of link.results.settled) {
			for (const { buyer, contract, energyWh, amountMicroNok } of deliveries) {
				if (buyer !== self.index && seller !== self.index) continue;
				const type = buyer === self.index ? "bought" : "sold";
				movedMicroNok += type === "bought" ? -amountMicroNok : amountMicroNok;
				const contractId = toHex(link.ledger.contracts[contract]?.id ?? new Uint8Array());
				this.#addTrade(type, contractId, minute, energyWh, amountMicroNok, type === "bought" ? seller : buyer);
			}
		}
		for (const { fromMinute, shares } of link.results.matched) {
			const share = shares.find(({ household }) => household === self.index);
			if (share === undefined) continue;
			this.#addMatched("matchedBought", fromMinute, share.boughtWh, share.paidMicroNok);
			this.#addMatched("matchedSold", fromMinute, share.soldWh, share.earnedMicroNok);
			movedMicroNok += share.earnedMicroNok - share.paidMicroNok;
		}
		this.#see(parent, link, self.index, movedMicroNok);
		const { fromMinute } = link.ledger.moneyProposal ?? {};
		if (fromMinute === undefined || parent.parameters.moneyKind !== "trial") return;
		this.#trialEnd = { timestampMs: link.block.timestampMs, fromMinute };
		this.#day = { fromMinute: 0, untilMinute: 0 };
	}

	/** Remembers what the tokens did besides: in this block, and in those that never came here. */
	#see(parent: Ledger, { block, ledger }: Link, member: number, movedMicroNok: number): void {
		const { index, timestampMs } = block;
		const heldMicroNok = heldBy(ledger, member);
		const beforeMicroNok = heldBy(parent, member);
		if (this.#seen === undefined) {
			// Who has just come has no past that could be missing.
			this.#keptFromMs = parent.households[member] === undefined ? timestampMs : parent.timestampMs;
		} else if (this.#seen.index !== parent.index) {
			const span = { fromMs: this.#seen.timestampMs, untilMs: parent.timestampMs };
			this.#gaps = [...this.#gaps, { ...span, ...inAndOut(beforeMicroNok - this.#seen.heldMicroNok) }];
		}
		const otherMicroNok = heldMicroNok - beforeMicroNok - movedMicroNok;
		if (otherMicroNok !== 0) {
			const dayMinute = this.#dayOf(minuteOf(timestampMs));
			const sum = this.#others.get(dayMinute);
			const { inMicroNok, outMicroNok } = inAndOut(otherMicroNok);
			this.#others.set(dayMinute, {
				dayMinute,
				inMicroNok: add(sum?.inMicroNok ?? 0, inMicroNok),
				outMicroNok: add(sum?.outMicroNok ?? 0, outMicroNok),
			});
		}
		this.#seen = { index, timestampMs, heldMicroNok };
	}

	#addMatched(type: MatchedMovement["type"], minute: number, energyWh: number, amountMicroNok: number): void {
		if (energyWh === 0) return;
		const dayMinute = this.#dayOf(minute);
		const key = matchedKeyOf({ type, dayMinute });
		const sum = this.#matched.get(key);
		this.#matched.set(key, {
			type,
			dayMinute,
			energyWh: add(sum?.energyWh ?? 0, energyWh),
			amountMicroNok: add(sum?.amountMicroNok ?? 0, amountMicroNok),
		});
	}

	/** What a block did to the household's credit line, which is part of its balance; gives back by how much it grew. */
	#addCredit(parent: Ledger, { block }: Link, { index, creditMicroNok }: Household): number {
		const grownMicroNok = creditMicroNok - (parent.households[index]?.creditMicroNok ?? 0);
		if (grownMicroNok !== 0) {
			const type = grownMicroNok > 0 ? "creditGranted" : "creditWithdrawn";
			this.#credits.push({ type, amountMicroNok: Math.abs(grownMicroNok), timestampMs: block.timestampMs });
		}
		return grownMicroNok;
	}

	#addTransfer(type: Transfer["type"], act: IssueTransaction | PayoutTransaction, { block, ledger }: Link) {
		const { amountMicroNok, reference } = act;
		const id = idOf(act, ledger.gridId);
		const moved = { type, amountMicroNok, timestampMs: block.timestampMs, reference, id };
		this.#transfers.push(moved);
	}

	#addTrade(
		type: "bought" | "sold",
		contractId: string,
		minute: number,
		energyWh: number,
		amountMicroNok: number,
		other: number,
	): void {
		const dayMinute = this.#dayOf(minute);
		const key = keyOf({ contractId, dayMinute });
		const sum = this.#trades.get(key);
		this.#trades.set(key, {
			type,
			contractId,
			dayMinute,
			other,
			energyWh: add(sum?.energyWh ?? 0, energyWh),
			amountMicroNok: add(sum?.amountMicroNok ?? 0, amountMicroNok),
		});
	}

	/**
	 * The day of a minute by its first minute; of the day on which tokens came to be worth NOK the rest is one of its own.
	 * Most minutes lie in the day that was asked about last.
	 */
	#dayOf(minute: number): number {
		if (minute < this.#day.fromMinute || minute >= this.#day.untilMinute) {
			const startMinute = startOfDayMinute(this.#localTime, minute);
			const realMinute = this.#trialEnd?.fromMinute ?? 0;
			const isTrial = minute < realMinute;
			// Days with a change of summer time have 23 or 25 hours: only the sure part is remembered.
			const sureUntilMinute = startMinute + MINUTES_PER_DAY - 60;
			this.#day = {
				fromMinute: isTrial ? startMinute : Math.max(startMinute, realMinute),
				untilMinute: isTrial ? Math.min(sureUntilMinute, realMinute) : sureUntilMinute,
			};
		}
		return this.#day.fromMinute;
	}

	/** All of it as a record. */
	toRecord(): Uint8Array {
		const ofContract = new Map<string, TradeMovement[]>();
		for (const trade of this.#trades.values()) {
			const trades = ofContract.get(trade.contractId) ?? [];
			trades.push(trade);
			ofContract.set(trade.contractId, trades);
		}
		const ofType = (type: Transfer["type"]) =>
			this.#transfers.filter((transfer) => transfer.type === type).map(transferFields);
		return encodeRecord([
			RECORD_VERSION,
			ofType("issued"),
			[...ofContract.values()].map(contractFields),
			this.#carried.map(carriedFields),
			ofType("paidOut"),
			[...this.#matched.values()].map(matchedFields),
			[...this.#others.values()].map(({ dayMinute, inMicroNok, outMicroNok }) => [dayMinute, inMicroNok, outMicroNok]),
			this.#gaps.map(({ fromMs, untilMs, inMicroNok, outMicroNok }) => [fromMs, untilMs, inMicroNok, outMicroNok]),
			this.#keptFromMs,
			this.#seen === undefined ? [] : [this.#seen.index, this.#seen.timestampMs, this.#seen.heldMicroNok],
			...this.#putRight.fields(),
			this.#trialEnd === undefined ? [] : [this.#trialEnd.timestampMs, this.#trialEnd.fromMinute],
			this.#credits.map(creditFields),
		]);
	}

	/** Begins with what was stored; false: it was damaged, and nothing of it is taken. */
	restore(record: Uint8Array): boolean {
		const decoded = decodeRecord(record, statementShape);
		if (!decoded.ok) return false;
		const { issued, trades, carried, paidOut, matched, others, gaps, keptFromMs, seen, ...later } = decoded.value;
		const byTime = (a: Transfer, b: Transfer) => a.timestampMs - b.timestampMs;
		this.#transfers = [...issued.map(transferOf("issued")), ...paidOut.map(transferOf("paidOut"))].sort(byTime);
		this.#carried = carried;
		this.#putRight.restore(later.moved, later.ended);
		this.#trialEnd = later.trialEnd;
		this.#credits = later.credits;
		for (const trade of trades) this.#trades.set(keyOf(trade), trade);
		for (const movement of matched) this.#matched.set(matchedKeyOf(movement), movement);
		for (const other of others) this.#others.set(other.dayMinute, other);
		this.#gaps = gaps;
		this.#keptFromMs = keptFromMs;
		this.#seen = seen;
		return true;
	}

	/** Newest first, as far as they are shown. */
	movements(): ShownMovementView[] {
		this.#shown ??= this.#marked()
			.sort((a, b) => b.atMs - a.atMs)
			.slice(0, SHOWN_MOVEMENTS)
			.map(({ movement }) => movement);
		return this.#shown;
	}

	/** All of them with their time, those in trial kroner marked where these are void. */
	#marked(): { movement: ShownMovementView; atMs: number }[] {
		const end = this.#trialEnd;
		if (end === undefined) return this.#all().map((movement) => ({ movement, atMs: timeOf(movement) }));
		const marked = this.#all().map((movement) => {
			const isTrial =
				"timestampMs" in movement ? movement.timestampMs <= end.timestampMs : movement.dayMinute < end.fromMinute;
			return isTrial
				? { movement: { ...movement, isTrial }, atMs: Math.min(timeOf(movement), end.timestampMs) }
				: { movement, atMs: timeOf(movement) };
		});
		return [{ movement: { type: "trialEnded", timestampMs: end.timestampMs }, atMs: end.timestampMs }, ...marked];
	}

	#all(): MovementView[] {
		const traded = [...this.#trades.values(), ...this.#matched.values()];
		return [...this.#transfers, ...this.#credits, ...this.#carried, ...this.#putRight.moved, ...traded];
	}

	/**
	 * The account of the minutes from one on until another, each the first of a day. Undefined: nothing is known of that
	 * time.
	 */
	account(fromMinute: number, untilMinute: number): Account | undefined {
		if (this.#seen === undefined || untilMinute * MS_PER_MINUTE <= this.#keptFromMs) return undefined;
		const [from, until] = [fromMinute * MS_PER_MINUTE, untilMinute * MS_PER_MINUTE];
		let afterMicroNok = 0;
		let withinMicroNok = 0;
		const count = (atMs: number, changeMicroNok: number): boolean => {
			const isWithin = atMs >= from && atMs < until;
			if (isWithin) withinMicroNok += changeMicroNok;
			else if (atMs >= until) afterMicroNok += changeMicroNok;
			return isWithin;
		};
		const isCounted = ({ inMicroNok, outMicroNok }: InAndOut, atMs: number) => count(atMs, inMicroNok - outMicroNok);
		const movements = this.#all().filter((movement) => count(beginOf(movement), changeOf(movement)));
		const others = [...this.#others.values()].filter((each) => isCounted(each, each.dayMinute * MS_PER_MINUTE));
		for (const gap of this.#gaps) isCounted(gap, gap.untilMs);
		const closingMicroNok = this.#seen.heldMicroNok - afterMicroNok;
		return {
			openingMicroNok: closingMicroNok - withinMicroNok,
			closingMicroNok,
			movements: movements.sort((a, b) => beginOf(a) - beginOf(b)),
			others,
			gaps: this.#gaps.filter(({ fromMs, untilMs }) => untilMs > from && fromMs < until),
			keptFromMs: this.#keptFromMs,
		};
	}

	/** Whether an `issue` or `payout` of this id was of this household's money. */
	isOwnTransfer(id: string): boolean {
		return this.#transfers.some((transfer) => transfer.id === id);
	}

	/** How this household's corrections ended, newest first. */
	endedCorrections(): EndedCorrection[] {
		return [...this.#putRight.ended].reverse();
	}

	/** Paid and earned on the day that begins at a minute; trial kroner do not count where tokens are worth NOK now. */
	day(startMinute: number): { paidMicroNok: number; earnedMicroNok: number } {
		const realMinute = this.#trialEnd?.fromMinute ?? 0;
		const fromMinute = realMinute < startMinute + MINUTES_PER_DAY ? Math.max(startMinute, realMinute) : startMinute;
		let paidMicroNok = 0;
		let earnedMicroNok = 0;
		for (const trade of this.#trades.values()) {
			if (trade.dayMinute !== fromMinute) continue;
			if (trade.type === "bought") paidMicroNok = add(paidMicroNok, trade.amountMicroNok);
			else earnedMicroNok = add(earnedMicroNok, trade.amountMicroNok);
		}
		for (const { type, dayMinute, amountMicroNok } of this.#matched.values()) {
			if (dayMinute !== fromMinute) continue;
			if (type === "matchedBought") paidMicroNok = add(paidMicroNok, amountMicroNok);
			else earnedMicroNok = add(earnedMicroNok, amountMicroNok);
		}
		return { paidMicroNok, earnedMicroNok };
	}
}

/** A household's tokens, with those that wait for their payout; none: it is no member yet. */
function heldBy({ households, locks }: Ledger, member: number): number {
	let heldMicroNok = households[member]?.balanceMicroNok ?? 0;
	for (const lock of locks.values()) {
		if (lock.member === member) heldMicroNok = add(heldMicroNok, lock.amountMicroNok);
	}
	return heldMicroNok;
}

function inAndOut(changeMicroNok: number): InAndOut {
	return { inMicroNok: Math.max(0, changeMicroNok), outMicroNok: Math.max(0, -changeMicroNok) };
}

/** What a movement made of the tokens; what a chain began with is no change of them. */
export function changeOf({ type, amountMicroNok }: MovementView): number {
	switch (type) {
		case "issued":
		case "sold":
		case "matchedSold":
		case "correctionReceived":
		case "creditGranted":
			return amountMicroNok;
		case "paidOut":
		case "bought":
		case "matchedBought":
		case "correctionPaid":
		case "creditWithdrawn":
			return -amountMicroNok;
		case "carried":
			return 0;
	}
}

/** Of a day its beginning. */
function beginOf(movement: MovementView): number {
	return "timestampMs" in movement ? movement.timestampMs : movement.dayMinute * MS_PER_MINUTE;
}

/** Of a day its end: what it sums up was not complete before. */
function timeOf(movement: MovementView): number {
	return "timestampMs" in movement ? movement.timestampMs : (movement.dayMinute + MINUTES_PER_DAY) * MS_PER_MINUTE;
}

/** Whose order or demand it is that a block answers: a `buy` and its `issue` may stand in one. */
export function memberOfOrder(parent: Ledger, link: Link, orderId: Uint8Array): number | undefined {
	const key = toHex(orderId);
	const known = parent.orders.get(key) ?? parent.demands.get(key);
	if (known !== undefined) return known.member;
	for (const transaction of link.block.transactions) {
		if (transaction.kind !== "buy") continue;
		if (idOf(transaction, link.ledger.gridId) === key) return transaction.member;
	}
	return undefined;
}

function keyOf({ contractId, dayMinute }: Pick<TradeMovement, "contractId" | "dayMinute">): string {
	return `${contractId}/${dayMinute}`;
}

function matchedKeyOf({ type, dayMinute }: Pick<MatchedMovement, "type" | "dayMinute">): string {
	return `${type}/${dayMinute}`;
}

const matchedFields = ({ type, dayMinute, energyWh, amountMicroNok }: MatchedMovement): CborValue => [
	type === "matchedSold" ? 1 : 0,
	dayMinute,
	energyWh,
	amountMicroNok,
];

function transferFields({ amountMicroNok, timestampMs, reference, id }: Transfer): CborValue {
	const fields = [amountMicroNok, timestampMs, reference];
	// Earlier versions wrote no id.
	if (id === undefined) return fields;
	const bytes = fromHex(id);
	assert(bytes.ok, "ids of acts are hex");
	return [...fields, bytes.value];
}

const creditFields = ({ type, amountMicroNok, timestampMs }: CreditMovement): CborValue => [
	type === "creditWithdrawn" ? 1 : 0,
	amountMicroNok,
	timestampMs,
];

const carriedFields = ({ amountMicroNok, timestampMs, blockIndex }: CarriedMovement): CborValue => [
	amountMicroNok,
	timestampMs,
	blockIndex,
];

/** The days of one contract. */
function contractFields(trades: readonly TradeMovement[]): CborValue {
	const [first] = trades;
	assert(first !== undefined, "a contract is here by its days");
	const id = fromHex(first.contractId);
	assert(id.ok, "contract ids are hex");
	const days = trades.map(({ dayMinute, energyWh, amountMicroNok }) => [dayMinute, energyWh, amountMicroNok]);
	return [first.type === "sold" ? 1 : 0, id.value, first.other, days];
}

const transfersShape = v.array(
	v.union([v.strictTuple([natural, natural, v.string()]), v.strictTuple([natural, natural, v.string(), hash])]),
);
const transferOf =
	(type: Transfer["type"]) =>
	([amountMicroNok, timestampMs, reference, id]: v.InferOutput<typeof transfersShape>[number]): Transfer => ({
		type,
		amountMicroNok,
		timestampMs,
		reference,
		...(id === undefined ? {} : { id: toHex(id) }),
	});
const tradesShape = v.array(
	v.pipe(
		v.strictTuple([v.picklist([0, 1]), v.instance(Uint8Array), natural, natural, natural, natural]),
		v.transform(
			([isSold, id, dayMinute, other, energyWh, amountMicroNok]): TradeMovement => ({
				type: isSold === 1 ? "sold" : "bought",
				contractId: toHex(id),
				dayMinute,
				other,
				energyWh,
				amountMicroNok,
			}),
		),
	),
);
const carriedShape = v.array(
	v.pipe(
		v.strictTuple([natural, natural, natural]),
		v.transform(
			([amountMicroNok, timestampMs, blockIndex]): CarriedMovement => ({
				type: "carried",
				amountMicroNok,
				timestampMs,
				blockIndex,
			}),
		),
	),
);
const matchedShape = v.array(
	v.pipe(
		v.strictTuple([v.picklist([0, 1]), natural, natural, natural]),
		v.transform(
			([isSold, dayMinute, energyWh, amountMicroNok]): MatchedMovement => ({
				type: isSold === 1 ? "matchedSold" : "matchedBought",
				dayMinute,
				energyWh,
				amountMicroNok,
			}),
		),
	),
);
const contractsShape = v.pipe(
	v.array(
		v.strictTuple([
			v.picklist([0, 1]),
			v.instance(Uint8Array),
			natural,
			v.array(v.strictTuple([natural, natural, natural])),
		]),
	),
	v.transform((contracts) =>
		contracts.flatMap(([isSold, id, other, days]) => {
			const type = isSold === 1 ? "sold" : "bought";
			const contractId = toHex(id);
			return days.map(
				([dayMinute, energyWh, amountMicroNok]): TradeMovement => ({
					type,
					contractId,
					dayMinute,
					other,
					energyWh,
					amountMicroNok,
				}),
			);
		}),
	),
);
const othersShape = v.array(
	v.pipe(
		v.strictTuple([natural, natural, natural]),
		v.transform(([dayMinute, inMicroNok, outMicroNok]): OtherMovement => ({ dayMinute, inMicroNok, outMicroNok })),
	),
);
const gapsShape = v.array(
	v.pipe(
		v.strictTuple([natural, natural, natural, natural]),
		v.transform(([fromMs, untilMs, inMicroNok, outMicroNok]): StatementGap => {
			return { fromMs, untilMs, inMicroNok, outMicroNok };
		}),
	),
);
const seenShape = v.union([
	v.pipe(
		v.strictTuple([natural, natural, natural]),
		v.transform(([index, timestampMs, heldMicroNok]): Seen => ({ index, timestampMs, heldMicroNok })),
	),
	v.pipe(
		v.strictTuple([]),
		v.transform(() => undefined),
	),
]);

const trialEndShape = v.union([
	v.pipe(
		v.strictTuple([natural, natural]),
		v.transform(([timestampMs, fromMinute]): TrialEnd => ({ timestampMs, fromMinute })),
	),
	v.pipe(
		v.strictTuple([]),
		v.transform(() => undefined),
	),
]);

const creditsShape = v.array(
	v.pipe(
		v.strictTuple([v.picklist([0, 1]), natural, natural]),
		v.transform(
			([isWithdrawn, amountMicroNok, timestampMs]): CreditMovement => ({
				type: isWithdrawn === 1 ? "creditWithdrawn" : "creditGranted",
				amountMicroNok,
				timestampMs,
			}),
		),
	),
);

interface StatementRecord {
	readonly issued: v.InferOutput<typeof transfersShape>;
	readonly trades: TradeMovement[];
	readonly carried: CarriedMovement[];
	readonly paidOut: v.InferOutput<typeof transfersShape>;
	readonly matched: MatchedMovement[];
	readonly others: OtherMovement[];
	readonly gaps: StatementGap[];
	readonly keptFromMs: number;
	readonly seen: Seen | undefined;
	readonly moved: v.InferOutput<typeof movedShape>;
	readonly ended: EndedCorrection[];
	readonly trialEnd: TrialEnd | undefined;
	readonly credits: CreditMovement[];
}

/** Records of earlier versions begin with a list. They had forgotten older movements, so what is kept begins after them. */
const RECORD_VERSION = 2;
const RECORD_FIELDS = [
	v.literal(RECORD_VERSION),
	transfersShape,
	contractsShape,
	carriedShape,
	transfersShape,
	matchedShape,
	othersShape,
	gapsShape,
	natural,
	seenShape,
	movedShape,
	endedShape,
	trialEndShape,
] as const;
const statementShape = v.union([
	v.pipe(
		// Before there were credit lines, nothing was written of them.
		v.union([v.strictTuple(RECORD_FIELDS), v.strictTuple([...RECORD_FIELDS, creditsShape])]),
		v.transform(([, issued, trades, carried, paidOut, matched, others, ...rest]): StatementRecord => {
			const [gaps, keptFromMs, seen, moved, ended, trialEnd, credits = []] = rest;
			const later = { others, gaps, keptFromMs, seen, moved, ended, trialEnd, credits };
			return { issued, trades, carried, paidOut, matched, ...later };
		}),
	),
	v.pipe(
		v.union([
			v.strictTuple([transfersShape, tradesShape]),
			v.strictTuple([transfersShape, tradesShape, carriedShape]),
			v.strictTuple([transfersShape, tradesShape, carriedShape, transfersShape]),
			v.strictTuple([transfersShape, tradesShape, carriedShape, transfersShape, matchedShape]),
		]),
		v.transform(([issued, trades, carried = [], paidOut = [], matched = []]): StatementRecord => {
			const later = {
				others: [],
				gaps: [],
				keptFromMs: 0,
				seen: undefined,
				moved: [],
				ended: [],
				trialEnd: undefined,
				credits: [],
			};
			return { issued, trades, carried, paidOut, matched, ...later };
		}),
	),
]);
