/** Waiting for a node's view to come into a state. */
import type { View } from "../../node/view.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import type { NodeClient } from "../nodeClient.svelte.js";

export type WaitResult<T> = Result<T, { code: string }>;

/** What `pick` finds in a view, as soon as it finds something. A node that fails or takes too long ends the wait. */
export function waitFor<T>(
	client: NodeClient,
	pick: (view: View) => T | undefined,
	timeoutMs: number,
): Promise<WaitResult<T>> {
	return new Promise((resolve) => {
		const timer = setTimeout(() => end(refused({ code: "timeout" })), timeoutMs);
		const forget = client.onChange(look);

		function end(result: WaitResult<T>): void {
			clearTimeout(timer);
			forget();
			resolve(result);
		}

		function look(): void {
			const failed = client.faults.find(({ code }) => code === "worker-failed");
			const found = client.view === undefined ? undefined : pick(client.view);
			if (failed !== undefined) end(refused({ code: failed.code }));
			else if (found !== undefined) end(ok(found));
		}

		look();
	});
}
