/** What can be shown before a node has started. */
import type { WelcomeView } from "../node/view.js";
import { PERSISTENT_PREFIX } from "../worker/start.js";

/**
 * What the node is going to say where none has ever kept anything in this browser; undefined: only the node knows. Older
 * browsers do not tell which databases there are.
 */
export async function firstView(): Promise<WelcomeView | undefined> {
	const databases = await indexedDB.databases?.();
	return databases === undefined || databases.some(({ name }) => name?.startsWith(PERSISTENT_PREFIX))
		? undefined
		: { stage: "welcome" };
}
