import type { CommandResult } from "./nodeClient.svelte.js";

/**
 * An act that counts, as a person looks at it before it is done: a sentence to review, the amount typed again where money
 * moves, a box to tick for what only a person can know.
 */
export interface Review {
	title: string;
	sentence: string;
	confirmLabel: string;
	retypeMicroNok?: number;
	/** When not to do it, what the person says by the tick, and what is said where it is missing. */
	statement?: { warning: string; title: string; text: string; unticked: string };
	run: () => Promise<CommandResult>;
}
