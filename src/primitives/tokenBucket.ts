/** Allows bursts up to `capacity`, and `perSecond` on average. Times are given, so that it needs no clock of its own. */
export class TokenBucket {
	readonly #capacity: number;
	readonly #perSecond: number;
	#tokens: number;
	#filledMs: number;

	constructor(capacity: number, perSecond: number, nowMs: number) {
		this.#capacity = capacity;
		this.#perSecond = perSecond;
		this.#tokens = capacity;
		this.#filledMs = nowMs;
	}

	/** Takes `count` tokens if they are there, none otherwise. */
	take(count: number, nowMs: number): boolean {
		if (!this.has(count, nowMs)) return false;
		this.#tokens -= count;
		return true;
	}

	/** Whether `count` tokens are there. */
	has(count: number, nowMs: number): boolean {
		this.#fill(nowMs);
		return this.#tokens >= count;
	}

	/** Whether it is as good as new. */
	isFull(nowMs: number): boolean {
		this.#fill(nowMs);
		return this.#tokens === this.#capacity;
	}

	#fill(nowMs: number): void {
		const gained = (Math.max(0, nowMs - this.#filledMs) * this.#perSecond) / 1000;
		this.#tokens = Math.min(this.#capacity, this.#tokens + gained);
		this.#filledMs = nowMs;
	}
}
