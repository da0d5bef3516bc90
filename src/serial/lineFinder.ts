/**
 * Finds out how a port has to be opened: one line after another is tried, until bytes come that mean something. What
 * comes before that is held, so that what the wrong line made of it is nobody's damage.
 */
import { createMeterDecoder } from "../meter/anyFormat.js";
import { LINE_NAMES, type LineName } from "../meter/lineNames.js";
import type { MeterDecoder, MeterEvent } from "../meter/telegram.js";

/** The slowest meters speak every 10 s. */
export const PROBE_MS = 11_000;
/** A line that was right, and has brought nothing that means something for so long, is wrong now. */
export const MEANINGLESS_MS = 60_000;
const MAX_HELD_BYTES = 65_536;
const KNOWN_FAILURES = 2;

export class LineFinder {
	readonly #chosen: LineName | undefined;
	readonly #createDecoder: () => MeterDecoder;
	#decoder: MeterDecoder;
	/** The line that was right last. */
	#known: LineName | undefined;
	#failures = 0;
	#at = 0;
	#held: Uint8Array[] = [];
	#heldBytes = 0;
	#isRight = false;
	#anyBytes = false;
	#anyInRound = false;

	/** `chosen`: the line that a person has set; undefined: any. */
	constructor(chosen: LineName | undefined, createDecoder: () => MeterDecoder = createMeterDecoder) {
		this.#chosen = chosen;
		this.#createDecoder = createDecoder;
		this.#decoder = createDecoder();
	}

	/** The line to open the port with. */
	get line(): LineName {
		return this.#chosen ?? this.#known ?? LINE_NAMES[this.#at] ?? LINE_NAMES[0];
	}

	/** Whether something that means something has come since {@link begin}. */
	get isRight(): boolean {
		return this.#isRight;
	}

	/** The port was opened. */
	begin(): void {
		this.#decoder = this.#createDecoder();
		this.#held = [];
		this.#heldBytes = 0;
		this.#isRight = false;
		this.#anyBytes = false;
	}

	/** Takes what came; gives what is to be handed on, and whether it brought something that means something. */
	take(bytes: Uint8Array): { chunks: Uint8Array[]; hasMeaning: boolean } {
		this.#anyBytes = true;
		const hasMeaning = this.#decoder.push(bytes).some(meansSomething);
		if (this.#isRight) return { chunks: [bytes], hasMeaning };
		this.#held.push(bytes);
		this.#heldBytes += bytes.length;
		while (this.#heldBytes > MAX_HELD_BYTES) this.#heldBytes -= this.#held.shift()?.length ?? this.#heldBytes;
		if (!hasMeaning) return { chunks: [], hasMeaning };
		this.#isRight = true;
		this.#known = this.line;
		this.#failures = 0;
		return { chunks: this.#held.splice(0), hasMeaning };
	}

	/**
	 * Nothing came in time that means something. "again": another line is to be tried at once. Else all were: "silent" if
	 * there was not one byte, "unrecognized" if what came says nothing at any of them.
	 */
	giveUp(): "again" | "silent" | "unrecognized" {
		this.#anyInRound ||= this.#anyBytes;
		if (this.#chosen === undefined && this.#anyBytes && this.#known !== undefined) {
			// A long list may not have been whole in time. If that happens twice, the meter is another one now.
			this.#failures += 1;
			if (this.#failures >= KNOWN_FAILURES) {
				this.#known = undefined;
				this.#at = 0;
			}
			return "again";
		}
		if (this.#chosen === undefined && this.#known === undefined) {
			this.#at = (this.#at + 1) % LINE_NAMES.length;
			if (this.#at !== 0) return "again";
		}
		const outcome = this.#anyInRound ? "unrecognized" : "silent";
		this.#anyInRound = false;
		return outcome;
	}
}

/** A telegram, or what can only be one: the meter's language is known though what it says is not. */
function meansSomething(event: MeterEvent): boolean {
	return event.kind === "telegram" || event.reason === "encrypted" || event.reason === "unknown-list";
}
