/** The language of the screens: from the browser, switchable, remembered. Every message read in a component follows it. */
import { keepText, readText } from "./keptText.js";
import { isLocale, type Locale, overwriteGetLocale } from "./paraglide/runtime.js";

const STORAGE_KEY = "nabostrom/language";

let current = $state.raw<Locale>("nb");

overwriteGetLocale(locale);

/** The language now. Reactive. */
export function locale(): Locale {
	return current;
}

/** The language in which `Intl` formats. */
export function intlTag(): "nb-NO" | "en-GB" {
	return locale() === "nb" ? "nb-NO" : "en-GB";
}

/** The first of the browser's languages that there is; Norwegian for every kind of Norwegian, and where none fits. */
export function preferredLocale(languages: readonly string[]): Locale {
	for (const language of languages) {
		const primary = language.toLowerCase().split("-")[0];
		if (primary === "nb" || primary === "nn" || primary === "no") return "nb";
		if (primary === "en") return "en";
	}
	return "nb";
}

/** Takes the remembered language or the browser's. Called once, before the first screen. */
export function initLocale(): void {
	const remembered = readText(STORAGE_KEY);
	apply(isLocale(remembered) ? remembered : preferredLocale(navigator.languages));
}

/** Changes the language of every screen and remembers it in this browser. */
export function setLocale(locale: Locale): void {
	apply(locale);
	keepText(STORAGE_KEY, locale);
}

function apply(locale: Locale): void {
	current = locale;
	if (typeof document !== "undefined") document.documentElement.lang = locale;
}
