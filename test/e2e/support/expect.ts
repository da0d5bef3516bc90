import type { Locator } from "playwright-core";

/** Waits, with a patience that a busy machine needs. */
export function expect(locator: Locator): { visible(timeoutMs?: number): Promise<void> } {
	return { visible: (timeoutMs = 20_000) => locator.first().waitFor({ state: "visible", timeout: timeoutMs }) };
}

/** Asks again until the answer is right; fails with the last answer. */
export async function until<T>(ask: () => Promise<T>, isRight: (value: T) => boolean, timeoutMs: number): Promise<T> {
	const deadline = Date.now() + timeoutMs;
	for (;;) {
		const value = await ask();
		if (isRight(value)) return value;
		if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms; last: ${JSON.stringify(value)}`);
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}
