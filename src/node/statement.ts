/** What a household sees of its own money and energy, derived from the executed chain: movements, and sums by day. */
import type { Ledger } from "../contract/ledger.js";
import { toHex } from "../primitives/bytes.js";
import { add, MINUTES_PER_DAY, MS_PER_MINUTE } from "../primitives/units.js";
import type { Link } from "./chain.js";
import { idOf } from "./mempool.js";
import type { MovementView } from "./protocol.js";

const SHOWN_MOVEMENTS = 50;

type TradeMovement = Extract<MovementView, { type: "bought" | "sold" }>;

export class Statement {
	readonly #publicKey: Uint8Array;
	readonly #startOfDayMinute: (chainMs: number) => number;
	/** Newest last. */
	#issued: Extract<MovementView, { type: "issued" }>[] = [];
	/** By contract and day. */
	readonly #trades = new Map<string, TradeMovement>();
	#day = { fromMinute: 0, untilMinute: 0 };

	constructor(publicKey: Uint8Array, startOfDayMinute: (chainMs: number) => number) {
		this.#publicKey = publicKey;
		this.#startOfDayMinute = startOfDayMinute;
	}

	/** Takes in a committed block; `parent` is the ledger before it. */
	add(parent: Ledger, link: Link): void {
		const self = link.ledger.households.find((household) => toHex(household.publicKey) === toHex(this.#publicKey));
		if (self === undefined) return;
		for (const transaction of link.block.transactions) {
			if (transaction.kind !== "issue") continue;
			const order = parent.orders.get(toHex(transaction.orderId));
			// A `buy` and its `issue` may stand in one block.
			if ((order?.member ?? memberOfOrder(link, transaction.orderId)) !== self.index) continue;
			const { amountMicroNok, reference } = transaction;
			this.#issued.push({ type: "issued", amountMicroNok, timestampMs: link.block.timestampMs, reference });
			this.#issued = this.#issued.slice(-SHOWN_MOVEMENTS);
		}
		for (const { seller, minute, deliveries } of link.results.settled) {
			for (const { buyer, contract, energyWh, amountMicroNok } of deliveries) {
				if (buyer !== self.index && seller !== self.index) continue;
				const type = buyer === self.index ? "bought" : "sold";
				const contractId = toHex(link.ledger.contracts[contract]?.id ?? new Uint8Array());
				this.#addTrade(type, contractId, minute, energyWh, amountMicroNok, type === "bought" ? seller : buyer);
			}
		}
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
		const key = `${contractId}/${dayMinute}`;
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

	/** Most minutes lie in the day that was asked about last. */
	#dayOf(minute: number): number {
		if (minute < this.#day.fromMinute || minute >= this.#day.untilMinute) {
			const fromMinute = this.#startOfDayMinute(minute * MS_PER_MINUTE);
			// Days with a change of summer time have 23 or 25 hours: only the sure part is remembered.
			this.#day = { fromMinute, untilMinute: fromMinute + MINUTES_PER_DAY - 60 };
		}
		return this.#day.fromMinute;
	}

	/** Newest first. */
	movements(): MovementView[] {
		const timeOf = (movement: MovementView) =>
			movement.type === "issued" ? movement.timestampMs : (movement.dayMinute + MINUTES_PER_DAY) * MS_PER_MINUTE;
		return [...this.#issued, ...this.#trades.values()].sort((a, b) => timeOf(b) - timeOf(a)).slice(0, SHOWN_MOVEMENTS);
	}

	/** Paid and earned on the day that begins at a minute. */
	day(fromMinute: number): { paidMicroNok: number; earnedMicroNok: number } {
		let paidMicroNok = 0;
		let earnedMicroNok = 0;
		for (const trade of this.#trades.values()) {
			if (trade.dayMinute !== fromMinute) continue;
			if (trade.type === "bought") paidMicroNok = add(paidMicroNok, trade.amountMicroNok);
			else earnedMicroNok = add(earnedMicroNok, trade.amountMicroNok);
		}
		return { paidMicroNok, earnedMicroNok };
	}
}

function memberOfOrder(link: Link, orderId: Uint8Array): number | undefined {
	for (const transaction of link.block.transactions) {
		if (transaction.kind !== "buy") continue;
		if (idOf(transaction, link.ledger.gridId) === toHex(orderId)) return transaction.member;
	}
	return undefined;
}
