/** What the kiosk shows of a view: its one large number, and what is to be said below; by the same figures as the home screen. */
import type { ContractView, StreetView } from "../../node/view.js";
import { type Banner, bannersOf } from "../banners.js";
import { hourOf } from "../calendar.js";
import { buyingContract } from "../homeFigures.js";

/** Selling and buying: under a contract that holds now; otherwise the utility's grid is all that there is. */
export type Flow = "selling" | "sending" | "buying" | "drawing" | "even";

export interface FlowNow {
	readonly flow: Flow;
	readonly powerW: number;
	/** Member indices at the other end of the contracts. */
	readonly others: readonly number[];
}

/** What flows over the meter by its latest figure; undefined: it has said nothing yet. */
export function flowNow(street: StreetView): FlowNow | undefined {
	const { live } = street.meter;
	if (live === undefined) return undefined;
	const { importW, exportW } = live;
	if (exportW > importW) {
		const others = sellingContracts(street).map(({ buyer }) => buyer);
		return { flow: others.length > 0 ? "selling" : "sending", powerW: exportW, others };
	}
	if (importW === 0) return { flow: "even", powerW: 0, others: [] };
	const contract = buyingContract(street);
	if (contract?.state !== "active") return { flow: "drawing", powerW: importW, others: [] };
	return { flow: "buying", powerW: importW, others: [contract.seller] };
}

function sellingContracts(street: StreetView): ContractView[] {
	return street.market.contracts.filter(({ seller, state }) => seller === street.self.index && state === "active");
}

/** A line about what is not as it should be; `wanted`: a person has something to decide, which is not for a wall. */
export type Line =
	| { readonly type: "sync" | "offline" | "alone" | "noLeader" | "backlog" | "meterSilent" | "wanted" | "movedOut" }
	| { readonly type: "clockOff"; readonly clockOffMs: number }
	| { readonly type: "notVoting" | "fault"; readonly code: string };

/** So many fit on the smallest screen. */
const MAX_LINES = 3;

/** At most one line of each kind, most important first, none of which changes from second to second. */
export function linesOf(street: StreetView, chainNowMs: number): Line[] {
	const fault = street.faults.find(({ fault: { code } }) => code !== street.chain.notVoting);
	const lines: Line[] = fault === undefined ? [] : [{ type: "fault", code: fault.fault.code }];
	for (const banner of bannersOf(street, chainNowMs)) {
		const line = lineOf(banner);
		if (line !== undefined && !lines.some(({ type }) => type === line.type)) lines.push(line);
	}
	return lines.slice(0, MAX_LINES);
}

function lineOf(banner: Banner): Line | undefined {
	switch (banner.type) {
		case "clockOff":
			return { type: "clockOff", clockOffMs: banner.clockOffMs };
		case "notVoting":
			return { type: "notVoting", code: banner.code };
		case "movingOut":
			return { type: banner.step === "completed" ? "movedOut" : "wanted" };
		case "sync":
		case "offline":
		case "alone":
		case "noLeader":
		case "backlog":
		case "meterSilent":
			return { type: banner.type };
		case "refounding":
		case "suspended":
		case "ownRebinding":
		case "ownRemoval":
		case "rebinding":
		case "removal":
		case "keyWanted":
			return { type: "wanted" };
		// The card that starts the kiosk says so.
		case "noPassword":
		case "noWords":
			return undefined;
	}
}

/** Farthest that everything is moved from its place, in CSS pixels. */
export const MAX_SHIFT_PX = 24;

/** Where everything stands in this minute: somewhere else in every one of 625, so that nothing burns in. */
export function shiftAt(nowMs: number): { xPx: number; yPx: number } {
	const steps = MAX_SHIFT_PX + 1;
	const minute = Math.floor(nowMs / 60_000);
	return { xPx: (minute * 7) % steps, yPx: (minute * 11 + Math.floor(minute / steps) * 4) % steps };
}

/** Whether the two halves stand the other way round: so every second hour. */
export function isSwapped(nowMs: number): boolean {
	return Math.floor(nowMs / 3_600_000) % 2 === 1;
}

/** From 23 to 6 o'clock in the neighbourhood. */
export function isNight(nowMs: number): boolean {
	const hour = hourOf(Math.floor(nowMs / 60_000));
	return hour >= 23 || hour < 6;
}
