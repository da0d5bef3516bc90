/**
 * The only thing the server says while it runs: now and then one line, if something was refused that its operator may
 * want to know about. Codes and counts, nothing about who or what.
 */
import type { RefusalCode } from "./refusals.js";

export type RefusalCounts = Readonly<Partial<Record<RefusalCode, number>>>;

/** Writes a line at the end of each interval in which something was refused. Gives back how to stop it. */
export function logRefusals(read: () => RefusalCounts, write: (line: string) => void): () => void {
	let before = read();
	const timer = setInterval(() => {
		const now = read();
		const line = refusalLine(before, now);
		if (line !== undefined) write(line);
		before = now;
	}, INTERVAL_MS);
	timer.unref();
	return () => clearInterval(timer);
}

/** What was refused between two readings, the most frequent first; undefined: nothing worth a line. */
export function refusalLine(before: RefusalCounts, now: RefusalCounts): string | undefined {
	const grown = (Object.entries(now) as [RefusalCode, number][])
		.map(([code, count]) => ({ code, count: count - (before[code] ?? 0) }))
		.filter(({ code, count }) => count > 0 && !EVERYDAY.has(code))
		.sort((a, b) => b.count - a.count);
	if (grown.length === 0) return undefined;
	return `Refused in the last hour: ${grown.map(({ code, count }) => `${code} ${count}`).join(", ")}.\n`;
}

const INTERVAL_MS = 3_600_000;

/** Devices that sleep, or lose their network, leave sockets behind. */
const EVERYDAY: ReadonlySet<RefusalCode> = new Set(["idle", "no-topic"]);
