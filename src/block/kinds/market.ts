/** Offers and contracts. */
import { integer, MAX_MEMBERS } from "../fieldShapes.js";
import { type Schedule, scheduleFields, scheduleShape } from "../schedule.js";
import { act, id, member, minute, moneyAct, noticeMinutes, omittable, perhaps, plain, price } from "./fields.js";
import { kindOf, type TransactionOf } from "./kind.js";

const MAX_ENERGY_LIMIT_WH = 1_000_000_000_000;

/** A promise to sell. */
export const OFFER = kindOf("offer", {
	...act,
	priceMicroNokPerWh: price,
	fromMinute: minute,
	/** First minute that is no longer offered. */
	untilMinute: minute,
	/** Per contract; 0: no limit. */
	energyLimitWh: plain(integer(0, MAX_ENERGY_LIMIT_WH)),
	noticeMinutes,
	/** The only member that may accept. */
	buyer: perhaps(member),
	/** How many may accept; 0: any number. */
	maxBuyers: plain(integer(0, MAX_MEMBERS)),
	/** In which minutes of the period; undefined: in all of them. */
	schedule: omittable<Schedule>({ shape: scheduleShape, write: scheduleFields }),
});
export type OfferTransaction = TransactionOf<typeof OFFER>;

export const WITHDRAW = kindOf("withdraw", {
	...act,
	/** Id of the `offer` (32 bytes). */
	offerId: id,
});
export type WithdrawTransaction = TransactionOf<typeof WITHDRAW>;

/** Makes a contract of an offer: with the offer's signature both parties have signed. */
export const ACCEPT = kindOf("accept", { ...moneyAct, offerId: id });
export type AcceptTransaction = TransactionOf<typeof ACCEPT>;

export const END = kindOf("end", {
	...act,
	/** Id of the `accept` that made the contract (32 bytes). */
	contractId: id,
});
export type EndTransaction = TransactionOf<typeof END>;
