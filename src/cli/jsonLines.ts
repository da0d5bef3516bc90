/**
 * On which line of a JSON text things stand, for complaints to a person. `JSON.parse` decides what is JSON; its errors
 * name a position only sometimes, and what it gives has none.
 */

export interface JsonLines {
	/** The line (from 1) on which the value of a dotted path stands, or the nearest that is there above it. */
	lineOf(path: string): number;
	/** The line on which the text stops being JSON; its last one when it does not. */
	readonly errorLine: number;
}

/** Walks a text once. */
export function jsonLines(source: string): JsonLines {
	const walker = new Walker(source);
	walker.value("", 0);
	// Where the text ends too early, its last line with anything on it is the one to look at.
	const errorAt = Math.min(walker.skipBlanks(), source.trimEnd().length);
	const lineAt = (offset: number) => source.slice(0, offset).split("\n").length;
	return {
		errorLine: lineAt(errorAt),
		lineOf: (path) => {
			const steps = path === "" ? [] : path.split(".");
			for (; steps.length > 0; steps.pop()) {
				const offset = walker.offsets.get(steps.join("."));
				if (offset !== undefined) return lineAt(offset);
			}
			return lineAt(walker.offsets.get("") ?? 0);
		},
	};
}

const MAX_DEPTH = 100;
const BLANKS = /[ \t\r\n]*/y;
const TEXT = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

class Walker {
	readonly offsets = new Map<string, number>();
	readonly #source: string;
	#at = 0;

	constructor(source: string) {
		this.#source = source;
	}

	/** Steps over a value and remembers where it and all in it stand; false: here it is no JSON. */
	value(path: string, depth: number): boolean {
		this.offsets.set(path, this.skipBlanks());
		if (depth > MAX_DEPTH) return false;
		if (this.#take("{")) return this.#list("}", () => this.#member(path, depth));
		if (this.#take("[")) {
			let index = 0;
			return this.#list("]", () => this.value(path === "" ? `${index++}` : `${path}.${index++}`, depth + 1));
		}
		return this.#match(TEXT) !== undefined || this.#match(SCALAR) !== undefined;
	}

	skipBlanks(): number {
		this.#match(BLANKS);
		return this.#at;
	}

	#member(path: string, depth: number): boolean {
		const key = this.#match(TEXT);
		if (key === undefined || !this.#take(":")) return false;
		const name: unknown = JSON.parse(key);
		return this.value(path === "" ? `${name}` : `${path}.${name}`, depth + 1);
	}

	/** Items with commas between them, up to the closing bracket. */
	#list(close: string, item: () => boolean): boolean {
		if (this.#take(close)) return true;
		for (;;) {
			this.skipBlanks();
			if (!item()) return false;
			if (this.#take(close)) return true;
			if (!this.#take(",")) return false;
		}
	}

	#take(character: string): boolean {
		if (this.#source[this.skipBlanks()] !== character) return false;
		this.#at += 1;
		return true;
	}

	#match(pattern: RegExp): string | undefined {
		pattern.lastIndex = this.#at;
		const found = pattern.exec(this.#source)?.[0];
		this.#at += found?.length ?? 0;
		return found;
	}
}
