/**
 * What a socket may say: y-webrtc's JSON messages. The reference server trusts its clients and exits on the first
 * message that is not JSON; here everything that is not one of these four shapes is a refusal.
 */
import { ok, type Result, refused } from "../src/primitives/result.js";

export type ClientMessage =
	| { type: "subscribe"; topics: string[] }
	| { type: "unsubscribe"; topics: string[] }
	/** `data` is whatever the clients tell one another; absent in the message: undefined. */
	| { type: "publish"; topic: string; data: unknown }
	| { type: "ping" };

export type MessageError = {
	code: "message-too-deep" | "message-not-json" | "message-unknown-type" | "bad-topic";
};

export const MAX_TOPIC_LENGTH = 256;
/** y-webrtc's own messages are 4 deep, ours 4; JSON.stringify, which recurses, must never meet thousands. */
const MAX_DEPTH = 16;

/** Reads one text message. */
export function parseMessage(text: string): Result<ClientMessage, MessageError> {
	if (nestingOf(text) > MAX_DEPTH) return refused({ code: "message-too-deep" });
	let message: unknown;
	try {
		message = JSON.parse(text);
	} catch {
		return refused({ code: "message-not-json" });
	}
	if (typeof message !== "object" || message === null || !("type" in message)) {
		return refused({ code: "message-unknown-type" });
	}
	switch (message.type) {
		case "subscribe":
		case "unsubscribe": {
			const topics = "topics" in message ? message.topics : [];
			if (!Array.isArray(topics) || !topics.every(isTopic)) return refused({ code: "bad-topic" });
			return ok({ type: message.type, topics });
		}
		case "publish":
			if (!("topic" in message) || !isTopic(message.topic)) return refused({ code: "bad-topic" });
			return ok({ type: "publish", topic: message.topic, data: "data" in message ? message.data : undefined });
		case "ping":
			return ok({ type: "ping" });
		default:
			return refused({ code: "message-unknown-type" });
	}
}

function isTopic(value: unknown): value is string {
	return typeof value === "string" && value.length > 0 && value.length <= MAX_TOPIC_LENGTH;
}

/** The deepest nesting of brackets outside strings. Text that is not JSON gets some number; the parser refuses it. */
function nestingOf(text: string): number {
	let depth = 0;
	let deepest = 0;
	let inString = false;
	for (let i = 0; i < text.length; i++) {
		const character = text[i];
		if (inString) {
			if (character === "\\") i += 1;
			else if (character === '"') inString = false;
		} else if (character === '"') {
			inString = true;
		} else if (character === "[" || character === "{") {
			depth += 1;
			deepest = Math.max(deepest, depth);
		} else if (character === "]" || character === "}") {
			depth -= 1;
		}
	}
	return deepest;
}
