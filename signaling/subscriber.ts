import type { WebSocket } from "ws";
import type { TokenBucket } from "../src/primitives/tokenBucket.js";

/** One socket, and what the relay knows about it. */
export interface Subscriber {
	readonly socket: WebSocket;
	/** Where it comes from; only sockets of the same address have to be told from those of others. */
	readonly address: string;
	readonly topics: Set<string>;
	readonly messages: TokenBucket;
	readonly forgiveness: TokenBucket;
	/** When it last sent a message, answered a ping, and was sent one. */
	heardMs: number;
	pongMs: number;
	pingMs: number;
	/** Since when it has had no topic; of no meaning while it has one. */
	topiclessSinceMs: number;
	/** What waits for it, when last looked at. */
	bufferedBytes: number;
}
