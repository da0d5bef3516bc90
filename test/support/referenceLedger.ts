/**
 * The rules of the market and of settlement once more: written from the design and not from the code, slow, without
 * any cleverness, in bigints. Everything is looked up in the whole past, nothing is kept up to date. The ledger must
 * agree with it.
 */
import type { MarketChoice } from "../../src/block/kinds/trading.js";
import type { Quality } from "../../src/block/reading.js";
import { least, referenceAllocation, sum } from "./referenceAllocation.js";
import { type ReferenceShare, referenceMatch } from "./referenceMatching.js";

const MINUTE_MS = 60_000;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY_MINUTES = 24 * 60;

export interface ReferenceRules {
	households: number;
	foundedMs: number;
	blockIntervalMs: number;
	graceBlocks: number;
	windowBlocks: number;
	/** For how many counted blocks a notice stands. */
	noticeBlocks: number;
	isPlayMoney: boolean;
	/** Neighbours use credit and are netted every month; of play money: as soon as it ends. */
	isMonthly: boolean;
	/** For how many minutes what was redeemed can be taken back. */
	takeBackMinutes: number;
	/** For how many minutes a correction waits for its answer, and how long its period may be. */
	correctionMinutes: number;
	correctedMinutes: number;
	market: {
		intervalMinutes: number;
		buysUnderContract: boolean;
		/** From the first whole interval on; undefined: none yet. */
		choice: MarketChoice | undefined;
		noticeMinutes: number;
	};
	tariff: ReferencePrices;
	/** By whose clocks schedules go. */
	timeZone: string;
}

export interface ReferencePrices {
	retail: number;
	feedIn: number;
	fee: number;
}

/** What a household says that it trades at; 0: by the tariff. */
interface ReferenceLimits {
	buy: number | undefined;
	sell: number | undefined;
	paysMore: boolean;
}

export interface ReferenceSchedule {
	days: number;
	fromMinuteOfDay: number;
	untilMinuteOfDay: number;
}

/** What clocks show in a minute, by the time zone database: minutes since Monday, 00:00. */
export function weekMinuteIn(timeZone: string): (minute: number) => number {
	const format = new Intl.DateTimeFormat("en-GB", {
		timeZone,
		hourCycle: "h23",
		weekday: "short",
		hour: "2-digit",
		minute: "2-digit",
	});
	const known = new Map<number, number>();
	return (minute) => {
		const before = known.get(minute);
		if (before !== undefined) return before;
		const [weekday = "", hour = "", past = ""] = format.format(minute * MINUTE_MS).split(/[ ,:]+/);
		const shown = WEEKDAYS.indexOf(weekday) * DAY_MINUTES + Number(hour) * 60 + Number(past);
		known.set(minute, shown);
		return shown;
	};
}

/** What the calendar on the wall shows in a minute, by the time zone database: months since the year 0. */
function monthIn(timeZone: string): (minute: number) => number {
	const format = new Intl.DateTimeFormat("en-GB", { timeZone, year: "numeric", month: "numeric" });
	return (minute) => {
		const parts = format.formatToParts(minute * MINUTE_MS);
		const numberOf = (type: string) => Number(parts.find((part) => part.type === type)?.value);
		return numberOf("year") * 12 + numberOf("month") - 1;
	};
}

/** All of a schedule's minutes of a week, one by one; undefined: all that there are. */
function weekMinutesOf(schedule: ReferenceSchedule | undefined): Set<number> | undefined {
	if (schedule === undefined) return undefined;
	const { days, fromMinuteOfDay, untilMinuteOfDay } = schedule;
	const minutes = new Set<number>();
	for (const [day] of WEEKDAYS.entries()) {
		if (
			!days
				.toString(2)
				.padStart(WEEKDAYS.length, "0")
				.endsWith("1", WEEKDAYS.length - day)
		)
			continue;
		const begins = day * DAY_MINUTES + fromMinuteOfDay;
		const ends = day * DAY_MINUTES + untilMinuteOfDay + (untilMinuteOfDay > fromMinuteOfDay ? 0 : DAY_MINUTES);
		for (let minute = begins; minute < ends; minute++) minutes.add(minute % (7 * DAY_MINUTES));
	}
	return minutes;
}

export interface ReferenceReading {
	member: number;
	minute: number;
	importWh: number;
	exportWh: number;
	/** Not so for typed readings, nor for simulated ones outside of a trial: they are shown only. */
	settles: boolean;
}

export interface ReferenceTerms {
	seller: number;
	price: number;
	fromMinute: number;
	untilMinute: number;
	limitWh: number;
	notice: number;
	buyer: number | undefined;
	maxBuyers: number;
	schedule: ReferenceSchedule | undefined;
}

/** What an operator says of the bank: of the account, and of what has come and gone there since the statement before. */
export interface ReferenceStatement {
	minute: number;
	balance: bigint;
	fees: bigint;
	interest: bigint;
	unmatched: bigint;
	cleared: bigint;
}

interface ReferenceOffer extends ReferenceTerms {
	isOpen: boolean;
	accepted: number[];
	weekMinutes: Set<number> | undefined;
}

interface ReferenceContract {
	seller: number;
	buyer: number;
	price: bigint;
	fromMinute: number;
	untilMinute: number;
	limitWh: bigint;
	notice: number;
	weekMinutes: Set<number> | undefined;
}

type Period = Pick<ReferenceContract, "fromMinute" | "untilMinute" | "weekMinutes">;

/** One contract's part of one settled minute. */
interface Outcome {
	contract: number;
	minute: number;
	energyWh: bigint;
}

export interface ReferenceSettled {
	seller: number;
	minute: number;
	availableWh: bigint;
	/** Contracts that got nothing are left out. */
	deliveries: { contract: number; buyer: number; energyWh: bigint; amount: bigint }[];
}

export interface ReferenceRest {
	household: number;
	minute: number;
	importWh: bigint;
	exportWh: bigint;
	/** The interval in whose market it takes part, by its first minute. */
	interval?: number | undefined;
}

export interface ReferenceInterval {
	from: number;
	choice: MarketChoice;
	price: bigint | undefined;
	shares: ReferenceShare[];
}

/** A household that moves out, or has. */
interface ReferenceRemoval {
	fromMinute: number;
	/** What is owed to it, once that is certain. */
	owed: bigint | undefined;
	isOut: boolean;
}

export interface ReferenceCorrection {
	member: number;
	counterparty: number;
	fromMinute: number;
	untilMinute: number;
	amount: bigint;
	isPayer: boolean;
}

export class ReferenceLedger {
	readonly #rules: ReferenceRules;
	readonly balances: bigint[];
	issued = 0n;
	paidOut = 0n;
	isPlayMoney: boolean;
	/** The founder is one. */
	readonly operators = new Set([0]);
	readonly suspended = new Set<number>();
	readonly removals = new Map<number, ReferenceRemoval>();
	/** By household: what it is to have, another key or to move out, and how many blocks have counted by then. */
	readonly notices = new Map<number, { kind: "rebind" | "remove"; until: number }>();
	/** Households that have had another key: their devices are out of use. */
	readonly rebound = new Set<number>();
	/** Whom each household wants for an operator. */
	readonly votes = new Map<number, number>();
	/** Households whose device votes. */
	readonly voters: Set<number>;
	/** Transactions that the block in the making has taken. */
	#taken = 0;
	readonly offers: ReferenceOffer[] = [];
	readonly contracts: ReferenceContract[] = [];
	/** In the order in which they came. */
	readonly readings: ReferenceReading[] = [];
	readonly orders: { member: number; amount: bigint; isOpen: boolean }[] = [];
	/** `minute`: in which the block lies that took it. `month`: nobody asked for it, that month was netted. */
	readonly redemptions: {
		member: number;
		amount: bigint;
		minute: number;
		isOpen: boolean;
		month: number | undefined;
	}[] = [];
	/** By member; nobody has one where money is not monthly. */
	readonly lines: bigint[];
	/** What was asked for when a month was over, or of who moves out. */
	readonly demands: { member: number; amount: bigint; month: number; isOfRemoval: boolean; isOpen: boolean }[] = [];
	/** The month in which it is netted next when that is over. */
	month: number | undefined;
	/** What was stated of the bank, oldest first, with what was in circulation then. */
	readonly statements: (ReferenceStatement & { member: number; circulation: bigint })[] = [];
	/** Who confirmed which of them last. */
	bankConfirmed: { statement: number; member: number } | undefined;
	/** `minute`: in which the block lies that took it. */
	readonly corrections: (ReferenceCorrection & { minute: number; isDeclined: boolean; isOpen: boolean })[] = [];
	/** By the correction that each is of, in the order in which they were agreed upon; 0: it is paid. */
	readonly claims: { correction: number; debtor: number; creditor: number; amount: bigint }[] = [];
	/** Tokens worth NOK in place of play money: each time that somebody proposed them, or took that back. */
	readonly moneySaid: { isProposed: boolean; confirmed: Set<number>; from: number | undefined }[] = [];
	/** How often energy was paid with what was to be paid out. */
	paidOfLocks = 0;
	readonly outcomes: Outcome[] = [];
	readonly rests: ReferenceRest[] = [];
	/** By which rule, within which limits and at which of the utility's prices, each from a minute on. */
	#choices: { from: number; choice: MarketChoice }[] = [];
	readonly #limits: (ReferenceLimits & { member: number; from: number })[] = [];
	#tariffs: (ReferencePrices & { from: number })[];
	/** Every interval before is matched; undefined: there is no market. */
	#matchedUntil: number | undefined;
	readonly intervals: ReferenceInterval[] = [];
	/** Genesis first. */
	readonly #timestampsMs: number[];
	readonly #weekMinuteAt: (minute: number) => number;
	readonly #monthAt: (minute: number) => number;

	constructor(rules: ReferenceRules) {
		this.#rules = rules;
		this.#weekMinuteAt = weekMinuteIn(rules.timeZone);
		this.#monthAt = monthIn(rules.timeZone);
		this.isPlayMoney = rules.isPlayMoney;
		this.balances = Array.from({ length: rules.households }, () => 0n);
		this.lines = this.balances.map(() => 0n);
		this.voters = new Set(this.balances.keys());
		this.#timestampsMs = [rules.foundedMs];
		this.#net();
		this.#tariffs = [{ from: 0, ...rules.tariff }];
		const { choice } = rules.market;
		if (choice === undefined) return;
		this.#matchedUntil = this.#nextInterval;
		this.#choices = [{ from: this.#nextInterval, choice }];
	}

	get timestampMs(): number {
		return this.#timestampsMs.at(-1) ?? 0;
	}

	/** The minute in which the block that is being made is stamped. */
	get #minute(): number {
		return Math.floor(this.timestampMs / MINUTE_MS);
	}

	openBlock(timestampMs: number): void {
		this.#timestampsMs.push(timestampMs);
		this.#taken = 0;
	}

	/** Notes that a transaction of this block was taken; gives back whether it was. */
	took(isTaken: boolean): boolean {
		if (isTaken) this.#taken += 1;
		return isTaken;
	}

	/** How many blocks that count carry a timestamp at or after the end of a minute. */
	#countedSince(minute: number): number {
		const slot = (ms: number) => Math.floor(ms / this.#rules.blockIntervalMs);
		return this.#timestampsMs.filter(
			(ms, at) => at > 0 && slot(ms) > slot(this.#timestampsMs[at - 1] ?? 0) && ms >= (minute + 1) * MINUTE_MS,
		).length;
	}

	// ── transactions: each says whether it is taken ──────────────────────────────────────────────────────────────

	/** Whether anything counts that a household signs now. */
	maySign(member: number): boolean {
		return !this.suspended.has(member) && !this.removals.has(member);
	}

	#isActing(member: number): boolean {
		return this.operators.has(member) && this.maySign(member);
	}

	#isLastActing(member: number): boolean {
		return this.#isActing(member) && [...this.operators].every((other) => other === member || !this.#isActing(other));
	}

	/** Whether more than two thirds of the households that are not out want it, and it does not move out. */
	#isWanted(household: number): boolean {
		const votes = [...this.votes.values()].filter((each) => each === household).length;
		const out = [...this.removals.values()].filter(({ isOut }) => isOut).length;
		return !this.removals.has(household) && votes * 3 > (this.#rules.households - out) * 2;
	}

	/** Whether the households want somebody else for an operator. */
	#isOverruled(member: number): boolean {
		return [...this.balances.keys()].some((other) => other !== member && this.#isWanted(other));
	}

	takeSuspend(member: number, household: number, isSuspended: boolean): boolean {
		if (!this.#isActing(member) || this.removals.has(household)) return false;
		if (isSuspended && this.#isWanted(household)) return false;
		if (this.suspended.has(household) === isSuspended || (isSuspended && this.#isLastActing(household))) return false;
		if (isSuspended) this.suspended.add(household);
		else this.suspended.delete(household);
		return true;
	}

	takeRole(member: number, household: number, isOperator: boolean): boolean {
		if (!this.#isActing(member) || this.removals.has(household)) return false;
		if (this.operators.has(household) === isOperator || this.#isLastActing(household)) return false;
		if (isOperator ? this.#isOverruled(member) : member !== household && this.#isWanted(household)) return false;
		if (member === household) this.#dropVotesFor(household);
		if (isOperator) this.operators.add(household);
		else this.operators.delete(household);
		return true;
	}

	/** A device leaves the voters; first in its block, or not in it. */
	takeVoterOff(member: number, household: number): boolean {
		if (!this.#isActing(member) || this.#taken > 0 || this.voters.size === 1) return false;
		return this.voters.delete(household);
	}

	takeRebind(member: number, household: number): boolean {
		if (!this.#isActing(member) || this.removals.has(household) || !this.#hasSuccessor(household)) return false;
		this.#giveNotice(household, "rebind");
		return true;
	}

	#giveNotice(household: number, kind: "rebind" | "remove"): void {
		this.notices.set(household, { kind, until: this.#countedSince(0) + this.#rules.noticeBlocks + 1 });
	}

	#isDue(household: number, kind: "rebind" | "remove"): boolean {
		const notice = this.notices.get(household);
		return notice?.kind === kind && this.#countedSince(0) >= notice.until;
	}

	/** Whether somebody else could vote where a household's device does. */
	#hasSuccessor(household: number): boolean {
		if (!this.voters.has(household)) return true;
		return [...this.balances.keys()].some(
			(other) =>
				other !== household && !this.removals.has(other) && !this.rebound.has(other) && !this.#isDue(other, "rebind"),
		);
	}

	/** A suspended household may, too. */
	takeContest(member: number, household: number): boolean {
		if (this.removals.has(member) || (member !== household && !this.#isActing(member))) return false;
		if (member !== household && this.suspended.has(member)) return false;
		const isRemoval = this.notices.get(household)?.kind === "remove";
		if (member !== household && isRemoval && this.#isOverruled(member)) return false;
		return this.notices.delete(household);
	}

	takeAppoint(member: number, household: number | undefined): boolean {
		if (this.removals.get(member)?.isOut === true || this.votes.get(member) === household) return false;
		if (household === undefined) return this.votes.delete(member);
		if (this.removals.has(household)) return false;
		this.votes.set(member, household);
		return true;
	}

	#countVotes(): void {
		for (let household = 0; household < this.#rules.households; household++) {
			if (!this.#isWanted(household)) continue;
			this.operators.add(household);
			this.suspended.delete(household);
			if (this.notices.get(household)?.kind === "remove") this.notices.delete(household);
		}
	}

	#dropVotesFor(household: number): void {
		for (const [voter, vote] of [...this.votes]) if (vote === household) this.votes.delete(voter);
	}

	takeRemove(member: number, household: number): boolean {
		if (!this.#isActing(member) || this.removals.has(household) || this.#isLastActing(household)) return false;
		if ((member !== household && this.#isWanted(household)) || !this.#hasSuccessor(household)) return false;
		if (member === household) this.#dropVotesFor(household);
		this.#giveNotice(household, "remove");
		return true;
	}

	#beginRemovals(): void {
		for (const household of this.balances.keys()) {
			if (!this.#isDue(household, "remove") || this.#isLastActing(household) || this.#isWanted(household)) continue;
			this.#beginRemoval(household);
		}
	}

	#beginRemoval(household: number): void {
		const fromMinute = this.#minute + 1;
		this.removals.set(household, { fromMinute, owed: undefined, isOut: false });
		this.operators.delete(household);
		this.notices.delete(household);
		for (const [at, contract] of this.contracts.entries()) {
			if ((contract.seller !== household && contract.buyer !== household) || this.#isOver(at)) continue;
			contract.untilMinute = Math.min(contract.untilMinute, fromMinute);
		}
		for (const offer of this.offers) {
			if (offer.seller === household || offer.buyer === household) offer.isOpen = false;
		}
		for (const order of this.orders) if (order.member === household) order.isOpen = false;
	}

	takeLeave(member: number): boolean {
		if (this.removals.has(member) || this.#isLastActing(member) || !this.#hasSuccessor(member)) return false;
		this.#dropVotesFor(member);
		this.#beginRemoval(member);
		return true;
	}

	takeRedeem(member: number, amount: number): boolean {
		const open = this.redemptions.filter((each) => each.member === member && each.isOpen);
		const free = this.balanceOf(member) - this.lineOf(member) - this.#owedBy(member);
		if (this.isPlayMoney || open.length >= 8 || free < BigInt(amount)) return false;
		this.#redeem(member, BigInt(amount), undefined);
		return true;
	}

	#redeem(member: number, amount: bigint, month: number | undefined): void {
		this.balances[member] = this.balanceOf(member) - amount;
		this.redemptions.push({ member, amount, minute: this.#minute, isOpen: true, month });
	}

	takeCancelOrder(member: number, at: number): boolean {
		const order = this.orders[at];
		if (order === undefined || !order.isOpen || order.member !== member) return false;
		order.isOpen = false;
		return true;
	}

	takeCancelRedemption(member: number, at: number): boolean {
		const redemption = this.redemptions[at];
		if (redemption === undefined || !redemption.isOpen || redemption.member !== member) return false;
		if (this.#minute >= redemption.minute + this.#rules.takeBackMinutes) return false;
		redemption.isOpen = false;
		this.balances[member] = this.balanceOf(member) + redemption.amount;
		return true;
	}

	takePayoutOfRedemption(member: number, at: number, amount: number): boolean {
		const redemption = this.redemptions[at];
		if (!this.#isActing(member) || redemption === undefined || !redemption.isOpen) return false;
		if (this.#minute < redemption.minute + this.#rules.takeBackMinutes) return false;
		for (const [at, contract] of this.contracts.entries()) {
			if (contract.buyer !== redemption.member) continue;
			const before = this.#minutesOf(contract).filter((minute) => minute < redemption.minute);
			if (!before.every((minute) => this.#isSettled(at, minute))) return false;
		}
		if (this.#awaitsMatching(redemption.member, redemption.minute)) return false;
		if (redemption.amount !== BigInt(amount) || this.reserve < redemption.amount) return false;
		this.paidOut += redemption.amount;
		redemption.isOpen = false;
		return true;
	}

	/** What was redeemed when a minute had ended can still pay for it. */
	#redemptionsFor(member: number, minute: number) {
		return this.redemptions.filter((each) => each.isOpen && each.member === member && each.minute > minute);
	}

	#fundsOf(member: number, minute: number): bigint {
		return this.balanceOf(member) + sum(this.#redemptionsFor(member, minute).map(({ amount }) => amount));
	}

	#spend(member: number, minute: number, amount: bigint): void {
		let owed = amount - least(amount, this.balanceOf(member));
		this.balances[member] = this.balanceOf(member) - (amount - owed);
		if (owed > 0n) this.paidOfLocks += 1;
		for (const redemption of this.#redemptionsFor(member, minute)) {
			const part = least(owed, redemption.amount);
			redemption.amount -= part;
			owed -= part;
			if (redemption.amount === 0n) redemption.isOpen = false;
		}
	}

	takePayout(member: number, household: number, amount: number): boolean {
		const removal = this.removals.get(household);
		if (!this.#isActing(member) || removal?.owed === undefined || removal.owed === 0n) return false;
		if (removal.owed !== BigInt(amount) || this.reserve < removal.owed) return false;
		this.paidOut += removal.owed;
		removal.owed = 0n;
		return true;
	}

	/** Of all households: what is locked until it is paid out. */
	get locked(): bigint {
		const open = this.redemptions.filter(({ isOpen }) => isOpen).map(({ amount }) => amount);
		return sum([...[...this.removals.values()].map(({ owed }) => owed ?? 0n), ...open]);
	}

	#completeRemovals(): void {
		for (const [household, removal] of this.removals) {
			const isOpen = [...this.contracts.entries()].some(([at, contract]) => {
				return (contract.seller === household || contract.buyer === household) && !this.#isOver(at);
			});
			if (isOpen || this.#awaitsMatching(household, removal.fromMinute)) continue;
			if (this.balanceOf(household) > 0n && this.#owedBy(household) > 0n) continue;
			if (!this.#givesLineBack(household)) continue;
			// What comes after it was locked waits until that is paid out.
			if ((removal.owed ?? 0n) === 0n) {
				removal.owed = this.balanceOf(household);
				this.balances[household] = 0n;
			}
			if (removal.isOut || removal.owed !== 0n || this.voters.has(household)) continue;
			if (this.redemptions.some(({ member, isOpen }) => isOpen && member === household)) continue;
			removal.isOut = true;
			this.votes.delete(household);
			this.#dropVotesFor(household);
		}
	}

	/** Who moves out, and has used of its line what it does not have, is asked for it; for no more while that is open. */
	#givesLineBack(household: number): boolean {
		const debt = this.lineOf(household) - this.balanceOf(household);
		const open = this.demands.filter(({ isOpen, member }) => isOpen && member === household);
		if (debt <= 0n) {
			for (const demand of open) demand.isOpen = false;
			this.balances[household] = -debt;
			this.lines[household] = 0n;
			return true;
		}
		const missing = debt - sum(open.map(({ amount }) => amount));
		if (missing > 0n && !open.some(({ isOfRemoval }) => isOfRemoval)) {
			this.demands.push({
				member: household,
				amount: missing,
				month: this.month ?? 0,
				isOfRemoval: true,
				isOpen: true,
			});
		}
		return false;
	}

	#completeRebindings(): void {
		for (const household of this.balances.keys()) {
			if (!this.#isDue(household, "rebind") || this.voters.has(household)) continue;
			this.notices.delete(household);
			this.rebound.add(household);
		}
	}

	takeReading({ quality, ...energy }: Omit<ReferenceReading, "settles"> & { quality: Quality }): boolean {
		const settles = quality !== "typed" && (quality !== "simulated" || this.isPlayMoney);
		const reading = { ...energy, settles };
		if (reading.minute >= (this.removals.get(reading.member)?.fromMinute ?? Number.POSITIVE_INFINITY)) return false;
		if ((reading.minute + 1) * MINUTE_MS > this.timestampMs) return false;
		if (reading.minute < Math.floor(this.#rules.foundedMs / MINUTE_MS)) return false;
		if (this.#countedSince(reading.minute) > this.#rules.windowBlocks) return false;
		if (this.#readingOf(reading.member, reading.minute) !== undefined) return false;
		this.readings.push(reading);
		return true;
	}

	/** The minutes of a period that its schedule has. */
	#minutesOf({ fromMinute, untilMinute, weekMinutes }: Period): number[] {
		const minutes: number[] = [];
		for (let minute = fromMinute; minute < untilMinute; minute++) {
			if (weekMinutes === undefined || weekMinutes.has(this.#weekMinuteAt(minute))) minutes.push(minute);
		}
		return minutes;
	}

	covers(contract: ReferenceContract, minute: number): boolean {
		const isWithin = contract.fromMinute <= minute && minute < contract.untilMinute;
		return isWithin && (contract.weekMinutes === undefined || contract.weekMinutes.has(this.#weekMinuteAt(minute)));
	}

	/** Those of an offer's minutes that a contract could still have. */
	#leftOf(offer: Period): number[] {
		return this.#minutesOf(offer).filter((minute) => minute > this.#minute);
	}

	takeOffer(terms: ReferenceTerms): boolean {
		const weekMinutes = weekMinutesOf(terms.schedule);
		if (this.#leftOf({ ...terms, weekMinutes }).length === 0) return false;
		if (terms.buyer === terms.seller) return false;
		if (terms.buyer !== undefined && this.removals.has(terms.buyer)) return false;
		this.offers.push({ ...terms, weekMinutes, isOpen: true, accepted: [] });
		return true;
	}

	takeWithdraw(member: number, at: number): boolean {
		const offer = this.offers[at];
		if (offer === undefined || !offer.isOpen || offer.seller !== member) return false;
		offer.isOpen = false;
		return true;
	}

	takeAccept(buyer: number, at: number): boolean {
		const offer = this.offers[at];
		if (offer === undefined || !offer.isOpen || offer.seller === buyer || offer.accepted.includes(buyer)) return false;
		if (offer.buyer !== undefined && offer.buyer !== buyer) return false;
		const fromMinute = Math.max(offer.fromMinute, this.#minute + 1);
		const { untilMinute, weekMinutes } = offer;
		const left = this.#leftOf(offer);
		if (left.length === 0) return false;
		const bought = this.contracts.filter((other) => other.buyer === buyer);
		if (bought.some((other) => left.some((minute) => this.covers(other, minute)))) return false;
		offer.accepted.push(buyer);
		if (offer.buyer !== undefined || offer.accepted.length === offer.maxBuyers) offer.isOpen = false;
		this.contracts.push({
			seller: offer.seller,
			buyer,
			price: BigInt(offer.price),
			fromMinute,
			untilMinute,
			limitWh: BigInt(offer.limitWh),
			notice: offer.notice,
			weekMinutes,
		});
		return true;
	}

	takeEnd(member: number, at: number): boolean {
		const contract = this.contracts[at];
		if (contract === undefined || (contract.seller !== member && contract.buyer !== member)) return false;
		if (this.#isOver(at)) return false;
		const delivered = this.outcomes.filter((outcome) => outcome.contract === at && outcome.energyWh > 0n);
		const lastDelivery = Math.max(contract.fromMinute - 1, ...delivered.map(({ minute }) => minute));
		const idle = this.#minute + 1 - lastDelivery > 7 * 24 * 60;
		const untilMinute = this.#minute + 1 + (idle ? 0 : contract.notice);
		if (untilMinute >= contract.untilMinute) return false;
		contract.untilMinute = untilMinute;
		return true;
	}

	lineOf(member: number): bigint {
		return this.lines[member] ?? 0n;
	}

	/** The money that came in and is still there. */
	get reserve(): bigint {
		return this.issued - this.paidOut;
	}

	takeCredit(member: number, household: number, line: number): boolean {
		if (!this.#isActing(member) || this.isPlayMoney || !this.#rules.isMonthly) return false;
		const more = BigInt(line) - this.lineOf(household);
		if (this.removals.has(household) && (more >= 0n || this.removals.get(household)?.isOut === true)) return false;
		if (this.balanceOf(household) + more < 0n) return false;
		this.lines[household] = BigInt(line);
		this.balances[household] = this.balanceOf(household) + more;
		return true;
	}

	takeIssueOfDemand(member: number, at: number, amount: number): boolean {
		const demand = this.demands[at];
		if (!this.#isActing(member) || demand === undefined || !demand.isOpen) return false;
		if (demand.amount !== BigInt(amount) || this.bankDifference < 0n) return false;
		demand.isOpen = false;
		this.issued += demand.amount;
		this.balances[demand.member] = this.balanceOf(demand.member) + demand.amount;
		return true;
	}

	/** In the first block of another month: each household that stays is asked for what it used, or has the rest locked. */
	#net(): void {
		if (this.isPlayMoney || !this.#rules.isMonthly) return;
		const month = this.#monthAt(this.#minute);
		const ended = this.month;
		if (ended !== undefined && month <= ended) return;
		this.month = month;
		if (ended === undefined) return;
		for (const member of this.balances.keys()) {
			if (this.removals.has(member)) continue;
			const open = this.demands.filter((demand) => demand.isOpen && demand.member === member);
			const missing = this.lineOf(member) - this.balanceOf(member) - sum(open.map(({ amount }) => amount));
			const free = this.balanceOf(member) - this.lineOf(member) - this.#owedBy(member);
			if (missing > 0n) {
				const amount = ((missing + 9_999n) / 10_000n) * 10_000n;
				this.demands.push({ member, amount, month: ended, isOfRemoval: false, isOpen: true });
			} else if (open.length === 0 && free >= 10_000n) this.#redeem(member, free - (free % 10_000n), ended);
		}
	}

	takeBuy(member: number, amount: number): boolean {
		this.orders.push({ member, amount: BigInt(amount), isOpen: true });
		return true;
	}

	takeIssue(member: number, at: number, amount: number): boolean {
		const order = this.orders[at];
		if (!this.#isActing(member) || order === undefined || !order.isOpen || order.amount !== BigInt(amount))
			return false;
		if (this.bankDifference < 0n) return false;
		order.isOpen = false;
		this.issued += order.amount;
		this.balances[order.member] = this.balanceOf(order.member) + order.amount;
		return true;
	}

	// ── the bank ─────────────────────────────────────────────────────────────────────────────────────────────────

	takeBank(member: number, statement: ReferenceStatement): boolean {
		if (!this.#isActing(member) || this.isPlayMoney || statement.minute > this.#minute) return false;
		if (this.statements.some(({ minute }) => statement.minute < minute)) return false;
		const all = [...this.statements, statement];
		if (sum(all.map(({ cleared }) => cleared)) > sum(all.map(({ unmatched }) => unmatched))) return false;
		this.statements.push({ ...statement, member, circulation: this.issued - this.paidOut });
		return true;
	}

	takeBankConfirm(member: number, at: number): boolean {
		const statement = this.statements[at];
		if (statement === undefined || at !== this.statements.length - 1 || statement.member === member) return false;
		this.bankConfirmed = { statement: at, member };
		return true;
	}

	/** What the bank holds beyond what it should, by the last statement; 0: none was made. */
	get bankDifference(): bigint {
		const last = this.statements.at(-1);
		if (last === undefined) return 0n;
		const moved = this.statements.map(
			({ fees, interest, unmatched, cleared }) => interest + unmatched - cleared - fees,
		);
		return last.balance - last.circulation - sum(moved);
	}

	// ── corrections ──────────────────────────────────────────────────────────────────────────────────────────────

	/** Until a household is out: what was wrong in its last minutes is put right as well. */
	#mayCorrect(member: number): boolean {
		return !this.suspended.has(member) && this.removals.get(member)?.isOut !== true;
	}

	takeCorrect(correction: ReferenceCorrection): boolean {
		const { member, counterparty, fromMinute, untilMinute } = correction;
		if (!this.#mayCorrect(member) || member === counterparty) return false;
		if (this.removals.get(counterparty)?.isOut === true) return false;
		if (fromMinute >= untilMinute || untilMinute - fromMinute > this.#rules.correctedMinutes) return false;
		if (fromMinute < Math.floor(this.#rules.foundedMs / MINUTE_MS)) return false;
		if (fromMinute < (this.moneyProposal?.from ?? 0)) return false;
		if (this.#countedSince(untilMinute - 1) < this.#rules.graceBlocks + 1) return false;
		const own = this.corrections.filter((each) => each.isOpen && each.member === member);
		const pair = [member, counterparty];
		const unpaid = this.claims.filter(
			({ amount, creditor, debtor }) => amount > 0n && pair.includes(debtor) && pair.includes(creditor),
		);
		const towards = own.filter((each) => each.counterparty === counterparty).length;
		if (towards + unpaid.length >= 8 || own.length >= 32) return false;
		this.corrections.push({ ...correction, minute: this.#minute, isDeclined: false, isOpen: true });
		return true;
	}

	takeAnswer(member: number, at: number, isAgreed: boolean): boolean {
		const correction = this.corrections[at];
		if (!this.#mayCorrect(member) || correction === undefined || !correction.isOpen) return false;
		if (correction.member === member && !isAgreed) {
			correction.isOpen = false;
			return true;
		}
		if (correction.counterparty !== member) return false;
		if (!isAgreed) {
			const isNews = !correction.isDeclined;
			correction.isDeclined = true;
			return isNews;
		}
		const { amount, isPayer } = correction;
		if (amount === 0n) return false;
		correction.isOpen = false;
		const debtor = isPayer ? correction.member : member;
		const creditor = isPayer ? member : correction.member;
		this.claims.push({ correction: at, debtor, creditor, amount });
		this.#payClaims(debtor);
		return true;
	}

	/** Of one household, or of all. */
	#payClaims(payer?: number): void {
		for (const claim of this.claims) {
			if (payer !== undefined && claim.debtor !== payer) continue;
			if (this.removals.get(claim.creditor)?.isOut === true) continue;
			const paid = least(claim.amount, this.balanceOf(claim.debtor));
			claim.amount -= paid;
			this.balances[claim.debtor] = this.balanceOf(claim.debtor) - paid;
			this.balances[claim.creditor] = this.balanceOf(claim.creditor) + paid;
		}
	}

	#owedBy(member: number): bigint {
		const payable = this.claims.filter(({ creditor }) => this.removals.get(creditor)?.isOut !== true);
		return sum(payable.filter(({ debtor }) => debtor === member).map(({ amount }) => amount));
	}

	/** Nobody has answered, or somebody it concerns is out. */
	#isLapsed({ member, counterparty, amount, isDeclined, minute }: ReferenceLedger["corrections"][number]): boolean {
		if ([member, counterparty].some((each) => this.removals.get(each)?.isOut === true)) return true;
		return amount > 0n && !isDeclined && this.#minute >= minute + this.#rules.correctionMinutes;
	}

	// ── the end of play money ────────────────────────────────────────────────────────────────────────────────────

	/** What is proposed, or has come about. */
	get moneyProposal() {
		const last = this.moneySaid.at(-1);
		return last?.isProposed === true ? last : undefined;
	}

	takeMoney(member: number, isProposed: boolean): boolean {
		if (!this.#isActing(member) || !this.isPlayMoney) return false;
		if (!isProposed && this.moneyProposal === undefined) return false;
		this.moneySaid.push({ isProposed, confirmed: new Set([member]), from: undefined });
		return true;
	}

	takeMoneyConfirm(member: number, at: number): boolean {
		const proposal = this.moneySaid[at];
		if (!this.isPlayMoney || proposal === undefined || proposal !== this.moneyProposal) return false;
		if (proposal.confirmed.has(member)) return false;
		proposal.confirmed.add(member);
		return true;
	}

	/** Have all agreed that stay, nothing is left of what was played. */
	#endPlay(): void {
		const { moneyProposal } = this;
		if (!this.isPlayMoney || moneyProposal === undefined) return;
		const stay = [...this.balances.keys()].filter((member) => !this.removals.has(member));
		if (!stay.every((member) => moneyProposal.confirmed.has(member))) return;
		const from = this.#minute + 1;
		moneyProposal.from = from;
		this.isPlayMoney = false;
		this.issued = 0n;
		this.paidOut = 0n;
		this.balances.fill(0n);
		for (const removal of this.removals.values()) removal.owed = removal.owed === undefined ? undefined : 0n;
		for (const each of [...this.orders, ...this.offers, ...this.corrections]) each.isOpen = false;
		for (const claim of this.claims) claim.amount = 0n;
		for (const [at, contract] of this.contracts.entries()) {
			if (this.#isOver(at)) continue;
			contract.untilMinute = Math.min(contract.untilMinute, from);
			for (const minute of this.#minutesOf(contract)) {
				if (!this.#isSettled(at, minute)) this.outcomes.push({ contract: at, minute, energyWh: 0n });
			}
		}
		for (const member of this.balances.keys()) {
			this.#limits.push({ member, from: 0, buy: undefined, sell: undefined, paysMore: false });
		}
		if (this.#matchedUntil !== undefined) this.#matchedUntil = Math.max(this.#matchedUntil, this.#nextInterval);
	}

	// ── the market that trades by itself ─────────────────────────────────────────────────────────────────────────

	get #nextInterval(): number {
		const { intervalMinutes } = this.#rules.market;
		return (Math.floor(this.#minute / intervalMinutes) + 1) * intervalMinutes;
	}

	/** The first interval from which on a rule can hold that is chosen now. */
	get earliestChoice(): number {
		const { intervalMinutes, noticeMinutes } = this.#rules.market;
		const notice = this.#matchedUntil === undefined ? 0 : noticeMinutes;
		return Math.ceil((this.#nextInterval + notice) / intervalMinutes) * intervalMinutes;
	}

	takeLimits(member: number, limits: ReferenceLimits): boolean {
		this.#limits.push({ member, from: this.#nextInterval, ...limits });
		return true;
	}

	takeMarket(member: number, choice: MarketChoice, from: number): boolean {
		if (!this.#isActing(member) || from % this.#rules.market.intervalMinutes !== 0) return false;
		if (from < this.earliestChoice) return false;
		this.#choices = [...this.#choices.filter((each) => each.from <= this.#minute), { from, choice }];
		this.#matchedUntil ??= from;
		return true;
	}

	takeTariff(member: number, from: number, prices: ReferencePrices): boolean {
		if (!this.#isActing(member) || from <= this.#minute) return false;
		this.#tariffs = [...this.#tariffs.filter((each) => each.from < from), { from, ...prices }];
		return true;
	}

	#choiceAt(minute: number): MarketChoice {
		return this.#choices.findLast(({ from }) => from <= minute)?.choice ?? "none";
	}

	/** The limits by which a household trades in an interval, if it does. */
	#limitsAt(member: number, interval: number): ReferenceLimits | undefined {
		const limits = this.#limits.findLast((each) => each.member === member && each.from <= interval);
		return limits?.buy === undefined && limits?.sell === undefined ? undefined : limits;
	}

	/** The interval that a minute of a household is traded in, if it is. */
	#tradedIn(member: number, minute: number): number | undefined {
		const { intervalMinutes } = this.#rules.market;
		const interval = minute - (minute % intervalMinutes);
		if (this.#matchedUntil === undefined || minute < this.#matchedUntil) return undefined;
		if (this.#choiceAt(interval) === "none" || this.#limitsAt(member, interval) === undefined) return undefined;
		return interval;
	}

	/** Whether something that began before a minute is still to be matched in which a household takes part. */
	#awaitsMatching(member: number, before: number): boolean {
		for (let minute = this.#matchedUntil ?? before; minute < before; minute++) {
			if (this.#tradedIn(member, minute) !== undefined) return true;
		}
		return false;
	}

	#matchIntervals(): ReferenceInterval[] {
		const { intervalMinutes } = this.#rules.market;
		const before = this.intervals.length;
		while (this.#matchedUntil !== undefined && this.#matchedUntil + intervalMinutes <= this.#minute) {
			const from = this.#matchedUntil;
			if (this.#choiceAt(from) !== "none" && !this.#matchInterval(from)) break;
			this.#matchedUntil = from + intervalMinutes;
		}
		return this.intervals.slice(before);
	}

	/** Whether it could be matched now. */
	#matchInterval(from: number): boolean {
		const { intervalMinutes } = this.#rules.market;
		const members = [...this.balances.keys()].filter((member) => this.#limitsAt(member, from) !== undefined);
		const minutes = Array.from({ length: intervalMinutes }, (_, at) => from + at);
		const isOver = this.#countedSince(from + intervalMinutes - 1) >= this.#rules.graceBlocks + 1;
		const isComplete = members.every((member) =>
			minutes.every(
				(minute) =>
					minute >= (this.removals.get(member)?.fromMinute ?? Number.POSITIVE_INFINITY) ||
					this.rests.some((rest) => rest.household === member && rest.minute === minute),
			),
		);
		if (!isOver && !isComplete) return false;
		const choice = this.#choiceAt(from);
		if (choice === "none") return true;
		const prices = this.#tariffs.findLast((each) => each.from <= from) ?? this.#rules.tariff;
		const energyOf = (member: number, side: "importWh" | "exportWh") =>
			Number(sum(this.#tradable(member, from, side).map((rest) => rest[side])));
		const asks = members.flatMap((household) => {
			const sell = this.#limitsAt(household, from)?.sell;
			const energyWh = energyOf(household, "exportWh");
			if (sell === undefined || energyWh === 0) return [];
			return [{ household, energyWh, limitMicroNokPerWh: Math.max(sell, prices.feedIn, 1) }];
		});
		const bids = members.flatMap((household) => {
			const limits = this.#limitsAt(household, from);
			const energyWh = energyOf(household, "importWh");
			if (limits?.buy === undefined || energyWh === 0) return [];
			const most = prices.retail - prices.fee;
			const own = limits.buy === 0 ? most : limits.buy;
			const limitMicroNokPerWh = limits.paysMore ? own : Math.min(own, most);
			if (limitMicroNokPerWh < 1) return [];
			const payableMicroNok = Number(this.#fundsOf(household, from));
			return [{ household, energyWh, limitMicroNokPerWh, payableMicroNok }];
		});
		const { price, shares } = referenceMatch(choice, {
			asks,
			bids,
			retailMicroNokPerWh: prices.retail,
			feedInMicroNokPerWh: prices.feedIn,
			localFeeMicroNokPerWh: prices.fee,
		});
		for (const { household, paid } of shares) this.#spend(household, from, paid);
		for (const { household, earned } of shares) this.balances[household] = this.balanceOf(household) + earned;
		if (shares.length > 0) this.intervals.push({ from, choice, price, shares });
		return true;
	}

	/** What a household can trade of an interval's minutes. */
	#tradable(member: number, interval: number, side: "importWh" | "exportWh"): ReferenceRest[] {
		return this.rests.filter((rest) => {
			if (rest.household !== member || rest.interval !== interval) return false;
			if (this.#readingOf(member, rest.minute)?.settles !== true) return false;
			if (side === "exportWh" || this.#rules.market.buysUnderContract) return true;
			return !this.contracts.some((contract) => contract.buyer === member && this.covers(contract, rest.minute));
		});
	}

	#matchedWh(member: number, side: "boughtWh" | "soldWh"): bigint {
		return sum(
			this.intervals.flatMap(({ shares }) =>
				shares.filter(({ household }) => household === member).map((share) => share[side]),
			),
		);
	}

	// ── the end of a block ───────────────────────────────────────────────────────────────────────────────────────

	closeBlock(): { settled: ReferenceSettled[]; rests: ReferenceRest[]; matched: ReferenceInterval[] } {
		const settled: ReferenceSettled[] = [];
		for (let seller = 0; seller < this.#rules.households; seller++) {
			for (const minute of this.#soldMinutes(seller)) {
				const contracts = this.#contractsOf(seller, minute);
				if (contracts.length === 0 || contracts.every((at) => this.#isSettled(at, minute))) continue;
				if (!this.#isReady(seller, contracts, minute)) break;
				settled.push(this.#settle(seller, contracts, minute));
			}
		}
		const rests = this.#bookRests();
		const matched = this.#matchIntervals();
		this.#payClaims();
		this.#beginRemovals();
		this.#endPlay();
		this.#net();
		this.#completeRemovals();
		this.#completeRebindings();
		this.#countVotes();
		for (const correction of this.corrections) if (this.#isLapsed(correction)) correction.isOpen = false;
		for (const offer of this.offers) if (this.#leftOf(offer).length === 0) offer.isOpen = false;
		return { settled, rests, matched };
	}

	/** Minutes that are over, and that some contract of a seller covers. */
	#soldMinutes(seller: number): number[] {
		const contracts = this.contracts.filter((contract) => contract.seller === seller);
		const minutes = new Set(contracts.flatMap((contract) => this.#minutesOf(contract)));
		return [...minutes].filter((minute) => minute < this.#minute).sort((a, b) => a - b);
	}

	#contractsOf(seller: number, minute: number): number[] {
		return [...this.contracts.keys()].filter((at) => {
			const contract = this.contracts[at];
			return contract?.seller === seller && this.covers(contract, minute);
		});
	}

	/** Whether a contract has no minute left: it is not ended any more. */
	#isOver(contract: number): boolean {
		return this.#minutesOf(this.contract(contract)).every((minute) => this.#isSettled(contract, minute));
	}

	#isSettled(contract: number, minute: number): boolean {
		return this.outcomes.some((outcome) => outcome.contract === contract && outcome.minute === minute);
	}

	#readingOf(member: number, minute: number): ReferenceReading | undefined {
		return this.readings.find((reading) => reading.member === member && reading.minute === minute);
	}

	#isReady(seller: number, contracts: readonly number[], minute: number): boolean {
		if (this.#countedSince(minute) >= this.#rules.graceBlocks + 1) return true;
		const concerned = [seller, ...contracts.map((at) => this.contracts[at]?.buyer ?? -1)];
		return concerned.every((member) => this.#readingOf(member, minute) !== undefined);
	}

	#settle(seller: number, contracts: readonly number[], minute: number): ReferenceSettled {
		const sold = this.#readingOf(seller, minute);
		const availableWh = sold?.settles === true ? BigInt(sold.exportWh) : 0n;
		const wantedWh = contracts.map((at) => {
			const { buyer, limitWh, price } = this.contract(at);
			const bought = this.#readingOf(buyer, minute);
			const importWh = bought?.settles === true ? BigInt(bought.importWh) : 0n;
			const left = limitWh === 0n ? importWh : limitWh - this.deliveredWh(at);
			return least(importWh, left, this.#fundsOf(buyer, minute) / price);
		});
		const deliveries: ReferenceSettled["deliveries"] = [];
		for (const [which, energyWh] of referenceAllocation(availableWh, wantedWh).entries()) {
			const at = contracts[which] ?? -1;
			const { buyer, price } = this.contract(at);
			const amount = energyWh * price;
			this.#spend(buyer, minute, amount);
			this.balances[seller] = this.balanceOf(seller) + amount;
			this.outcomes.push({ contract: at, minute, energyWh });
			if (energyWh > 0n) deliveries.push({ contract: at, buyer, energyWh, amount });
		}
		return { seller, minute, availableWh, deliveries };
	}

	/** Of every reading on the chain, once all contract-minutes of its household and minute have settled. */
	#bookRests(): ReferenceRest[] {
		const rests: ReferenceRest[] = [];
		for (const { member, minute, importWh, exportWh } of this.readings) {
			if (this.rests.some((rest) => rest.household === member && rest.minute === minute)) continue;
			const concerned = [...this.contracts.keys()].filter((at) => {
				const contract = this.contract(at);
				return (contract.seller === member || contract.buyer === member) && this.covers(contract, minute);
			});
			if (!concerned.every((at) => this.#isSettled(at, minute))) continue;
			const energyOf = (side: "seller" | "buyer") =>
				sum(
					this.outcomes
						.filter((outcome) => outcome.minute === minute && this.contract(outcome.contract)[side] === member)
						.map(({ energyWh }) => energyWh),
				);
			rests.push({
				household: member,
				minute,
				importWh: BigInt(importWh) - energyOf("buyer"),
				exportWh: BigInt(exportWh) - energyOf("seller"),
				interval: this.#tradedIn(member, minute),
			});
		}
		this.rests.push(...rests);
		return rests;
	}

	// ── what has come of it ──────────────────────────────────────────────────────────────────────────────────────

	contract(at: number): ReferenceContract {
		const contract = this.contracts[at];
		if (contract === undefined) throw new Error(`no contract ${at}`);
		return contract;
	}

	balanceOf(member: number): bigint {
		return this.balances[member] ?? 0n;
	}

	deliveredWh(contract: number): bigint {
		return sum(this.outcomes.filter((outcome) => outcome.contract === contract).map(({ energyWh }) => energyWh));
	}

	boughtWh(member: number): bigint {
		return this.#contractedWh(member, "buyer") + this.#matchedWh(member, "boughtWh");
	}

	soldWh(member: number): bigint {
		return this.#contractedWh(member, "seller") + this.#matchedWh(member, "soldWh");
	}

	#contractedWh(member: number, side: "seller" | "buyer"): bigint {
		return sum(
			this.outcomes.filter(({ contract }) => this.contract(contract)[side] === member).map(({ energyWh }) => energyWh),
		);
	}

	meteredWh(member: number, side: "importWh" | "exportWh"): bigint {
		return sum(this.readings.filter((reading) => reading.member === member).map((reading) => BigInt(reading[side])));
	}

	/** Bought from the utility, or sold to it: what still waits to be matched is neither yet. */
	restWh(member: number, side: "importWh" | "exportWh"): bigint {
		const isWaiting = ({ interval }: ReferenceRest) =>
			interval !== undefined && this.#matchedUntil !== undefined && interval >= this.#matchedUntil;
		const booked = this.rests.filter((rest) => rest.household === member && !isWaiting(rest));
		return sum(booked.map((rest) => rest[side])) - this.#matchedWh(member, side === "importWh" ? "boughtWh" : "soldWh");
	}
}
