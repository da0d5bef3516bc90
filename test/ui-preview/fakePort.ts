/** A port without a node behind it: one view, and an answer to every command. */
import type { Command, LinkContent, NodeOutput, ReplyValue } from "../../src/node/protocol.js";
import type { View } from "../../src/node/view.js";
import type { OwnedPort } from "../../src/ui/nodePort.js";
import { blockPage, blockReceipt } from "./blocks.js";
import { contractMinutes, NOW_MS, outlook, series, statement, usage, whatIf } from "./views.js";

const WORDS = "solar river copper maple window garden bridge orbit lemon castle velvet anchor".split(" ");

function contentOf(link: string): LinkContent {
	if (link.startsWith("lobby")) return { kind: "lobby" };
	if (link.startsWith("restore")) return { kind: "restore", needs: "password" };
	return { kind: "join", expiryMs: NOW_MS + 365 * 86_400_000, observer: true };
}

export function fakePort(view: View): OwnedPort {
	const listeners: ((output: NodeOutput) => void)[] = [];

	function send(output: NodeOutput): void {
		for (const listener of listeners) listener(output);
	}

	function answer(command: Command): ReplyValue {
		if (command.type === "invite") return { type: "link", link: `join=${"2f".repeat(70)}` };
		if (command.type === "wayBackLink") return { type: "link", link: `restore=${"4b".repeat(50)}` };
		if (command.type === "words") return { type: "words", words: WORDS };
		if (command.type === "readLink") return { type: "linkRead", content: contentOf(command.link) };
		if (command.type === "restoreLink") return { type: "link", link: `restore=${"3a".repeat(70)}` };
		if (command.type === "series") {
			const { member, fromMinute, untilMinute } = command;
			return { type: "series", series: series(member, fromMinute, untilMinute) };
		}
		if (command.type === "statement") {
			return { type: "statement", statement: statement(command.fromMinute, command.untilMinute) };
		}
		if (command.type === "exportSlice") return { type: "exportSlice", text: "" };
		if (command.type === "offerOutlook") return { type: "offerOutlook", outlook: outlook() };
		if (command.type === "contractMinutes") {
			const { fromMinute, untilMinute } = command;
			return contractMinutes(fromMinute, untilMinute);
		}
		if (command.type === "usage") {
			const own = view.stage === "street" ? view.self.index : 0;
			return { type: "usage", usage: usage(command, own) };
		}
		if (command.type === "blocks") return { type: "blocks", page: blockPage(command, view) };
		if (command.type === "block") return { type: "block", block: blockReceipt(command.index, view) };
		if (command.type === "whatIf") {
			return { type: "whatIf", whatIf: whatIf(command.fromMinute, command.untilMinute, command.rule) };
		}
		if (
			command.type === "buy" ||
			command.type === "revoke" ||
			command.type === "offer" ||
			command.type === "accept" ||
			command.type === "issue"
		)
			return { type: "signed", id: "5a".repeat(32) };
		return { type: "done" };
	}

	return {
		post(input) {
			if (input.type !== "command") return;
			const { id, command } = input;
			setTimeout(() => send({ type: "reply", id, result: { ok: true, value: answer(command) } }), 20);
		},
		listen(listener) {
			listeners.push(listener);
			setTimeout(() => listener({ type: "view", view }), 0);
		},
		terminate() {
			listeners.length = 0;
		},
	};
}
