/**
 * What a node derives of a chain and keeps beside it: days by the minute and by the hour, and the household's statement.
 * They are made by the node's own `History` and `Statement`, of minutes that a formula makes up and whose results nobody
 * executed: to execute a year with twenty readings a minute would take half an hour.
 */
import type { Block } from "../../src/block/block.js";
import type { ReadingTransaction } from "../../src/block/kinds/metering.js";
import type { Ledger } from "../../src/contract/ledger.js";
import type { MatchedShare } from "../../src/contract/matching/shares.js";
import { NO_RESULTS, type SettlementResults } from "../../src/contract/settlement.js";
import { tariffAt } from "../../src/contract/tariff.js";
import type { Link } from "../../src/node/chain.js";
import { History, type HoursAsked } from "../../src/node/history.js";
import { Statement } from "../../src/node/statement.js";
import type { StoredDay, StoredHours } from "../../src/node/storage.js";
import { assert } from "../../src/primitives/assert.js";
import { ZERO_HASH } from "../../src/primitives/hash.js";
import { CENTRAL_EUROPEAN_TIME } from "../../src/primitives/localTime.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE, minuteOf, multiply } from "../../src/primitives/units.js";
import { NO_SIGNATURE } from "./ledger.js";

/** Days that are handed over at once: they need not all be in memory. */
const DAYS_AT_ONCE = 14;
const INTERVAL_MINUTES = 15;
const CONTRACT_PRICE = 1_000;
const MARKET_PRICE = 900;

export interface KeptDays {
	readonly days: readonly StoredDay[];
	readonly hours: readonly StoredHours[];
}

export interface YearOptions {
	/** Of the chain, which may reach further. */
	readonly ledger: Ledger;
	/** So many minutes since the founding, a block for each. */
	readonly minutes: number;
	/** Whose device it is. */
	readonly member: number;
	/** Households from here on have no panels. The first one sells to the first of these under the chain's first contract. */
	readonly consumersFrom: number;
}

export class YearOfMinutes {
	readonly #options: YearOptions;
	readonly #history: History;
	readonly #statement: Statement;
	#parent: Ledger;

	constructor(options: YearOptions) {
		const { ledger, member } = options;
		const { publicKey } = ledger.households[member] ?? {};
		assert(publicKey !== undefined, "the device is a member's");
		this.#options = options;
		this.#history = new History(publicKey);
		this.#statement = new Statement(publicKey, CENTRAL_EUROPEAN_TIME);
		this.#parent = { ...ledger, counted: [], index: 0, timestampMs: ledger.genesisTimestampMs };
	}

	/** The days as they are to be stored, some at a time, each once or, while it was not over, once more. */
	*kept(): Generator<KeptDays> {
		const { ledger, member, minutes } = this.#options;
		const from = minuteOf(ledger.genesisTimestampMs);
		const until = from + minutes;
		for (let minute = from; minute < until; minute++) {
			this.#add(minute);
			const isBatchOver = (minute + 1) % (DAYS_AT_ONCE * MINUTES_PER_DAY) === 0;
			if (isBatchOver || minute + 1 === until) yield this.#history.takeChangedDays(hoursAsked(ledger, member));
		}
	}

	/** The statement of the minutes that were handed over. */
	get statement(): Uint8Array {
		return this.#statement.toRecord();
	}

	#add(minute: number): void {
		const parent = this.#parent;
		const timestampMs = (minute + 1) * MS_PER_MINUTE;
		const readings = parent.households.map(({ index }) => readingOf(index, minute, this.#options.consumersFrom));
		const results = this.#resultsOf(minute, readings);
		const ledger: Ledger = {
			...parent,
			index: parent.index + 1,
			timestampMs,
			households: this.#paid(parent, results),
		};
		const block = { index: ledger.index, timestampMs, transactions: readings } as unknown as Block;
		const link: Link = { block, hash: ZERO_HASH, ledger, results };
		this.#history.add(parent, link);
		this.#statement.add(parent, link);
		this.#parent = ledger;
	}

	/** One contract's minute, and at the end of each interval its market. */
	#resultsOf(minute: number, readings: readonly ReadingTransaction[]): SettlementResults {
		const { consumersFrom } = this.#options;
		const [availableWh, wantedWh] = [readings[0]?.exportWh ?? 0, readings[consumersFrom]?.importWh ?? 0];
		const energyWh = Math.min(availableWh, wantedWh);
		const amountMicroNok = multiply(energyWh, CONTRACT_PRICE);
		const delivery = { contract: 0, buyer: consumersFrom, energyWh, amountMicroNok };
		const settled = energyWh === 0 ? [] : [{ seller: 0, minute, availableWh, deliveries: [delivery] }];
		const untilMinute = minute + 1;
		const isIntervalOver = untilMinute % INTERVAL_MINUTES === 0;
		const fromMinute = untilMinute - INTERVAL_MINUTES;
		const matched = { fromMinute, untilMinute, choice: "midMarket" as const, priceMicroNokPerWh: MARKET_PRICE };
		return {
			...NO_RESULTS,
			settled,
			matched: isIntervalOver ? [{ ...matched, shares: readings.map((reading) => shareOf(reading, energyWh)) }] : [],
		};
	}

	/** The households, of which this device's has what it earned. */
	#paid(parent: Ledger, { settled, matched }: SettlementResults): Ledger["households"] {
		const { member } = this.#options;
		const shares = matched.flatMap((interval) => interval.shares.filter(({ household }) => household === member));
		let movedMicroNok = shares.reduce((sum, share) => sum + share.earnedMicroNok - share.paidMicroNok, 0);
		for (const { seller, deliveries } of settled) {
			for (const { buyer, amountMicroNok } of deliveries) {
				if (seller === member) movedMicroNok += amountMicroNok;
				if (buyer === member) movedMicroNok -= amountMicroNok;
			}
		}
		if (movedMicroNok === 0) return parent.households;
		return parent.households.map((household) =>
			household.index === member
				? { ...household, balanceMicroNok: household.balanceMicroNok + movedMicroNok }
				: household,
		);
	}
}

/** Sun by the time of day, and what a household uses: never the same for long. */
function readingOf(member: number, minute: number, consumersFrom: number): ReadingTransaction {
	const ofDay = minute % MINUTES_PER_DAY;
	const sunWh = member >= consumersFrom ? 0 : Math.max(0, 80 - Math.floor(Math.abs(ofDay - 690) / 4));
	const usedWh = 5 + ((minute * 7 + member * 13) % 25) + (ofDay > 960 && ofDay < 1_320 ? 30 : 0);
	const netWh = usedWh - sunWh;
	return {
		kind: "reading",
		member,
		minute,
		importWh: Math.max(0, netWh),
		exportWh: Math.max(0, -netWh),
		quality: "measured",
		signature: NO_SIGNATURE,
	};
}

/** A share of an interval, by its last minute: as much as two of those. */
function shareOf({ member, importWh, exportWh }: ReadingTransaction, tradedWh: number): MatchedShare {
	const [boughtWh, soldWh] = [importWh, exportWh].map((wh) => 2 * Math.max(0, wh - tradedWh)) as [number, number];
	const [paidMicroNok, earnedMicroNok] = [boughtWh, soldWh].map((wh) => multiply(wh, MARKET_PRICE)) as [number, number];
	return { household: member, boughtWh, soldWh, paidMicroNok, earnedMicroNok };
}

function hoursAsked(ledger: Ledger, ownMember: number): HoursAsked {
	const otherwise = tariffAt(ledger, minuteOf(ledger.timestampMs));
	return { localTime: CENTRAL_EUROPEAN_TIME, ownMember, ownRetail: [], otherwise };
}
