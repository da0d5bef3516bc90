/** Seeded random numbers. Every use has a stream of its own, so that taking one fault away changes no other draw. */

/** Mulberry32, seeded by a hash of seed and stream name. */
export class Random {
	#state: number;

	constructor(seed: number, stream: string) {
		// FNV-1a over the name, mixed with the seed.
		let hash = 0x811c9dc5 ^ seed;
		for (let at = 0; at < stream.length; at++) hash = Math.imul(hash ^ stream.charCodeAt(at), 0x01000193);
		this.#state = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ seed;
	}

	/** In [0, 1). */
	next(): number {
		this.#state = (this.#state + 0x6d2b79f5) | 0;
		let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
	}

	/** An integer in [0, limit). */
	below(limit: number): number {
		return Math.floor(this.next() * limit);
	}

	/** An integer in [from, to]. */
	between(from: number, to: number): number {
		return from + this.below(to - from + 1);
	}

	happens(probability: number): boolean {
		return this.next() < probability;
	}

	pick<T>(choices: readonly T[]): T {
		const choice = choices[this.below(choices.length)];
		if (choice === undefined) throw new Error("something to choose from");
		return choice;
	}

	/** Some of them, each with the same probability, in their order. */
	some<T>(choices: readonly T[], probability: number): T[] {
		return choices.filter(() => this.happens(probability));
	}

	/** One of the ranges between neighbouring steps, then evenly within it: short ones are as likely as long ones. */
	step(steps: readonly number[]): number {
		const at = this.below(steps.length - 1);
		return this.between(steps[at] ?? 0, steps[at + 1] ?? 0);
	}
}
