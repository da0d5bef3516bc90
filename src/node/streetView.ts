/** What the screens draw of a running neighbourhood. */
import { localTimeOf } from "../block/kinds/founding.js";
import { wantedHousehold } from "../contract/appointing.js";
import {
	buyLimit,
	choiceAt,
	DEFAULT_INTERVAL_MINUTES,
	earliestChangeMinute,
	nextIntervalMinute,
	sellLimit,
	termsAt,
} from "../contract/automaticMarket.js";
import { differenceMicroNok } from "../contract/bank.js";
import { isDispute } from "../contract/correcting.js";
import { coverageIn, nextCoveredMinute } from "../contract/coverage.js";
import { demandedMicroNok } from "../contract/credit.js";
import { devicesOf } from "../contract/devices.js";
import {
	affordableWh,
	type BankStatement,
	type Contract,
	type Correction,
	type Household,
	householdOf,
	isInUse,
	type Ledger,
	type Notice,
	type Order,
	remainingWh,
	type TradingTerms,
} from "../contract/ledger.js";
import { acceptRefusal } from "../contract/market.js";
import { awaitedHouseholds } from "../contract/money.js";
import { removalStep } from "../contract/movingOut.js";
import { noticeMinutesLeft } from "../contract/notices.js";
import { isActingOperator, isNewcomer } from "../contract/standing.js";
import { tariffAt } from "../contract/tariff.js";
import { payoutRefusal } from "../contract/treasury.js";
import { equalBytes, fromHex, toHex } from "../primitives/bytes.js";
import { firstMinuteOfMonth, type LocalTimeRule, monthOfNumber, startOfDayMinute } from "../primitives/localTime.js";
import { CORRECTION_MINUTES, MINUTES_PER_DAY, MS_PER_MINUTE, minuteOf } from "../primitives/units.js";
import type { Metering } from "./metering.js";
import { OLD_LINK_MS } from "./networkKeys.js";
import { ownRetailOf } from "./ownRetail.js";
import { paymentReference } from "./paymentReference.js";
import type { Peers } from "./peers.js";
import type { ChainConfig } from "./records.js";
import { predecessorView, refoundingView } from "./refoundingView.js";
import { retentionDaysOf } from "./retention.js";
import { isOfferFor } from "./street/past.js";
import type { Street } from "./street.js";
import type {
	AccountView,
	AutomaticMarketView,
	BalanceView,
	BankView,
	ChainView,
	ClaimView,
	ContractView,
	CorrectionsView,
	CorrectionView,
	CreditView,
	DemandView,
	DeviceView,
	JoiningView,
	LockView,
	MarketView,
	MemberView,
	MeterView,
	NodeView,
	OfferView,
	OperatorView,
	OrderView,
	OwnCorrectionsView,
	PayoutView,
	RefoundingView,
	RetentionView,
	SignalingView,
	StreetView,
	TodayView,
	TradingTermsView,
	UnsettledMinutes,
	UnsettledRun,
} from "./view.js";

export interface ViewContext {
	street: Street;
	peers: Peers;
	metering: Metering;
	chainMs: number;
	localTime: LocalTimeRule;
	signaling: SignalingView;
	faults: StreetView["faults"];
	refusals: Record<string, number>;
}

/** A guest sees how its joining goes, a member its street. */
export function viewOf(context: ViewContext): StreetView | JoiningView {
	const { street, peers, signaling } = context;
	const { awaitsAdmission, member } = street;
	const { ledger, block } = street.chain.head;
	const refounding = refoundingView(street);
	if (member === undefined || awaitsAdmission) {
		const targetIndex = street.sync.sources.targetIndex;
		const alone = [...peers.authenticated()].length === 0;
		return {
			stage: "joining",
			as: joinerOf(street.config),
			neighbourhood: ledger.parameters.name,
			state:
				street.joinRefusal !== undefined
					? "refused"
					: alone
						? street.refounding.founded === undefined
							? "searching"
							: "elsewhere"
						: targetIndex > block.index + 1
							? "syncing"
							: "handedIn",
			...(street.joinRefusal === undefined ? {} : { code: street.joinRefusal }),
			...(street.claim === undefined ? {} : { claim: claimView(street, street.claim) }),
			haveIndex: block.index,
			targetIndex,
			signaling,
			...(refounding === undefined ? {} : { refounding }),
		};
	}
	return streetView(context, member, refounding);
}

/** A key that asks for a household, and what has come of it. Was that taken back, the neighbours say so, and no more. */
function claimView({ chain, householdKey, isTurnedAway }: Street, text: string): NonNullable<JoiningView["claim"]> {
	if (isTurnedAway) return { text };
	const { ledger } = chain.head;
	for (const { name, notice } of ledger.households) {
		if (notice?.kind !== "rebind" || !equalBytes(notice.householdKey, householdKey)) continue;
		return { text, notice: { household: name, minutesLeft: noticeMinutesLeft(ledger, notice) } };
	}
	return { text };
}

/** As what this device comes in. */
export function joinerOf({ admission }: ChainConfig): JoiningView["as"] {
	if (admission === undefined) return "newHousehold";
	return admission.member === undefined ? "restored" : "newDevice";
}

function streetView(context: ViewContext, member: number, refounding: RefoundingView | undefined): StreetView {
	const { street, chainMs } = context;
	const { ledger } = street.chain.head;
	const { parameters } = ledger;
	const { name, moneyKind, timeScale } = parameters;
	const minute = Math.max(minuteOf(chainMs), minuteOf(ledger.timestampMs));
	const { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = tariffAt(ledger, minute);
	const wanted = wantedHousehold(ledger);
	const members = ledger.households.map((household) => memberView(ledger, household, wanted));
	const self = memberView(ledger, householdOf(ledger, member), wanted);
	const ownRetail = ownRetailOf(street.config.ownRetail) || retailMicroNokPerWh;
	const predecessor = predecessorView(ledger);
	const operator = self.operator ? { operator: operatorView(context, ledger) } : {};
	return {
		stage: "street",
		gridId: toHex(street.gridId),
		neighbourhood: name,
		moneyKind,
		timeScale,
		chainMs,
		self: { ...self, deviceId: toHex(street.deviceKey) },
		members,
		devices: devicesView(context, member),
		tariff: { retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh },
		nextTariffs: (ledger.tariff ?? []).filter(({ fromMinute }) => fromMinute > minute),
		ownRetailMicroNokPerWh: ownRetail,
		meter: context.metering.view(lastReadingOf(street, member)),
		today: todayView(context, member),
		...(street.lastMinute.view === undefined ? {} : { lastMinute: street.lastMinute.view }),
		balance: balanceView(street, ledger, member),
		...accountsView(context, member),
		corrections: ownCorrectionsView(street, ledger, member),
		market: marketView(ledger, member, ownRetail, minute, street.past.losses(member, minute)),
		chain: chainView(context),
		retention: retentionView(street, self.operator),
		signaling: context.signaling,
		own: street.outbox.shown(),
		operatorRecord: [...(ledger.operatorRecord ?? [])].reverse(),
		lock: lockView(street, ledger, member),
		...firstWeekView(context),
		faults: context.faults,
		refusals: context.refusals,
		...operator,
		...linksView(ledger),
		...moneyView(ledger),
		...(refounding === undefined ? {} : { refounding }),
		...(predecessor === undefined ? {} : { predecessor }),
	};
}

function linksView({ keyRotations, parameters }: Ledger): Pick<StreetView, "links"> {
	const changedMs = keyRotations?.salts.at(-1)?.timestampMs;
	if (changedMs === undefined) return {};
	return { links: { changedMs, oldUntilMs: changedMs + OLD_LINK_MS * parameters.timeScale } };
}

function firstWeekView({ metering, street }: ViewContext): Pick<StreetView, "firstWeek"> {
	const firstWeek = street.startUp.view(metering.view(undefined));
	return firstWeek === undefined ? {} : { firstWeek };
}

function lockView({ outbox, refounding, unlocking }: Street, ledger: Ledger, member: number): LockView {
	const { view } = unlocking;
	if (view.state !== "locked") return view;
	if (refounding.awaitsSeal) return { ...view, wantedFor: "seal" };
	const isOnItsWay = [...outbox.all()].some(({ transaction }) => transaction.kind === "confirm");
	const isWanted = ledger.predecessor?.unconfirmed.includes(member) === true && !isOnItsWay;
	return isWanted ? { ...view, wantedFor: "confirm" } : view;
}

function memberView(ledger: Ledger, household: Household, wanted: number | undefined): MemberView {
	const { appoints, index, name, operator, notice, suspended, publicKey } = household;
	const movingOut = removalStep(ledger, index);
	return {
		index,
		name,
		operator,
		...(suspended ? { suspended } : {}),
		...(movingOut === undefined ? {} : { movingOut }),
		...(notice === undefined ? {} : { notice: noticeView(ledger, notice) }),
		...(appoints === undefined ? {} : { appoints }),
		...(isNewcomer(ledger, household) ? { newcomer: true } : {}),
		...(index === wanted ? { wanted: true } : {}),
		householdId: toHex(publicKey),
	};
}

function noticeView(ledger: Ledger, notice: Notice): NonNullable<MemberView["notice"]> {
	const minutesLeft = noticeMinutesLeft(ledger, notice);
	if (notice.kind === "remove") return { kind: "remove", minutesLeft };
	return { kind: "rebind", householdId: toHex(notice.householdKey), minutesLeft };
}

function retentionView({ blocksFrom, config }: Street, isOperator: boolean): RetentionView {
	return {
		days: retentionDaysOf(config.retentionDays, isOperator),
		chosen: config.retentionDays !== undefined,
		usualDays: retentionDaysOf(undefined, isOperator),
		blocksFrom,
	};
}

function devicesView({ street }: ViewContext, member: number): DeviceView[] {
	const { ledger } = street.chain.head;
	return devicesOf(ledger, member).map(({ index, publicKey, alwaysOn }) => {
		const deviceId = toHex(publicKey);
		const self = index === street.device;
		return {
			device: index,
			deviceId,
			self,
			alwaysOn,
			metering: ledger.households[member]?.meteringDevice === index,
			voter: ledger.voters.includes(index),
			connected: street.presence.isHere(index),
		};
	});
}

function lastReadingOf(street: Street, member: number): MeterView["lastReading"] {
	const last = street.chain.head.ledger.households[member]?.seen.at(-1);
	if (last === undefined) return undefined;
	const minute = last[1] - 1;
	const reading = street.history.reading(member, minute);
	return reading === undefined ? undefined : { minute, ...reading };
}

function todayView(context: ViewContext, member: number): TodayView {
	const { street, chainMs, localTime } = context;
	const fromMinute = startOfDayMinute(localTime, minuteOf(chainMs));
	const untilMinute = Math.min(minuteOf(chainMs) + 1, fromMinute + MINUTES_PER_DAY + 60);
	const { minutes, importWh, exportWh, boughtWh, soldWh, utilityCostMicroNok, utilityIncomeMicroNok } =
		street.past.runningBill(member, fromMinute, untilMinute);
	return {
		fromMinute,
		minutes,
		importWh,
		exportWh,
		boughtWh,
		soldWh,
		...street.statement.day(fromMinute),
		utilityCostMicroNok,
		utilityIncomeMicroNok,
	};
}

function balanceView(street: Street, ledger: Ledger, member: number): BalanceView {
	return {
		balanceMicroNok: ledger.households[member]?.balanceMicroNok ?? 0,
		orders: ordersOf(ledger.orders).filter((order) => order.member === member),
		payouts: payoutsOf(ledger).filter((lock) => lock.member === member),
		movements: street.statement.movements(),
		...ownCreditView(ledger, member),
		...(ledger.bank === undefined ? {} : { bank: bankView(ledger.bank) }),
	};
}

function ownCreditView(ledger: Ledger, member: number): Pick<BalanceView, "credit"> {
	if (ledger.parameters.moneyKind !== "monthly") return {};
	const demands = demandsOf(ledger).filter((demand) => demand.member === member);
	return { credit: { ...creditView(ledger, householdOf(ledger, member)), demands } };
}

function creditView(ledger: Ledger, { index, balanceMicroNok, creditMicroNok }: Household): CreditView {
	const debtMicroNok = creditMicroNok - balanceMicroNok;
	const usedMicroNok = debtMicroNok - demandedMicroNok(ledger, index);
	return { member: index, lineMicroNok: creditMicroNok, usedMicroNok, owedMicroNok: Math.max(0, debtMicroNok) };
}

function creditsView(ledger: Ledger): Pick<OperatorView, "credit"> {
	if (ledger.parameters.moneyKind !== "monthly") return {};
	const here = ledger.households.filter(({ removal }) => removal?.completed !== true);
	return { credit: { lines: here.map((household) => creditView(ledger, household)), demands: demandsOf(ledger) } };
}

function demandsOf({ demands, parameters }: Ledger): DemandView[] {
	const rule = localTimeOf(parameters);
	return [...demands.values()].map((demand): DemandView => {
		const { year, month } = monthOfNumber(demand.month);
		return { ...orderView(demand), fromMinute: firstMinuteOfMonth(rule, year, month) };
	});
}

function bankView(bank: BankStatement): BankView {
	const { id, member, minute, confirmed } = bank;
	const { balanceMicroNok, circulationMicroNok, interestMicroNok, unmatchedMicroNok, feesMicroNok } = bank;
	return {
		id: toHex(id),
		statedBy: member,
		atMs: minute * MS_PER_MINUTE,
		balanceMicroNok,
		circulationMicroNok,
		interestMicroNok,
		unmatchedMicroNok,
		feesMicroNok,
		differenceMicroNok: differenceMicroNok(bank),
		...(confirmed === undefined
			? {}
			: {
					confirmed: {
						member: confirmed.member,
						timestampMs: confirmed.timestampMs,
						isOfThis: equalBytes(confirmed.statementId, id),
					},
				}),
	};
}

/** For so long who pays is told that an account is new: by then the operator has seen whether it is its own. */
const RECENT_ACCOUNT_MS = 7 * MINUTES_PER_DAY * MS_PER_MINUTE;

function accountsView(context: ViewContext, member: number): Pick<StreetView, "accounts"> {
	const { accounts, chain } = context.street;
	const { ledger } = chain.head;
	if (ledger.parameters.moneyKind === "trial") return {};
	const operators = ledger.households.filter(({ index }) => isActingOperator(ledger, index));
	const own = accountView(context, member);
	const { isHeld, unsigned } = accounts;
	return {
		accounts: {
			operators: operators.flatMap(({ index }) => accountView(context, index) ?? []),
			...(own === undefined ? {} : { own: { ...own, isHeld } }),
			...(unsigned === undefined ? {} : { unsigned: unsigned.account }),
		},
	};
}

function accountView({ chainMs, street }: ViewContext, member: number): AccountView | undefined {
	const { changedMs, stated } = street.accounts.of(member) ?? {};
	if (stated?.account === undefined || changedMs === undefined) return undefined;
	const recentMs = RECENT_ACCOUNT_MS * street.chain.head.ledger.parameters.timeScale;
	return { ...stated.account, member, changedMs, isRecent: chainMs - changedMs < recentMs };
}

/** `member`: only what concerns that household. */
function correctionsView(ledger: Ledger, member?: number): CorrectionsView {
	const concerns = (...parties: number[]) => member === undefined || parties.includes(member);
	const open = [...ledger.corrections].filter(([, each]) => concerns(each.member, each.counterparty));
	const claims = [...ledger.claims].filter(([, { debtor, creditor }]) => concerns(debtor, creditor));
	return {
		open: open.map(([, correction]): CorrectionView => {
			const lapsesMs = (minuteOf(correction.timestampMs) + CORRECTION_MINUTES) * MS_PER_MINUTE;
			return { ...correctionView(correction), ...(isDispute(correction) ? {} : { lapsesMs }) };
		}),
		claims: claims.map(([id, claim]): ClaimView => ({ ...claim, id })),
	};
}

/** What a household had read that settled nothing: so many runs of minutes at the most. */
const SHOWN_UNSETTLED = 50;

function ownCorrectionsView({ history, statement }: Street, ledger: Ledger, member: number): OwnCorrectionsView {
	return {
		...correctionsView(ledger, member),
		ended: statement.endedCorrections().map(({ correction, outcome, endedMs }) => {
			return { ...correctionView(correction), outcome, endedMs };
		}),
		unsettled: history.unsettled(member).slice(0, SHOWN_UNSETTLED),
		unsettledMinutes: unsettledMinutes(history.unsettled(member)),
	};
}

function unsettledMinutes(runs: readonly UnsettledRun[]): UnsettledMinutes {
	const minutes = { late: 0, typed: 0 };
	for (const { reason, fromMinute, untilMinute } of runs) minutes[reason] += untilMinute - fromMinute;
	return minutes;
}

function correctionView(correction: Correction): Omit<CorrectionView, "lapsesMs"> {
	const { isPayer, note, declined, timestampMs: _, id, ...said } = correction;
	return {
		...said,
		id: toHex(id),
		payer: isPayer ? said.member : said.counterparty,
		...(note === undefined ? {} : { note }),
		...(declined === undefined ? {} : { declined }),
	};
}

function moneyView(ledger: Ledger): Pick<StreetView, "moneyProposal"> {
	const { moneyProposal } = ledger;
	if (moneyProposal === undefined) return {};
	const { fromMinute, id, member, moneyKind, reason } = moneyProposal;
	const isOpen = fromMinute === undefined;
	return {
		moneyProposal: {
			id: toHex(id),
			proposedBy: member,
			moneyKind,
			reason,
			awaited: isOpen ? awaitedHouseholds(ledger, moneyProposal).map(({ index }) => index) : [],
			...(isOpen ? {} : { sinceMs: fromMinute * MS_PER_MINUTE }),
		},
	};
}

function payoutsOf(ledger: Ledger): PayoutView[] {
	return [...ledger.locks.values()].map((locked): PayoutView => {
		const refusal = payoutRefusal(ledger, locked);
		return {
			...orderView(locked),
			...(refusal?.code === "lock-too-new" ? { takeBackUntilMs: refusal.untilMinute * MS_PER_MINUTE } : {}),
			...(refusal?.code === "lock-unsettled" ? { unsettled: true } : {}),
			...(refusal?.code === "reserve-too-low" ? { reserveTooLow: true } : {}),
		};
	});
}

function ordersOf(orders: Ledger["orders"]): OrderView[] {
	return [...orders.values()].map(orderView);
}

function orderView({ id, member, amountMicroNok, timestampMs }: Order): OrderView {
	return { id: toHex(id), member, amountMicroNok, timestampMs, reference: paymentReference(member, id) };
}

function marketView(
	ledger: Ledger,
	member: number,
	ownRetail: number,
	minute: number,
	losses: ReadonlyMap<number, number>,
): MarketView {
	const { localFeeMicroNokPerWh } = tariffAt(ledger, minute);
	const shown = [...ledger.offers].filter(([, offer]) => isOfferFor(offer, member));
	const offers = shown.map(([id, offer]): OfferView => {
		const bytes = fromHex(id);
		const refusal = bytes.ok ? acceptRefusal(ledger, member, bytes.value, minute)?.code : undefined;
		return {
			id,
			seller: offer.seller,
			mine: offer.seller === member,
			priceMicroNokPerWh: offer.priceMicroNokPerWh,
			fromMinute: offer.fromMinute,
			untilMinute: offer.untilMinute,
			...(offer.energyLimitWh === 0 ? {} : { energyLimitWh: offer.energyLimitWh }),
			noticeMinutes: offer.noticeMinutes,
			...(offer.buyer === undefined ? {} : { buyer: offer.buyer }),
			...(offer.maxBuyers === 0 ? {} : { maxBuyers: offer.maxBuyers }),
			...(offer.schedule === undefined ? {} : { schedule: offer.schedule }),
			buyers: offer.accepted.length,
			savingMicroNokPerKwh: (ownRetail - offer.priceMicroNokPerWh - localFeeMicroNokPerWh) * 1_000,
			...(refusal === undefined ? {} : { refusal }),
		};
	});
	const contracts = ledger.contracts
		.filter(
			(contract) => contract.seller === member || contract.buyer === member || ledger.households[member]?.operator,
		)
		.map((contract) => contractView(ledger, contract, member, minute, losses.get(contract.index)));
	return { offers, contracts, automatic: automaticMarketView(ledger, householdOf(ledger, member), minute) };
}

function automaticMarketView(ledger: Ledger, household: Household, minute: number): AutomaticMarketView {
	const { market } = ledger;
	const nextMinute = nextIntervalMinute(ledger);
	const next = market?.choices.find(({ fromMinute }) => fromMinute > minute);
	const given = household.trading.at(-1);
	const now = termsAt(household, nextMinute);
	const tariff = tariffAt(ledger, minute);
	const [buy, sell] = now === undefined ? [] : [buyLimit(now, tariff), sellLimit(now, tariff)];
	return {
		choice: choiceAt(market, minute),
		intervalMinutes: market?.intervalMinutes ?? DEFAULT_INTERVAL_MINUTES,
		...(next === undefined ? {} : { next: { choice: next.choice, fromMs: next.fromMinute * MS_PER_MINUTE } }),
		changeFromMs: earliestChangeMinute(ledger) * MS_PER_MINUTE,
		...(given === undefined || now === undefined ? {} : { terms: termsView(given, minute) }),
		...(buy === undefined ? {} : { buyLimitMicroNokPerWh: buy }),
		...(sell === undefined ? {} : { sellLimitMicroNokPerWh: sell }),
		...(market === undefined ? {} : { matchedUntilMs: market.matchedUntilMinute * MS_PER_MINUTE }),
	};
}

function termsView(terms: TradingTerms, minute: number): TradingTermsView {
	const { fromMinute, buyBelowMicroNokPerWh: buy, sellAboveMicroNokPerWh: sell, paysMoreForLocal } = terms;
	return {
		...(fromMinute > minute ? { fromMs: fromMinute * MS_PER_MINUTE } : {}),
		...(buy === undefined ? {} : { buyBelowMicroNokPerWh: buy }),
		...(sell === undefined ? {} : { sellAboveMicroNokPerWh: sell }),
		paysMoreForLocal,
	};
}

function contractView(
	ledger: Ledger,
	contract: Contract,
	member: number,
	minute: number,
	lossMicroNok: number | undefined,
): ContractView {
	return {
		id: toHex(contract.id),
		seller: contract.seller,
		buyer: contract.buyer,
		mine: contract.seller === member || contract.buyer === member,
		priceMicroNokPerWh: contract.priceMicroNokPerWh,
		fromMinute: contract.fromMinute,
		untilMinute: contract.untilMinute,
		ended: contract.ended,
		...(contract.energyLimitWh === 0 ? {} : { energyLimitWh: contract.energyLimitWh }),
		noticeMinutes: contract.noticeMinutes,
		deliveredWh: contract.deliveredWh,
		amountMicroNok: contract.amountMicroNok,
		...(contract.schedule === undefined ? {} : { schedule: contract.schedule }),
		state: contractState(ledger, contract, minute),
		settledUntilMinute: Math.max(contract.fromMinute, ledger.households[contract.seller]?.settledUntilMinute ?? 0),
		...(lossMicroNok === undefined ? {} : { lossMicroNok }),
	};
}

function contractState(ledger: Ledger, contract: Contract, minute: number): ContractView["state"] {
	if (minute >= contract.untilMinute) return "ended";
	if (remainingWh(contract) === 0) return "usedUp";
	if (nextCoveredMinute(ledger, contract, minute) === undefined) return "over";
	if (minute < contract.fromMinute) return "coming";
	if (!coverageIn(ledger)(contract, minute)) return "resting";
	const balanceMicroNok = ledger.households[contract.buyer]?.balanceMicroNok ?? 0;
	return affordableWh(balanceMicroNok, contract.priceMicroNokPerWh) === 0 ? "paused" : "active";
}

function chainView({ street }: ViewContext): ChainView {
	const { head } = street.chain;
	const { ledger } = head;
	const { raft } = street;
	const leaderIndex = street.presence.leader;
	const leaderDevice = leaderIndex === undefined ? undefined : ledger.devices[leaderIndex];
	const leader = leaderDevice === undefined ? undefined : ledger.households[leaderDevice.household]?.name;
	const { householdsHere, outOfTouchSinceMs } = street.presence;
	const notVoting = notVotingReason(street);
	const targetIndex = street.sync.sources.targetIndex;
	return {
		headIndex: head.block.index,
		headHash: toHex(head.hash),
		stateRoot: toHex(head.block.stateRoot),
		headTimestampMs: head.block.timestampMs,
		term: raft?.term ?? 0,
		role: street.role,
		...(leader === undefined ? {} : { leader }),
		votersOnline: ledger.voters.filter((voter) => street.presence.mayVote(voter)).length,
		voters: ledger.voters.length,
		neighboursOnline: householdsHere.size,
		...(outOfTouchSinceMs === undefined ? {} : { outOfTouchSinceMs }),
		pending: street.outbox.size,
		waitingMinutes: street.outbox.readings,
		...(targetIndex > head.block.index + 1 ? { sync: { haveIndex: head.block.index, targetIndex } } : {}),
		...(street.verification.progress === undefined ? {} : { verification: street.verification.progress }),
		badSignatures: [...street.verification.bad],
		...(notVoting === undefined ? {} : { notVoting }),
		// Nothing brings a device of a household back that has moved out.
		...(street.outOfUse === undefined || street.outOfUse === "moved-out" ? {} : { outOfUse: true as const }),
	};
}

function notVotingReason({ raft, halted, outOfUse, refounding }: Street): string | undefined {
	if (halted) return "storage-write-failed";
	if (refounding.standsAside) return "founding-again";
	const reason = outOfUse ?? raft?.suspended;
	if (reason !== undefined) return reason;
	return raft?.clockOffMs === undefined ? undefined : "clock-off";
}

function operatorView(context: ViewContext, ledger: Ledger): OperatorView {
	const { street, peers } = context;
	const nodes = ledger.devices.map((device): NodeView => {
		const deviceId = toHex(device.publicKey);
		const last = lastReadingOf(street, device.household);
		const conduct = peers.conductOf(deviceId);
		const { headHash, ...status } = street.presence.statusOf(device.index) ?? {};
		return {
			member: device.household,
			device: device.index,
			deviceId,
			voter: ledger.voters.includes(device.index),
			alwaysOn: device.alwaysOn,
			revoked: !isInUse(device),
			keptFromVoting: street.config.keptFromVoting.includes(device.index),
			doubleSigned: street.doubleSignatures.some(({ voter }) => voter === device.index),
			connected: street.presence.isHere(device.index),
			isDirect: peers.toDevice(deviceId) !== undefined,
			unsettledMinutes: unsettledMinutes(street.history.unsettled(device.household)),
			...status,
			...(headHash === undefined ? {} : { headHash: toHex(headHash) }),
			...(conduct === undefined ? {} : { conduct }),
			...(last === undefined
				? {}
				: {
						lastReadingMinute: last.minute,
						lastReading: { importWh: last.importWh, exportWh: last.exportWh },
					}),
		};
	});
	const flows = street.flows.view();
	const { sameMeters } = street;
	const known = new Set(nodes.map(({ deviceId }) => deviceId));
	return {
		nodes,
		...(flows === undefined ? {} : { flows }),
		...(sameMeters.length === 0 ? {} : { sameMeters }),
		guests: [...peers.authenticated()].filter(({ device }) => !known.has(device)).length,
		...(street.startUp.isAsked ? { firstWeek: street.startUp.households } : {}),
		orders: ordersOf(ledger.orders),
		payouts: payoutsOf(ledger).map((payout): PayoutView => {
			const account = accountView(context, payout.member);
			return account === undefined ? payout : { ...payout, account };
		}),
		...creditsView(ledger),
		corrections: correctionsView(ledger),
		issuedMicroNok: ledger.issuedMicroNok,
		paidOutMicroNok: ledger.paidOutMicroNok,
		iceServers: street.iceServers,
	};
}
