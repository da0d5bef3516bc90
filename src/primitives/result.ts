/**
 * The outcome of looking at something that came from outside. Errors carry a `code` and the evidence for it;
 * the screens turn the code into a sentence.
 */
export type Result<T, E extends { code: string }> = { ok: true; value: T } | { ok: false; error: E };

/** Wraps a good value. */
export function ok<T>(value: T): { ok: true; value: T } {
	return { ok: true, value };
}

/** Wraps a refusal. */
export function refused<E extends { code: string }>(error: E): { ok: false; error: E } {
	return { ok: false, error };
}
