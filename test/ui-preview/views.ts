/** Canned views for looking at the screens. */
import type { OperatorAct } from "../../src/contract/ledger.js";
import { dayHoursOf, minutesOfDay } from "../../src/node/hours.js";
import type {
	Command,
	ContractMinute,
	OfferOutlook,
	PeriodStatement,
	ReplyValue,
	Series,
	StatementFigures,
	Usage,
	UsagePartner,
	WhatIf,
} from "../../src/node/protocol.js";
import { Pieces, piecesOf } from "../../src/node/usage.js";
import type {
	DeviceView,
	FlowsView,
	LobbyView,
	MemberView,
	NodeView,
	RefoundingView,
	StreetView,
} from "../../src/node/view.js";
import { CENTRAL_EUROPEAN_TIME, localMinuteAt } from "../../src/primitives/localTime.js";

const NAMES = ["Bjørkeveien 1", "Bjørkeveien 2", "Solvang", "Bjørkeveien 4", "Granlia", "Bjørkeveien 6"];
const HOUR = 3_600_000;
const WEEKDAYS_8_16 = { days: 0b0011111, fromMinuteOfDay: 480, untilMinuteOfDay: 960 };

export const NOW_MS = Date.UTC(2026, 5, 18, 12, 6, 18);
const nowMinute = Math.floor(NOW_MS / 60_000);
const midnight = Math.floor(Date.UTC(2026, 5, 17, 22) / 60_000);

function hex(seed: number, bytes: number): string {
	let text = "";
	for (let i = 0; i < bytes; i++) text += ((seed * 31 + i * 97 + i * i * 13) % 256).toString(16).padStart(2, "0");
	return text;
}

const members: MemberView[] = NAMES.map((name, index) => ({
	index,
	name,
	operator: index === 0,
	householdId: `02${hex(index + 1, 32)}`,
}));

const act = (hours: number, said: Partial<OperatorAct> & Pick<OperatorAct, "kind">): OperatorAct => ({
	timestampMs: NOW_MS - hours * HOUR,
	member: 0,
	household: undefined,
	isGiven: true,
	amountMicroNok: 0,
	texts: [],
	...said,
});
const OPERATOR_RECORD: OperatorAct[] = [
	act(1, { kind: "rebind", household: 4 }),
	act(2, { kind: "movedOut", member: undefined, household: 5 }),
	act(3, { kind: "payout", household: 5, amountMicroNok: 87_500_000, texts: ["DNB 4411-31"] }),
	act(20, { kind: "remove", household: 5 }),
	act(28, { kind: "suspend", household: 1 }),
	act(29, { kind: "suspend", household: 1, isGiven: false }),
	act(50, { kind: "issue", household: 2, amountMicroNok: 400_000_000, texts: ["DNB 4411-20"] }),
	act(51, { kind: "voters", household: 2 }),
	act(52, { kind: "voters", household: 3, isGiven: false }),
	act(60, { kind: "role", household: 3 }),
	act(61, { kind: "iceServers", texts: ["turn:turn.solbakken.example:3478"] }),
	act(62, { kind: "iceServers" }),
	act(63, { kind: "rename", household: 4, texts: ["Grania", "Granlia"] }),
];

export const lobby: LobbyView = {
	stage: "lobby",
	neighbourhood: "Solbakken",
	founder: true,
	link: `lobby=${hex(5, 48)}`,
	members: NAMES.slice(0, 4).map((name, index) => ({
		name,
		alwaysOn: index !== 1,
		self: index === 0,
		founder: index === 0,
	})),
	founderReached: true,
	signaling: { connected: 1, configured: 1 },
};

function meterLog(): StreetView["meter"]["log"] {
	return Array.from({ length: 24 }, (_, at) => {
		const atMs = NOW_MS - at * 2_500;
		if (at === 6) return { atMs, event: { kind: "dropped", reason: "bad-frame-checksum", bytes: 121 } };
		const power = { kind: "telegram" as const, format: "han-kaifa" as const, importMilliW: 640_000 + at * 13_000 };
		if (at % 4 !== 0) return { atMs, event: { ...power, list: 1 } };
		return { atMs, event: { ...power, list: 2, exportMilliW: 0, meterId: "6970631404420815" } };
	});
}

export function street(self: number, head = 846): StreetView {
	const operator = self === 0;
	const seller = self % 2 === 0;
	return {
		stage: "street",
		gridId: hex(9, 32),
		neighbourhood: "Solbakken",
		moneyKind: "trial",
		timeScale: 1,
		chainMs: NOW_MS,
		self: { ...(members[self] as MemberView), deviceId: `03${hex(40 + self, 32)}` },
		members,
		devices: [device(self, 0), device(self, 1)],
		tariff: { retailMicroNokPerWh: 1450, feedInMicroNokPerWh: 600, localFeeMicroNokPerWh: 0 },
		ownRetailMicroNokPerWh: 1450,
		meter: {
			source: seller ? "serial" : "simulated",
			serial: { state: "open", line: "2400 8E1" },
			live: { importW: seller ? 0 : 1310, exportW: seller ? 3420 : 0, atMs: NOW_MS - 18_000 },
			meterId: "6970631404420815",
			lastReading: { minute: nowMinute - 1, importWh: 2, exportWh: 54 },
			telegrams: 17_412,
			dropped: { "bad-frame-checksum": 3, "bad-telegram": 1 },
			heldMinutes: 0,
			lostWh: 0,
			fuseLimitW: 43_470,
			questioned: [],
			needsPin: false,
			format: "han-kaifa",
			meterType: "MA304H3E",
			registers: { importWh: 1_903_410, exportWh: 402_118, stepWh: 1, atMs: NOW_MS - 2_000_000 },
			log: meterLog(),
		},
		today: {
			fromMinute: midnight,
			minutes: nowMinute - midnight - 38,
			importWh: 8420,
			exportWh: 14_100,
			boughtWh: seller ? 0 : 5210,
			soldWh: seller ? 9750 : 0,
			paidMicroNok: seller ? 0 : 5_105_800,
			earnedMicroNok: seller ? 9_310_250 : 0,
			utilityCostMicroNok: 4_654_500,
			utilityIncomeMicroNok: 2_610_000,
		},
		lastMinute: {
			minute: nowMinute - 2,
			importWh: seller ? 0 : 22,
			exportWh: seller ? 57 : 0,
			bought: seller ? [] : [{ other: 2, energyWh: 14, amountMicroNok: 14 * 980 }],
			sold: seller ? [{ other: 1, energyWh: 34, amountMicroNok: 34 * 980 }] : [],
			restImportWh: seller ? 0 : 8,
			restExportWh: seller ? 23 : 0,
			matched: {
				fromMinute: nowMinute - 36,
				untilMinute: nowMinute - 21,
				boughtWh: seller ? 0 : 120,
				soldWh: seller ? 310 : 0,
				paidMicroNok: seller ? 0 : 120 * 1_020,
				earnedMicroNok: seller ? 310 * 1_020 : 0,
			},
		},
		corrections: {
			open: [
				{
					id: hex(74, 32),
					member: (self + 1) % NAMES.length,
					counterparty: self,
					fromMinute: midnight - 2_880,
					untilMinute: midnight - 1_440,
					reason: "meterExchanged",
					energyWh: 4_200,
					amountMicroNok: 3_780_000,
					payer: self,
					note: "Måleren ble byttet kl. 12",
					lapsesMs: NOW_MS + 720 * HOUR,
				},
			],
			claims: [
				{
					id: hex(75, 32),
					debtor: (self + 1) % NAMES.length,
					creditor: self,
					amountMicroNok: 1_250_000,
					timestampMs: NOW_MS - HOUR,
				},
			],
			ended: [
				{
					id: hex(76, 32),
					member: self,
					counterparty: (self + 2) % NAMES.length,
					fromMinute: midnight - 4_320,
					untilMinute: midnight - 4_200,
					reason: "wrongRegister",
					energyWh: 900,
					amountMicroNok: 810_000,
					payer: (self + 2) % NAMES.length,
					outcome: "agreed",
					endedMs: NOW_MS - 30 * HOUR,
				},
				{
					id: hex(77, 32),
					member: (self + 3) % NAMES.length,
					counterparty: self,
					fromMinute: midnight - 8_640,
					untilMinute: midnight - 7_200,
					reason: "other",
					energyWh: 0,
					amountMicroNok: 5_000_000,
					payer: self,
					declined: "Måleren min var i orden",
					outcome: "takenBack",
					endedMs: NOW_MS - 80 * HOUR,
				},
			],
			unsettled: [
				{ reason: "late", fromMinute: midnight - 700, untilMinute: midnight - 620, importWh: 340, exportWh: 1_980 },
				{ reason: "typed", fromMinute: midnight - 4_320, untilMinute: midnight - 2_880, importWh: 9_200, exportWh: 0 },
			],
			unsettledMinutes: { late: 80, typed: 1_440 },
		},
		balance: {
			balanceMicroNok: 412_503_812,
			orders: [
				{
					id: hex(70, 32),
					member: self,
					amountMicroNok: 200_000_000,
					timestampMs: NOW_MS - HOUR,
					reference: "0017070703",
				},
			],
			payouts: [],
			movements: [
				{ type: "sold", amountMicroNok: 9_310_250, energyWh: 9750, dayMinute: midnight, contractId: "a", other: 1 },
				{
					type: "bought",
					amountMicroNok: 5_105_800,
					energyWh: 5210,
					dayMinute: midnight - 1440,
					contractId: "b",
					other: 2,
				},
				{
					type: "correctionReceived",
					amountMicroNok: 810_000,
					timestampMs: NOW_MS - 30 * HOUR,
					other: (self + 2) % NAMES.length,
					id: hex(76, 32),
				},
				{ type: "issued", amountMicroNok: 400_000_000, timestampMs: NOW_MS - 50 * HOUR, reference: "DNB 4411-20" },
			],
		},
		nextTariffs: [],
		market: {
			automatic: {
				choice: "midMarket",
				intervalMinutes: 15,
				changeFromMs: NOW_MS + 7 * 24 * HOUR,
				terms: { buyBelowMicroNokPerWh: 0, sellAboveMicroNokPerWh: 700, paysMoreForLocal: false },
				buyLimitMicroNokPerWh: 1_450,
				sellLimitMicroNokPerWh: 700,
				matchedUntilMs: NOW_MS - HOUR / 4,
			},
			offers: [
				offer(1, self, 2, 980, { savingMicroNokPerKwh: 470_000, schedule: WEEKDAYS_8_16 }),
				offer(2, self, 4, 1184, { savingMicroNokPerKwh: 266_000, energyLimitWh: 50_000, maxBuyers: 2, buyers: 1 }),
				offer(3, self, 0, 1500, { savingMicroNokPerKwh: -50_000, refusal: "overlapping-contract" }),
			],
			contracts: [
				{
					id: hex(80, 32),
					seller: seller ? self : 2,
					buyer: seller ? 1 : self,
					mine: true,
					priceMicroNokPerWh: 980,
					fromMinute: midnight - 1440,
					untilMinute: midnight + 30 * 1440,
					ended: false,
					energyLimitWh: 50_000,
					noticeMinutes: 1440,
					lossMicroNok: 3_410_000,
					deliveredWh: 14_960,
					amountMicroNok: 14_660_800,
					state: "active",
					settledUntilMinute: nowMinute - 2,
				},
				{
					id: hex(81, 32),
					seller: seller ? self : 4,
					buyer: seller ? 3 : self,
					mine: true,
					priceMicroNokPerWh: 1010,
					fromMinute: midnight - 14_400,
					untilMinute: midnight + 1440,
					schedule: { days: 0b1100000, fromMinuteOfDay: 1_320, untilMinuteOfDay: 360 },
					ended: true,
					noticeMinutes: 1440,
					deliveredWh: 4_960,
					amountMicroNok: 5_009_600,
					state: "paused",
					settledUntilMinute: nowMinute - 2,
				},
			],
		},
		chain: {
			headIndex: head,
			headHash: hex(3, 32),
			stateRoot: hex(4, 32),
			headTimestampMs: NOW_MS - 13_000,
			term: 3,
			role: operator ? "leader" : "follower",
			leader: NAMES[0] as string,
			votersOnline: 6,
			voters: 6,
			neighboursOnline: 5,
			pending: 2,
			waitingMinutes: 1,
			badSignatures: [],
		},
		retention: { days: operator ? 0 : 62, chosen: false, usualDays: operator ? 0 : 62, blocksFrom: operator ? 0 : 310 },
		signaling: { connected: 1, configured: 1 },
		own: [
			{ id: hex(90, 32), kind: "buy", state: "sent", timestampMs: NOW_MS - 20_000 },
			{ id: hex(91, 32), kind: "offer", state: "confirmed", blockIndex: head - 8, timestampMs: NOW_MS - 9 * 60_000 },
			{ id: hex(92, 32), kind: "accept", state: "refused", code: "own-offer", timestampMs: NOW_MS - HOUR },
		],
		...(operator && {
			operator: {
				nodes: members.map((member) => node(member, head)),
				orders: [
					{
						id: hex(71, 32),
						member: 3,
						amountMicroNok: 350_000_000,
						timestampMs: NOW_MS - HOUR,
						reference: "0037171716",
					},
				],
				payouts: [],
				corrections: {
					open: [
						{
							id: hex(78, 32),
							member: 2,
							counterparty: 3,
							fromMinute: midnight - 2_880,
							untilMinute: midnight - 1_440,
							reason: "lateReadings",
							energyWh: 1_100,
							amountMicroNok: 990_000,
							payer: 3,
							declined: "Vi var borte",
						},
					],
					claims: [],
				},
				issuedMicroNok: 2_400_000_000,
				paidOutMicroNok: 0,
				guests: 0,
				flows: flows(),
				iceServers: [{ urls: "turn:turn.solbakken.example:3478", username: "solbakken", credential: "hemmelig" }],
			},
		}),
		lock: { state: "locked", wordsKept: true },
		operatorRecord: OPERATOR_RECORD,
		links: { changedMs: NOW_MS - 3 * 24 * HOUR, oldUntilMs: NOW_MS + 27 * 24 * HOUR },
		faults: [],
		refusals: { "bad-signature": 2 },
	};
}

/** A meter that a person has to look after. */
export function doubtfulMeter(): StreetView {
	const view = street(0);
	view.meter = {
		...view.meter,
		serial: { state: "opening", line: "9600 7E1" },
		heldMinutes: 14,
		lostWh: 1_840,
		doubt: { code: "backwards", direction: "import", beforeMilliWh: 1_903_410_000, milliWh: 12_400 },
		questioned: [{ minute: nowMinute - 20, importWh: 812, exportWh: 0, quality: "measured" }],
	};
	return view;
}

export function unrecognizedMeter(): StreetView {
	const view = street(0);
	const {
		live: _,
		lastReading: __,
		registers: ___,
		format: ____,
		meterType: _____,
		meterId: ______,
		...meter
	} = view.meter;
	view.meter = { ...meter, serial: { state: "unrecognized" }, telegrams: 0, dropped: {}, log: [] };
	return view;
}

export function troubled(): StreetView {
	const view = street(0);
	const outOfTouchSinceMs = NOW_MS - HOUR;
	view.chain = { ...view.chain, neighboursOnline: 0, outOfTouchSinceMs, votersOnline: 1, notVoting: "syncing" };
	delete view.chain.leader;
	view.meter = {
		...view.meter,
		serial: { state: "unplugged" },
		live: { importW: 640, exportW: 0, atMs: NOW_MS - HOUR },
	};
	view.faults = [{ fault: { code: "storage-failed" }, count: 3 }];
	return view;
}

/**
 * A majority of the voters is away: who could be asked, is asked, has said yes, or is left behind. `elsewhere`: another
 * device of this household proposed it.
 */
export function refounding(self: number, state: RefoundingView["state"], elsewhere = false): StreetView {
	const view = street(self);
	const { leader: _, ...chain } = view.chain;
	const standsAside = state === "confirmed" || state === "founded";
	return {
		...view,
		chain: {
			...chain,
			outOfTouchSinceMs: NOW_MS - HOUR,
			votersOnline: 1,
			voters: 3,
			role: "observer",
			...(standsAside && { notVoting: "founding-again" }),
		},
		refounding: {
			state,
			...(state === "possible" ? {} : { proposal: hex(7, 32) }),
			proposer: 0,
			mine: self === 0,
			elsewhere,
			blockIndex: chain.headIndex,
			blockHash: chain.headHash,
			blockTimestampMs: chain.headTimestampMs,
			voters: [0],
			confirmed: { possible: [], proposed: [0, 2], confirmed: [0, 1, 2], founded: [0, 2, 3, 4, 5] }[state],
			counted: { possible: 0, proposed: 2, confirmed: 3, founded: 5 }[state],
			needed: 5,
			households: NAMES.length,
			members: NAMES,
			balanceMicroNok: view.balance.balanceMicroNok,
			ownContracts: 2,
			contracts: 4,
			majority: false,
			newOperator: false,
		},
	};
}

/** The chain that came after. */
export function foundedAgain(self: number): StreetView {
	const view = street(self, 12);
	const { balanceMicroNok, orders } = view.balance;
	const timestampMs = NOW_MS - HOUR;
	return {
		...view,
		balance: {
			balanceMicroNok,
			orders,
			payouts: [],
			movements: [{ type: "carried", amountMicroNok: balanceMicroNok, timestampMs, blockIndex: 846 }],
		},
		predecessor: {
			gridId: hex(8, 32),
			blockIndex: 846,
			blockHash: hex(3, 32),
			timestampMs,
			unconfirmed: [4],
		},
	};
}

/** A device that takes no part any more, and why. */
export function outOfUse(code: string): StreetView {
	const view = street(1);
	view.chain = { ...view.chain, notVoting: code, outOfUse: true };
	view.faults = [{ fault: { code }, count: 1 }];
	return view;
}

/** A sunny week of a neighbour's, and a month of one's own. */
export function outlook(): OfferOutlook {
	return {
		surplus: Array.from({ length: 24 }, (_, hour) => ({
			minutes: 420,
			surplusWh: Math.max(0, Math.round(2_100 * Math.sin(((hour - 6) * Math.PI) / 13))),
		})),
		past: {
			minutes: 42_911,
			importWh: 312_400,
			shareWh: 98_120,
			wouldCostMicroNok: 406_870_000,
			didCostMicroNok: 452_980_000,
		},
	};
}

export function contractMinutes(
	fromMinute: number,
	untilMinute: number,
): Extract<ReplyValue, { type: "contractMinutes" }> {
	const minutes = Array.from({ length: Math.max(0, Math.min(untilMinute, nowMinute) - fromMinute) }, (_, at) => {
		const [surplusWh, neededWh] = [Math.max(0, Math.round(40 * Math.sin((at - 300) / 280))), 6 + ((at * 7) % 19)];
		const others = surplusWh > 0 && at % 3 === 0 ? 14 : 0;
		const energyWh = Math.min(neededWh, Math.max(0, surplusWh - others));
		const othersWh = Math.min(others, surplusWh - energyWh);
		const all = { minute: fromMinute + at, surplusWh, neededWh, energyWh, othersWh };
		const isShared = othersWh > 0 ? "shared" : "allSurplus";
		const reason = surplusWh === 0 ? "noSurplus" : energyWh === neededWh ? "all" : isShared;
		return at % 97 === 0
			? { ...all, surplusWh: -1, energyWh: 0, othersWh: 0, reason: "noSellerReading" }
			: { ...all, reason };
	}) satisfies ContractMinute[];
	const likely = { neededWh: 61_300, shareWh: 22_480 };
	return { type: "contractMinutes", likely, minutes, others: [{ member: 3, energyWh: 1_820 }] };
}

export function series(member: number, fromMinute: number, untilMinute: number): Series {
	const length = untilMinute - fromMinute;
	const values = { importWh: new Int32Array(length), exportWh: new Int32Array(length) };
	for (let i = 0; i < length; i++) {
		const sun = Math.max(0, Math.sin(((i - 330) / 960) * Math.PI)) * (member % 2 === 0 ? 70 : 8);
		const use = 9 + 6 * Math.sin(i / 37) + (i > 420 && i < 470 ? 40 : 0) + ((i * 7919) % 11);
		const net = Math.round(use - sun);
		const gap = i > 250 && i < 288;
		values.importWh[i] = gap ? -1 : Math.max(0, net);
		values.exportWh[i] = gap ? -1 : Math.max(0, -net);
	}
	return {
		member,
		fromMinute,
		...values,
		boughtWh: values.importWh.map((wh) => Math.floor(wh / 2)),
		soldWh: values.exportWh.map((wh) => Math.floor(wh / 2)),
	};
}

/** Six households, each metered as `series` says, the first ones brighter in summer. Nothing is of before March. */
export function usage({ of, unit, fromMinute, untilMinute }: Extract<Command, { type: "usage" }>, own: number): Usage {
	const rule = CENTRAL_EUROPEAN_TIME;
	const pieces = new Pieces(rule, unit, { fromMinute, untilMinute });
	const until = Math.min(untilMinute, nowMinute);
	const members = of === "all" ? [0, 1, 2, 3, 4, 5] : [of];
	let ended = 0;
	for (const member of members) {
		for (let day = localMinuteAt(rule, Math.max(fromMinute, FIRST_USED_MINUTE)).day; ; day++) {
			const whole = minutesOfDay(rule, day);
			const end = Math.min(whole.untilMinute, until);
			if (whole.fromMinute >= until) break;
			ended += end - whole.fromMinute;
			const sun = 0.35 + 0.65 * Math.sin((((day % 365) - 60) / 365) * Math.PI) + 0.2 * Math.sin(day * 2.3);
			const metered = series(member, whole.fromMinute, end);
			const scaled = (values: Int32Array, by: number) => values.map((wh) => (wh < 0 ? wh : Math.round(wh * by)));
			const [exportWh, soldWh] = [scaled(metered.exportWh, sun), scaled(metered.soldWh, sun)];
			const minutes = { ...metered, exportWh, soldWh };
			if (unit === "minute" || unit === "quarter") {
				pieces.addMinutes(minutes);
				continue;
			}
			const money = (values: Int32Array) => Array.from(values, (wh) => (member === own ? Math.max(0, wh) * 980 : 0));
			const prices = { retailMicroNokPerWh: 1450, feedInMicroNokPerWh: 600, localFeeMicroNokPerWh: 120 };
			const billed = {
				series: minutes,
				paidMicroNok: money(minutes.boughtWh),
				earnedMicroNok: money(soldWh),
				prices: [{ ...prices, fromMinute: whole.fromMinute, isKept: true }],
				ownRetail: [],
			};
			pieces.addHours([dayHoursOf(day, billed)]);
		}
	}
	const { boughtWh, soldWh, paidMicroNok, earnedMicroNok } = pieces.total();
	const part = (value: number, of: number): number =>
		of === 20 ? value - part(value, 55) - part(value, 25) : Math.floor((value * of) / 100);
	const partner = (share: number, other?: number): UsagePartner => ({
		...(other === undefined ? {} : { other }),
		boughtWh: part(boughtWh, share),
		soldWh: part(soldWh, share),
		paidMicroNok: part(paidMicroNok, share),
		earnedMicroNok: part(earnedMicroNok, share),
	});
	return {
		of,
		unit,
		...piecesOf(pieces),
		memberMinutes: ended,
		partners: of === own ? [partner(55, own === 5 ? 4 : 5), partner(25, 3), partner(20)] : [],
		isSettled: untilMinute < nowMinute - 60,
	};
}

const FIRST_USED_MINUTE = Math.floor(Date.UTC(2026, 2, 9, 11) / 60_000);

/** 240 days of a market are kept; "balance" would have been better, "uniform" worse, "pairwise" nothing at all. */
export function whatIf(fromMinute: number, untilMinute: number, rule: string): WhatIf {
	const first = Math.max(fromMinute, nowMinute - 240 * 1440);
	const kept = Math.max(0, Math.floor((untilMinute - first) / 15) - 2);
	const figures = (price: number, energyWh: number) => ({
		boughtWh: kept * energyWh,
		soldWh: kept * energyWh * 2,
		paidMicroNok: kept * energyWh * price,
		earnedMicroNok: kept * energyWh * 2 * price,
		savedMicroNok: kept * energyWh * (1330 - price + 2 * (price - 600)),
	});
	const prices: Record<string, number> = { balance: 1060, uniform: 870 };
	return {
		intervals: Math.floor((untilMinute - fromMinute) / 15),
		kept,
		...(kept > 0 ? { firstMinute: first } : {}),
		was: figures(965, rule === "pairwise" ? 0 : 41),
		would: figures(prices[rule] ?? 965, rule === "pairwise" ? 0 : 41),
	};
}

function offer(
	id: number,
	self: number,
	seller: number,
	priceMicroNokPerWh: number,
	rest: Partial<StreetView["market"]["offers"][number]>,
): StreetView["market"]["offers"][number] {
	return {
		id: hex(60 + id, 32),
		seller,
		mine: seller === self,
		priceMicroNokPerWh,
		fromMinute: midnight,
		untilMinute: midnight + 30 * 1440,
		noticeMinutes: 1440,
		buyers: 0,
		savingMicroNokPerKwh: 0,
		...rest,
	};
}

/** At a quarter past one in summer: who has sun sells, and the market takes the rest. */
function flows(): FlowsView {
	const [fromMinute, untilMinute] = [nowMinute - 17, nowMinute - 2];
	return {
		contracts: {
			fromMinute,
			untilMinute,
			between: [
				{ seller: 0, buyer: 1, powerW: 1_240 },
				{ seller: 0, buyer: 3, powerW: 620 },
				{ seller: 2, buyer: 5, powerW: 2_310 },
			],
		},
		market: {
			fromMinute: untilMinute - 15,
			untilMinute,
			shares: [
				{ member: 0, boughtW: 0, soldW: 410 },
				{ member: 2, boughtW: 0, soldW: 180 },
				{ member: 3, boughtW: 590, soldW: 0 },
			],
		},
	};
}

function device(self: number, at: number): DeviceView {
	return {
		device: at === 0 ? self : 6 + self,
		deviceId: `03${hex(40 + self + 7 * at, 32)}`,
		self: at === 0,
		alwaysOn: at === 0,
		metering: at === 0,
		voter: at === 0,
		connected: at === 0,
	};
}

function node(member: MemberView, head: number): NodeView {
	const away = member.index === 4;
	return {
		member: member.index,
		device: member.index,
		voter: member.index < 3,
		alwaysOn: member.index !== 5,
		revoked: false,
		keptFromVoting: false,
		doubleSigned: false,
		deviceId: `03${hex(40 + member.index, 32)}`,
		connected: !away,
		isDirect: !away && member.index > 0,
		headIndex: away ? head - 40 : head,
		headHash: hex(3, 32),
		term: 3,
		role: member.index === 0 ? "leader" : "follower",
		lastReadingMinute: nowMinute - (away ? 41 : 1),
		lastReading: { importWh: 12, exportWh: member.index * 9 },
		unsettledMinutes: { late: away ? 312 : 0, typed: member.index === 2 ? 60 : 0 },
	};
}

/** Households of which one is suspended and three move out, or have: as one of them sees it. */
export function comingAndGoing(self: number): StreetView {
	const view = street(self);
	const steps = [undefined, undefined, "settling", "payout", "voters", "completed"] as const;
	const standing = view.members.map((member, index): MemberView => {
		const movingOut = steps[index];
		const appoints = index === 0 || index === 1 ? { appoints: 4 } : {};
		return { ...member, ...(index === 1 && { suspended: true }), ...(movingOut && { movingOut }), ...appoints };
	});
	view.members = standing;
	view.self = { ...view.self, ...standing[self] };
	const owed = {
		id: hex(73, 32),
		member: 3,
		amountMicroNok: 412_503_812,
		timestampMs: NOW_MS - HOUR,
		reference: "0037373738",
	};
	if (self === 3) view.balance = { ...view.balance, balanceMicroNok: 0, orders: [], payouts: [owed] };
	if (view.operator) view.operator = { ...view.operator, payouts: [owed], paidOutMicroNok: 87_500_000 };
	return view;
}

/** Money in a bank, of which 45 kr are missing; for a household a balance to confirm. */
export function banked(self: number): StreetView {
	const view = street(self);
	view.moneyKind = "prepaid";
	view.accounts = { operators: [] };
	view.balance = {
		...view.balance,
		bank: {
			id: hex(93, 32),
			statedBy: 0,
			atMs: NOW_MS - 3 * HOUR,
			balanceMicroNok: 2_310_000_000,
			circulationMicroNok: 2_400_000_000,
			interestMicroNok: 5_000_000,
			unmatchedMicroNok: 0,
			feesMicroNok: 50_000_000,
			differenceMicroNok: -45_000_000,
			confirmed: { member: 3, timestampMs: NOW_MS - 40 * 24 * HOUR, isOfThis: false },
		},
	};
	return view;
}

/**
 * The same with accounts: the operator's is new since the day before yesterday, and one of two households that are to be
 * paid out has said where. `self` 1: a household that has ordered tokens and said nothing; 2: one that has.
 */
export function paid(self: number): StreetView {
	const view = banked(self);
	const account = (member: number, days: number, number: string, holder: string) => ({
		...{ member, holder, number },
		...{ changedMs: NOW_MS - days * 24 * HOUR, isRecent: days < 7 },
	});
	const operators = [account(0, 2, "12345678903", "Solbakken velforening")];
	const payout = account(2, 40, "SE4550000000058398257466", "Kari Nordmann-Gyldensteen og Ola Nordmann");
	const own = self === 0 ? operators[0] : payout;
	view.accounts = { operators, ...(own !== undefined && self !== 1 && { own: { ...own, isHeld: self === 0 } }) };
	const order = { id: hex(95, 32), amountMicroNok: 500_000_000, timestampMs: NOW_MS - 2 * HOUR };
	const orders = [{ ...order, member: self === 0 ? 1 : self, reference: "0010371223" }];
	if (self !== 0) view.balance = { ...view.balance, orders };
	if (view.operator) {
		const payouts = [
			{ ...order, id: hex(96, 32), member: 2, reference: "0024401872", account: payout },
			{ ...order, id: hex(97, 32), member: 4, amountMicroNok: 87_500_000, reference: "0048823106" },
		];
		view.operator = { ...view.operator, orders, payouts };
	}
	return view;
}

/** Neighbours give each other credit: a household has a bill for May, another one has not paid April's either. */
export function monthly(self: number): StreetView {
	const view = street(self);
	view.moneyKind = "monthly";
	const [april, may] = [Date.UTC(2026, 2, 31, 22) / 60_000, Date.UTC(2026, 3, 30, 22) / 60_000];
	const bill = (id: number, member: number, amountMicroNok: number, fromMinute: number) => ({
		id: hex(id, 32),
		member,
		amountMicroNok,
		fromMinute,
		timestampMs: (fromMinute + 31 * 1_440) * 60_000,
		reference: `00${member}717171${id % 10}`,
	});
	const demands = [bill(72, 4, 312_400_000, april), bill(73, 1, 79_753_214, may), bill(74, 4, 187_600_000, may)];
	const lines = view.members.map(({ index: member }) => ({
		member,
		lineMicroNok: member === 3 ? 0 : 500_000_000,
		usedMicroNok: [-96_300_000, 34_206_350, -12_000_000, 0, 0, 61_000_000][member] ?? 0,
		owedMicroNok: [0, 113_959_564, 0, 0, 500_000_000, 61_000_000][member] ?? 0,
	}));
	const own = lines[self];
	if (own === undefined) return view;
	view.balance = {
		...view.balance,
		balanceMicroNok: own.lineMicroNok - (own.owedMicroNok || own.usedMicroNok),
		orders: [],
		credit: { ...own, demands: demands.filter(({ member }) => member === self) },
		movements: [
			...view.balance.movements,
			{ type: "creditGranted", amountMicroNok: 500_000_000, timestampMs: NOW_MS - 40 * 24 * HOUR },
		],
	};
	if (view.operator === undefined) return view;
	const { fromMinute: _, ...owed } = bill(75, 2, 214_300_000, may);
	view.operator = { ...view.operator, payouts: [{ ...owed, reserveTooLow: true }], credit: { lines, demands } };
	return view;
}

/** Real kroner are proposed in place of trial kroner; `self` 0: the operator, who has proposed it. */
export function moneyProposed(self: number): StreetView {
	const view = street(self);
	view.moneyProposal = {
		id: hex(94, 32),
		proposedBy: 0,
		moneyKind: "prepaid",
		reason:
			"Borettslaget har én felles måler og ett abonnement. Strømselskapet fakturerer borettslaget, og ingen husstand får egen strømregning (vedtak i styret 12. mars).",
		awaited: self === 2 ? [1, 4] : [1, 2, 4],
	};
	return view;
}

/** The same when all have agreed: what was moved before stays to be seen. */
export function moneyReal(self: number): StreetView {
	const view = moneyProposed(self);
	view.moneyKind = "prepaid";
	const sinceMs = NOW_MS - HOUR / 6;
	if (view.moneyProposal) view.moneyProposal = { ...view.moneyProposal, awaited: [], sinceMs };
	const before = view.balance.movements.map((movement) =>
		movement.type === "trialEnded" ? movement : { ...movement, isTrial: true },
	);
	const movements = [{ type: "trialEnded" as const, timestampMs: sinceMs }, ...before];
	view.balance = { ...view.balance, balanceMicroNok: 0, movements };
	return view;
}

/** One household is to have another key, one to move out, and two want another operator. */
export function keyNotice(self: number): StreetView {
	const view = street(self);
	const rebind = { kind: "rebind", householdId: `03${hex(88, 32)}`, minutesLeft: 6_120 } as const;
	const remove = { kind: "remove", minutesLeft: 8_730 } as const;
	view.members = view.members.map((member) => {
		if (member.index === 4) return { ...member, notice: rebind };
		if (member.index === 5) return { ...member, notice: remove };
		return member.index === 1 || member.index === 2 ? { ...member, appoints: 2 } : member;
	});
	view.self = { ...view.self, ...view.members[self] };
	return view;
}

/** A producer's, with everything that a statement can hold. */
export function statement(fromMinute: number, untilMinute: number): PeriodStatement {
	const isYear = untilMinute - fromMinute > 100_000;
	const figures: StatementFigures = {
		openingMicroNok: 412_505_000,
		closingMicroNok: 1_286_734_560,
		issuedMicroNok: 500_000_000,
		paidOutMicroNok: 250_000_000,
		boughtWh: 84_210,
		boughtMicroNok: 82_525_800,
		soldWh: 612_447,
		soldMicroNok: 698_189_580,
		matchedBoughtWh: 1_204,
		matchedBoughtMicroNok: 1_203_220,
		matchedSoldWh: 9_780,
		matchedSoldMicroNok: 9_769_000,
		correctionReceivedMicroNok: 0,
		correctionPaidMicroNok: 0,
		creditGrantedMicroNok: 0,
		creditWithdrawnMicroNok: 0,
		otherInMicroNok: 0,
		otherOutMicroNok: 0,
		unknownMicroNok: 0,
		grossSalesMicroNok: 707_958_580,
		minutes: 25_206,
		measuredMinutes: 25_167,
		importWh: 212_902,
		exportWh: 801_113,
		fromUtilityWh: 127_488,
		toUtilityWh: 178_886,
		utilityCostMicroNok: 184_857_600,
		utilityIncomeMicroNok: 107_331_600,
		localFeeMicroNok: 4_270_700,
	};
	const contract = (at: number) => ({
		contractId: hex(70 + at, 32),
		type: at === 3 ? ("bought" as const) : ("sold" as const),
		otherName: NAMES[at + 1] ?? "",
		priceMicroNokPerWh: at === 3 ? 980 : 1_140,
		energyWh: at === 3 ? 84_210 : 204_149,
		amountMicroNok: at === 3 ? 82_525_800 : 232_729_860,
	});
	const atMs = fromMinute * 60_000 + 5 * HOUR;
	return {
		fromMinute,
		untilMinute,
		gridId: hex(9, 32),
		neighbourhood: "Solbakken",
		household: { name: "Bjørkeveien 1", id: `02${hex(1, 32)}` },
		head: { index: 24_846, hash: hex(11, 32), timestampMs: NOW_MS },
		total: figures,
		months: isYear
			? Array.from({ length: 12 }, (_, at) => ({
					...figures,
					fromMinute: fromMinute + at * 44_640,
					untilMinute: fromMinute + (at + 1) * 44_640,
				}))
			: [{ ...figures, fromMinute, untilMinute }],
		contracts: [0, 1, 2, 3].map(contract),
		transfers: Array.from({ length: isYear ? 30 : 2 }, (_, at) => ({
			type: at % 2 === 0 ? "issued" : "paidOut",
			amountMicroNok: at % 2 === 0 ? 500_000_000 : 250_000_000,
			timestampMs: atMs + at * 96 * HOUR,
			reference: `DNB 4411-${20 + at}`,
		})),
		gaps: isYear ? [{ fromMs: atMs + 400 * HOUR, untilMs: atMs + 700 * HOUR }] : [],
		isOver: untilMinute * 60_000 < NOW_MS,
		isSettled: true,
	};
}

/** Nobody leads, and two voters of six are here: the chain stands still since a while. */
export function withoutLeader(): StreetView {
	const view = street(0);
	const { leader: _, ...chain } = view.chain;
	const sinceMs = NOW_MS - HOUR / 2;
	view.chain = {
		...chain,
		role: "candidate",
		headTimestampMs: sinceMs,
		outOfTouchSinceMs: sinceMs,
		votersOnline: 2,
		waitingMinutes: 29,
	};
	if (view.operator === undefined) return view;
	const lastReadingMinute = nowMinute - 31;
	const nodes = view.operator.nodes.map((node): NodeView => {
		const isHere = node.member < 2;
		return { ...node, connected: isHere, isDirect: node.member === 1, role: "follower", lastReadingMinute };
	});
	view.operator = { ...view.operator, nodes };
	return view;
}

/** Twenty households, of which some have a phone beside the device at the meter. */
export function twentyHouseholds(): StreetView {
	const view = street(0);
	const names = Array.from({ length: 20 }, (_, index) => NAMES[index] ?? `Bjørkeveien ${index + 1}`);
	view.members = names.map((name, index) => ({
		index,
		name: index === 11 ? "Familien Nordmann-Gyldensteen" : name,
		operator: index === 0,
		householdId: `02${hex(index + 1, 32)}`,
	}));
	if (view.operator === undefined) return view;
	const nodes = view.members.flatMap((member) => {
		const own = { ...node(member, 846), voter: member.index < 7 };
		const phone = {
			...own,
			device: 30 + member.index,
			deviceId: `03${hex(90 + member.index, 32)}`,
			voter: false,
			alwaysOn: false,
			connected: member.index % 2 === 0,
			isDirect: false,
			role: "observer" as const,
		};
		return member.index % 3 === 0 ? [own, phone] : [own];
	});
	const between = [3, 5, 8, 9, 12, 14, 17, 19].map((buyer, at) => ({
		seller: [0, 2, 6, 10][at % 4] ?? 0,
		buyer,
		powerW: 300 + at * 410,
	}));
	const untilMinute = nowMinute - 2;
	const contracts = { fromMinute: untilMinute - 15, untilMinute, between };
	view.operator = { ...view.operator, nodes, flows: { ...flows(), contracts } };
	return view;
}

/** An operator with nothing to do. */
export function nothingWaits(): StreetView {
	const view = street(0);
	if (view.operator === undefined) return view;
	const nodes = view.operator.nodes.map(
		(each): NodeView => ({ ...each, voter: true, connected: true, lastReadingMinute: nowMinute - 1, headIndex: 846 }),
	);
	view.operator = { ...view.operator, nodes, orders: [], corrections: { open: [], claims: [] } };
	return view;
}

/** An operator for whom something waits in each queue. */
export function everythingWaits(): StreetView {
	const view = keyNotice(0);
	if (view.operator === undefined) return view;
	const payout = {
		id: hex(97, 32),
		member: 4,
		amountMicroNok: 87_500_000,
		timestampMs: NOW_MS - 2 * HOUR,
		reference: "0048823106",
	};
	view.operator = { ...view.operator, payouts: [payout], guests: 2, sameMeters: [[3, 5]] };
	return withFirstWeek(view, "open");
}

/** The list of the first week: half done, on a phone, or done; for an operator with what it knows of the others. */
export function withFirstWeek(view: StreetView, state: "open" | "phone" | "green"): StreetView {
	const all = { all: 1_440, needed: 1_426 };
	const isGreen = state === "green";
	const compared = {
		state: "compared" as const,
		atMs: NOW_MS - 2 * HOUR,
		importWh: { displayWh: 1_903_000, registerWh: 1_903_410 },
		exportWh: { displayWh: 402_000, registerWh: 402_118 },
	};
	const open = state === "phone" ? { state: "elsewhere" as const } : { state: "open" as const, asksExport: true };
	view.firstWeek = {
		register: isGreen ? compared : open,
		minutes: { have: isGreen ? 1_438 : 862, ...all, isWhole: isGreen },
		wordsKept: isGreen,
		test: isGreen || view.operator !== undefined ? "in" : "none",
		isGreen,
	};
	view.lock = { ...view.lock, wordsKept: isGreen };
	if (view.operator === undefined) return view;
	const have = [1_440, 1_431, 1_440, 862, 1_204, 0];
	view.operator.firstWeek = view.members.map(({ index: member }) => {
		return { member, meters: member !== 5, have: have[member] ?? 1_440, ...all };
	});
	return view;
}
