/**
 * What the server allows, all in one place. Everything that grows with what others send has a bound here, so memory has
 * one as well: see {@link limitsFor}.
 */

export interface RelayLimits {
	messageBytes: number;
	/** In how many frames, and pieces read from the network, one message may come: each piece costs memory of its own. */
	messageParts: number;
	sockets: number;
	/** On a full server, sockets beyond this of one address give way to those of addresses that have fewer. */
	fairSocketsPerAddress: number;
	topicsPerSocket: number;
	topics: number;
	/** To so many a published message is multiplied. */
	socketsPerTopic: number;
	/** Tokens a socket may save up, and gets each second. A message costs one token for each kB that it begins. */
	burstTokens: number;
	tokensPerSecond: number;
	/** What may wait for one slow receiver, and for all receivers together. */
	bufferedBytesPerSocket: number;
	bufferedBytes: number;
	/** A socket that says nothing for that long is closed. */
	idleMs: number;
	/** A socket that subscribes to nothing for that long is closed, whatever else it says. */
	topiclessMs: number;
	/** So many refused messages (and one more each second) are forgiven before the socket is closed. */
	refusals: number;
}

export interface ConnectionLimits {
	/** TCP connections of each server; more than sockets, since a page loads a dozen files at once. */
	connections: number;
	/** Of one address of the network; a whole housing block may sit behind one. */
	connectionsPerAddress: number;
	/** How many more an address may open each second, once it has opened `connectionsPerAddress` at once. */
	newConnectionsPerSecond: number;
	/** Addresses remembered at the same moment. */
	addresses: number;
}

export type Limits = RelayLimits & ConnectionLimits;

export const DEFAULT_SOCKETS = 10_000;
/** Ports and file descriptors end here on most systems. */
export const MAX_SOCKETS = 60_000;

/**
 * The limits of a server for so many sockets. The memory of 10,000 is bounded by: 64 MB that wait for receivers; 60 MB of
 * topics; 160 MB of messages that never end, with 160 MB for the pieces they come in; and what a connection costs by
 * itself, some 6 kB, or 32 kB with TLS, and 20 kB more once it is busy. The system's own socket buffers come on top.
 */
export function limitsFor(sockets: number): Limits {
	const connections = sockets + 1_024;
	return {
		messageBytes: 16_384,
		messageParts: 64,
		sockets,
		fairSocketsPerAddress: Math.max(16, Math.floor(sockets / 100)),
		topicsPerSocket: 32,
		// A device uses a few at a time, and shares them with its neighbours.
		topics: 8 * sockets,
		socketsPerTopic: 512,
		// A sealed signal has 6 kB, and so 6 tokens. Enough for 60 pages that find one another at the same moment: an
		// announcement, a description and some candidates to each, and once more for what failed.
		burstTokens: 6_000,
		tokensPerSecond: 300,
		bufferedBytesPerSocket: 1_048_576,
		bufferedBytes: 67_108_864,
		idleMs: 90_000,
		topiclessMs: 15_000,
		refusals: 100,
		connections,
		connectionsPerAddress: 1_024,
		newConnectionsPerSecond: 50,
		addresses: 2 * connections,
	};
}
