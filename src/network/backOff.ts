/** Waiting times that double with each failure up to a limit, and never let two devices march in step. */

/** Between half and all of `firstMs` × 2^failures, at most `maxMs`. */
export function backOffMs(failures: number, firstMs: number, maxMs: number): number {
	const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30));
	return full * (0.5 + Math.random() / 2);
}
