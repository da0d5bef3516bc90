/** What a household says that it pays the utility, with its history: a past day is reckoned at what was paid then. */
import { assert } from "../primitives/assert.js";
import type { OwnRetailStep } from "./protocol.js";

export const MAX_OWN_RETAIL_STEPS = 200;

/**
 * The price from a minute on, in place of what was said of later ones; 0: the neighbourhood's. When there are too many
 * steps the oldest is forgotten, and the next one holds for its time as well.
 */
export function withOwnRetail(steps: readonly OwnRetailStep[], next: OwnRetailStep): readonly OwnRetailStep[] {
	const kept = steps.filter(({ fromMinute }) => fromMinute < next.fromMinute);
	const all = [...kept, next].slice(-MAX_OWN_RETAIL_STEPS);
	if (kept.length < MAX_OWN_RETAIL_STEPS) return all;
	const [oldest, ...later] = all;
	assert(oldest !== undefined, "the next step is one");
	return [{ ...oldest, fromMinute: 0 }, ...later];
}

/** What is paid now; 0: the neighbourhood's price. */
export function ownRetailOf(steps: readonly OwnRetailStep[]): number {
	return steps.at(-1)?.retailMicroNokPerWh ?? 0;
}
