/** What waits for the operator, by queue: how many, and what is said where nothing does. */
import type { StreetView } from "../node/view.js";
import { housesOf, nodeRows } from "./networkModel.js";
import { m } from "./paraglide/messages.js";
import { mayAdd } from "./voterChoice.js";

export type QueueName = "orders" | "payouts" | "corrections" | "notices" | "silent" | "sameMeter" | "guests" | "voters";

export interface Queue {
	name: QueueName;
	title: string;
	count: number;
	/** Said where nothing waits. */
	empty: string;
	/** Where it is worked off, if not on the screen of the queues. */
	path?: string;
}

/** The queues, in the order in which they are worked off: money first. */
export function queuesOf(street: StreetView): Queue[] {
	const { operator, members } = street;
	if (operator === undefined) return [];
	const { corrections, credit, guests, orders, payouts } = operator;
	const isMonthly = credit !== undefined;
	return [
		{
			name: "orders",
			title: isMonthly ? m.operations_bills() : m.operations_orders(),
			count: orders.length + (credit?.demands.length ?? 0),
			empty: isMonthly ? m.operations_bills_empty() : m.operations_orders_empty(),
		},
		{ name: "payouts", title: m.operations_payouts(), count: payouts.length, empty: m.queue_payouts_empty() },
		{
			name: "corrections",
			title: m.corrections_title(),
			count: corrections.open.length + corrections.claims.length,
			empty: m.queue_corrections_empty(),
		},
		{
			name: "notices",
			title: m.notices_title(),
			count: members.filter(({ notice }) => notice !== undefined).length,
			empty: m.queue_notices_empty(),
		},
		{
			name: "silent",
			title: m.queue_silent(),
			count: silentHouses(street).length,
			empty: m.queue_silent_empty(),
			path: "/network",
		},
		{
			name: "sameMeter",
			title: m.queue_same_meter(),
			count: operator.sameMeters?.length ?? 0,
			empty: m.queue_same_meter_empty(),
		},
		{ name: "guests", title: m.queue_guests(), count: guests, empty: m.queue_guests_empty(), path: "/members" },
		{
			name: "voters",
			title: m.queue_voters(),
			count: candidates(street).length,
			empty: m.queue_voters_empty(),
			path: "/neighbourhood",
		},
	];
}

/** Households whose meter is silent. */
export function silentHouses(street: StreetView): { member: number; name: string; silentSinceMs: number }[] {
	return housesOf(street).flatMap(({ member, name, silentSinceMs }) =>
		silentSinceMs === undefined ? [] : [{ member, name, silentSinceMs }],
	);
}

/** Devices that are always on and could vote now, of households that have no vote. */
export function candidates(street: StreetView): { device: number; name: string }[] {
	const rows = nodeRows(street);
	return rows
		.filter(({ alwaysOn, device, keptFromVoting }) => alwaysOn && !keptFromVoting && mayAdd(rows, device) !== undefined)
		.map(({ device, name }) => ({ device, name }));
}
