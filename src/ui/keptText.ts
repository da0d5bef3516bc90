/** Small texts that this browser keeps for its screens. One that keeps nothing has none the next time. */

export function readText(key: string): string | null {
	try {
		return localStorage.getItem(key);
	} catch {
		return null;
	}
}

/** Undefined: it is forgotten. */
export function keepText(key: string, text: string | undefined): void {
	try {
		if (text === undefined) localStorage.removeItem(key);
		else localStorage.setItem(key, text);
	} catch {
		// Nothing that counts is kept here.
	}
}
