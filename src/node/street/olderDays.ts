/**
 * Minutes of days to which no block adds anything any more: they are not read at the start, while a person waits for the
 * first screen, but after it, some days at a time. Graphs do not wait for them: they read what they draw (`keptMinutes`).
 */
import { minuteOf } from "../../primitives/units.js";
import { type History, KEPT_DAYS } from "../history.js";
import { dayOf } from "../intervalHistory.js";
import type { StreetContext } from "./context.js";

const DAYS_AT_ONCE = 4;
/** After the start. */
const BEGIN_MS = 5_000;

export class OlderDays {
	readonly #context: StreetContext;
	readonly #history: History;
	/** From this day on all are there. */
	#fromDay: number;
	/** Before this one none is kept in memory. */
	readonly #firstDay: number;
	readonly #beginMs: number;

	constructor(context: StreetContext, history: History, { daysFrom }: { readonly daysFrom: number }) {
		this.#context = context;
		this.#history = history;
		this.#fromDay = daysFrom;
		this.#firstDay = dayOf(minuteOf(context.chain.head.ledger.timestampMs)) - KEPT_DAYS + 1;
		this.#beginMs = context.dependencies.clocks.monotonicMs() + BEGIN_MS;
	}

	/** Time passed: reads some. */
	async tick(nowMs: number): Promise<void> {
		if (nowMs >= this.#beginMs && this.#fromDay > this.#firstDay) await this.#read(DAYS_AT_ONCE);
	}

	/** Reads all that are left, for who looks further back than views do. */
	async all(): Promise<void> {
		if (this.#fromDay > this.#firstDay) await this.#read(this.#fromDay - this.#firstDay);
	}

	/** What cannot be read now is tried again. */
	async #read(count: number): Promise<void> {
		const untilDay = this.#fromDay;
		const fromDay = Math.max(this.#firstDay, untilDay - count);
		const days = await this.#context.storage.readDays(fromDay, untilDay);
		if (!days.ok) return;
		this.#history.restoreOlder(days.value);
		this.#fromDay = fromDay;
	}
}
