/**
 * What the tabs of one browser say to one another: one of them runs the node, the others are screens of it. They are of
 * one origin and trust one another; only the outer shape is checked, for a tab that still runs an older version.
 */
import * as v from "valibot";
import type { Command, NodeOutput } from "../../node/protocol.js";
import type { CommandResult } from "../nodeClient.svelte.js";

/**
 * One run of the node by one tab: higher than that of any run before it. What an older run still says, from a tab that
 * was frozen while another took over, is told apart by it.
 */
export type Life = number;

export type FromNode =
	/** Here, and not asleep: at the start of a life, and in answer to every question. */
	| { type: "alive"; life: Life }
	/** What every screen shows. */
	| { type: "output"; life: Life; output: Extract<NodeOutput, { type: "view" | "fault" }> }
	/** Only for the tab that asked. */
	| { type: "reply"; life: Life; tab: string; id: number; result: CommandResult }
	/** This life is over: the tab closes, or its worker failed. */
	| { type: "gone"; life: Life };

export type FromScreen =
	/** Is anybody there? `fresh`: knows nothing yet, and needs the current view and faults. */
	| { type: "ask"; fresh: boolean }
	/** Meant for one life only: another one does not carry it out. `id` is unique in its tab. */
	| { type: "command"; life: Life; tab: string; id: number; command: Command };

export type TabMessage = FromNode | FromScreen;

/** All tabs of an origin; what a tab says itself does not come back to it. */
export interface TabChannel {
	post(message: TabMessage): void;
	listen(listener: (message: TabMessage) => void): void;
	close(): void;
}

/** Databases carry grid and device in their names; an origin has one node, and so one channel. */
export const CHANNEL_NAME = "nabostrom/node";

export function openTabChannel(name = CHANNEL_NAME): TabChannel {
	const channel = new BroadcastChannel(name);
	return {
		post: (message) => channel.postMessage(message),
		listen: (listener) => {
			channel.addEventListener("message", (event: Event) => {
				const message = readMessage((event as MessageEvent<unknown>).data);
				if (message !== undefined) listener(message);
			});
		},
		close: () => channel.close(),
	};
}

const typed = (...types: string[]) => v.looseObject({ type: v.picklist(types) });
const life = v.number();

const shape = v.variant("type", [
	v.object({ type: v.literal("alive"), life }),
	v.object({ type: v.literal("output"), life, output: typed("view", "fault") }),
	v.object({
		type: v.literal("reply"),
		life,
		tab: v.string(),
		id: v.number(),
		result: v.looseObject({ ok: v.boolean() }),
	}),
	v.object({ type: v.literal("gone"), life }),
	v.object({ type: v.literal("ask"), fresh: v.boolean() }),
	v.object({
		type: v.literal("command"),
		life,
		tab: v.string(),
		id: v.number(),
		command: v.looseObject({ type: v.string() }),
	}),
]);

/** Undefined: nothing that this version knows. */
export function readMessage(data: unknown): TabMessage | undefined {
	const read = v.safeParse(shape, data);
	return read.success ? (read.output as unknown as TabMessage) : undefined;
}
