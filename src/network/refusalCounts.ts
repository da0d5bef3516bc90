/** Counts what was thrown away, by code. The codes are this program's own, so the table stays small. */
export class RefusalCounts {
	readonly #counts = new Map<string, number>();

	add(code: string): void {
		this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
	}

	toRecord(): Record<string, number> {
		return Object.fromEntries(this.#counts);
	}
}
