/** The tab that runs the node serves the other tabs: views and faults go out, commands come in, replies go back. */
import type { NodeOutput } from "../../node/protocol.js";
import type { View } from "../../node/view.js";
import type { NodeClient } from "../nodeClient.svelte.js";
import type { NodePort } from "../nodePort.js";
import type { FromScreen, Life, TabChannel } from "./message.js";

export interface ScreenServer {
	/** The page freezes: its worker stands still, but messages of other tabs may still be heard here (Chromium). */
	sleep(): void;
	/** It goes on. */
	wake(): void;
	/** Says that this life is over, and is silent from then on. */
	stop(): void;
}

export function serveScreens(options: {
	port: NodePort;
	channel: TabChannel;
	life: Life;
	/** Its faults are told to every new screen. */
	client: Pick<NodeClient, "faults">;
}): ScreenServer {
	const { port, channel, life, client } = options;
	let stopped = false;
	let asleep = false;
	let view: View | undefined;
	/** A view is copied for every tab five times a second: not for nobody. */
	let watched = false;
	/** Screens' commands have negative ids at the node, so that none is an id of this tab's own client. */
	let lastId = 0;
	const asked = new Map<number, { tab: string; id: number }>();

	function onOutput(output: NodeOutput): void {
		if (stopped) return;
		if (output.type === "view") view = output.view;
		if (output.type === "view" || output.type === "fault") {
			if (watched) channel.post({ type: "output", life, output });
		} else if (output.type === "reply") {
			const asker = asked.get(output.id);
			if (asker !== undefined) channel.post({ type: "reply", life, ...asker, result: output.result });
			asked.delete(output.id);
		}
	}

	function onScreen(message: FromScreen): void {
		if (message.type === "command") {
			// It was meant for another life, and has been answered as lost.
			if (message.life !== life) return;
			lastId -= 1;
			asked.set(lastId, { tab: message.tab, id: message.id });
			port.post({ type: "command", id: lastId, command: message.command });
			return;
		}
		watched = true;
		// Not to answer is what tells the others.
		if (asleep) return;
		channel.post({ type: "alive", life });
		if (!message.fresh) return;
		if (view !== undefined) channel.post({ type: "output", life, output: { type: "view", view } });
		for (const fault of client.faults) channel.post({ type: "output", life, output: { type: "fault", fault } });
	}

	port.listen(onOutput);
	channel.listen((message) => {
		if (!stopped && (message.type === "ask" || message.type === "command")) onScreen(message);
	});
	channel.post({ type: "alive", life });
	return {
		sleep() {
			asleep = true;
		},
		wake() {
			if (stopped || !asleep) return;
			asleep = false;
			channel.post({ type: "alive", life });
		},
		stop() {
			if (stopped) return;
			stopped = true;
			channel.post({ type: "gone", life });
		},
	};
}
