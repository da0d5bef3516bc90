/**
 * The card that Home begins with in a household's first week. Most are past it, so its code is not Home's own; but it comes
 * before Home is shown, because later it would push down all that somebody has begun to read.
 */
type FirstWeekCard = typeof import("./components/FirstWeekCard.svelte").default;

let card = $state.raw<FirstWeekCard>();

/** Never rejects: without the card Home is shown all the same. */
export async function loadFirstWeekCard(): Promise<void> {
	try {
		card ??= (await import("./components/FirstWeekCard.svelte")).default;
	} catch {
		// Asked for again when Home is shown the next time.
	}
}

/** Absent until it is loaded. Reactive. */
export function firstWeekCard(): FirstWeekCard | undefined {
	if (card === undefined) void loadFirstWeekCard();
	return card;
}
