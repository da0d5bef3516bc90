/** Counts what was refused, by code. Nothing else is kept: no address, no topic, no content. */
export class Refusals {
	readonly #counts = new Map<RefusalCode, number>();

	add(code: RefusalCode): void {
		this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
	}

	toJSON(): Record<string, number> {
		return Object.fromEntries(this.#counts);
	}
}

export type RefusalCode =
	/** Messages. */
	| "message-too-long"
	| "message-binary"
	| "message-too-deep"
	| "message-not-json"
	| "message-unknown-type"
	| "bad-topic"
	| "too-many-topics"
	| "too-many-messages"
	/** Sockets. */
	| "bad-frame"
	| "bad-upgrade"
	| "foreign-origin"
	| "too-many-sockets"
	| "too-many-refusals"
	| "slow-receiver"
	| "idle"
	/** HTTP requests. */
	| "bad-request"
	| "bad-path"
	| "bad-method";
