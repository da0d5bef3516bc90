/** A household of the street: its page, which comes and goes, and when it ran. */
import type { Page } from "playwright-core";
import { MS_PER_MINUTE } from "../../../src/primitives/units.js";

/** From its node's start until it was killed. */
interface Run {
	fromMs: number;
	untilMs: number;
	/** Within it the page stood still. */
	frozen: { fromMs: number; untilMs: number }[];
}

/** A minute is closed 4 s after its edge at the latest; the rest is for a busy computer. */
const ACCEPTED_MS = 10_000;

export class House {
	readonly name: string;
	readonly url: string;
	/** On which computer. */
	readonly hostAt: number;
	state: "running" | "frozen" | "gone" = "gone";
	/** Highest index that its database was seen to hold; −1: nothing yet. */
	head = -1;
	/** Orders that it was asked to make: the ledger takes a few of each household. */
	orders = 0;
	#page: Page | undefined;
	readonly #runs: Run[] = [];

	constructor(name: string, url: string, hostAt: number) {
		this.name = name;
		this.url = url;
		this.hostAt = hostAt;
	}

	get page(): Page {
		if (this.#page === undefined) throw new Error(`${this.name} has no page`);
		return this.#page;
	}

	/** A page that has not started its node yet. */
	opens(page: Page): void {
		this.#page = page;
	}

	/** Its meter and its node run from here on. */
	runs(): void {
		this.state = "running";
		this.#runs.push({ fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY, frozen: [] });
	}

	freezes(): void {
		this.state = "frozen";
		this.#runs.at(-1)?.frozen.push({ fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY });
	}

	thaws(): void {
		this.state = "running";
		const last = this.#runs.at(-1)?.frozen.at(-1);
		if (last !== undefined) last.untilMs = Date.now();
	}

	dies(): void {
		this.state = "gone";
		const run = this.#runs.at(-1);
		if (run !== undefined) run.untilMs = Math.min(run.untilMs, Date.now());
	}

	/** The minutes up to now of which it must have made a reading: it ran all through them, and long enough after. */
	minutesToRead(): number[] {
		return this.#runs.flatMap((run) => {
			const minutes: number[] = [];
			const first = Math.ceil(run.fromMs / MS_PER_MINUTE);
			const untilMs = Math.min(run.untilMs, Date.now());
			for (let minute = first; acceptedByMs(run, minute) <= untilMs; minute++) minutes.push(minute);
			return minutes;
		});
	}
}

/** When a minute's reading must lie in the outbox. A page that was frozen reads the minute when it thaws. */
function acceptedByMs({ frozen }: Run, minute: number): number {
	let edgeMs = (minute + 1) * MS_PER_MINUTE;
	for (const { fromMs, untilMs } of frozen) {
		if (fromMs < edgeMs + ACCEPTED_MS && untilMs > edgeMs) edgeMs = untilMs;
	}
	return edgeMs + ACCEPTED_MS;
}
