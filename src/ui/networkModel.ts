/** What the operator's picture of the neighbourhood shows: devices, the households they are of, and what is wrong. */
import type { NodeView, StreetView } from "../node/view.js";
import { MS_PER_MINUTE, minuteOf } from "../primitives/units.js";
import { byName, memberName, membersOf } from "./names.js";

/** An operator is told of a meter that has been silent for so long. */
export const SILENT_MINUTES = 15;
/** A device is behind when it lacks more than the block that is on its way. */
const BEHIND_BLOCKS = 2;

/** What is wrong with a device, the worst first. */
export type Trouble =
	/** It signed two blocks for one place. */
	| { type: "doubleSigned" }
	| { type: "keptOut"; minutes: number }
	/** It is always on, and not here. */
	| { type: "offline" }
	/** Its household's meter: no reading since. */
	| { type: "silent"; sinceMs: number }
	| { type: "behind"; blocks: number }
	| { type: "conduct"; count: number };

const WEIGHTS: Record<Trouble["type"], number> = {
	doubleSigned: 32,
	keptOut: 16,
	offline: 8,
	silent: 4,
	behind: 2,
	conduct: 1,
};

export interface NodeRow extends NodeView {
	name: string;
	/** This very device. */
	isSelf: boolean;
	/** How many blocks it lacks; absent: it was never heard. */
	lagBlocks?: number;
	troubles: Trouble[];
}

export interface House {
	member: number;
	name: string;
	/** Of its devices, one is here at least. */
	isHere: boolean;
	isSelf: boolean;
	isLeader: boolean;
	/** This device has a channel to one of its devices. */
	isDirect: boolean;
	/** Its meter is silent: no reading since. */
	silentSinceMs?: number;
	rows: NodeRow[];
	troubles: Trouble[];
}

export type RowOrder = "trouble" | "name" | "lag" | "reading";

/** The devices in use of households that are here, by name. */
export function nodeRows(street: StreetView): NodeRow[] {
	const { chain, members, operator, self } = street;
	const staying = new Set(membersOf(members).map(({ index }) => index));
	const nodes = (operator?.nodes ?? []).filter(({ member, revoked }) => !revoked && staying.has(member));
	const rows = nodes.map((node): NodeRow => {
		const lag = node.headIndex === undefined ? {} : { lagBlocks: Math.max(0, chain.headIndex - node.headIndex) };
		const isSelf = node.deviceId === self.deviceId;
		const isAtMeter = node.alwaysOn || !nodes.some(({ alwaysOn, member }) => alwaysOn && member === node.member);
		const name = memberName(street, node.member);
		return { ...node, name, isSelf, ...lag, troubles: troublesOf(node, isSelf, lag.lagBlocks, isAtMeter, street) };
	});
	return byName(rows);
}

function troublesOf(
	node: NodeView,
	isSelf: boolean,
	lagBlocks: number | undefined,
	isAtMeter: boolean,
	street: StreetView,
): Trouble[] {
	const { alwaysOn, conduct, connected, doubleSigned } = node;
	const sinceMs = isAtMeter ? silentSinceMs(node, street) : undefined;
	const keptOutMs = conduct?.keptOutMs ?? 0;
	const count = Object.values(conduct?.codes ?? {}).reduce((sum, each) => sum + each, 0);
	return [
		...(doubleSigned ? [{ type: "doubleSigned" as const }] : []),
		...(keptOutMs > 0 ? [{ type: "keptOut" as const, minutes: Math.ceil(keptOutMs / MS_PER_MINUTE) }] : []),
		...(alwaysOn && !connected && !isSelf ? [{ type: "offline" as const }] : []),
		...(sinceMs === undefined ? [] : [{ type: "silent" as const, sinceMs }]),
		// Of who is away nobody knows how far it is.
		...(connected && (lagBlocks ?? 0) > BEHIND_BLOCKS ? [{ type: "behind" as const, blocks: lagBlocks ?? 0 }] : []),
		...(count > 0 ? [{ type: "conduct" as const, count }] : []),
	];
}

/** By the chain's time: while it stands still readings are kept, and no meter is silent for that. */
function silentSinceMs({ lastReadingMinute }: NodeView, { chain }: StreetView): number | undefined {
	if (lastReadingMinute === undefined) return undefined;
	const silentMinutes = minuteOf(chain.headTimestampMs) - (lastReadingMinute + 1);
	return silentMinutes >= SILENT_MINUTES ? (lastReadingMinute + 1) * MS_PER_MINUTE : undefined;
}

/** The households of those devices, by name; one without a device in use is a house that nobody is in. */
export function housesOf(street: StreetView): House[] {
	const rows = nodeRows(street);
	return byName(membersOf(street.members)).map(({ index, name }): House => {
		const own = rows.filter(({ member }) => member === index);
		const troubles = own.flatMap((row) => row.troubles).sort((a, b) => WEIGHTS[b.type] - WEIGHTS[a.type]);
		const silent = troubles.find(({ type }) => type === "silent");
		return {
			member: index,
			name,
			isHere: own.some(({ connected, isSelf }) => connected || isSelf),
			isSelf: index === street.self.index,
			isLeader: own.some(({ connected, isSelf, role }) => role === "leader" && (connected || isSelf)),
			isDirect: own.some(({ isDirect }) => isDirect),
			...(silent?.type === "silent" ? { silentSinceMs: silent.sinceMs } : {}),
			rows: own,
			troubles,
		};
	});
}

/** Rows as a person wants them; what is equal stays by name. */
export function sortRows(rows: readonly NodeRow[], order: RowOrder): NodeRow[] {
	const weight = ({ troubles }: NodeRow) => troubles.reduce((sum, { type }) => sum + WEIGHTS[type], 0);
	const keys: Record<RowOrder, (row: NodeRow) => number> = {
		trouble: (row) => -weight(row),
		name: () => 0,
		lag: ({ lagBlocks }) => -(lagBlocks ?? Number.MAX_SAFE_INTEGER),
		reading: ({ lastReadingMinute }) => lastReadingMinute ?? -1,
	};
	return [...rows].sort((a, b) => keys[order](a) - keys[order](b));
}

/** An arrow of the picture: from a household to another one, or to and from the market, which is nobody's. */
export interface Flow {
	from: number | "market";
	to: number | "market";
	powerW: number;
}

/** Where energy flowed last, the strongest first; what is less than a watt is left out. */
export function flowsOf(street: StreetView): Flow[] {
	const { contracts, market } = street.operator?.flows ?? {};
	const direct = (contracts?.between ?? []).map(
		({ seller, buyer, powerW }): Flow => ({ from: seller, to: buyer, powerW }),
	);
	const pooled = (market?.shares ?? []).flatMap(({ member, boughtW, soldW }): Flow[] => [
		{ from: member, to: "market", powerW: soldW },
		{ from: "market", to: member, powerW: boughtW },
	]);
	return [...direct, ...pooled].filter(({ powerW }) => powerW > 0).sort((a, b) => b.powerW - a.powerW);
}

/** When that was, in ms: from the earlier of the two beginnings to the later of the two ends. */
export function flowsPeriod(street: StreetView): { fromMs: number; untilMs: number } | undefined {
	const { contracts, market } = street.operator?.flows ?? {};
	const periods = [contracts, market].filter((each) => each !== undefined);
	if (periods.length === 0) return undefined;
	const fromMs = Math.min(...periods.map(({ fromMinute }) => fromMinute)) * MS_PER_MINUTE;
	return { fromMs, untilMs: Math.max(...periods.map(({ untilMinute }) => untilMinute)) * MS_PER_MINUTE };
}
