/**
 * Light, dark, or as the system: chosen under "More", kept in this browser. The colours are `light-dark()`, so that the
 * colour scheme of the root decides (app.css); `public/first-paint.js` names it there before the first paint.
 */
import { keepText, readText } from "./keptText.js";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const STORAGE_KEY = "nabostrom/theme";
/** `--bg` of app.css, for the browser's own bars. */
const BAR_COLOURS = { light: "#f5f6f8", dark: "#0b1220" };

let current = $state.raw<Theme>("system");
const listeners = new Set<() => void>();

/** Reactive. */
export function theme(): Theme {
	return current;
}

/** Takes the kept theme. Called once, before the first screen. */
export function initTheme(): void {
	const kept = readText(STORAGE_KEY);
	current = THEMES.find((name) => name === kept) ?? "system";
	paint();
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
}

export function setTheme(theme: Theme): void {
	current = theme;
	keepText(STORAGE_KEY, theme === "system" ? undefined : theme);
	paint();
	tell();
}

/** Calls it whenever the colours are others: what is drawn on a canvas has to be drawn anew. Returns how to stop that. */
export function onColours(listener: () => void): () => void {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

function tell(): void {
	for (const listener of listeners) listener();
}

function paint(): void {
	document.documentElement.dataset.theme = current;
	for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
		const ofSystem = meta.media.includes("dark") ? "dark" : "light";
		meta.content = BAR_COLOURS[current === "system" ? ofSystem : current];
	}
}
