/** What happened: the last events for a person to read, and a hash over all of them. */

/** Events that are kept for reading. */
const KEPT_EVENTS = 500;
/** 1 January 1970 plus the virtual time, as minutes and seconds. */
const MS_PER_SECOND = 1_000;

interface TraceEvent {
	readonly atMs: number;
	readonly who: string;
	readonly what: string;
	readonly detail: string;
}

export class Trace {
	readonly #events: TraceEvent[] = [];
	#next = 0;
	#low = 0x9e3779b9 | 0;
	#high = 0x85ebca6b | 0;

	/** Something for the reader, and for the hash. */
	add(atMs: number, who: string, what: string, detail = ""): void {
		this.mix(atMs);
		this.#mixText(who);
		this.#mixText(what);
		this.#mixText(detail);
		this.#events[this.#next % KEPT_EVENTS] = { atMs, who, what, detail };
		this.#next += 1;
	}

	/** Something for the hash alone. */
	mix(value: number): void {
		this.#low = Math.imul(this.#low ^ value, 0x9e3779b1);
		this.#low ^= this.#low >>> 15;
		this.#high = Math.imul(this.#high ^ (value + this.#low), 0x85ebca77);
		this.#high ^= this.#high >>> 13;
	}

	mixBytes(bytes: Uint8Array): void {
		const whole = bytes.length & ~3;
		for (let at = 0; at < whole; at += 4) {
			this.mix(
				(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24),
			);
		}
		for (let at = whole; at < bytes.length; at++) this.mix(bytes[at] ?? 0);
	}

	#mixText(text: string): void {
		for (let at = 0; at < text.length; at++) this.mix(text.charCodeAt(at));
	}

	/** 64 bits in hex. */
	get hash(): string {
		return [this.#high, this.#low].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
	}

	/** The last events, oldest first. */
	lines(count: number): string[] {
		const from = Math.max(0, this.#next - Math.min(count, KEPT_EVENTS));
		const lines: string[] = [];
		for (let at = from; at < this.#next; at++) {
			const event = this.#events[at % KEPT_EVENTS];
			if (event === undefined) continue;
			const { atMs, who, what, detail } = event;
			lines.push(`${(atMs / MS_PER_SECOND).toFixed(3).padStart(10)} s  ${who.padEnd(4)} ${what} ${detail}`.trimEnd());
		}
		return lines;
	}
}
