/**
 * The name under which this page lives on the topic, and what to do when another place lives under the same device's id: a
 * copy of this profile. Neighbours take its session for a restart of this device, and hear the older one no more. But only
 * they can tell the two nodes of each other, so the one that is left alone comes back under a new name; more and more
 * seldom, because the other does the same.
 */
import { toHex } from "../primitives/bytes.js";
import { backOffMs } from "./backOff.js";

const FIRST_RETURN_MS = 10_000;
const MAX_RETURN_MS = 3_600_000;
/** Names of this page that are remembered, so that it does not take its own echo for another's. */
const REMEMBERED = 64;

export class OwnSession {
	readonly #names: string[] = [];
	#isDisplaced = false;
	#returns = 0;
	#returnFromMs = 0;

	constructor() {
		this.begin();
	}

	get name(): string {
		return this.#names[0] ?? "";
	}

	/** From now on this page has a new random name. */
	begin(): void {
		this.#names.unshift(toHex(crypto.getRandomValues(new Uint8Array(16))));
		this.#names.length = Math.min(this.#names.length, REMEMBERED);
		this.#isDisplaced = false;
	}

	/** Somebody spoke under this device's id. The servers echo what one publishes. */
	heard(name: string): void {
		if (!this.#names.includes(name)) this.#isDisplaced = true;
	}

	/** Whether another place has spoken under this device's id since. */
	get isDisplaced(): boolean {
		return this.#isDisplaced;
	}

	/** Whether this page, which nobody is connected to, is to come back under a new name now. */
	mayReturn(nowMs: number): boolean {
		if (!this.#isDisplaced || nowMs < this.#returnFromMs) return false;
		this.#returnFromMs = nowMs + backOffMs(this.#returns, FIRST_RETURN_MS, MAX_RETURN_MS);
		this.#returns += 1;
		return true;
	}
}
