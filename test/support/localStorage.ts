import { vi } from "vitest";

/** Stands in for the browser's store of small texts; what is in it. */
export function stubLocalStorage(): Map<string, string> {
	const kept = new Map<string, string>();
	vi.stubGlobal("localStorage", {
		getItem: (key: string) => kept.get(key) ?? null,
		setItem: (key: string, text: string) => kept.set(key, text),
		removeItem: (key: string) => kept.delete(key),
	});
	return kept;
}
