import type { Locator, Page } from "playwright-core";

/** Waits, with a patience that a busy machine needs; who waited in vain hears what the page says instead. */
export function expect(locator: Locator): { visible(timeoutMs?: number): Promise<void> } {
	return {
		async visible(timeoutMs = 40_000) {
			try {
				await locator.first().waitFor({ state: "visible", timeout: timeoutMs });
			} catch {
				throw new Error(
					`${locator} was not seen within ${timeoutMs} ms. The page says: ${await textOf(locator.page())}`,
				);
			}
		},
	};
}

/** All that a page says, in one line. */
async function textOf(page: Page): Promise<string> {
	// biome-ignore lint/performance/useDomNodeTextContent: what is hidden is not said.
	const text = await page.locator("body").innerText({ timeout: 1_000 }).catch(String);
	return text.replace(/\s+/gu, " ");
}

/** A page whose node is just moving may never answer what it is asked in that moment: it is asked again. */
const ANSWER_MS = 4_000;

/** Asks again until the answer is right; fails with the last answer, and with what these pages say then. */
export async function until<T>(
	ask: () => Promise<T>,
	isRight: (value: T) => boolean,
	timeoutMs: number,
	pages: readonly Page[] = [],
): Promise<T> {
	const deadline = Date.now() + timeoutMs;
	let last: { value: T } | undefined;
	for (;;) {
		const answer = await Promise.race([ask().then((value) => ({ value })), answerIsLate()]);
		last = answer ?? last;
		if (answer !== undefined && isRight(answer.value)) return answer.value;
		if (Date.now() > deadline) {
			const said = await Promise.all(pages.map(async (page) => `${page.url()} says: ${await textOf(page)}`));
			throw new Error([`not within ${timeoutMs} ms; last: ${JSON.stringify(last?.value)}`, ...said].join("; "));
		}
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}

function answerIsLate(): Promise<undefined> {
	return new Promise((resolve) => setTimeout(() => resolve(undefined), ANSWER_MS));
}
