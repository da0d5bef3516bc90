/**
 * The view: everything that the screens draw of a node, made anew when something changed (`streetView` and the stages make
 * it). All values can be cloned structurally.
 */
import type { IceServer } from "../block/iceServer.js";
import type { CorrectionReason } from "../block/kinds/correcting.js";
import type { MoneyKind, RealMoneyKind } from "../block/kinds/founding.js";
import type { MarketChoice, TariffStep } from "../block/kinds/trading.js";
import type { Reading } from "../block/reading.js";
import type { Schedule } from "../block/schedule.js";
import type { BankAccount } from "../block/statedAccount.js";
import type { OperatorAct } from "../contract/ledger.js";
import type { RemovalStep } from "../contract/movingOut.js";
import type { LineName } from "../meter/lineNames.js";
import type { RegisterDoubt } from "../meter/meterPipeline.js";
import type { DropReason, MeterEvent, MeterFormat } from "../meter/telegram.js";

export type View = WelcomeView | LobbyView | JoiningView | StreetView;

/** Nothing has been founded or joined yet. */
export interface WelcomeView {
	stage: "welcome";
	/** Why what is stored in this browser cannot be opened, ever: its keys may be given up. */
	damaged?: string;
}

export interface LobbyView {
	stage: "lobby";
	neighbourhood: string;
	founder: boolean;
	/** Fragment of the link that brings neighbours here. */
	link: string;
	members: { name: string; alwaysOn: boolean; self: boolean; founder: boolean }[];
	/** Guest: whether the founder's page is reached at this moment. */
	founderReached: boolean;
	signaling: SignalingView;
}

/** Invited, not yet a member; or a new device of a member that is not admitted yet. */
export interface JoiningView {
	stage: "joining";
	/** newHousehold: by invitation; restored: by restore link; newDevice: in place of the device that this browser was. */
	as: "newHousehold" | "restored" | "newDevice";
	neighbourhood: string;
	/**
	 * searching: no neighbour reached yet; elsewhere: those who are here are in another chain; syncing:
	 * fetching blocks; handedIn: `join` or `device` wait for their block.
	 */
	state: "searching" | "elsewhere" | "syncing" | "handedIn" | "refused";
	/** state refused: why. */
	code?: string;
	/**
	 * The chain knows no household of this browser's key: what an operator needs to give it to a household that lost its
	 * own, and the notice of that, once there is one.
	 */
	claim?: { text: string; notice?: { household: string; minutesLeft: number } };
	haveIndex: number;
	targetIndex: number;
	signaling: SignalingView;
	/** A household that was restored is asked, too. */
	refounding?: RefoundingView;
}

export interface SignalingView {
	connected: number;
	configured: number;
	/**
	 * By how much this device's clock is ahead of the neighbours' that are heard (negative: behind), ms; only where they do
	 * not find each other for that.
	 */
	clockOffMs?: number;
}

export interface StreetView {
	stage: "street";
	gridId: string;
	neighbourhood: string;
	moneyKind: MoneyKind;
	/** Not 1: a demo, whose clock runs faster. Labelled on every screen. */
	timeScale: number;
	/** The chain's clock, ms since the epoch. */
	chainMs: number;
	self: MemberView & { deviceId: string };
	members: MemberView[];
	/** This household's devices in use, oldest first. */
	devices: DeviceView[];
	/** What holds now. */
	tariff: { retailMicroNokPerWh: number; feedInMicroNokPerWh: number; localFeeMicroNokPerWh: number };
	/** What was stated of later minutes. */
	nextTariffs: readonly TariffStep[];
	/** What this household says that it pays, or the neighbourhood's retail price. */
	ownRetailMicroNokPerWh: number;
	meter: MeterView;
	today: TodayView;
	/** Absent: nothing has settled since this device was started. */
	lastMinute?: LastMinuteView;
	balance: BalanceView;
	/** Absent: trial kroner go through no bank. */
	accounts?: AccountsView;
	/** What this household has to put right with neighbours, and they with it. */
	corrections: OwnCorrectionsView;
	/** Absent: nobody has ever proposed any other money than that of the founding. */
	moneyProposal?: MoneyProposalView;
	market: MarketView;
	chain: ChainView;
	retention: RetentionView;
	/** Since when links are others, and until when those from before lead here (chain time); absent: they never changed. */
	links?: { changedMs: number; oldUntilMs: number };
	signaling: SignalingView;
	/** This household's transactions that are not final, and the last final ones, newest first. */
	own: OwnTransactionView[];
	/** Only for the operator. */
	operator?: OperatorView;
	/** What operators did, newest first; as far back as the chain keeps it. */
	operatorRecord: readonly OperatorAct[];
	/** Set where a majority of the voters cannot be reached, or somebody proposed to found the neighbourhood again. */
	refounding?: RefoundingView;
	/** Set where the neighbourhood was founded again. */
	predecessor?: PredecessorView;
	lock: LockView;
	/** What is to be done before real kroner move; absent: nobody is asked, as in a demo. */
	firstWeek?: FirstWeekView;
	/** Faults that stand, with how often each occurred. */
	faults: { fault: Fault; count: number }[];
	/** What was refused from peers, meter and storage, counted by code. */
	refusals: Record<string, number>;
}

/** The household's key on this device. */
export interface LockView {
	/** none: no password seals it. open: what is asked for in the next two minutes is signed without one. */
	state: "none" | "locked" | "open";
	/** Whether somebody has shown that the household's words are on paper. */
	wordsKept: boolean;
	/** It is locked, and something waits for it: the proposer's last word, or this household's yes, to a founding again. */
	wantedFor?: "seal" | "confirm";
}

/** The list of the first week, as this device knows it of its household. */
export interface FirstWeekView {
	/** The meter's display against the app's register; absent: the household has no meter here. */
	register?:
		| ({ state: "compared" } & RegisterComparison)
		/** `asksExport`: what flowed out as well. */
		| { state: "open"; asksExport: boolean }
		/** The meter has not said its registers yet. */
		| { state: "waiting" }
		/** A made up meter has no display. */
		| { state: "simulated" }
		/** It is compared on the household's device at the meter. */
		| { state: "elsewhere" };
	/** Of the last day; `isWhole`: of this one or an earlier one there were enough. Absent: there is no meter here. */
	minutes?: { have: number; all: number; needed: number; isWhole: boolean };
	/** The household's words are on paper. */
	wordsKept: boolean;
	/** Of the neighbourhood's money: tokens were issued, and some paid out again. Of trial kroner nothing ever is. */
	test: "none" | "in" | "inAndOut";
	/** All of this household's own points are done. */
	isGreen: boolean;
}

/** One register: as a person read it off the display, and as the app had it from the meter. */
export interface ComparedRegister {
	displayWh: number;
	registerWh: number;
}

export interface RegisterComparison {
	/** When (chain time). */
	atMs: number;
	importWh: ComparedRegister;
	/** Absent: the meter has never said that anything flowed out. */
	exportWh?: ComparedRegister;
}

/** How many of the last day's minutes a household has a reading of. */
export interface HouseholdMinutesView {
	member: number;
	/** It has handed in a reading at least once. */
	meters: boolean;
	have: number;
	all: number;
	needed: number;
}

/** Founding the neighbourhood again. */
export interface RefoundingView {
	/**
	 * possible: this device could propose it; proposed: this household is asked; confirmed: it has said yes, and waits for
	 * the others; founded: the new chain runs, and this household is asked whether it goes over.
	 */
	state: "possible" | "proposed" | "confirmed" | "founded";
	/** Not where it is only possible: what is confirmed, in hex. */
	proposal?: string;
	/** Member index of whoever proposes it, and whether that is this household. */
	proposer: number;
	mine: boolean;
	/** It is this household's, of another device of it: only that one takes it back, unless it is lost for good. */
	elsewhere: boolean;
	/** The last certified block, whose state goes on. */
	blockIndex: number;
	blockHash: string;
	blockTimestampMs: number;
	/** Member indices of the households whose devices vote afterwards. */
	voters: number[];
	/** Member indices of the households that confirmed, and how many it takes. */
	confirmed: number[];
	/** Of them, those whose word counts: who has just come, or moves out, has none. */
	counted: number;
	needed: number;
	/** Of so many: who moved out is not asked. */
	households: number;
	/** Members by name, and this household's balance there. */
	members: string[];
	balanceMicroNok: number;
	/** Contracts that go on, of this household and altogether. */
	ownContracts: number;
	contracts: number;
	/** A majority of the voters is here after all. */
	majority: boolean;
	/** No operator has confirmed: whoever proposes it becomes one as well, unless one does. */
	newOperator: boolean;
}

/** Where the balances at this chain's beginning came from. */
export interface PredecessorView {
	gridId: string;
	blockIndex: number;
	blockHash: string;
	/** When the neighbourhood was founded again. */
	timestampMs: number;
	/** Member indices of the households that have not gone over yet. */
	unconfirmed: number[];
}

export interface MemberView {
	index: number;
	name: string;
	operator: boolean;
	/** It signs nothing new until an operator lifts that. */
	suspended?: true;
	/** It moves out, and what that waits for; completed: it has. */
	movingOut?: RemovalStep;
	/** What is to become of it, unless somebody objects for so many more minutes of the chain: another key, in hex, or none. */
	notice?: { kind: "rebind"; householdId: string; minutesLeft: number } | { kind: "remove"; minutesLeft: number };
	/** It came less than seven days ago: its vote for an operator does not count yet. */
	newcomer?: true;
	/** More than two thirds of the households want it for an operator. */
	wanted?: true;
	/** Its vote for a new operator: member index. */
	appoints?: number;
	/** The public key in hex: the thesis's node id. */
	householdId: string;
}

export interface MeterView {
	source: "none" | "serial" | "simulated";
	/** How the port is to be opened, where a person has set it. */
	line?: LineName;
	serial: SerialStatus;
	/** Latest power, and the chain time at which it was measured. */
	live?: { importW: number; exportW: number; atMs: number };
	meterId?: string;
	lastReading?: { minute: number; importWh: number; exportWh: number };
	telegrams: number;
	/** Telegrams and bytes that were thrown away, by reason. */
	dropped: Partial<Record<DropReason, number>>;
	format?: MeterFormat;
	meterType?: string;
	/** The meter's newest registers, believed or not, and when they came. */
	registers?: { importWh?: number; exportWh?: number; stepWh: number; atMs: number };
	/** Why they are not believed. */
	doubt?: RegisterDoubt;
	/** Minutes after a gap that wait for the meter's next register. */
	heldMinutes: number;
	/** Energy of minutes that had to be given up: in the meter's registers, and in no reading. */
	lostWh: number;
	/** It says whole kWh and no power: a German meter without its PIN. Nothing of it is counted. */
	needsPin: boolean;
	/** Power above which a reading is asked about first, W. */
	fuseLimitW: number;
	/** Readings above it: they wait until somebody says what they are. */
	questioned: readonly Reading[];
	/** What the meter said last, newest first. */
	log: readonly { atMs: number; event: MeterEvent }[];
}

export interface TodayView {
	/** First minute of today in the household's time zone. */
	fromMinute: number;
	/** Minutes with a reading. */
	minutes: number;
	importWh: number;
	exportWh: number;
	boughtWh: number;
	soldWh: number;
	paidMicroNok: number;
	earnedMicroNok: number;
	/** What the rest costs at the price that holds in each minute, and what the utility pays for the rest of the export. */
	utilityCostMicroNok: number;
	utilityIncomeMicroNok: number;
}

/** What this household's last settled minute was made of. */
export interface LastMinuteView {
	minute: number;
	importWh: number;
	exportWh: number;
	/** By contracts; `other`: member index. */
	bought: DeliveryView[];
	sold: DeliveryView[];
	/** What contracts left: it goes to the market that trades by itself, or to the utility. */
	restImportWh: number;
	restExportWh: number;
	/** What the market matched of this household last, minutes [fromMinute, untilMinute). */
	matched?: {
		fromMinute: number;
		untilMinute: number;
		boughtWh: number;
		soldWh: number;
		paidMicroNok: number;
		earnedMicroNok: number;
	};
}

export interface DeliveryView {
	other: number;
	energyWh: number;
	amountMicroNok: number;
}

export interface BalanceView {
	balanceMicroNok: number;
	orders: OrderView[];
	/** What is to be paid out to this household. */
	payouts: PayoutView[];
	/** Newest first; at most 50. */
	movements: ShownMovementView[];
	/** Absent: money is not `monthly`. */
	credit?: CreditView & { demands: DemandView[] };
	/** Absent: nobody has stated it. */
	bank?: BankView;
}

/** Oldest first. */
export interface CorrectionsView {
	open: CorrectionView[];
	claims: ClaimView[];
}

/** Of this household, with what came of it. */
export interface OwnCorrectionsView extends CorrectionsView {
	/** Newest first; at most 50. */
	ended: EndedCorrectionView[];
	/** Of this household's own readings, newest first; at most 50. */
	unsettled: UnsettledRun[];
	/** Of all of them, in the days that this device keeps. */
	unsettledMinutes: UnsettledMinutes;
}

/** How many minutes of readings settled nothing between neighbours, by the reason. */
export interface UnsettledMinutes {
	late: number;
	typed: number;
}

/** One after the other: readings that settled nothing between neighbours. */
export interface UnsettledRun {
	/** They came after the grace, or a person has read the meter. */
	reason: "late" | "typed";
	fromMinute: number;
	/** First minute after them. */
	untilMinute: number;
	importWh: number;
	exportWh: number;
}

/** A correction that is proposed, or disputed. */
export interface CorrectionView {
	id: string;
	member: number;
	counterparty: number;
	fromMinute: number;
	untilMinute: number;
	reason: CorrectionReason;
	energyWh: number;
	/** 0: no amount is proposed. */
	amountMicroNok: number;
	/** Member index of the household that pays. */
	payer: number;
	note?: string;
	/** Until when (chain time) it can be agreed to; absent: it is disputed, and stands until it is taken back. */
	lapsesMs?: number;
	/** Why the counterparty declined, "" without a word; absent: it has not. */
	declined?: string;
}

/** A correction that is not open any more. */
export interface EndedCorrectionView extends Omit<CorrectionView, "lapsesMs"> {
	/** Lapsed: nobody answered in time, or one of the two has moved out. */
	outcome: "agreed" | "takenBack" | "lapsed";
	endedMs: number;
}

/** What is left to pay of a correction that was agreed upon. */
export interface ClaimView {
	/** Of the correction. */
	id: string;
	debtor: number;
	creditor: number;
	amountMicroNok: number;
	timestampMs: number;
}

/** Tokens worth NOK that an operator proposed in place of trial kroner. */
export interface MoneyProposalView {
	/** In hex. */
	id: string;
	/** Member index of the operator. */
	proposedBy: number;
	moneyKind: RealMoneyKind;
	/** Why the utility does not bill the same energy as well. */
	reason: string;
	/** Member indices of the households that have not agreed. */
	awaited: number[];
	/** Since when (chain time) tokens are worth NOK; absent: not all have agreed. */
	sinceMs?: number;
}

export interface OrderView {
	id: string;
	member: number;
	amountMicroNok: number;
	timestampMs: number;
	/** What its payment through the bank is marked with (`paymentReference.ts`). */
	reference: string;
}

/** What a household is to pay by rule, for what it used of its credit line; its payment is marked as an order's is. */
export interface DemandView extends OrderView {
	/** First minute of the month that it is for. */
	fromMinute: number;
}

/** A household's credit line. */
export interface CreditView {
	member: number;
	/** Part of its balance. */
	lineMicroNok: number;
	/** Used since the last netting: of the line what is neither there nor demanded; negative: earned beyond the line. */
	usedMicroNok: number;
	/** Used altogether and not paid: what it owes its neighbours; 0: nothing. */
	owedMicroNok: number;
}

/** Locked tokens whose money is to be paid out. */
export interface PayoutView extends OrderView {
	/** Until when (chain time) the household can take it back; absent: that is over, or it moves out. */
	takeBackUntilMs?: number;
	/** Minutes before it was asked for have not settled, and may be paid from it. */
	unsettled?: true;
	/** For the operator: to which it is to be paid; absent: the household has not said so to this device. */
	account?: AccountView;
	/** The money for it has not come in: others have not paid what they used on credit. */
	reserveTooLow?: true;
}

/** As it is listed. `isTrial`: in trial kroner, of which nothing is left since tokens have come to be worth NOK. */
export type ShownMovementView =
	| (MovementView & { isTrial?: boolean })
	/** Trial kroner were void from here on: tokens came to be worth NOK. */
	| { type: "trialEnded"; timestampMs: number; isTrial?: false };

export type MovementView =
	/** `id`: of the act that says so, for its proof; absent where an earlier version wrote it down. */
	| { type: "issued" | "paidOut"; amountMicroNok: number; timestampMs: number; reference: string; id?: string }
	/** What a correction moved, at once or of its claim in a later block. `id`: of the `correct`; `other`: member index. */
	| {
			type: "correctionPaid" | "correctionReceived";
			amountMicroNok: number;
			timestampMs: number;
			other: number;
			id: string;
	  }
	/** Its credit line, and the balance with it, grew or shrank. */
	| { type: "creditGranted" | "creditWithdrawn"; amountMicroNok: number; timestampMs: number }
	/** The balance with which this chain began: that of the chain before, at its last certified block. */
	| { type: "carried"; amountMicroNok: number; timestampMs: number; blockIndex: number }
	/** What the market matched of one day, summed. */
	| { type: "matchedBought" | "matchedSold"; amountMicroNok: number; energyWh: number; dayMinute: number }
	/** One contract's settlement of one day, summed. */
	| {
			type: "bought" | "sold";
			amountMicroNok: number;
			energyWh: number;
			dayMinute: number;
			contractId: string;
			other: number;
	  };

/** The account that holds the money of the tokens, as an operator stated it last. */
export interface BankView {
	/** Of the statement, in hex. */
	id: string;
	/** Member index of the operator. */
	statedBy: number;
	/** By the bank's clock: when it held so much. */
	atMs: number;
	balanceMicroNok: number;
	/** What of it is explained: tokens in circulation when it was stated, interest and unmatched money, less the fees. */
	circulationMicroNok: number;
	interestMicroNok: number;
	unmatchedMicroNok: number;
	feesMicroNok: number;
	/** The balance less all that; negative: money is missing, and nothing is issued. */
	differenceMicroNok: number;
	/** Who confirmed a balance last, and when (chain time); `isOfThis`: this one, not one before it. */
	confirmed?: { member: number; timestampMs: number; isOfThis: boolean };
}

/** Households' bank accounts, as far as this device may know them: they are on no chain. */
export interface AccountsView {
	/** To which members pay, by the operators' member indices ascending; none: no operator has stated one. */
	operators: AccountView[];
	/** This household's. `isHeld`: an operator's device has said that it keeps it. */
	own?: AccountView & { isHeld: boolean };
	/** Of this household, while it is not signed for this chain: the household's key is locked. */
	unsigned?: BankAccount;
}

export interface AccountView extends BankAccount {
	/** Member index. */
	member: number;
	/** Since when it holds (chain time), and whether that is less than seven days ago: who pays should ask first. */
	changedMs: number;
	isRecent: boolean;
}

export interface MarketView {
	offers: OfferView[];
	contracts: ContractView[];
	automatic: AutomaticMarketView;
}

/** The market that trades by itself. */
export interface AutomaticMarketView {
	/** The rule that holds now. */
	choice: MarketChoice;
	intervalMinutes: number;
	/** What comes in its place, and when (chain time). */
	next?: { choice: MarketChoice; fromMs: number };
	/** From when on a change of the rule could hold, if it were stated now. */
	changeFromMs: number;
	/** This household's standing order: the one that was given last. */
	terms?: TradingTermsView;
	/** At which it buys and sells at most and at least, by the tariff that holds now; absent: it does not. */
	buyLimitMicroNokPerWh?: number;
	sellLimitMicroNokPerWh?: number;
	/** All intervals before are matched. */
	matchedUntilMs?: number;
}

export interface TradingTermsView {
	/** When they begin to hold (chain time); absent: they do. */
	fromMs?: number;
	/** 0: as the tariff makes it; absent: it buys nothing by itself. */
	buyBelowMicroNokPerWh?: number;
	sellAboveMicroNokPerWh?: number;
	paysMoreForLocal: boolean;
}

export interface OfferView {
	id: string;
	seller: number;
	mine: boolean;
	priceMicroNokPerWh: number;
	fromMinute: number;
	untilMinute: number;
	energyLimitWh?: number;
	noticeMinutes: number;
	buyer?: number;
	maxBuyers?: number;
	/** In which minutes of the period; absent: in all of them. */
	schedule?: Schedule;
	buyers: number;
	/** What one kWh saves against this household's utility price, after the local fee; may be negative. */
	savingMicroNokPerKwh: number;
	/** Why this household cannot accept it; absent: it can. A code of the ledger's refusals. */
	refusal?: string;
}

export interface ContractView {
	id: string;
	seller: number;
	buyer: number;
	/** Whether this household is one of the two. */
	mine: boolean;
	priceMicroNokPerWh: number;
	fromMinute: number;
	/** First minute that it no longer covers. */
	untilMinute: number;
	ended: boolean;
	energyLimitWh?: number;
	noticeMinutes: number;
	deliveredWh: number;
	amountMicroNok: number;
	/** In which minutes of the period; absent: in all of them. */
	schedule?: Schedule;
	/** resting: these are not its hours; over: it has had its last ones, though its period goes on. */
	state: "coming" | "active" | "resting" | "paused" | "usedUp" | "over" | "ended";
	/** First minute that is not settled yet. */
	settledUntilMinute: number;
	/** What this household lost by it in the last seven days against its price at the utility; absent: nothing. */
	lossMicroNok?: number;
}

export interface OwnTransactionView {
	id: string;
	kind: string;
	/** signed: written here; sent: a neighbour has it; confirmed: in a committed block. */
	state: "signed" | "sent" | "confirmed" | "refused";
	/** state confirmed: the block. */
	blockIndex?: number;
	/** state refused: why. */
	code?: string;
	timestampMs: number;
}

export interface ChainView {
	headIndex: number;
	headHash: string;
	stateRoot: string;
	headTimestampMs: number;
	term: number;
	role: "leader" | "follower" | "candidate" | "observer";
	/** Member name of the leader; absent while there is none. */
	leader?: string;
	votersOnline: number;
	voters: number;
	/** Members whose devices are connected now, not counting this one. */
	neighboursOnline: number;
	/** Since when (chain time) no neighbour was in reach, or nobody led; absent while both are there. */
	outOfTouchSinceMs?: number;
	/** Own transactions that wait, readings included. */
	pending: number;
	/** Own minutes whose reading waits: more than a few are a backlog. */
	waitingMinutes: number;
	/** Set while this node fetches blocks that others have. */
	sync?: { haveIndex: number; targetIndex: number };
	/** Set while signatures in fetched blocks are verified: of how many transactions they are good, and of how many in all. */
	verification?: { done: number; all: number };
	/** Transactions in certified blocks that are not signed as they must be: a majority of the voters erred or lied. */
	badSignatures: { index: number; at: number }[];
	/** Why this voter does not vote, if it does not: a code. */
	notVoting?: string;
	/** Set where it takes no part any more until it is admitted anew (`admitAnew`), which nothing else mends. */
	outOfUse?: true;
}

/** What this device keeps of the chain. Readings, acts and settled minutes of the household, and their proofs, stay. */
export interface RetentionView {
	/** So many days of full blocks; 0: all of them. */
	days: number;
	/** Chosen on this device; else as is usual. */
	chosen: boolean;
	/** What is usual for this household's role. */
	usualDays: number;
	/** First block of those that are here without a hole, besides genesis. */
	blocksFrom: number;
}

/** One of this household's devices in use. */
export interface DeviceView {
	/** Index of the device on the chain. */
	device: number;
	deviceId: string;
	/** This very device. */
	self: boolean;
	alwaysOn: boolean;
	/** Its readings count. */
	metering: boolean;
	voter: boolean;
	connected: boolean;
}

export interface OperatorView {
	nodes: NodeView[];
	/** Orders of all members that wait for their money. */
	orders: OrderView[];
	/** Locked tokens of all members whose money is to be paid out. */
	payouts: PayoutView[];
	/** Of all members that are not out, and what they are to pay; absent: money is not `monthly`. */
	credit?: { lines: CreditView[]; demands: DemandView[] };
	/** Of all members. */
	corrections: CorrectionsView;
	issuedMicroNok: number;
	paidOutMicroNok: number;
	/** Through which devices that cannot see each other connect. */
	iceServers: readonly IceServer[];
	/** Between whom energy flowed last; absent: nothing has settled lately. */
	flows?: FlowsView;
	/** Pairs of members that seem to read one and the same meter. */
	sameMeters?: readonly (readonly [number, number])[];
	/** Devices that have a channel to this one and that the chain does not know: they come in, or lost their key. */
	guests: number;
	/** Of each household that stays; absent: nobody is asked for a first week. */
	firstWeek?: readonly HouseholdMinutesView[];
}

/** Mean power of minutes that have settled, W. */
export interface FlowsView {
	/** Under contracts, between two households each. */
	contracts?: {
		fromMinute: number;
		untilMinute: number;
		between: { seller: number; buyer: number; powerW: number }[];
	};
	/** In the market that trades by itself: nobody's in particular. */
	market?: {
		fromMinute: number;
		untilMinute: number;
		shares: { member: number; boughtW: number; soldW: number }[];
	};
}

export interface NodeView {
	member: number;
	/** Index of the device on the chain. */
	device: number;
	deviceId: string;
	/** Whether it counts towards the majority, and whether it could: it is always on. */
	voter: boolean;
	alwaysOn: boolean;
	/** Taken out of use by its household. */
	revoked: boolean;
	/** The operator took it off the list of voters by hand. */
	keptFromVoting: boolean;
	/** It signed two blocks for one place: its storage was copied or put back, or it lies. */
	doubleSigned: boolean;
	/** What it said to this device that no correct one says, by code, and for how much longer it is kept out, ms. */
	conduct?: { codes: { [code: string]: number }; keptOutMs: number };
	connected: boolean;
	/** This device has a channel to it itself. */
	isDirect: boolean;
	/** Last heard; absent: never since this page was opened. */
	headIndex?: number;
	headHash?: string;
	term?: number;
	role?: ChainView["role"];
	lastReadingMinute?: number;
	lastReading?: { importWh: number; exportWh: number };
	/** Of its household, in the days that this device keeps. */
	unsettledMinutes: UnsettledMinutes;
}

/** Something that went wrong, as the screens say it. `code` is a key of the message files; the rest is its evidence. */
export interface Fault {
	code: string;
	[evidence: string]: string | number | boolean;
}

/** The state of the port at the meter. */
export type SerialStatus =
	| { state: "closed" }
	/** Opened, and what comes is listened to: it may be another line that the meter speaks by. */
	| { state: "opening"; line: LineName }
	/** What comes is understood. */
	| { state: "open"; line: LineName }
	/** No bytes for 30 s, or at any line: the port is being opened again. */
	| { state: "silent" }
	/** Bytes come, and mean nothing at any line. */
	| { state: "unrecognized" }
	| { state: "unplugged" }
	/** `code` is the platform's error name, such as NetworkError; the port is tried again after a while. */
	| { state: "failed"; code: string };
