/** The promises of a serial platform: lost devices leave some of them pending for ever, and errors have several shapes. */

/** `setTimeout` and its undoing, so that tests need not wait. */
export interface Timers {
	set(callback: () => void, delayMs: number): unknown;
	clear(timer: unknown): void;
}

export const SYSTEM_TIMERS: Timers = {
	set: (callback, delayMs) => setTimeout(callback, delayMs),
	clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** A lost device sometimes leaves `open`, `cancel` or `close` pending for ever. */
const PATIENCE_MS = 10_000;

/** What a platform's promise comes to, after {@link PATIENCE_MS} at the latest. */
export async function attempt(
	promise: Promise<unknown>,
	timers: Timers,
): Promise<{ ok: true } | { ok: false; code: string }> {
	return new Promise((resolve) => {
		const timer = timers.set(() => resolve({ ok: false, code: "TimeoutError" }), PATIENCE_MS);
		promise.then(
			() => {
				timers.clear(timer);
				resolve({ ok: true });
			},
			(error: unknown) => {
				timers.clear(timer);
				resolve({ ok: false, code: errorCode(error) });
			},
		);
	});
}

/** The name of a DOMException. The polyfill's errors are strings, such as "NetworkError: The device was disconnected." */
export function errorCode(error: unknown): string {
	if (error instanceof Error) return error.name;
	return /^(\w+Error)\b/.exec(String(error))?.[1] ?? "UnknownError";
}
