/** What is to happen, by virtual time: a binary heap. Of two things at one time the one that was planned first comes first. */

export type Happening = () => void | Promise<void>;

interface Planned {
	readonly atMs: number;
	readonly order: number;
	readonly happen: Happening;
}

export class Agenda {
	readonly #heap: Planned[] = [];
	#order = 0;

	get size(): number {
		return this.#heap.length;
	}

	get nextMs(): number {
		return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
	}

	plan(atMs: number, happen: Happening): void {
		const heap = this.#heap;
		const planned = { atMs, order: this.#order++, happen };
		let at = heap.length;
		heap.push(planned);
		while (at > 0) {
			const above = (at - 1) >> 1;
			const parent = heap[above];
			if (parent === undefined || isBefore(parent, planned)) break;
			heap[at] = parent;
			at = above;
		}
		heap[at] = planned;
	}

	/** Everything happens so much later; the order stays. */
	postpone(ms: number): void {
		for (const [at, planned] of this.#heap.entries()) this.#heap[at] = { ...planned, atMs: planned.atMs + ms };
	}

	take(): Planned | undefined {
		const heap = this.#heap;
		const first = heap[0];
		const last = heap.pop();
		if (first === undefined || last === undefined || heap.length === 0) return first;
		let at = 0;
		for (;;) {
			let below = 2 * at + 1;
			let child = heap[below];
			if (child === undefined) break;
			const right = heap[below + 1];
			if (right !== undefined && isBefore(right, child)) {
				below += 1;
				child = right;
			}
			if (isBefore(last, child)) break;
			heap[at] = child;
			at = below;
		}
		heap[at] = last;
		return first;
	}
}

function isBefore(a: Planned, b: Planned): boolean {
	return a.atMs !== b.atMs ? a.atMs < b.atMs : a.order < b.order;
}
