/** Counts what was refused, by code. Nothing else is kept: no address, no topic, no content. */
export class Refusals {
	readonly #counts = new Map<RefusalCode, number>();

	add(code: RefusalCode): void {
		this.#counts.set(code, this.count(code) + 1);
	}

	count(code: RefusalCode): number {
		return this.#counts.get(code) ?? 0;
	}

	/** Only what was refused at least once. */
	toJSON(): Partial<Record<RefusalCode, number>> {
		return Object.fromEntries(this.#counts);
	}
}

export const REFUSAL_CODES = [
	// Messages.
	"message-too-long",
	"message-binary",
	"message-too-deep",
	"message-not-json",
	"message-unknown-type",
	"bad-topic",
	/** This socket has as many as it may; all sockets together have; this topic has as many subscribers as it may. */
	"too-many-topics",
	"topics-full",
	"topic-full",
	"too-many-messages",
	// Sockets.
	"bad-frame",
	"too-many-fragments",
	"bad-upgrade",
	"foreign-origin",
	"too-many-sockets",
	/** It made room for one of an address that has few, when the server was full. */
	"gave-way",
	"too-many-refusals",
	/** Too much waited for this receiver: it was cut off. Too much waited for all: this receiver missed one message. */
	"slow-receiver",
	"backlog-full",
	"idle",
	"no-topic",
	"stopping",
	// Connections and HTTP requests.
	"too-many-connections",
	"too-many-connections-of-address",
	"too-many-new-connections-of-address",
	"bad-request",
	"bad-path",
	"bad-method",
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];
