/**
 * Random lives of a neighbourhood, told to the ledger and to the reference at once. The reference says of every
 * transaction whether the rules allow it; the ledger is given them all.
 */
import fc from "fast-check";
import { BLOCK_VERSION, type Block, blockHash, transactionsRoot } from "../../src/block/block.js";
import type { FoundingTerms } from "../../src/block/kinds/founding.js";
import { MARKET_CHOICES, type MarketChoice } from "../../src/block/kinds/trading.js";
import type { Quality } from "../../src/block/reading.js";
import type { Transaction, Unsigned } from "../../src/block/transaction.js";
import { transactionId } from "../../src/block/transaction.js";
import { type Executed, executeCandidates } from "../../src/contract/execute.js";
import { openGenesis } from "../../src/contract/genesis.js";
import type { Ledger } from "../../src/contract/ledger.js";
import { nettingId } from "../../src/contract/netting.js";
import { noticeBlocks } from "../../src/contract/notices.js";
import { assert } from "../../src/primitives/assert.js";
import { CENTRAL_EUROPEAN_TIME, type LocalTimeRule } from "../../src/primitives/localTime.js";
import {
	CORRECTION_MINUTES,
	HOUSEHOLD_NOTICE_MINUTES,
	MAX_CORRECTED_MINUTES,
	TAKE_BACK_MINUTES,
} from "../../src/primitives/units.js";
import { DEFAULT_PARAMETERS, FOUNDED_MS, genesisOf, NO_SIGNATURE, signedJoin } from "./ledger.js";
import { ReferenceLedger, type ReferenceSchedule, weekMinuteIn } from "./referenceLedger.js";
import { rememberingVerifier } from "./rememberedSignatures.js";

const MINUTE_MS = 60_000;
const DAY = 1_440;
const MEMBERS = 4;

const member = fc.nat(MEMBERS - 1);
/** Mostly small, so that there is often too little; sometimes as much as a reading can say. */
const energyWh = fc.oneof(
	{ weight: 8, arbitrary: fc.nat(30) },
	{ weight: 1, arbitrary: fc.constantFrom(0, 1_000_000) },
);
const quality: fc.Arbitrary<Quality> = fc.oneof(
	{ weight: 6, arbitrary: fc.constant<Quality>("measured") },
	{ weight: 1, arbitrary: fc.constantFrom<Quality>("estimated", "catch-up", "gap", "simulated", "typed") },
);
const reference = fc.nat(5);
/** Mostly the founder, who is the operator at first. */
const ruler = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: member });
const surplus = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) });
const on = fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });

/** Ten intervals in the longest life. */
const MARKET = { intervalMinutes: 3, buysUnderContract: false } as const;
const BEGUN_LATER = { intervalMinutes: 15, buysUnderContract: false };
/** Mostly by the tariff. */
const limit = fc.oneof(
	{ weight: 5, arbitrary: fc.constant(0) },
	{ weight: 2, arbitrary: fc.integer({ min: 1, max: 60 }) },
	{ weight: 1, arbitrary: fc.constant(undefined) },
);
const limits = { buy: limit, sell: limit, paysMore: fc.boolean() };
/** About what offers cost here. */
const prices = { retail: fc.integer({ min: 15, max: 60 }), feedIn: fc.nat(20), fee: fc.nat(10) };
/** Mostly at hours that a life sees something of: minutes are counted from its beginning on. */
const hours = fc.option(
	fc.record({
		from: fc.integer({ min: -30, max: 20 }),
		length: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 50 }) }, { weight: 1, arbitrary: fc.nat(DAY) }),
		// Every day; a Wednesday, a Thursday, both, neither.
		days: fc.constantFrom(127, 4, 8, 12, 115),
	}),
	{ nil: undefined },
);

const act = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({
			kind: fc.constant("offer" as const),
			member,
			priceMicroNokPerWh: fc.integer({ min: 1, max: 40 }),
			/** Relative to the block's minute. */
			from: fc.integer({ min: -3, max: 5 }),
			length: fc.integer({ min: -1, max: 25 }),
			energyLimitWh: fc.oneof(fc.constant(0), fc.nat(60)),
			noticeMinutes: fc.nat(4),
			buyer: fc.option(member, { nil: undefined }),
			maxBuyers: fc.nat(2),
			hours,
		}),
	},
	{ weight: 6, arbitrary: fc.record({ kind: fc.constant("accept" as const), member, offer: reference }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("withdraw" as const), member, offer: reference }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), member, contract: reference }) },
	{
		weight: 1,
		arbitrary: fc.record({ kind: fc.constant("buy" as const), member, amount: fc.integer({ min: 1, max: 500 }) }),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			kind: fc.constant("issue" as const),
			member: ruler,
			order: reference,
			surplus,
		}),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("suspend" as const), member: ruler, household: member, on }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("role" as const), member: ruler, household: member, on }) },
	{
		weight: 3,
		arbitrary: fc.record({
			kind: fc.constant("appoint" as const),
			member,
			// Mostly one, so that it comes to something.
			household: fc.oneof(
				{ weight: 5, arbitrary: fc.constant(2) },
				{ weight: 2, arbitrary: fc.option(member, { nil: undefined }) },
			),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("rebind" as const), member: ruler, household: member }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("contest" as const), member, household: member }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), member: ruler, household: member }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("voterOff" as const), member: ruler, household: member }) },
	{
		weight: 2,
		arbitrary: fc.record({ kind: fc.constant("payout" as const), member: ruler, household: member, surplus }),
	},
	{
		weight: 2,
		// Often all that there is.
		arbitrary: fc.record({ kind: fc.constant("redeem" as const), member, share: fc.constantFrom(1, 1, 2, 3), surplus }),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			kind: fc.constantFrom("cancelOrder" as const, "cancelRedemption" as const),
			member,
			which: reference,
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({ kind: fc.constant("payRedemption" as const), member: ruler, which: reference, surplus }),
	},
	{
		weight: 4,
		arbitrary: fc.record({
			kind: fc.constant("bank" as const),
			member: ruler,
			/** Beyond what the account should hold. */
			beyond: fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.integer({ min: -3, max: -1 }) }),
			/** Before the block's minute. */
			back: fc.oneof(
				{ weight: 6, arbitrary: fc.constant(0) },
				{ weight: 1, arbitrary: fc.integer({ min: -1, max: 3 }) },
			),
			fees: fc.nat(2),
			interest: fc.nat(2),
			unmatched: fc.nat(3),
			cleared: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
		}),
	},
	{
		weight: 4,
		arbitrary: fc.record({ kind: fc.constant("bankConfirm" as const), member, which: fc.constantFrom(0, 0, 0, 1) }),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("correct" as const),
			member,
			counterparty: member,
			/** Before the block's minute. */
			back: fc.integer({ min: -1, max: 9 }),
			length: fc.integer({ min: 0, max: 7 }),
			// Often more than there is.
			amount: fc.constantFrom(0, 1, 300, 5_000, 10 ** 7),
			isPayer: fc.boolean(),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("answer" as const),
			which: fc.constantFrom(0, 0, 1, 2),
			/** Mostly who was asked. */
			by: fc.oneof({ weight: 5, arbitrary: fc.constant("counterparty" as const) }, { weight: 1, arbitrary: member }),
			on,
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("credit" as const),
			member: ruler,
			household: member,
			line: fc.constantFrom(0, 200, 3_000, 10 ** 6),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("payDemand" as const),
			member: ruler,
			which: fc.constantFrom<number[]>(0, 0, 1),
			surplus,
		}),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("leave" as const), member }) },
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant("limits" as const), member, ...limits }) },
	{
		weight: 1,
		arbitrary: fc.record({
			kind: fc.constant("market" as const),
			member: ruler,
			choice: fc.constantFrom(...MARKET_CHOICES),
			/** Past the earliest, minutes. */
			later: fc.constantFrom(0, 0, MARKET.intervalMinutes, -1, 1),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({ kind: fc.constant("tariff" as const), member: ruler, inMinutes: fc.nat(9), ...prices }),
	},
);
/** Nobody draws these by itself: a life in which money becomes real is told by `realMoney`. */
type MoneyAct =
	| { kind: "money"; member: number; isProposed: boolean }
	| { kind: "moneyConfirm"; member: number; which: number };
type Act = (typeof act extends fc.Arbitrary<infer T> ? T : never) | MoneyAct;

/** A street that trades: some open offers over long, and everybody accepts one of them. */
const bargains: fc.Arbitrary<Act[]> = fc
	.record({
		offers: fc.array(
			fc.record({
				kind: fc.constant("offer" as const),
				member,
				priceMicroNokPerWh: fc.integer({ min: 1, max: 40 }),
				from: fc.nat(3),
				length: fc.integer({ min: 10, max: 40 }),
				energyLimitWh: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200 })),
				noticeMinutes: fc.nat(4),
				buyer: fc.constant(undefined),
				maxBuyers: fc.constant(0),
				hours,
			}),
			{ minLength: 1, maxLength: 3 },
		),
		choices: fc.array(reference, { minLength: MEMBERS, maxLength: MEMBERS }),
	})
	.map(({ offers, choices }) => [
		...offers,
		...choices.map((offer, at) => ({ kind: "accept" as const, member: at, offer })),
	]);

const step = fc.record({
	move: fc.oneof(
		{ weight: 7, arbitrary: fc.record({ minutes: fc.constant(1), lateMs: fc.nat(59_999) }) },
		// The chain stood still.
		{ weight: 1, arbitrary: fc.record({ minutes: fc.integer({ min: 2, max: 7 }), lateMs: fc.nat(59_999) }) },
		// A quick block: within the minute, or one more of a backlog.
		{ weight: 2, arbitrary: fc.record({ minutes: fc.constant(0), lateMs: fc.constantFrom(1, 20_000) }) },
	),
	/** Whether every household hands in the reading of the minute that has ended, and what they say. */
	everybody: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
	energies: fc.array(fc.record({ importWh: energyWh, exportWh: energyWh, quality }), {
		minLength: MEMBERS,
		maxLength: MEMBERS,
	}),
	/** Some more readings: late, repeated, of minutes that have not ended. */
	others: fc.array(
		fc.record({ member, back: fc.integer({ min: -1, max: 12 }), importWh: energyWh, exportWh: energyWh, quality }),
		{ maxLength: 6 },
	),
	acts: fc.array(act, { maxLength: 2 }),
});

const CLOCKS: Record<string, LocalTimeRule> = {
	"Europe/Oslo": CENTRAL_EUROPEAN_TIME,
	"Etc/GMT-3": { offsetMinutes: 180, summerTime: false },
};

/** As it is founded; where there is nothing to say, as before anything was. */
function termsOf(timeZone: string, choice: MarketChoice | undefined): FoundingTerms | undefined {
	const localTime = CLOCKS[timeZone] ?? CENTRAL_EUROPEAN_TIME;
	if (localTime === CENTRAL_EUROPEAN_TIME && choice === undefined) return undefined;
	return { localTime, market: choice && { choice, ...MARKET } };
}

export const scenario = fc.record({
	graceBlocks: fc.nat(4),
	windowBlocks: fc.integer({ min: 1, max: 12 }),
	blockIntervalMs: fc.constantFrom(60_000, 60_000, 20_000),
	moneyKind: fc.constantFrom("trial", "prepaid", "monthly"),
	/** What play money becomes. */
	realKind: fc.constantFrom("prepaid", "monthly"),
	/** Where money is monthly: everybody's line to begin with, and how many blocks lie between turns of the month. */
	credit: fc.record({
		lines: fc.array(fc.constantFrom(0, 300, 5_000, 10 ** 6), { minLength: MEMBERS, maxLength: MEMBERS }),
		every: fc.integer({ min: 4, max: 12 }),
		/** Whether bills are paid as a rule. */
		pays: on,
	}),
	/** In Norway a life begins on a Wednesday at 22:20; three hours east of Greenwich on a Thursday at 00:20. */
	timeZone: fc.constantFrom(...Object.keys(CLOCKS)),
	tokens: fc.array(fc.constantFrom(0, 400, 5_000, 1_000_000, 10 ** 12), { minLength: MEMBERS, maxLength: MEMBERS }),
	firstActs: bargains,
	/** How the market is founded; undefined: there is none. */
	choice: fc.constantFrom(...MARKET_CHOICES, undefined),
	/** Everybody's limits to begin with. */
	firstLimits: fc.array(fc.record(limits), { minLength: MEMBERS, maxLength: MEMBERS }),
	firstPrices: fc.record(prices),
	/** A household that moves out as it should, from some block on. */
	leaver: fc.option(fc.record({ household: fc.integer({ min: 1, max: MEMBERS - 1 }), at: fc.nat(8) }), {
		nil: undefined,
	}),
	/** A household that redeems all that it has in some block, and is paid in time. */
	redeemer: fc.option(fc.record({ household: member, at: fc.nat(8) }), { nil: undefined }),
	steps: fc.array(step, { minLength: 3, maxLength: 30 }),
	/** A household that has something to put right with another, from some block on, who agrees to it as a rule. */
	corrector: fc.option(
		fc.record({
			household: member,
			counterparty: member,
			at: fc.nat(5),
			amount: fc.constantFrom(1, 300, 5_000, 10 ** 7),
			isPayer: fc.boolean(),
			isAgreed: on,
		}),
		{ nil: undefined },
	),
	/** Where money is played with: from some block on the founder proposes that it is real, and households agree but one. */
	realMoney: fc.option(
		fc.record({ at: fc.nat(3), silent: fc.option(member, { nil: undefined, freq: 1 }), isTakenBack: surplus }),
		{ nil: undefined, freq: 2 },
	),
});
export type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;
type Step = Scenario["steps"][number];

/** A block, what came of it in the ledger, and what the reference says. */
export interface Played {
	block: Block;
	executed: Executed;
	reference: ReferenceLedger;
	expected: ReturnType<ReferenceLedger["closeBlock"]>;
	/** How many transactions the ledger was offered; what it took, and what the rules say that it should have taken. */
	offered: number;
	taken: Transaction[];
	allowed: Transaction[];
}

function mapBig<K extends string>(amounts: Record<K, number>): Record<K, bigint> {
	return Object.fromEntries(Object.entries<number>(amounts).map(([name, amount]) => [name, BigInt(amount)])) as Record<
		K,
		bigint
	>;
}

const joins = Array.from({ length: MEMBERS }, (_, at) => signedJoin(at));
const genesisCache = new Map<string, { genesis: Block; ledger: Ledger }>();

/** The same parameters give the same genesis: it is signed and checked once. */
export function foundedFor({ choice, graceBlocks, windowBlocks, blockIntervalMs, moneyKind, timeZone }: Scenario) {
	const key = [graceBlocks, windowBlocks, blockIntervalMs, moneyKind, timeZone, choice].join();
	let founded = genesisCache.get(key);
	if (founded === undefined) {
		const genesis = genesisOf(
			{
				...DEFAULT_PARAMETERS,
				moneyKind,
				blockIntervalMs,
				settlementGraceBlocks: graceBlocks,
				readingWindowBlocks: windowBlocks,
				terms: termsOf(timeZone, choice),
			},
			joins,
		);
		const ledger = openGenesis(genesis, rememberingVerifier);
		assert(ledger.ok, "the scenario's genesis opens");
		founded = { genesis, ledger: ledger.value };
		genesisCache.set(key, founded);
	}
	return founded;
}

/** Plays a scenario block by block. */
export function* play(story: Scenario): Generator<Played> {
	const { genesis, ledger } = foundedFor(story);
	const player = new Player(story, genesis, ledger);
	yield player.openingBlock();
	for (const each of story.steps) yield player.step(each);
}

class Player {
	readonly #story: Scenario;
	readonly #reference: ReferenceLedger;
	/** What the clocks show at the beginning. */
	readonly #minuteOfDay: number;
	#head: Block;
	#ledger: Ledger;
	readonly #nonces = Array.from({ length: MEMBERS }, () => 0);
	readonly #offerIds: Uint8Array[] = [];
	readonly #contractIds: Uint8Array[] = [];
	readonly #orderIds: Uint8Array[] = [];
	readonly #redemptionIds: Uint8Array[] = [];
	readonly #demandIds: Uint8Array[] = [];
	readonly #statementIds: Uint8Array[] = [];
	readonly #correctionIds: Uint8Array[] = [];
	readonly #moneyIds: Uint8Array[] = [];
	/** Each has a key of its own. */
	#claims = 0;
	/** By household: of the transaction by which it moves out. */
	readonly #lockIds: Uint8Array[] = [];
	#candidates: Transaction[] = [];
	#allowed: Transaction[] = [];

	constructor(story: Scenario, genesis: Block, ledger: Ledger) {
		const { graceBlocks, windowBlocks, blockIntervalMs, timeZone } = story;
		this.#story = story;
		this.#head = genesis;
		this.#ledger = ledger;
		this.#reference = new ReferenceLedger({
			households: MEMBERS,
			foundedMs: FOUNDED_MS,
			blockIntervalMs,
			graceBlocks,
			windowBlocks,
			noticeBlocks: noticeBlocks({ blockIntervalMs }),
			isPlayMoney: story.moneyKind === "trial",
			isMonthly: this.#isMonthly,
			takeBackMinutes: TAKE_BACK_MINUTES,
			correctionMinutes: CORRECTION_MINUTES,
			correctedMinutes: MAX_CORRECTED_MINUTES,
			market: {
				...(story.choice === undefined ? BEGUN_LATER : MARKET),
				choice: story.choice,
				noticeMinutes: HOUSEHOLD_NOTICE_MINUTES,
			},
			tariff: {
				retail: DEFAULT_PARAMETERS.retailMicroNokPerWh,
				feedIn: DEFAULT_PARAMETERS.feedInMicroNokPerWh,
				fee: DEFAULT_PARAMETERS.localFeeMicroNokPerWh,
			},
			timeZone,
		});
		this.#minuteOfDay = weekMinuteIn(timeZone)(FOUNDED_MS / MINUTE_MS) % DAY;
	}

	/** Whether money is netted every month, or will be when play has ended. */
	get #isMonthly(): boolean {
		const { moneyKind, realKind } = this.#story;
		return (moneyKind === "trial" ? realKind : moneyKind) === "monthly";
	}

	/** Money, offers and contracts in the first minute. */
	openingBlock(): Played {
		this.#reference.openBlock(FOUNDED_MS + 1);
		for (const [at, amount] of this.#story.tokens.entries()) {
			if (amount === 0) continue;
			this.#act({ kind: "buy", member: at, amount });
			this.#act({ kind: "issue", member: 0, order: this.#orderIds.length - 1, surplus: 0 });
		}
		for (const [at, line] of this.#story.credit.lines.entries()) {
			if (this.#isMonthly) this.#act({ kind: "credit", member: 0, household: at, line });
		}
		for (const each of this.#story.firstActs) this.#act(each);
		const statement = { beyond: 0, back: 0, fees: 1, interest: 2, unmatched: 3, cleared: 0 };
		this.#act({ kind: "bank", member: 0, ...statement });
		this.#act({ kind: "tariff", member: 0, inMinutes: 1, ...this.#story.firstPrices });
		for (const [at, each] of this.#story.firstLimits.entries()) this.#act({ kind: "limits", member: at, ...each });
		return this.#close();
	}

	step({ move, everybody, energies, others, acts }: Step): Played {
		const { timestampMs } = this.#head;
		const boundaryMs = (Math.floor(timestampMs / MINUTE_MS) + move.minutes) * MINUTE_MS;
		const turnMs = this.#turnMs();
		this.#reference.openBlock(turnMs ?? (move.minutes === 0 ? timestampMs + move.lateMs : boundaryMs + move.lateMs));
		const ended = Math.floor(this.#reference.timestampMs / MINUTE_MS) - 1;
		const [before, after] = [
			[
				...this.#leaversActs(),
				...this.#redeemersActs(),
				...this.#correctorsActs(),
				...this.#moneyActs(),
				...this.#payersActs(),
				...acts.slice(0, 1),
			],
			acts.slice(1),
		];
		for (const each of before) this.#act(each);
		if (everybody) for (const [at, energy] of energies.entries()) this.#read({ member: at, minute: ended, ...energy });
		for (const { back, ...other } of others) this.#read({ minute: ended - back, ...other });
		for (const each of after) this.#act(each);
		return this.#close();
	}

	/** Where money is monthly, the chain stands still now and then until another month has begun: when that is, ms. */
	#turnMs(): number | undefined {
		const { every } = this.#story.credit;
		if (!this.#isMonthly || this.#head.index % every !== every - 1) return undefined;
		const { offsetMinutes } = CLOCKS[this.#story.timeZone] ?? CENTRAL_EUROPEAN_TIME;
		const shown = new Date(this.#head.timestampMs + offsetMinutes * MINUTE_MS);
		// Without a thought for summer time: with it, this is an hour after the turn.
		return Date.UTC(shown.getUTCFullYear(), shown.getUTCMonth() + 1, 1) - offsetMinutes * MINUTE_MS;
	}

	/** Its device is taken off the voters, it moves out, and it is paid as soon as something is owed. */
	#leaversActs(): Act[] {
		const { leaver } = this.#story;
		if (leaver === undefined) return [];
		const base = { member: 0, household: leaver.household };
		const at = this.#head.index - leaver.at;
		if (at === 1) return [{ kind: "voterOff", ...base }];
		if (at === 2) return [{ kind: "remove", ...base }];
		return at > 2 ? [{ kind: "payout", ...base, surplus: 0 }] : [];
	}

	#redeemersActs(): Act[] {
		const { redeemer } = this.#story;
		if (redeemer === undefined) return [];
		const at = this.#head.index - redeemer.at;
		if (at === 1) return [{ kind: "redeem", member: redeemer.household, share: 1, surplus: 0 }];
		return at > 1 ? [{ kind: "payRedemption", member: 0, which: 0, surplus: 0 }] : [];
	}

	/** The oldest bill that is open. */
	#payersActs(): Act[] {
		const open = this.#reference.demands.findIndex(({ isOpen }) => isOpen);
		if (!this.#story.credit.pays || open === -1) return [];
		return [{ kind: "payDemand", member: 0, which: this.#demandIds.length - 1 - open, surplus: 0 }];
	}

	/** A proposal in every fourth block, answered in the next. */
	#correctorsActs(): Act[] {
		const { corrector, graceBlocks } = this.#story;
		if (corrector === undefined) return [];
		const { household, counterparty, amount, isPayer, isAgreed } = corrector;
		const at = this.#head.index - corrector.at - graceBlocks;
		if (at < 1 || at % 4 > 1) return [];
		if (at % 4 === 1) return [{ kind: "answer", which: 0, by: "counterparty", on: isAgreed }];
		const period = { back: graceBlocks + 2, length: 1 };
		return [{ kind: "correct", member: household, counterparty, ...period, amount, isPayer }];
	}

	/** It is proposed twice, so that who has agreed to the first agrees anew; when it is real everybody buys and trades again. */
	#moneyActs(): Act[] {
		const { realMoney, firstActs } = this.#story;
		if (realMoney === undefined) return [];
		const members = [...this.#nonces.keys()];
		const confirms = members
			.filter((each) => each !== realMoney.silent)
			.map((each) => ({ kind: "moneyConfirm" as const, member: each, which: 0 }));
		const orders = members.flatMap((each): Act[] => [
			{ kind: "buy", member: each, amount: 4_000 },
			{ kind: "issue", member: 0, order: -1, surplus: 0 },
			{ kind: "credit", member: 0, household: each, line: this.#story.credit.lines[each] ?? 0 },
		]);
		const propose = { kind: "money" as const, member: 0, isProposed: true };
		switch (this.#head.index - realMoney.at) {
			case 1:
				return [propose];
			case 2:
				return [...confirms.slice(0, 2), propose];
			case 3:
				return [...confirms.slice(0, 1).map((each) => ({ ...each, which: 1 })), ...confirms];
			case 4:
				// Too late where all have agreed.
				return [
					{ ...propose, isProposed: realMoney.isTakenBack === 0 },
					...confirms.slice(0, 1),
					...orders,
					...firstActs,
				];
			default:
				return [];
		}
	}

	#add(transaction: Transaction, isAllowed: boolean): void {
		this.#candidates.push(transaction);
		if (this.#reference.took(isAllowed)) this.#allowed.push(transaction);
	}

	#read(reading: { member: number; minute: number; importWh: number; exportWh: number; quality: Quality }): void {
		const isAllowed = this.#reference.takeReading(reading);
		this.#add({ kind: "reading", ...reading, signature: NO_SIGNATURE }, isAllowed);
	}

	#act(wish: Act): void {
		if (wish.kind === "answer") {
			this.#answer(wish);
			return;
		}
		const nonce = (this.#nonces[wish.member] ?? 0) + 1;
		const base = { member: wish.member, nonce };
		const expiryMinute = 100_000_000;
		const minute = Math.floor(this.#reference.timestampMs / MINUTE_MS);
		const nothing = new Uint8Array(32);
		const mayTake = (take: () => boolean) => this.#reference.maySign(wish.member) && take();
		switch (wish.kind) {
			case "offer": {
				const { priceMicroNokPerWh, energyLimitWh, noticeMinutes, buyer, maxBuyers } = wish;
				const schedule = this.#scheduleOf(wish.hours);
				const fromMinute = minute + wish.from;
				const untilMinute = fromMinute + wish.length;
				const terms = { priceMicroNokPerWh, fromMinute, untilMinute, energyLimitWh, noticeMinutes, buyer };
				const isAllowed = mayTake(() =>
					this.#reference.takeOffer({
						seller: wish.member,
						price: priceMicroNokPerWh,
						fromMinute,
						untilMinute,
						limitWh: energyLimitWh,
						notice: noticeMinutes,
						buyer,
						maxBuyers,
						schedule,
					}),
				);
				this.#sign({ kind: "offer", ...base, ...terms, maxBuyers, schedule }, isAllowed, this.#offerIds);
				break;
			}
			case "accept": {
				const at = this.#newest(this.#offerIds, wish.offer);
				const isAllowed = mayTake(() => this.#reference.takeAccept(wish.member, at));
				const offerId = this.#offerIds[at] ?? nothing;
				this.#sign({ kind: "accept", ...base, expiryMinute, offerId }, isAllowed, this.#contractIds);
				break;
			}
			case "withdraw": {
				const at = this.#newest(this.#offerIds, wish.offer);
				const offerId = this.#offerIds[at] ?? nothing;
				const isAllowed = mayTake(() => this.#reference.takeWithdraw(wish.member, at));
				this.#sign({ kind: "withdraw", ...base, offerId }, isAllowed);
				break;
			}
			case "end": {
				const at = this.#newest(this.#contractIds, wish.contract);
				const contractId = this.#contractIds[at] ?? nothing;
				const isAllowed = mayTake(() => this.#reference.takeEnd(wish.member, at));
				this.#sign({ kind: "end", ...base, contractId }, isAllowed);
				break;
			}
			case "buy": {
				const isAllowed = mayTake(() => this.#reference.takeBuy(wish.member, wish.amount));
				this.#sign({ kind: "buy", ...base, expiryMinute, amountMicroNok: wish.amount }, isAllowed, this.#orderIds);
				break;
			}
			case "issue": {
				const at = this.#newest(this.#orderIds, this.#orderIds.length - 1 - wish.order);
				const amountMicroNok = Number(this.#reference.orders[at]?.amount ?? 1n) + wish.surplus;
				const isAllowed = this.#reference.takeIssue(wish.member, at, amountMicroNok);
				const orderId = this.#orderIds[at] ?? nothing;
				this.#sign({ kind: "issue", ...base, expiryMinute, orderId, amountMicroNok, reference: "x" }, isAllowed);
				break;
			}
			case "credit": {
				const { household, line } = wish;
				const isAllowed = this.#reference.takeCredit(wish.member, household, line);
				this.#sign({ kind: "credit", ...base, expiryMinute, household, creditMicroNok: line }, isAllowed);
				break;
			}
			case "payDemand": {
				const at = this.#newest(this.#demandIds, wish.which);
				const amountMicroNok = Number(this.#reference.demands[at]?.amount ?? 1n) + wish.surplus;
				const isAllowed = this.#reference.takeIssueOfDemand(wish.member, at, amountMicroNok);
				const orderId = this.#demandIds[at] ?? nothing;
				this.#sign({ kind: "issue", ...base, expiryMinute, orderId, amountMicroNok, reference: "x" }, isAllowed);
				break;
			}
			case "suspend": {
				const { household, on: suspended } = wish;
				const isAllowed = this.#reference.takeSuspend(wish.member, household, suspended);
				this.#sign({ kind: "suspend", ...base, household, suspended }, isAllowed);
				break;
			}
			case "role": {
				const { household, on: operator } = wish;
				const isAllowed = this.#reference.takeRole(wish.member, household, operator);
				this.#sign({ kind: "role", ...base, household, operator }, isAllowed);
				break;
			}
			case "voterOff": {
				// At the founding each household has the device of its own index.
				const isAllowed = this.#reference.takeVoterOff(wish.member, wish.household);
				this.#sign({ kind: "voters", ...base, added: [], removed: [wish.household], device: undefined }, isAllowed);
				break;
			}
			case "rebind": {
				const { household } = wish;
				this.#claims += 1;
				const householdKey = new Uint8Array(33).fill(this.#claims % 256);
				const isAllowed = this.#reference.takeRebind(wish.member, household);
				const claim = { householdKey, keySignature: NO_SIGNATURE };
				this.#sign({ kind: "rebind", ...base, household, ...claim }, isAllowed);
				break;
			}
			case "contest": {
				const { household } = wish;
				const isAllowed = this.#reference.takeContest(wish.member, household);
				this.#sign({ kind: "contest", ...base, household }, isAllowed);
				break;
			}
			case "appoint": {
				const { household } = wish;
				const isAllowed = this.#reference.takeAppoint(wish.member, household);
				this.#sign({ kind: "appoint", ...base, household }, isAllowed);
				break;
			}
			case "remove": {
				const { household } = wish;
				const isAllowed = this.#reference.takeRemove(wish.member, household);
				this.#sign({ kind: "remove", ...base, household }, isAllowed);
				const id = this.#idOf({ kind: "remove", ...base, household });
				if (isAllowed) this.#lockIds[household] = id;
				break;
			}
			case "redeem": {
				const balance = this.#reference.balanceOf(wish.member);
				const amountMicroNok = Math.max(1, Number(balance / BigInt(wish.share))) + wish.surplus;
				const isAllowed = mayTake(() => this.#reference.takeRedeem(wish.member, amountMicroNok));
				this.#sign({ kind: "redeem", ...base, expiryMinute, amountMicroNok }, isAllowed, this.#redemptionIds);
				break;
			}
			case "cancelOrder": {
				const at = this.#newest(this.#orderIds, wish.which);
				const orderId = this.#orderIds[at] ?? nothing;
				const isAllowed = mayTake(() => this.#reference.takeCancelOrder(wish.member, at));
				this.#sign({ kind: "cancel", ...base, orderId }, isAllowed);
				break;
			}
			case "cancelRedemption": {
				const at = this.#newest(this.#redemptionIds, wish.which);
				const orderId = this.#redemptionIds[at] ?? nothing;
				const isAllowed = mayTake(() => this.#reference.takeCancelRedemption(wish.member, at));
				this.#sign({ kind: "cancel", ...base, orderId }, isAllowed);
				break;
			}
			case "payRedemption": {
				const at = this.#newest(this.#redemptionIds, wish.which);
				const amountMicroNok = Math.max(1, Number(this.#reference.redemptions[at]?.amount ?? 1n)) + wish.surplus;
				const isAllowed = this.#reference.takePayoutOfRedemption(wish.member, at, amountMicroNok);
				const lockId = this.#redemptionIds[at] ?? nothing;
				this.#sign({ kind: "payout", ...base, expiryMinute, lockId, amountMicroNok, reference: "x" }, isAllowed);
				break;
			}
			case "bank": {
				const { fees, interest, unmatched, cleared } = wish;
				const { statements, issued, paidOut } = this.#reference;
				const moved = [...statements, mapBig({ fees, interest, unmatched, cleared })]
					.map((each) => each.interest + each.unmatched - each.cleared - each.fees)
					.reduce((total, each) => total + each, 0n);
				const balance = Math.max(0, Number(issued - paidOut + moved) + wish.beyond);
				const stated = {
					minute: minute - wish.back,
					balance: BigInt(balance),
					...mapBig({ fees, interest, unmatched, cleared }),
				};
				const isAllowed = this.#reference.takeBank(wish.member, stated);
				const amounts = { feesMicroNok: fees, interestMicroNok: interest, unmatchedMicroNok: unmatched };
				this.#sign(
					{
						kind: "bank",
						...base,
						expiryMinute,
						minute: stated.minute,
						balanceMicroNok: balance,
						...amounts,
						clearedMicroNok: cleared,
					},
					isAllowed,
					this.#statementIds,
				);
				break;
			}
			case "bankConfirm": {
				const at = this.#newest(this.#statementIds, wish.which);
				const isAllowed = mayTake(() => this.#reference.takeBankConfirm(wish.member, at));
				this.#sign({ kind: "bankConfirm", ...base, statementId: this.#statementIds[at] ?? nothing }, isAllowed);
				break;
			}
			case "correct": {
				const { amount, counterparty, isPayer } = wish;
				const fromMinute = minute - wish.back;
				const period = { fromMinute, untilMinute: fromMinute + wish.length };
				const said = { counterparty, ...period, isPayer };
				const isAllowed = this.#reference.takeCorrect({ member: wish.member, ...said, amount: BigInt(amount) });
				const more = { reason: "other" as const, energyWh: 7, amountMicroNok: amount, note: undefined };
				this.#sign({ kind: "correct", ...base, expiryMinute, ...said, ...more }, isAllowed, this.#correctionIds);
				break;
			}
			case "money": {
				const isAllowed = this.#reference.takeMoney(wish.member, wish.isProposed);
				const proposed = wish.isProposed ? { moneyKind: this.#story.realKind, reason: "one meter" } : undefined;
				this.#sign({ kind: "money", ...base, expiryMinute, proposed }, isAllowed, this.#moneyIds);
				break;
			}
			case "moneyConfirm": {
				const at = this.#newest(this.#moneyIds, wish.which);
				const proposalId = this.#moneyIds[at] ?? nothing;
				const isAllowed = mayTake(() => this.#reference.takeMoneyConfirm(wish.member, at));
				this.#sign({ kind: "moneyConfirm", ...base, expiryMinute, proposalId }, isAllowed);
				break;
			}
			case "leave": {
				const isAllowed = this.#reference.takeLeave(wish.member);
				this.#sign({ kind: "leave", ...base }, isAllowed);
				if (isAllowed) this.#lockIds[wish.member] = this.#idOf({ kind: "leave", ...base });
				break;
			}
			case "limits": {
				const { buy, sell, paysMore } = wish;
				const isAllowed = mayTake(() => this.#reference.takeLimits(wish.member, { buy, sell, paysMore }));
				const said = { buyBelowMicroNokPerWh: buy, sellAboveMicroNokPerWh: sell, paysMoreForLocal: paysMore };
				this.#sign({ kind: "limits", ...base, ...said }, isAllowed);
				break;
			}
			case "market": {
				const fromMinute = this.#reference.earliestChoice + wish.later;
				const isAllowed = mayTake(() => this.#reference.takeMarket(wish.member, wish.choice, fromMinute));
				this.#sign({ kind: "market", ...base, choice: wish.choice, fromMinute }, isAllowed);
				break;
			}
			case "tariff": {
				const { retail, feedIn, fee, inMinutes } = wish;
				const fromMinute = minute + inMinutes;
				const isAllowed = mayTake(() => this.#reference.takeTariff(wish.member, fromMinute, { retail, feedIn, fee }));
				const step = { retailMicroNokPerWh: retail, feedInMicroNokPerWh: feedIn, localFeeMicroNokPerWh: fee };
				this.#sign({ kind: "tariff", ...base, steps: [{ fromMinute, ...step }] }, isAllowed);
				break;
			}
			case "payout": {
				const { household } = wish;
				const owed = this.#reference.removals.get(household)?.owed ?? 0n;
				const amountMicroNok = Math.max(1, Number(owed)) + wish.surplus;
				const isAllowed = this.#reference.takePayout(wish.member, household, amountMicroNok);
				const lockId = this.#lockIds[household] ?? nothing;
				this.#sign({ kind: "payout", ...base, expiryMinute, lockId, amountMicroNok, reference: "x" }, isAllowed);
				break;
			}
		}
	}

	#answer({ which, by, on: isAgreed }: Extract<Act, { kind: "answer" }>): void {
		const at = this.#newest(this.#correctionIds, which);
		const member = by === "counterparty" ? (this.#reference.corrections[at]?.counterparty ?? 0) : by;
		const isAllowed = this.#reference.takeAnswer(member, at, isAgreed);
		const nonce = (this.#nonces[member] ?? 0) + 1;
		const correctionId = this.#correctionIds[at] ?? new Uint8Array(32);
		const said = { expiryMinute: 100_000_000, correctionId, isAgreed, note: undefined };
		this.#sign({ kind: "answer", member, nonce, ...said }, isAllowed);
	}

	#scheduleOf(hours: Extract<Act, { kind: "offer" }>["hours"]): ReferenceSchedule | undefined {
		if (hours === undefined) return undefined;
		const fromMinuteOfDay = (this.#minuteOfDay + hours.from + DAY) % DAY;
		const untilMinuteOfDay = (fromMinuteOfDay + hours.length) % DAY || DAY;
		return { days: hours.days, fromMinuteOfDay, untilMinuteOfDay };
	}

	/** The nth from the end; −1: none. */
	#newest(ids: readonly Uint8Array[], back: number): number {
		return ids.length === 0 ? -1 : ids.length - 1 - (Math.abs(back) % ids.length);
	}

	#sign(unsigned: Unsigned<Transaction>, isAllowed: boolean, ids?: Uint8Array[]): void {
		const transaction = { ...unsigned, signature: NO_SIGNATURE } as Transaction;
		this.#add(transaction, isAllowed);
		if (!isAllowed || !("nonce" in transaction)) return;
		this.#nonces[transaction.member] = transaction.nonce;
		ids?.push(this.#idOf(transaction));
	}

	#idOf(transaction: Unsigned<Transaction>): Uint8Array {
		return transactionId(transaction, this.#ledger.gridId);
	}

	/** Under which ids there is what has come into being by rule. */
	#nameNetted(): void {
		const { demands, redemptions } = this.#reference;
		const { gridId } = this.#ledger;
		for (const { member: of, month, isOfRemoval } of demands.slice(this.#demandIds.length)) {
			this.#demandIds.push(isOfRemoval ? (this.#lockIds[of] ?? gridId) : nettingId(gridId, month, of));
		}
		for (const { member: of, month } of redemptions.slice(this.#redemptionIds.length)) {
			if (month !== undefined) this.#redemptionIds.push(nettingId(gridId, month, of));
		}
	}

	#close(): Played {
		const expected = this.#reference.closeBlock();
		const { timestampMs } = this.#reference;
		const frame = { index: this.#head.index + 1, previousHash: blockHash(this.#head), timestampMs };
		this.#nameNetted();
		const executed = executeCandidates(this.#ledger, frame, this.#candidates, () => true);
		const allowed = this.#allowed;
		const offered = this.#candidates.length;
		this.#candidates = [];
		this.#allowed = [];
		this.#ledger = executed.ledger;
		this.#head = {
			version: BLOCK_VERSION,
			...frame,
			term: 1,
			proposer: 0,
			transactionsRoot: transactionsRoot(executed.transactions, timestampMs),
			stateRoot: executed.stateRoot,
			transactions: executed.transactions,
		};
		return {
			block: this.#head,
			executed,
			reference: this.#reference,
			expected,
			offered,
			taken: executed.transactions,
			allowed,
		};
	}
}
