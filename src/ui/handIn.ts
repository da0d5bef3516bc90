/** Hands in many minutes, a hundred at a time: the node signs each of them. */
import type { Reading } from "../block/reading.js";
import { MAX_HANDED_IN } from "../node/protocol.js";
import { ok, type Result } from "../primitives/result.js";
import type { CommandResult, NodeClient } from "./nodeClient.svelte.js";

export type HandedIn = { taken: number; known: number };

/** `onProgress`: so many are through. What was handed in before a refusal stays. */
export async function handIn(
	client: NodeClient,
	readings: readonly Omit<Reading, "quality">[],
	onProgress: (done: number) => void,
): Promise<Result<HandedIn, Extract<CommandResult, { ok: false }>["error"]>> {
	const sum: HandedIn = { taken: 0, known: 0 };
	for (let at = 0; at < readings.length; at += MAX_HANDED_IN) {
		const part = readings.slice(at, at + MAX_HANDED_IN);
		const plain = part.map(({ minute, importWh, exportWh }) => ({ minute, importWh, exportWh }));
		const result = await client.command({ type: "handIn", readings: plain });
		if (!result.ok) return result;
		if (result.value.type === "handedIn") {
			sum.taken += result.value.taken;
			sum.known += result.value.known;
		}
		onProgress(at + part.length);
	}
	return ok(sum);
}
