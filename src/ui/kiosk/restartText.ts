/** A restart in plain words. */
import { formatDateTime, formatTime } from "../format.js";
import { m } from "../paraglide/messages.js";
import type { Restart, RestartReason } from "./restartLog.js";

const REASONS: Record<RestartReason, () => string> = {
	silent: m.kiosk_reason_silent,
	failed: m.kiosk_reason_failed,
	nightly: m.kiosk_reason_nightly,
	update: m.kiosk_reason_update,
	unplanned: m.kiosk_reason_unplanned,
};

/** `Startet på nytt 03:17 – som hver natt`. */
export function restartText({ atMs, reason }: Restart): string {
	return m.kiosk_restarted({ time: formatTime(atMs), reason: REASONS[reason]() });
}

/** For a list of several days: when, and why. */
export function restartRow({ atMs, reason }: Restart): { time: string; reason: string } {
	return { time: formatDateTime(atMs), reason: REASONS[reason]() };
}
