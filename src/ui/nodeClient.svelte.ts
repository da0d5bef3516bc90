/**
 * The page's side of the border: the latest view as reactive state, and commands as promises. Everything that a screen
 * shows or asks goes through here.
 */
import type { Command, CommandError, NodeOutput, ReplyValue } from "../node/protocol.js";
import type { Fault, View } from "../node/view.js";
import { type Result, refused } from "../primitives/result.js";
import { loadSentences } from "./lateText.svelte.js";
import type { NodePort } from "./nodePort.js";
import { beginBusy } from "./pwa/busy.svelte.js";

export type CommandResult = Result<ReplyValue, CommandError>;

export interface NodeClient {
	/** The latest view; absent until the node has opened its storage. Reactive. */
	readonly view: View | undefined;
	/** When the latest view came, by `performance.now()`. */
	readonly viewAtMs: number;
	/** Faults that came outside of a view, newest last, one for each code. Reactive. */
	readonly faults: readonly Fault[];
	/** Never rejects: a node that is gone answers with an error like any other. */
	command(command: Command): Promise<CommandResult>;
	/** Forgets a fault here and in the node. */
	dismissFault(code: string): void;
	/** Called after each change of view or faults; for code outside of components. */
	onChange(listener: () => void): () => void;
	/** Another node answers from now on: what waits is answered with `code`, faults of the one before are forgotten. */
	moved(code: string): void;
	/** The node is gone on purpose: all that waits is answered with `code`. */
	stop(code: string): void;
}

export function createNodeClient(port: NodePort, nowMs: () => number = () => performance.now()): NodeClient {
	let view = $state.raw<View>();
	let viewAtMs = $state.raw(0);
	let faults = $state.raw<readonly Fault[]>([]);
	let stopped: string | undefined;
	let lastId = 0;
	const waiting = new Map<number, (result: CommandResult) => void>();
	const listeners = new Set<() => void>();

	function changed(): void {
		for (const listener of listeners) listener();
	}

	function answerAll(code: string): void {
		for (const resolve of waiting.values()) resolve(refused({ code }));
		waiting.clear();
	}

	function receive(output: NodeOutput): void {
		if (stopped !== undefined) return;
		if (output.type === "view") {
			view = output.view;
			viewAtMs = nowMs();
			changed();
		} else if (output.type === "reply") {
			waiting.get(output.id)?.(output.result);
			waiting.delete(output.id);
		} else if (output.type === "fault") {
			const { fault } = output;
			faults = [...faults.filter(({ code }) => code !== fault.code), fault];
			if (fault.code === "worker-failed") answerAll(fault.code);
			changed();
		}
	}

	function ask(command: Command): Promise<CommandResult> {
		if (stopped !== undefined) return Promise.resolve(refused({ code: stopped }));
		const id = ++lastId;
		return new Promise((resolve) => {
			waiting.set(id, resolve);
			port.post({ type: "command", id, command });
		});
	}

	/** What is refused is said at once, by a sentence that may have to be loaded. */
	async function command(command: Command): Promise<CommandResult> {
		const end = beginBusy();
		const result = await ask(command);
		end();
		if (!result.ok) await loadSentences();
		return result;
	}

	port.listen(receive);
	return {
		get view() {
			return view;
		},
		get viewAtMs() {
			return viewAtMs;
		},
		get faults() {
			return faults;
		},
		command,
		dismissFault(code) {
			faults = faults.filter((fault) => fault.code !== code);
			changed();
			void command({ type: "forgetFault", code });
		},
		onChange(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		moved(code) {
			answerAll(code);
			faults = [];
			changed();
		},
		stop(code) {
			stopped = code;
			answerAll(code);
			changed();
		},
	};
}
