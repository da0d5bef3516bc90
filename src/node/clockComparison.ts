/**
 * Whether this device's clock is far from the neighbours'. Signals that come at a wrong time are not listened to, so a
 * device with a wrong clock meets nobody, and nobody could tell it why.
 */

/** Who announces itself does so twice in this time, connected or not. */
const HEARD_FOR_MS = 60_000;
/** More keys than a street has can be invented. */
const MAX_DEVICES = 256;

export class ClockComparison {
	/** By device id: this clock minus its, at the last signal; when that was, monotonic ms. */
	readonly #heard = new Map<string, { offsetMs: number; atMs: number }>();

	/** A signed word of another device. */
	heard(device: string, offsetMs: number, nowMs: number): void {
		const before = this.#heard.get(device);
		// A server can hand on later what was said earlier: the device was nearer than that, and still is.
		const isReplayed = before !== undefined && nowMs - before.atMs < HEARD_FOR_MS && before.offsetMs < offsetMs;
		if (isReplayed) return;
		this.#heard.delete(device);
		this.#heard.set(device, { offsetMs, atMs: nowMs });
		for (const oldest of this.#heard.keys()) {
			if (this.#heard.size <= MAX_DEVICES) break;
			this.#heard.delete(oldest);
		}
	}

	/**
	 * This clock minus the neighbours', the median of those heard of late; undefined: more than half of them are not as far
	 * away as `fromMs`, or nobody is heard.
	 */
	offMs(fromMs: number, nowMs: number): number | undefined {
		const offsets = [...this.#heard.values()]
			.filter(({ atMs }) => nowMs - atMs < HEARD_FOR_MS)
			.map(({ offsetMs }) => offsetMs)
			.sort((a, b) => a - b);
		const [low, high] = [offsets[(offsets.length - 1) >> 1], offsets[offsets.length >> 1]];
		if (low === undefined || high === undefined) return undefined;
		const isFar = (low > fromMs && high > fromMs) || (low < -fromMs && high < -fromMs);
		return isFar ? low : undefined;
	}
}
