/**
 * The part of simple-peer that the mesh uses. The published types pull in Node.js's, which a page does not have, and
 * know nothing of the browser bundle; the package's own entry needs a `global` that browsers lack.
 */
declare module "simple-peer/simplepeer.min.js" {
	interface Options {
		initiator: boolean;
		/** Always given: the package's default asks public STUN servers. */
		config: RTCConfiguration;
		trickle: boolean;
		/** Received text arrives as a string and bytes as Uint8Array, one event for each message. */
		readableObjectMode: boolean;
	}

	type SignalData = { type: "offer" | "answer"; sdp: string } | { type: "candidate"; candidate: RTCIceCandidateInit };

	export default class Peer {
		constructor(options: Options);
		/** Bytes that the data channel has not sent yet. */
		readonly bufferSize: number;
		signal(data: SignalData): void;
		/** Throws while the channel is not open. */
		send(frame: Uint8Array): void;
		destroy(): void;
		on(event: "signal", listener: (data: { type: string }) => void): this;
		on(event: "connect" | "close", listener: () => void): this;
		on(event: "data", listener: (data: unknown) => void): this;
		on(event: "error", listener: (error: Error & { code?: string }) => void): this;
	}
}
