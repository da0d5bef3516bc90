/** What a household sees of its own money and energy, derived from the executed chain: movements, and sums by day. */
import * as v from "valibot";
import { hash, natural } from "../block/fieldShapes.js";
import type { IssueTransaction, PayoutTransaction } from "../block/kinds/treasury.js";
import type { Ledger } from "../contract/ledger.js";
import { assert } from "../primitives/assert.js";
import { fromHex, toHex } from "../primitives/bytes.js";
import type { CborValue } from "../primitives/codec.js";
import { add, MINUTES_PER_DAY, MS_PER_MINUTE } from "../primitives/units.js";
import type { Link } from "./chain.js";
import { idOf } from "./mempool.js";
import { decodeRecord, encodeRecord } from "./records.js";
import type { MovementView } from "./view.js";

const SHOWN_MOVEMENTS = 50;
/** Trades of so many days are stored, and older ones as far as they are shown. */
const KEPT_DAYS = 62;

/** Money that came through the bank, or went. */
type Transfer = Extract<MovementView, { reference: string }>;
type CarriedMovement = Extract<MovementView, { type: "carried" }>;
type TrialEnd = Omit<Extract<MovementView, { type: "trialEnded" }>, "type"> & {
	/** The first minute that is paid with tokens worth NOK. */
	readonly fromMinute: number;
};
type TradeMovement = Extract<MovementView, { type: "bought" | "sold" }>;
type MatchedMovement = Extract<MovementView, { type: "matchedBought" | "matchedSold" }>;

export class Statement {
	readonly #publicKey: Uint8Array;
	readonly #startOfDayMinute: (chainMs: number) => number;
	/** Newest last. */
	#transfers: Transfer[] = [];
	/** Where the neighbourhood was founded again: one. */
	#carried: CarriedMovement[] = [];
	/** Where trial kroner were void and tokens came to be worth NOK. */
	#trialEnd: TrialEnd | undefined;
	/** By contract and day. */
	readonly #trades = new Map<string, TradeMovement>();
	/** What the market matched, by side and day. */
	readonly #matched = new Map<string, MatchedMovement>();
	#day = { fromMinute: 0, untilMinute: 0 };

	constructor(publicKey: Uint8Array, startOfDayMinute: (chainMs: number) => number) {
		this.#publicKey = publicKey;
		this.#startOfDayMinute = startOfDayMinute;
	}

	/** Takes in a committed block; `parent` is the ledger before it. */
	add(parent: Ledger, link: Link): void {
		const self = link.ledger.households.find((household) => toHex(household.publicKey) === toHex(this.#publicKey));
		if (self === undefined) return;
		const { predecessor } = link.ledger;
		if (link.block.index === 0 && predecessor !== undefined) {
			const { index: blockIndex } = predecessor;
			const { timestampMs } = link.block;
			this.#carried = [{ type: "carried", amountMicroNok: self.balanceMicroNok, timestampMs, blockIndex }];
		}
		for (const transaction of link.block.transactions) {
			if (transaction.kind === "payout") {
				if (parent.locks.get(toHex(transaction.lockId))?.member === self.index)
					this.#addTransfer("paidOut", transaction, link);
				continue;
			}
			if (transaction.kind !== "issue") continue;
			const order = parent.orders.get(toHex(transaction.orderId));
			// A `buy` and its `issue` may stand in one block.
			if ((order?.member ?? memberOfOrder(link, transaction.orderId)) !== self.index) continue;
			this.#addTransfer("issued", transaction, link);
		}
		for (const { seller, minute, deliveries } of link.results.settled) {
			for (const { buyer, contract, energyWh, amountMicroNok } of deliveries) {
				if (buyer !== self.index && seller !== self.index) continue;
				const type = buyer === self.index ? "bought" : "sold";
				const contractId = toHex(link.ledger.contracts[contract]?.id ?? new Uint8Array());
				this.#addTrade(type, contractId, minute, energyWh, amountMicroNok, type === "bought" ? seller : buyer);
			}
		}
		for (const { fromMinute, shares } of link.results.matched) {
			const share = shares.find(({ household }) => household === self.index);
			if (share === undefined) continue;
			this.#addMatched("matchedBought", fromMinute, share.boughtWh, share.paidMicroNok);
			this.#addMatched("matchedSold", fromMinute, share.soldWh, share.earnedMicroNok);
		}
		const { fromMinute } = link.ledger.moneyProposal ?? {};
		if (fromMinute === undefined || parent.parameters.moneyKind !== "trial") return;
		this.#trialEnd = { timestampMs: link.block.timestampMs, fromMinute };
		this.#day = { fromMinute: 0, untilMinute: 0 };
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

	#addTransfer(type: Transfer["type"], act: IssueTransaction | PayoutTransaction, { block, ledger }: Link) {
		const { amountMicroNok, reference } = act;
		const id = idOf(act, ledger.gridId);
		const moved = { type, amountMicroNok, timestampMs: block.timestampMs, reference, id };
		this.#transfers = [...this.#transfers, moved].slice(-SHOWN_MOVEMENTS);
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
			const startMinute = this.#startOfDayMinute(minute * MS_PER_MINUTE);
			const realMinute = this.#trialEnd?.fromMinute ?? 0;
			const fromMinute = minute < realMinute ? startMinute : Math.max(startMinute, realMinute);
			// Days with a change of summer time have 23 or 25 hours: only the sure part is remembered.
			this.#day = { fromMinute, untilMinute: startMinute + MINUTES_PER_DAY - 60 };
		}
		return this.#day.fromMinute;
	}

	/** All of it as a record, but for trades that are old and not shown any more. */
	toRecord(): Uint8Array {
		const all = [...this.#trades.values(), ...this.#matched.values()];
		const days = all.map(({ dayMinute }) => dayMinute).sort((a, b) => b - a);
		const oldest = Math.min(days[SHOWN_MOVEMENTS - 1] ?? 0, Math.max(0, (days[0] ?? 0) - KEPT_DAYS * MINUTES_PER_DAY));
		const trades = [...this.#trades.values()].filter(({ dayMinute }) => dayMinute >= oldest);
		const issued = this.#transfers.filter(({ type }) => type === "issued");
		const paidOut = this.#transfers.filter(({ type }) => type === "paidOut");
		const fields = [issued.map(transferFields), trades.map(tradeFields)];
		// Absent where there is none, as in the records of earlier versions.
		const matched = [...this.#matched.values()].filter(({ dayMinute }) => dayMinute >= oldest);
		const ends = this.#trialEnd === undefined ? [] : [[this.#trialEnd.timestampMs, this.#trialEnd.fromMinute]];
		const optional = [this.#carried.map(carriedFields), paidOut.map(transferFields), matched.map(matchedFields), ends];
		const last = optional.findLastIndex((list) => list.length > 0);
		return encodeRecord([...fields, ...optional.slice(0, last + 1)]);
	}

	/** Begins with what was stored; false: it was damaged, and nothing of it is taken. */
	restore(record: Uint8Array): boolean {
		const decoded = decodeRecord(record, statementShape);
		if (!decoded.ok) return false;
		const [issued, trades, carried = [], paidOut = [], matched = [], ends = []] = decoded.value;
		this.#trialEnd = ends[0];
		const byTime = (a: Transfer, b: Transfer) => a.timestampMs - b.timestampMs;
		this.#transfers = [...issued.map(transferOf("issued")), ...paidOut.map(transferOf("paidOut"))].sort(byTime);
		this.#carried = carried;
		for (const trade of trades) this.#trades.set(keyOf(trade), trade);
		for (const movement of matched) this.#matched.set(matchedKeyOf(movement), movement);
		return true;
	}

	/** Newest first. */
	movements(): MovementView[] {
		const end = this.#trialEnd;
		const ends: MovementView[] = end === undefined ? [] : [{ type: "trialEnded", timestampMs: end.timestampMs }];
		const isTrial = (movement: MovementView) =>
			end !== undefined &&
			("timestampMs" in movement ? movement.timestampMs <= end.timestampMs : movement.dayMinute < end.fromMinute);
		const timeOf = (movement: MovementView) => {
			if ("timestampMs" in movement) return movement.timestampMs;
			const endMs = (movement.dayMinute + MINUTES_PER_DAY) * MS_PER_MINUTE;
			return isTrial(movement) ? Math.min(endMs, end?.timestampMs ?? endMs) : endMs;
		};
		const moved = [...this.#transfers, ...this.#carried, ...this.#trades.values(), ...this.#matched.values()];
		return [...ends, ...moved.map((movement) => (isTrial(movement) ? { ...movement, isTrial: true } : movement))]
			.sort((a, b) => timeOf(b) - timeOf(a))
			.slice(0, SHOWN_MOVEMENTS);
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

/** Whose order a `buy` of this very block made. */
export function memberOfOrder(link: Link, orderId: Uint8Array): number | undefined {
	for (const transaction of link.block.transactions) {
		if (transaction.kind !== "buy") continue;
		if (idOf(transaction, link.ledger.gridId) === toHex(orderId)) return transaction.member;
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

const carriedFields = ({ amountMicroNok, timestampMs, blockIndex }: CarriedMovement): CborValue => [
	amountMicroNok,
	timestampMs,
	blockIndex,
];

function tradeFields(trade: TradeMovement): CborValue {
	const id = fromHex(trade.contractId);
	assert(id.ok, "contract ids are hex");
	const isSold = trade.type === "sold" ? 1 : 0;
	return [isSold, id.value, trade.dayMinute, trade.other, trade.energyWh, trade.amountMicroNok];
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
const endsShape = v.pipe(
	v.array(v.strictTuple([natural, natural])),
	v.maxLength(1),
	v.transform((ends) => ends.map(([timestampMs, fromMinute]): TrialEnd => ({ timestampMs, fromMinute }))),
);
const statementShape = v.union([
	v.strictTuple([transfersShape, tradesShape]),
	v.strictTuple([transfersShape, tradesShape, carriedShape]),
	v.strictTuple([transfersShape, tradesShape, carriedShape, transfersShape]),
	v.strictTuple([transfersShape, tradesShape, carriedShape, transfersShape, matchedShape]),
	v.strictTuple([transfersShape, tradesShape, carriedShape, transfersShape, matchedShape, endsShape]),
]);
