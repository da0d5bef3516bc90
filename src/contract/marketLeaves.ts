/** Leaves of offers, orders, demands, locks and contracts. */
import * as v from "valibot";
import { flag, hash, natural, perhaps } from "../block/fieldShapes.js";
import { type Schedule, scheduleFields, scheduleShape } from "../block/schedule.js";
import type { CborValue } from "../primitives/codec.js";
import { bit, type LeafCodec } from "./leafCodec.js";
import type { Contract, Demand, Lock, Offer, Order } from "./ledger.js";

/** The last field of a leaf, of which nothing is written where there is none: as before there were any. */
const scheduleField = (schedule: Schedule | undefined): CborValue[] =>
	schedule === undefined ? [] : [scheduleFields(schedule)];

const OFFER_FIELDS = [
	v.literal("offer"),
	hash,
	natural,
	natural,
	natural,
	natural,
	natural,
	natural,
	perhaps(natural),
	natural,
	v.array(natural),
] as const;

export const OFFER_LEAF: LeafCodec<Offer> = {
	fields: (offer) => [
		"offer",
		offer.id,
		offer.seller,
		offer.priceMicroNokPerWh,
		offer.fromMinute,
		offer.untilMinute,
		offer.energyLimitWh,
		offer.noticeMinutes,
		offer.buyer === undefined ? [] : [offer.buyer],
		offer.maxBuyers,
		offer.accepted,
		...scheduleField(offer.schedule),
	],
	shape: v.pipe(
		v.union([v.strictTuple(OFFER_FIELDS), v.strictTuple([...OFFER_FIELDS, scheduleShape])]),
		v.transform(([, id, seller, price, fromMinute, untilMinute, limit, notice, buyer, ...rest]): Offer => {
			const [maxBuyers, accepted, schedule] = rest;
			return {
				id,
				seller,
				priceMicroNokPerWh: price,
				fromMinute,
				untilMinute,
				energyLimitWh: limit,
				noticeMinutes: notice,
				buyer,
				maxBuyers,
				accepted,
				schedule,
			};
		}),
	),
};

export const ORDER_LEAF: LeafCodec<Order> = {
	fields: (order) => ["order", order.id, order.member, order.amountMicroNok, order.timestampMs],
	shape: v.pipe(
		v.strictTuple([v.literal("order"), hash, natural, natural, natural]),
		v.transform(([, id, member, amountMicroNok, timestampMs]) => ({ id, member, amountMicroNok, timestampMs })),
	),
};

export const DEMAND_LEAF: LeafCodec<Demand> = {
	fields: (demand) => ["demand", demand.id, demand.member, demand.amountMicroNok, demand.month, demand.timestampMs],
	shape: v.pipe(
		v.strictTuple([v.literal("demand"), hash, natural, natural, natural, natural]),
		v.transform(([, id, member, amountMicroNok, month, timestampMs]) => ({
			id,
			member,
			amountMicroNok,
			month,
			timestampMs,
		})),
	),
};

export const LOCK_LEAF: LeafCodec<Lock> = {
	fields: (lock) => ["lock", lock.id, lock.member, lock.amountMicroNok, lock.timestampMs],
	shape: v.pipe(
		v.strictTuple([v.literal("lock"), hash, natural, natural, natural]),
		v.transform(([, id, member, amountMicroNok, timestampMs]) => ({ id, member, amountMicroNok, timestampMs })),
	),
};

const CONTRACT_FIELDS = [
	v.literal("contract"),
	natural,
	hash,
	hash,
	natural,
	natural,
	natural,
	natural,
	natural,
	flag,
	natural,
	natural,
	natural,
	natural,
	natural,
] as const;

export const CONTRACT_LEAF: LeafCodec<Contract> = {
	fields: (contract) => [
		"contract",
		contract.index,
		contract.id,
		contract.offerId,
		contract.seller,
		contract.buyer,
		contract.priceMicroNokPerWh,
		contract.fromMinute,
		contract.untilMinute,
		bit(contract.ended),
		contract.energyLimitWh,
		contract.noticeMinutes,
		contract.deliveredWh,
		contract.amountMicroNok,
		contract.lastDeliveryMinute,
		...scheduleField(contract.schedule),
	],
	shape: v.pipe(
		v.union([v.strictTuple(CONTRACT_FIELDS), v.strictTuple([...CONTRACT_FIELDS, scheduleShape])]),
		v.transform(([, index, id, offerId, seller, buyer, price, fromMinute, untilMinute, ended, ...rest]): Contract => {
			const [energyLimitWh, noticeMinutes, deliveredWh, amountMicroNok, lastDeliveryMinute, schedule] = rest;
			return {
				index,
				id,
				offerId,
				seller,
				buyer,
				priceMicroNokPerWh: price,
				fromMinute,
				untilMinute,
				ended,
				energyLimitWh,
				noticeMinutes,
				deliveredWh,
				amountMicroNok,
				lastDeliveryMinute,
				schedule,
			};
		}),
	),
};
