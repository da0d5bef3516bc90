/** What stands above every screen while something is not as it should be: at most one line about the connection. */
import type { StreetView } from "../node/protocol.js";

/** Silent for 5 minutes: a household is told (the header chip shows the age before that). */
export const METER_SILENT_MS = 5 * 60_000;

/** So many minutes wait after an outage, never otherwise. */
export const BACKLOG_MINUTES = 15;

export type Banner =
	| { type: "sync"; haveIndex: number; targetIndex: number }
	| { type: "offline" }
	| { type: "alone" }
	| { type: "noLeader"; waitingMinutes: number; votersOnline: number; voters: number }
	| { type: "backlog"; waitingMinutes: number }
	| { type: "notVoting"; code: string }
	| { type: "meterSilent"; ageMs: number };

/** The banners of a street, most important first. */
export function bannersOf(street: StreetView, chainNowMs: number): Banner[] {
	const banners: Banner[] = [];
	const connection = connectionBanner(street);
	if (connection !== undefined) banners.push(connection);
	const { notVoting } = street.chain;
	if (notVoting !== undefined) banners.push({ type: "notVoting", code: notVoting });
	const ageMs = meterAgeMs(street, chainNowMs);
	if (ageMs !== undefined && ageMs >= METER_SILENT_MS) banners.push({ type: "meterSilent", ageMs });
	return banners;
}

/** Age of the meter's latest figure; absent without a meter or before its first figure. */
export function meterAgeMs({ meter }: StreetView, chainNowMs: number): number | undefined {
	if (meter.source === "none" || meter.live === undefined) return undefined;
	return Math.max(0, chainNowMs - meter.live.atMs);
}

function connectionBanner({ chain, signaling, members }: StreetView): Banner | undefined {
	if (chain.sync !== undefined) return { type: "sync", ...chain.sync };
	if (chain.neighboursOnline === 0 && members.length > 1)
		return signaling.connected === 0 ? { type: "offline" } : { type: "alone" };
	const { leader, votersOnline, voters, waitingMinutes } = chain;
	if (leader === undefined) return { type: "noLeader", waitingMinutes, votersOnline, voters };
	return waitingMinutes >= BACKLOG_MINUTES ? { type: "backlog", waitingMinutes } : undefined;
}
