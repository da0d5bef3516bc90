/** Random numbers for damage: the same seed, the same damage. */

/** An integer in [0, below). */
export type Random = (below: number) => number;

/** xorshift32 (Marsaglia 2003); the seed is not 0. */
export function createRandom(seed: number): Random {
	let state = seed;
	return (below) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
}

/** One of them. */
export function pick<T>(list: readonly T[], random: Random): T {
	return list[random(list.length)] as T;
}
