/** What stands above every screen while something is not as it should be: at most one line about the connection. */
import type { MemberView, StreetView } from "../node/view.js";
import { membersOf } from "./names.js";

type RemovalStep = NonNullable<MemberView["movingOut"]>;

/** Silent for 5 minutes: a household is told (the header chip shows the age before that). */
export const METER_SILENT_MS = 5 * 60_000;

/** So many minutes wait after an outage, never otherwise. */
export const BACKLOG_MINUTES = 15;

/**
 * Neighbours that are not in reach, and a leader that is missing, are not told of before: at every start the ones have to be
 * found, and the other to be heard of.
 */
export const OUT_OF_TOUCH_MS = 5_000;

export type Banner =
	| { type: "sync"; haveIndex: number; targetIndex: number }
	| { type: "offline" }
	| { type: "alone" }
	| { type: "clockOff"; clockOffMs: number }
	| { type: "noLeader"; waitingMinutes: number; votersOnline: number; voters: number }
	| { type: "backlog"; waitingMinutes: number }
	/** The neighbourhood is founded again, or is to be: this household has not said yes. */
	| { type: "refounding" }
	| { type: "notVoting"; code: string }
	/** An operator has suspended this household. */
	| { type: "suspended" }
	/** This household moves out, or has. */
	| { type: "movingOut"; step: RemovalStep }
	/** This household, or others, are to have another key; or to move out. */
	| { type: "ownRebinding"; minutesLeft: number }
	| { type: "rebinding"; names: string[] }
	| { type: "ownRemoval"; minutesLeft: number }
	| { type: "removal"; names: string[] }
	/** The household's key is needed for what was begun, and is locked. */
	| { type: "keyWanted"; wantedFor: "seal" | "confirm" }
	| { type: "meterSilent"; ageMs: number }
	/** Nothing but this browser has the household's key. */
	| { type: "noPassword" }
	| { type: "noWords" };

/** The banners of a street, most important first. */
export function bannersOf(street: StreetView, chainNowMs: number): Banner[] {
	const banners: Banner[] = [];
	const isAsked = street.refounding?.state === "proposed" || street.refounding?.state === "founded";
	const connection = connectionBanner(street, chainNowMs);
	// That nobody leads is why it is asked.
	if (connection !== undefined && !(isAsked && connection.type === "noLeader")) banners.push(connection);
	if (isAsked) banners.push({ type: "refounding" });
	const { notVoting } = street.chain;
	const { movingOut, suspended } = street.self;
	// Said once: a household that moved out has no device in use.
	const isSaid = (isAsked && notVoting === FOUNDING_AGAIN) || movingOut === "completed";
	if (notVoting !== undefined && !isSaid) banners.push({ type: "notVoting", code: notVoting });
	if (movingOut !== undefined) banners.push({ type: "movingOut", step: movingOut });
	else if (suspended) banners.push({ type: "suspended" });
	banners.push(...noticeBanners(street));
	const { wantedFor } = street.lock;
	if (wantedFor !== undefined) banners.push({ type: "keyWanted", wantedFor });
	const ageMs = meterAgeMs(street, chainNowMs);
	if (ageMs !== undefined && ageMs >= METER_SILENT_MS) banners.push({ type: "meterSilent", ageMs });
	// A demo's households are nobody's.
	if (street.timeScale === 1 && street.lock.state === "none") banners.push({ type: "noPassword" });
	else if (street.timeScale === 1 && !street.lock.wordsKept) banners.push({ type: "noWords" });
	return banners;
}

function noticeBanners({ members, self }: StreetView): Banner[] {
	const banners: Banner[] = [];
	const { notice } = self;
	if (notice !== undefined) {
		const { kind, minutesLeft } = notice;
		banners.push({ type: kind === "rebind" ? "ownRebinding" : "ownRemoval", minutesLeft });
	}
	const about = (kind: NonNullable<MemberView["notice"]>["kind"]) =>
		members.flatMap((each) => (each.notice?.kind === kind && each.index !== self.index ? [each.name] : []));
	const [rebound, removed] = [about("rebind"), about("remove")];
	if (rebound.length > 0) banners.push({ type: "rebinding", names: rebound });
	if (removed.length > 0) banners.push({ type: "removal", names: removed });
	return banners;
}

/** Age of the meter's latest figure; absent without a meter or before its first figure. */
export function meterAgeMs({ meter }: StreetView, chainNowMs: number): number | undefined {
	if (meter.source === "none" || meter.live === undefined) return undefined;
	return Math.max(0, chainNowMs - meter.live.atMs);
}

/** Why a device does not vote whose household goes over to another chain: there nobody leads any more. */
const FOUNDING_AGAIN = "founding-again";

function connectionBanner(
	{ chain, members, signaling, timeScale }: StreetView,
	chainNowMs: number,
): Banner | undefined {
	if (chain.sync !== undefined) return { type: "sync", ...chain.sync };
	const { leader, neighboursOnline, notVoting, outOfTouchSinceMs, votersOnline, voters, waitingMinutes } = chain;
	const isOutOfTouch = outOfTouchSinceMs !== undefined && chainNowMs - outOfTouchSinceMs >= OUT_OF_TOUCH_MS * timeScale;
	if (isOutOfTouch) {
		if (neighboursOnline === 0 && signaling.connected === 0) return { type: "offline" };
		if (neighboursOnline === 0 && membersOf(members).length > 1) {
			return signaling.clockOffMs === undefined
				? { type: "alone" }
				: { type: "clockOff", clockOffMs: signaling.clockOffMs };
		}
		if (leader === undefined)
			return notVoting === FOUNDING_AGAIN ? undefined : { type: "noLeader", waitingMinutes, votersOnline, voters };
	}
	return leader !== undefined && waitingMinutes >= BACKLOG_MINUTES ? { type: "backlog", waitingMinutes } : undefined;
}
