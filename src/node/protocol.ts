/**
 * The border of the node: everything that goes in (`NodeInput`) and everything that comes out (`NodeOutput`). The page
 * is a modem and a screen on the far side of it. The browser's worker, the simulator and the replay drive the same
 * `Node` through these two unions. All values can be cloned structurally.
 */

import type { IceServer } from "../block/iceServer.js";
import type { CorrectionReason } from "../block/kinds/correcting.js";
import type { FoundingMarket, MoneyKind, RealMoneyKind } from "../block/kinds/founding.js";
import type { MarketChoice, MatchingRule, TariffStep } from "../block/kinds/trading.js";
import type { Reading } from "../block/reading.js";
import type { Schedule } from "../block/schedule.js";
import type { BankAccount } from "../block/statedAccount.js";
import type { Transaction } from "../block/transaction.js";
import type { Signal, SignalBody, SignalHead } from "../message/signal.js";
import type { LineName } from "../meter/lineNames.js";
import type { LocalTimeRule } from "../primitives/localTime.js";
import type { Result } from "../primitives/result.js";
import type { ConnectTo } from "./channelPlan.js";
import type { Fault, SerialStatus, View } from "./view.js";

// ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export type NodeInput =
	/** Time may have passed: the node looks at its two clocks. Sent every 100 ms or so. */
	| { type: "tick" }
	/**
	 * The page is going away or freezing: a leader hands over while it can. Best effort: the page may be gone before
	 * anything that follows from it has left, and a page that was frozen goes on later.
	 */
	| { type: "closing" }
	/** What a person asked for; answered by one `reply` with the same id. */
	| { type: "command"; id: number; command: Command }
	/** A data channel opened. Fingerprints are the SHA-256 of both DTLS certificates (32 bytes each). */
	| {
			type: "peerOpened";
			/** The mesh's name for this channel; never used again after `peerClosed`. */
			channel: string;
			localFingerprint: Uint8Array;
			remoteFingerprint: Uint8Array;
			/** Whether this side started the connection. */
			initiator: boolean;
	  }
	| { type: "peerClosed"; channel: string }
	| { type: "peerFrame"; channel: string; frame: Uint8Array }
	/** What the mesh wants to say through the signaling servers: it is signed and sealed here. */
	| { type: "signal"; draft: SignalDraft }
	/** What a signaling server handed on, which may be any text. */
	| { type: "sealedSignal"; topic: string; sealed: string }
	/** Bytes from the meter's port, in chunks of any size. */
	| { type: "serialBytes"; bytes: Uint8Array }
	| { type: "serialStatus"; status: SerialStatus }
	/** Readings that did not come from a port: a file's. Signed and handed in like any others. */
	| { type: "readings"; readings: Reading[] }
	/** What the mesh knows about the way to the signaling servers, for the screens. */
	| { type: "signalingStatus"; connected: number; configured: number };

/** So many signatures keep the node from nothing else for long. */
export const MAX_HANDED_IN = 100;

/** A few words are best: whoever has the sealed key can try passwords for as long as they like. In characters. */
export const MIN_PASSWORD_LENGTH = 10;
export const MAX_PASSWORD_LENGTH = 200;

/** What a household or the operator can ask of its own node. Amounts in µNOK, energy in Wh, times in minutes since the epoch. */
export type Command =
	/** Founding: opens a lobby. The founder becomes the operator. */
	| {
			type: "openLobby";
			neighbourhood: NeighbourhoodSettings;
			householdName: string;
			alwaysOn: boolean;
			signalingUrls: string[];
			/** Through which the guests are to connect who cannot see this device. */
			iceServers?: IceServer[];
			newPassword?: string;
	  }
	/** Founding: comes into a lobby by its link's fragment (what stands behind `#`). */
	| ({ type: "enterLobby" } & WayIn)
	/** Founding: the founder writes the genesis with everybody present. */
	| { type: "start" }
	/** What a link leads to, before anything is done with it. */
	| { type: "readLink"; link: string }
	/** Gives up a lobby, or a join that waits. Nothing has been promised to anybody yet. */
	| { type: "abandon" }
	/** Joins a running neighbourhood with an invitation link's fragment. */
	| ({ type: "join" } & WayIn)
	/**
	 * Goes on as a member on a browser that knows nothing, with a restore link's fragment: as a new device, in place of the
	 * household's only one in use. `password` opens the key in the link; `words` are the key.
	 */
	| {
			type: "restore";
			link: string;
			words?: string;
			password?: string;
			newPassword?: string;
			/** Password and words are lost: a new key, which the operator has to give notice of (`rebind`). */
			newKey?: boolean;
			/** Whether the household's other device stays in use, and goes on metering. */
			beside?: boolean;
			alwaysOn: boolean;
			signalingUrls: string[];
	  }
	/**
	 * This device takes no part any more (`chain.outOfUse`): a new one takes its place in this browser. With the household's
	 * password, if it has one.
	 */
	| { type: "admitAnew"; password?: string }
	/**
	 * The household's way back, if this browser loses what it keeps, and to a further device: it holds the household's key
	 * as it is kept. Replied as a link.
	 */
	| { type: "restoreLink" }
	/** The way back for a household that has lost all but its words. Any member can give it: there is no key in it. */
	| { type: "wayBackLink" }
	/** Opens the household's key, for what a person signs in the next two minutes. */
	| { type: "unlock"; password: string }
	| { type: "lock" }
	/** A first password, or another one. */
	| { type: "changePassword"; password?: string; newPassword: string }
	/** The household's words, replied as such. */
	| { type: "words"; password?: string }
	/** They are on paper. */
	| { type: "wordsKept" }
	/**
	 * What a person read off the meter's display, Wh: kept where it is what the app has. `stepWh`: what the last digit of
	 * the display stands for (1, 10, 100 or 1,000). `exportWh`: where anything ever flowed out.
	 */
	| { type: "compareRegister"; importWh: number; exportWh?: number; stepWh: number }
	/**
	 * Operator: makes an invitation; the value of the reply is the link's fragment. `observer`: the device that joins by it
	 * is no candidate for a voter.
	 */
	| { type: "invite"; observer?: boolean }
	/** Where readings come from. `seed` chooses the simulated household. */
	| { type: "meterSource"; source: "none" }
	/** `line`: how the port is to be opened; absent: it is found out. */
	| { type: "meterSource"; source: "serial"; line?: LineName }
	| { type: "meterSource"; source: "simulated"; seed: number; profile: HouseholdProfile }
	/** The meter at the port was exchanged: its registers begin anew. */
	| { type: "meterExchanged" }
	/** Whether a minute is right that no fuse allows (`meter.questioned`): it is handed in, or given up. */
	| { type: "answerReading"; minute: number; isRight: boolean }
	/**
	 * Minutes that no meter at a port has said: a file's, or typed ones. Handed in as such; at most MAX_HANDED_IN at a time.
	 */
	| { type: "handIn"; readings: readonly Omit<Reading, "quality">[] }
	/** What this household's main fuse lets through, W. */
	| { type: "fuseLimit"; limitW: number }
	| {
			type: "offer";
			priceMicroNokPerWh: number;
			fromMinute: number;
			untilMinute: number;
			/** Energy that each contract may deliver altogether; absent: no limit. */
			energyLimitWh?: number;
			noticeMinutes: number;
			/** Member index of the only household that may accept; absent: everybody. */
			buyer?: number;
			/** How many households may accept; absent: any number. */
			maxBuyers?: number;
			/** In which minutes of the period; absent: in all of them. */
			schedule?: Schedule;
	  }
	| { type: "withdraw"; offerId: string }
	| { type: "accept"; offerId: string }
	| { type: "end"; contractId: string }
	| { type: "buy"; amountMicroNok: number }
	/** Asks for NOK back; the tokens are locked at once. */
	| { type: "redeem"; amountMicroNok: number }
	/** Takes this household's own `buy` back, or for half an hour its `redeem`. */
	| { type: "cancel"; orderId: string }
	/** This household moves out. */
	| { type: "leave" }
	/**
	 * At which prices this household trades by itself from the next interval on: 0, as the tariff makes it; absent: it buys,
	 * or sells, nothing by itself.
	 */
	| {
			type: "limits";
			buyBelowMicroNokPerWh?: number;
			sellAboveMicroNokPerWh?: number;
			/** Even where a neighbour's energy costs more than the utility's. */
			paysMoreForLocal?: boolean;
	  }
	/** Operator: by which rule the market is matched from an interval on (`market.automatic.changeFromMs`). */
	| { type: "market"; choice: MarketChoice; fromMinute: number }
	/** Operator: the utility's prices from a minute on, in place of all that were stated of later minutes. */
	| { type: "tariff"; steps: readonly TariffStep[] }
	/** Proposes to put a period right with a neighbour; an amount of 0 disputes it. The neighbour has to agree. */
	| {
			type: "correct";
			counterparty: number;
			fromMinute: number;
			untilMinute: number;
			reason: CorrectionReason;
			energyWh: number;
			amountMicroNok: number;
			/** Whether this household pays. */
			isPayer: boolean;
			note?: string;
	  }
	/** Agrees to a correction or declines it; of this household's own it takes it back. */
	| { type: "answer"; correctionId: string; isAgreed: boolean; note?: string }
	/** Operator: the money of a `buy` arrived. */
	| { type: "issue"; orderId: string; amountMicroNok: number; reference: string }
	/** Operator: lets a device vote, or takes one off the list; beside a single voter two come at once. Device indices. */
	| { type: "voters"; added: number[]; removed: number[] }
	/** Takes one of this household's devices out of use. Device index. */
	| { type: "revoke"; device: number }
	/** Operator: through which servers devices that cannot see each other connect, in place of those before. */
	| { type: "iceServers"; servers: IceServer[] }
	/** Operator: a household's name. */
	| { type: "rename"; household: number; name: string }
	/** Operator: makes a household an operator as well, or takes the role from it. */
	| { type: "role"; household: number; operator: boolean }
	/** Operator: a household signs nothing new, or may again. */
	| { type: "suspend"; household: number; suspended: boolean }
	/** Operator: a household moves out. */
	| { type: "remove"; household: number }
	/** This household's vote for a new operator, in place of the one before; absent: it takes it back. */
	| { type: "appoint"; household?: number }
	/** Operator: gives notice that a household gets the key that made the claim (`claim.ts`). */
	| { type: "rebind"; household: number; claim: string }
	/** Takes such a notice back: this household's own, or as an operator any. */
	| { type: "contest"; household: number }
	/** Operator: the money of locked tokens (`operator.payouts`) was paid. */
	| { type: "payout"; lockId: string; amountMicroNok: number; reference: string }
	/**
	 * Operator: what the account with the members' money held in a minute, and what has come and gone there since the
	 * statement before that belongs to no tokens.
	 */
	| ({ type: "bank"; minute: number } & BankAmounts)
	/** This household has seen the stated balance (`bank.id`) on the bank's own statement. */
	| { type: "bankConfirm"; statementId: string }
	/** Operator: how much a household may use before it has paid, in place of what it was before; 0: nothing. */
	| { type: "credit"; household: number; creditMicroNok: number }
	/**
	 * To which bank account this household is paid out, or, an operator's, members pay: told to whom it concerns, and on no
	 * chain. As typed; absent: it takes back what it said.
	 */
	| { type: "account"; account?: BankAccount }
	/**
	 * Operator: tokens are to be worth NOK in place of trial kroner, and why the utility does not bill the same energy as
	 * well; absent: takes back what was proposed.
	 */
	| { type: "money"; proposed?: { moneyKind: RealMoneyKind; reason: string } }
	/** This household agrees to it (`moneyProposal.id`). */
	| { type: "moneyConfirm"; proposalId: string }
	/** A majority of the voters is lost for good: proposes to found the neighbourhood again, and confirms it. */
	| { type: "refound" }
	/** This household goes over to the new chain of a proposal (`refounding.proposal`). */
	| { type: "confirmRefounding"; proposal: string }
	/**
	 * Takes this household's own proposal back, on the device that made it; on another one only where a person says that
	 * the one which made it is lost for good.
	 */
	| { type: "withdrawRefounding"; proposerIsLost?: boolean }
	/** What this household pays the utility, kept on this device only; absent: the neighbourhood's tariff. */
	| { type: "ownTariff"; retailMicroNokPerWh?: number }
	/** For how many days this device keeps full blocks; 0: for ever; absent: as is usual for this household's role. */
	| { type: "retention"; days?: number }
	/** Readings minute by minute, for a graph: one's own, or any member's for the operator. */
	| { type: "series"; member: number; fromMinute: number; untilMinute: number }
	/**
	 * Whole local days in pieces of one length, for graphs and sums: one's own, or for the operator any member's, or all
	 * together. A day may be asked for in minutes, a year in days (USAGE_DAYS).
	 */
	| { type: "usage"; of: UsageOf; unit: UsageUnit; fromMinute: number; untilMinute: number }
	/**
	 * What another rule of the market would have made of this household's past, in intervals that begin in [fromMinute,
	 * untilMinute): at most a month at a time, so that a long time is asked about piece by piece.
	 */
	| { type: "whatIf"; rule: MatchingRule; fromMinute: number; untilMinute: number }
	/** The statement of whole local days, from the first minute of one until that of another: a month, or a year. */
	| { type: "statement"; fromMinute: number; untilMinute: number }
	/** A slice of a file with this household's past; whoever asks puts slices together, and stops when it likes. */
	| ({ type: "exportSlice" } & ExportRequest)
	/**
	 * A page of the blocks that this device keeps, newest first: from the newest one on, or from one on downwards, or from
	 * the newest one that was stamped by a time. `isOwnOnly`: those that hold an act which concerns this household.
	 */
	| { type: "blocks"; fromIndex?: number; byMs?: number; isOwnOnly?: boolean }
	/** One block, with all that can be checked of it. */
	| { type: "block"; index: number }
	/** What an offer's seller had left lately, and what a contract by it would have meant for this household. */
	| { type: "offerOutlook"; offerId: string }
	/** What one of this household's contracts settled minute by minute, and why so much. */
	| { type: "contractMinutes"; contractId: string; fromMinute: number; untilMinute: number }
	/** A file that proves a minute which settled under one of this household's contracts, or where no minute is named the contract. */
	| { type: "proofFile"; contractId: string; minute?: number }
	/** A file that proves what of this household's the market matched, in intervals that begin in [fromMinute, untilMinute). */
	| { type: "proofFile"; fromMinute: number; untilMinute: number }
	/** A file that proves an act: an order and what was issued for it, a payout, whatever this household signed. */
	| { type: "proofFile"; id: string }
	/** Which member's name, screen or panel is looked at changes nothing in the node; there is no command for it. */
	| { type: "forgetFault"; code: string }
	/** Whether the node goes on: answered as soon as it comes to it. */
	| { type: "ping" };

/** µNOK, none negative. */
export interface BankAmounts {
	balanceMicroNok: number;
	/** Taken by the bank, and given. */
	feesMicroNok: number;
	interestMicroNok: number;
	/** Came, and belongs to no order. */
	unmatchedMicroNok: number;
	/** Of all such money so far: has found its order, or was sent back. */
	clearedMicroNok: number;
}

/** By a link, under a name that the neighbours see. A password seals the household's key from then on. */
interface WayIn {
	link: string;
	householdName: string;
	alwaysOn: boolean;
	signalingUrls: string[];
	newPassword?: string;
}

export type HouseholdProfile = "consumer" | "prosumer";

export interface NeighbourhoodSettings {
	name: string;
	moneyKind: MoneyKind;
	retailMicroNokPerWh: number;
	feedInMicroNokPerWh: number;
	localFeeMicroNokPerWh: number;
	/** How its clocks go; absent: as in Norway. */
	localTime?: LocalTimeRule;
	/** The market that trades by itself; absent: none, until an operator begins one. */
	market?: FoundingMarket;
}

// ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export type NodeOutput =
	| { type: "peerFrame"; channel: string; frame: Uint8Array }
	/** Close this channel; `code` says why, and goes to the log. */
	| { type: "closePeer"; channel: string; code: string }
	/** Who is behind this channel has nothing to tell: while this device knows nobody yet, another one is sought beside it. */
	| { type: "passOver"; channel: string }
	/** To be published by all signaling servers. */
	| { type: "sealedSignal"; topic: string; sealed: string }
	/** A neighbour's word for the mesh, unsealed, and signed by who it says that it is. */
	| { type: "signal"; signal: Signal }
	/** Which mesh to be in. Absent: none. Sent again whenever it changes. */
	| { type: "network"; network?: NetworkSettings }
	| { type: "reply"; id: number; result: Result<ReplyValue, CommandError> }
	| { type: "view"; view: View }
	/** Something went wrong that nobody asked about: shown until it is resolved, counted in the view. */
	| { type: "fault"; fault: Fault };

/** What the page needs to find the neighbours. */
export interface NetworkSettings {
	signalingUrls: string[];
	/** Names the mesh on this device; nobody else hears it. */
	meshId: string;
	/** What is to be listened to at the signaling servers. Changes every hour. */
	topics: string[];
	/** This device's public key in hex: the lower one starts a connection. */
	deviceId: string;
	iceServers: readonly IceServer[];
	/** Whom to call. Whoever else calls, or asks to be called, is welcome. */
	connectTo: ConnectTo;
}

/** A signal before the node has put its own name to it. */
export type SignalDraft = Omit<SignalHead, "from"> & SignalBody;

export type ReplyValue =
	| { type: "done" }
	/** A transaction was signed and written; `id` names it in `view.own`. */
	| { type: "signed"; id: string }
	/** A link's fragment, without `#`. */
	| { type: "link"; link: string }
	| { type: "words"; words: string[] }
	| { type: "linkRead"; content: LinkContent }
	/** So many minutes were signed; of so many others there is a reading already. */
	| { type: "handedIn"; taken: number; known: number }
	| { type: "series"; series: Series }
	| { type: "usage"; usage: Usage }
	| { type: "whatIf"; whatIf: WhatIf }
	| { type: "statement"; statement: PeriodStatement }
	| { type: "exportSlice"; text: string }
	| { type: "blocks"; page: BlockPage }
	| { type: "block"; block: BlockReceipt }
	| { type: "offerOutlook"; outlook: OfferOutlook }
	| ({ type: "contractMinutes"; likely: LikelyShare } & ContractMinutes)
	/** The file's text, and how it may be called. */
	| { type: "proofFile"; text: string; fileName: string };

export type LinkContent =
	| { kind: "lobby" }
	/** `observer`: the device that joins by it is no candidate for a voter. */
	| { kind: "join"; expiryMs: number; observer: boolean }
	/** What opens the household's key: its password, its words, or nothing. */
	| { kind: "restore"; needs: "password" | "words" | "nothing" };

/** A refused command. `code` is a key of the message files; the rest is its evidence. */
export interface CommandError {
	code: string;
	[evidence: string]: string | number | boolean;
}

/** Minute values from `fromMinute` on; −1 where there is no reading. */
export interface Series {
	member: number;
	fromMinute: number;
	importWh: Int32Array;
	exportWh: Int32Array;
	/** Energy bought from neighbours and sold to them, as far as settled; an interval's shared out over its minutes. */
	boughtWh: Int32Array;
	soldWh: Int32Array;
}

/** What the market made of a household's past, and what another rule would have made of it: `node/whatIf.ts` reckons it. */
export interface WhatIf {
	/** So many begin in the time that was asked about; of so many it is kept what each rule made of them. */
	intervals: number;
	kept: number;
	/** Of the first that is kept; absent: none is. */
	firstMinute?: number;
	was: WhatIfFigures;
	would: WhatIfFigures;
}

export interface WhatIfFigures {
	/** Of neighbours, and to them, without what contracts settled. */
	boughtWh: number;
	soldWh: number;
	paidMicroNok: number;
	earnedMicroNok: number;
	/** Against all of it from the utility and to it; negative: it would have been cheaper. */
	savedMicroNok: number;
}

/** What the household pays the utility from a minute on; 0: the neighbourhood's retail price. */
export interface OwnRetailStep {
	readonly fromMinute: number;
	readonly retailMicroNokPerWh: number;
}

/** What electricity cost a household by the hour, and what it got for it: `node/bill.ts` reckons it. */
export interface Bill {
	fromMinute: number;
	/** One after the other, those without a reading too. */
	hours: BillHour[];
	total: BillFigures;
}

export interface BillHour extends BillFigures {
	fromMinute: number;
}

export interface BillFigures {
	/** With a reading. */
	minutes: number;
	importWh: number;
	exportWh: number;
	/** From neighbours and to them. */
	boughtWh: number;
	soldWh: number;
	/** The rest. */
	fromUtilityWh: number;
	toUtilityWh: number;
	/** To neighbours, and from them. */
	paidMicroNok: number;
	earnedMicroNok: number;
	utilityCostMicroNok: number;
	utilityIncomeMicroNok: number;
	/** What the grid takes for what came from neighbours. */
	localFeeMicroNok: number;
	/** Against everything from the utility and to it; negative: it would have been cheaper. */
	savedMicroNok: number;
	/** Minutes that are reckoned at the earliest prices that are known: what held then was not kept. */
	minutesWithoutPrices: number;
	/** Minutes in which energy was traded and nobody kept for how much: they are left out of what was saved. */
	minutesWithoutMoney: number;
}

/** Whose: a member index, or everybody's. */
export type UsageOf = number | "all";

/** quarter: 15 minutes. Hours, days and months are those of local time. */
export type UsageUnit = "minute" | "quarter" | "hour" | "day" | "month";

/** So many days are given in pieces of a unit at once: what a screen can show. */
export const USAGE_DAYS: Readonly<Record<UsageUnit, number>> = {
	minute: 1,
	quarter: 8,
	hour: 32,
	day: 367,
	month: 3_653,
};

/** What flowed in a time, in pieces of one length: `node/usage.ts` sums it up. Energies of all are those of each, added. */
export interface Usage {
	of: UsageOf;
	unit: UsageUnit;
	/** First minute of each piece, ascending, and the first one after the last. */
	starts: Int32Array;
	/** One value for each piece. Money is this household's own, and not of minutes and quarters: 0 of anybody and anything else. */
	figures: Readonly<Record<keyof BillFigures, Float64Array>>;
	/** The least and the most that flowed in one of its minutes, Wh; of all together: of any household. */
	band: Readonly<Record<keyof UsageBand, Float64Array>>;
	total: BillFigures;
	/** Minutes that have ended and in which it was a member, of all together their sum: `total.minutes` of them have a reading. */
	memberMinutes: number;
	/** Of this household: with whom it traded. */
	partners: UsagePartner[];
	/** Nothing more will settle in it. */
	isSettled: boolean;
}

export interface UsageBand {
	importMinWh: number;
	importMaxWh: number;
	exportMinWh: number;
	exportMaxWh: number;
}

/** What went to and fro between this household and a neighbour by their contracts, or the market's intervals. */
export interface UsagePartner {
	/** Member index; absent: the market, which has no one partner. */
	other?: number;
	boughtWh: number;
	soldWh: number;
	paidMicroNok: number;
	earnedMicroNok: number;
}

export type ExportWhat = "minutes" | "days" | "months" | "movements";
export type ExportFormat = "csv-nb" | "csv-iso" | "json";

/** So many days one slice of an export has at most: none keeps the node from anything else for long. */
export const SLICE_DAYS: Readonly<Record<ExportWhat, number>> = { minutes: 7, days: 31, months: 31, movements: 366 };

/** A slice of a file: whole local days. */
export interface ExportRequest {
	what: ExportWhat;
	format: ExportFormat;
	fromMinute: number;
	untilMinute: number;
	/** The file begins with it, and ends. */
	isFirst: boolean;
	isLast: boolean;
}

/** What a household's tokens, meter and prices did in a month or a year: `node/periodStatement.ts` reckons it. */
export interface PeriodStatement {
	fromMinute: number;
	untilMinute: number;
	gridId: string;
	neighbourhood: string;
	/** `id`: the household's public key in hex. */
	household: { name: string; id: string };
	/** The block at which it was made. */
	head: { index: number; hash: string; timestampMs: number };
	total: StatementFigures;
	/** Ascending, those of which something is kept. */
	months: StatementMonth[];
	contracts: StatementContract[];
	/** Money through the bank, ascending. */
	transfers: StatementTransfer[];
	/** Of which this device never had the blocks: what tokens did in it is `unknownMicroNok`. */
	gaps: readonly { fromMs: number; untilMs: number }[];
	/** Set where this device knows nothing of the beginning: from when on it does. */
	keptFromMs?: number;
	/** All of its minutes have ended. */
	isOver: boolean;
	/** Nothing more will settle in it. */
	isSettled: boolean;
}

export interface StatementMonth extends StatementFigures {
	fromMinute: number;
	untilMinute: number;
}

/**
 * Opening + issued + sold + matched sold + other in + unknown = closing + paid out + bought + matched bought + other out.
 * Balances are with what is locked until it is paid out.
 */
export interface StatementFigures {
	openingMicroNok: number;
	closingMicroNok: number;
	issuedMicroNok: number;
	paidOutMicroNok: number;
	/** Under contracts. */
	boughtWh: number;
	boughtMicroNok: number;
	soldWh: number;
	soldMicroNok: number;
	/** In the market that trades by itself. */
	matchedBoughtWh: number;
	matchedBoughtMicroNok: number;
	matchedSoldWh: number;
	matchedSoldMicroNok: number;
	/** By corrections. */
	correctionReceivedMicroNok: number;
	correctionPaidMicroNok: number;
	/** By which the household's credit line, part of its tokens, grew and shrank. */
	creditGrantedMicroNok: number;
	creditWithdrawnMicroNok: number;
	/** By nothing of these, such as the end of a trial. */
	otherInMicroNok: number;
	otherOutMicroNok: number;
	/** In blocks that this device never had; may be negative. */
	unknownMicroNok: number;
	/** To neighbours, nothing deducted. */
	grossSalesMicroNok: number;
	/** That have ended, and of them with a reading. */
	minutes: number;
	measuredMinutes: number;
	importWh: number;
	exportWh: number;
	/** For information: the rest, at the utility's prices, and what the grid takes for what came from neighbours. */
	fromUtilityWh: number;
	toUtilityWh: number;
	utilityCostMicroNok: number;
	utilityIncomeMicroNok: number;
	localFeeMicroNok: number;
}

export interface StatementContract {
	contractId: string;
	type: "bought" | "sold";
	otherName: string;
	/** Absent: the chain has forgotten the contract. */
	priceMicroNokPerWh?: number;
	energyWh: number;
	amountMicroNok: number;
}

export interface StatementTransfer {
	type: "issued" | "paidOut";
	amountMicroNok: number;
	timestampMs: number;
	reference: string;
}

/** Blocks, newest first. Genesis is the last of the last page. */
export interface BlockPage {
	blocks: BlockSummary[];
	/** Where to go on; absent: this was all. */
	nextIndex?: number;
	/** From this index on all blocks are here; below it only genesis is. */
	blocksFrom: number;
}

export interface BlockSummary {
	index: number;
	/** What is kept of it is no block: the rest says nothing. */
	isDamaged?: true;
	timestampMs: number;
	readings: number;
	/** Other transactions, and how many of them concern this household. */
	others: number;
	own: number;
}

/** A block as it is kept, and what checking it has shown. Hashes and roots in hex. */
export interface BlockReceipt {
	index: number;
	timestampMs: number;
	term: number;
	/** Member index of whose device proposed it. */
	proposer?: number;
	/** Absent: not known here (`check.state` is unlinked or bad). */
	hash?: string;
	previousHash?: string;
	transactionsRoot: string;
	stateRoot: string;
	/** Its length as it is kept. */
	bytes: number;
	check: BlockCheck;
	transactions: BlockTransaction[];
}

export type BlockCheck =
	/** Signed by all who founded the neighbourhood; its hash is the neighbourhood's id. */
	| { state: "genesis" }
	/**
	 * Its hash leads to a block that a majority of those who voted then has signed. `signers`: member indices, one for each
	 * device that signed; `voters`: how many voted.
	 */
	| { state: "good"; certifiedIndex: number; signers: number[]; voters: number }
	/** This device has let go of what would lead to it. */
	| { state: "unlinked" }
	| { state: "bad"; code: string };

export interface BlockTransaction {
	/** In hex. */
	id: string;
	kind: Transaction["kind"];
	/** Who signed it; absent: nobody was a member yet. */
	member?: number;
	/** Of a reading. */
	minute?: number;
	/** It is this household's, or about it. */
	isOwn: boolean;
	/** otherKey: by a key that its household does not have any more; it was checked when the block came. */
	signature: "good" | "bad" | "otherKey";
	/** Absent: it is a neighbour's affair. */
	transaction?: Transaction;
}

export interface OfferOutlook {
	/** Of the hours 0 … 23 of a day in the neighbourhood's time, the last seven days' mean. */
	surplus: SurplusHour[];
	/** This household's last 30 days under a contract of the offer, beside the seller's others; not for its own offer. */
	past?: PastShare;
}

export interface SurplusHour {
	/** With a reading; 0: nothing is known. */
	minutes: number;
	/** What was left of one such hour, after the seller's contracts. */
	surplusWh: number;
}

/** Past minutes of a household as they would have been with a share of a neighbour's surplus. */
export interface PastShare {
	/** Those with a reading of which the money is known. */
	minutes: number;
	importWh: number;
	shareWh: number;
	/** All its electricity: the share with the local fee, and the rest from the utility. */
	wouldCostMicroNok: number;
	didCostMicroNok: number;
}

export interface ContractMinutes {
	/** Those that the contract covers, ascending. */
	minutes: ContractMinute[];
	/** Who else had of the same surplus in them. */
	others: { member: number; energyWh: number }[];
}

/** What a buyer would have had of the last seven days under today's contracts: as likely as not, of the next seven. */
export interface LikelyShare {
	/** In the contract's hours, of minutes with both readings. */
	neededWh: number;
	shareWh: number;
}

/** Wh; −1: no reading. */
export interface ContractMinute {
	minute: number;
	/** What the seller had. */
	surplusWh: number;
	/** What the buyer needed. */
	neededWh: number;
	/** What this contract delivered, and the seller's others. */
	energyWh: number;
	othersWh: number;
	reason: ShareReason;
}

/** Why a contract delivered in a minute what it did. */
export type ShareReason =
	/** All that was needed. */
	| "all"
	/** All that there was. */
	| "allSurplus"
	/** All that there was, with others. */
	| "shared"
	| "noNeed"
	| "noSurplus"
	| "noBuyerReading"
	| "noSellerReading"
	/** The contract's energy is used up. */
	| "limit"
	/** The balance was not enough, or a reading came when the minute had settled without it. */
	| "unpaidOrLate"
	/** Not settled yet. */
	| "waiting";
