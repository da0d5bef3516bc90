import type { Locator } from "playwright-core";

/** Waits, with a patience that a busy machine needs. */
export function expect(locator: Locator): { visible(timeoutMs?: number): Promise<void> } {
	return { visible: (timeoutMs = 20_000) => locator.first().waitFor({ state: "visible", timeout: timeoutMs }) };
}

/** A page whose node is just moving may never answer what it is asked in that moment: it is asked again. */
const ANSWER_MS = 4_000;

/** Asks again until the answer is right; fails with the last answer. */
export async function until<T>(ask: () => Promise<T>, isRight: (value: T) => boolean, timeoutMs: number): Promise<T> {
	const deadline = Date.now() + timeoutMs;
	let last: { value: T } | undefined;
	for (;;) {
		const answer = await Promise.race([ask().then((value) => ({ value })), answerIsLate()]);
		last = answer ?? last;
		if (answer !== undefined && isRight(answer.value)) return answer.value;
		if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms; last: ${JSON.stringify(last?.value)}`);
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}

function answerIsLate(): Promise<undefined> {
	return new Promise((resolve) => setTimeout(() => resolve(undefined), ANSWER_MS));
}
