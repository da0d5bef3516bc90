/** What a run has shown, as tables. */
import type { Street } from "./street.js";
import type { Watcher } from "./watcher.js";

export interface Event {
	/** Since the script began. */
	atMs: number;
	what: string;
	kind: "fault" | "healing";
	/** Until a majority of the pages had a block that none had before; undefined: too long. */
	nextBlockMs: number | undefined;
	/** Until those who came back had it, too. */
	backMs: number | undefined;
}

export function eventLine({ atMs, what, kind, nextBlockMs, backMs }: Event): string {
	const at = String(Math.round(atMs / 1_000)).padStart(5);
	const next = String(nextBlockMs ?? "none").padStart(13);
	const back = (kind === "fault" ? "" : String(backMs ?? "not yet")).padStart(7);
	return `${at}  ${next}  ${back}  ${kind === "fault" ? "−" : "+"} ${what}`;
}

export function printReport(events: readonly Event[], street: Street, watcher: Watcher): void {
	console.log("\n at s  next block ms  back ms  event");
	for (const event of events) console.log(eventLine(event));
	for (const kind of ["fault", "healing"] as const) printTimes(kind, events);
	console.log("\nhousehold        accepted  on chain  minutes it ran through");
	for (const house of street.houses) {
		const counts = [watcher.accepted(house), watcher.onChain(house), house.minutesToRead()];
		const columns = counts.map(({ length }) => String(length).padStart(8));
		console.log(`${house.name.padEnd(16)} ${columns.join("  ")}`);
	}
	console.log(`readings lost: ${watcher.lost().length}; newest block: ${watcher.newest}; looks: ${watcher.looks}`);
}

function printTimes(kind: Event["kind"], events: readonly Event[]): void {
	const times = events
		.filter((event) => event.kind === kind)
		.map(({ nextBlockMs }) => nextBlockMs ?? Number.POSITIVE_INFINITY)
		.sort((a, b) => a - b);
	const median = times[Math.floor(times.length / 2)];
	console.log(`next block after a ${kind}: ${times.length} times, median ${median} ms, longest ${times.at(-1)} ms`);
}
