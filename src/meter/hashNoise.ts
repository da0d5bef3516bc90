/**
 * Randomness that can be looked up: a value for every (seed, stream, index), the same in any order of asking. The
 * simulated household needs no generator that has to be run from its beginning.
 */

/** A whole number below 2^32, from the finalizer of MurmurHash3 over the three. */
export function hash32(seed: number, stream: number, index: number): number {
	let hash = mix(seed | 0);
	hash = mix(hash ^ Math.imul(stream, 0x9e3779b1));
	hash = mix(hash ^ Math.imul(index, 0x85ebca77));
	return mix(hash + Math.floor(index / 2 ** 32)) >>> 0;
}

/** Evenly spread in [0, 1). */
export function uniform(seed: number, stream: number, index: number): number {
	return hash32(seed, stream, index) / 2 ** 32;
}

/** Between `low` and `high`. */
export function between(seed: number, stream: number, index: number, low: number, high: number): number {
	return low + (high - low) * uniform(seed, stream, index);
}

/** Nearly normal, mean 0, deviation 1: Irwin–Hall of four, never beyond ±3.5. */
export function normal(seed: number, stream: number, index: number): number {
	let sum = -2;
	for (let i = 0; i < 4; i++) sum += uniform(seed, stream, 4 * index + i);
	return sum * Math.sqrt(3);
}

/**
 * An AR(1) series x(i) = φ·x(i−1) + √(1−φ²)·ε(i) of mean 0 and deviation 1, looked up at any index: the sum of its
 * past shocks, as far back as they still count for 1 %.
 */
export function autoregressive(seed: number, stream: number, index: number, phi: number): number {
	const terms = Math.ceil(Math.log(0.01) / Math.log(phi));
	let sum = 0;
	for (let k = terms; k >= 0; k--) sum = phi * sum + normal(seed, stream, index - k);
	return sum * Math.sqrt(1 - phi * phi);
}

function mix(value: number): number {
	let hash = value ^ (value >>> 16);
	hash = Math.imul(hash, 0x85ebca6b);
	hash ^= hash >>> 13;
	hash = Math.imul(hash, 0xc2b2ae35);
	return hash ^ (hash >>> 16);
}
