/**
 * A tab that shows another tab's node: to its client it is a port like the worker's. It notices when the node goes
 * away, when another one begins, and when the tab that runs it is asleep.
 */
import type { NodeOutput } from "../../node/protocol.js";
import { refused } from "../../primitives/result.js";
import type { NodePort } from "../nodePort.js";
import type { FromNode, Life, TabChannel } from "./message.js";

export const ASK_MS = 2_000;
/** A question that was not answered for so long: a page that runs answers in milliseconds, hidden or not. */
export const ASLEEP_MS = 6_000;

export interface ScreenPort extends NodePort {
	/** The last life that was heard; 0 before the first. */
	readonly life: Life;
	stop(): void;
}

export interface ScreenOptions {
	channel: TabChannel;
	/** This tab's name among the others. */
	tab: string;
	nowMs: () => number;
	/** The life that was heard last, by a session that was a screen or the node before. */
	life: Life;
	/** Another life began. Nothing that waits will be answered by the one before. */
	onLife: () => void;
	/** The life that was heard last is over, and none has begun yet. */
	onGone: () => void;
	/** The tab that runs the node does not answer any more, or answers again. */
	onAsleep: (asleep: boolean) => void;
}

export function openScreen({ channel, tab, nowMs, onLife, onGone, onAsleep, ...options }: ScreenOptions): ScreenPort {
	const listeners: ((output: NodeOutput) => void)[] = [];
	let { life } = options;
	/** Whether somebody lives that life. */
	let attached = false;
	let stopped = false;
	let asleep = false;
	/** When the first question was asked that nobody has answered yet. */
	let askedMs: number | undefined;

	function ask(): void {
		askedMs ??= nowMs();
		channel.post({ type: "ask", fresh: !attached });
	}

	function setAsleep(next: boolean): void {
		if (asleep === next) return;
		asleep = next;
		onAsleep(asleep);
	}

	function emit(output: NodeOutput): void {
		for (const listener of listeners) listener(output);
	}

	function receive(message: FromNode): void {
		// A tab that was robbed may still speak when it thaws.
		if (message.life < life) return;
		if (message.type === "gone") {
			attached = false;
			life = message.life;
			onGone();
			return;
		}
		askedMs = undefined;
		if (message.life > life || !attached) {
			life = message.life;
			onLife();
			ask();
			attached = true;
		}
		setAsleep(false);
		if (message.type === "output") emit(message.output);
		else if (message.type === "reply" && message.tab === tab) {
			emit({ type: "reply", id: message.id, result: message.result });
		}
	}

	channel.listen((message) => {
		if (!stopped && message.type !== "ask" && message.type !== "command") receive(message);
	});
	ask();
	// A hidden page's timer comes late, and then asks and looks late; nothing is wrongly taken for asleep by it.
	const timer = setInterval(() => {
		if (askedMs !== undefined && nowMs() - askedMs >= ASLEEP_MS) setAsleep(true);
		ask();
	}, ASK_MS);

	return {
		get life() {
			return life;
		},
		listen: (listener) => listeners.push(listener),
		post(input) {
			if (input.type !== "command") return;
			const { id, command } = input;
			if (attached) channel.post({ type: "command", life, tab, id, command });
			else emit({ type: "reply", id, result: refused({ code: "node-away" }) });
		},
		stop() {
			stopped = true;
			clearInterval(timer);
		},
	};
}
