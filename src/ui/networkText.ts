/** Sentences about the neighbourhood's network, for its operator. */
import type { StreetView } from "../node/view.js";
import { formatCount, formatDateTime, formatPower, formatTime } from "./format.js";
import { memberName } from "./names.js";
import type { Flow, House, NodeRow, Trouble } from "./networkModel.js";
import { m } from "./paraglide/messages.js";

const HALF_A_DAY_MS = 12 * 3_600_000;

/** A moment of the last hours by its time alone, an older one with its day. */
export function momentText(atMs: number, nowMs: number): string {
	return nowMs - atMs < HALF_A_DAY_MS ? formatTime(atMs) : formatDateTime(atMs);
}

/** How things stand, in a few sentences: who is here, who leads, what stands still, and whose meter is silent. */
export function summaryText(street: StreetView, houses: readonly House[], nowMs: number): string {
	const { leader, sync, term } = street.chain;
	const here = houses.filter(({ isHere }) => isHere).length;
	const silent = houses.flatMap(({ name, silentSinceMs }) =>
		silentSinceMs === undefined ? [] : [{ name, silentSinceMs }],
	);
	return [
		m.network_summary_here({ all: formatCount(houses.length), here: formatCount(here) }),
		leader === undefined
			? m.network_summary_no_leader()
			: m.network_summary_leader({ name: leader, term: formatCount(term) }),
		...(sync === undefined ? [] : [m.network_summary_sync({ blocks: formatCount(sync.targetIndex - sync.haveIndex) })]),
		...silent.map(({ name, silentSinceMs }) =>
			m.network_summary_silent({ name, time: momentText(silentSinceMs, nowMs) }),
		),
	].join(" ");
}

export function troubleText(trouble: Trouble, nowMs: number): string {
	switch (trouble.type) {
		case "doubleSigned":
			return m.voters_double_signed();
		case "keptOut":
			return m.operations_kept_out({ minutes: trouble.minutes });
		case "offline":
			return m.network_offline();
		case "silent":
			return m.network_silent({ time: momentText(trouble.sinceMs, nowMs) });
		case "behind":
			return m.network_behind({ blocks: formatCount(trouble.blocks) });
		case "conduct":
			return m.operations_conduct({ count: trouble.count });
	}
}

/** What a device does: it leads, it votes, or it only follows. */
export function dutyText({ connected, isSelf, role, voter }: NodeRow): string {
	if (role === "leader" && (connected || isSelf)) return m.network_duty_leader();
	return voter ? m.network_duty_voter() : m.network_duty_observer();
}

export function lagText({ lagBlocks }: NodeRow): string {
	if (lagBlocks === undefined) return m.operations_never();
	return lagBlocks === 0 ? m.network_lag_none() : m.network_lag({ blocks: formatCount(lagBlocks) });
}

/** All of a house in one sentence, as its button in the picture is called. */
export function houseText(house: House, nowMs: number): string {
	const { isHere, isLeader, name, rows, troubles } = house;
	const voters = rows.filter(({ voter }) => voter).length;
	return [
		name,
		isHere ? m.operations_connected() : m.operations_disconnected(),
		...(isLeader ? [m.network_duty_leader()] : []),
		m.network_devices({ count: rows.length, voters }),
		...troubles.filter(({ type }) => type !== "offline").map((trouble) => troubleText(trouble, nowMs)),
	].join(", ");
}

/** What stands below a house: the worst that is wrong, in a word or two. */
export function houseMark({ isHere, rows, troubles }: House, nowMs: number): string {
	const [worst] = troubles;
	if (rows.length === 0) return m.network_no_device();
	// The line below a house is short.
	if (worst?.type === "silent") return m.network_silent_short({ time: momentText(worst.sinceMs, nowMs) });
	if (worst !== undefined && worst.type !== "offline") return troubleText(worst, nowMs);
	return isHere ? "" : m.operations_disconnected();
}

export function flowText(street: StreetView, { from, powerW, to }: Flow): { name: string; value: string } {
	const nameOf = (end: Flow["from"]) => (end === "market" ? m.network_market() : memberName(street, end));
	return { name: m.network_flow({ from: nameOf(from), to: nameOf(to) }), value: formatPower(powerW) };
}
