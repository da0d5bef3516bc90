import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { codeText, isKnownCode } from "../../../src/ui/errorText.js";
import { preferredLocale } from "../../../src/ui/locale.svelte.js";

const SOURCES = new URL("../../../src/ui/", import.meta.url);

function catalogue(locale: string): Record<string, string> {
	return JSON.parse(readFileSync(new URL(`../../../src/ui/messages/${locale}.json`, import.meta.url), "utf8"));
}

function placeholders(text: string | undefined): string[] {
	return [...(text ?? "").matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();
}

describe("Norwegian and English", () => {
	const nb = catalogue("nb");
	const en = catalogue("en");

	test("have the same messages with the same values in them", () => {
		expect(Object.keys(en)).toEqual(Object.keys(nb));
		for (const key of Object.keys(nb)) expect([key, placeholders(en[key])]).toEqual([key, placeholders(nb[key])]);
	});

	test("are all used somewhere, and whatever is used is there", () => {
		const used = new Set<string>();
		for (const file of readdirSync(SOURCES, { recursive: true, encoding: "utf8" })) {
			if (!/\.(ts|svelte)$/.test(file) || file.startsWith("paraglide")) continue;
			const text = readFileSync(new URL(file, SOURCES), "utf8");
			for (const [, key = ""] of text.matchAll(/\bm\.(\w+)/g)) used.add(key);
		}
		const known = Object.keys(nb).filter((key) => key !== "$schema");
		expect({
			unused: known.filter((key) => !used.has(key)),
			missing: [...used].filter((key) => !known.includes(key)),
		}).toEqual({ unused: [], missing: [] });
	});

	test("never say wallet, gas or seed phrase", () => {
		const texts = [...Object.values(nb), ...Object.values(en)].join("\n");
		expect(texts).not.toMatch(/wallet|lommebok|\bgas\b|seed phrase/i);
	});
});

describe("the language", () => {
	test("is the first of the browser's that there is, Norwegian for all kinds of Norwegian", () => {
		expect(preferredLocale(["nn-NO", "en"])).toBe("nb");
		expect(preferredLocale(["no"])).toBe("nb");
		expect(preferredLocale(["de-DE", "en-US", "nb"])).toBe("en");
		expect(preferredLocale(["de"])).toBe("nb");
	});
});

describe("codes become sentences", () => {
	test("a known one", () => {
		expect(codeText("own-offer")).toBe("Dette er ditt eget tilbud.");
	});

	test("an unknown one is named, also when it is the name of something in every object", () => {
		expect(codeText("flux-capacitor")).toContain("flux-capacitor");
		expect(codeText("constructor")).toContain("constructor");
	});

	test("every refusal of the ledger is known", () => {
		const source = readFileSync(new URL("../../../src/contract/refusal.ts", import.meta.url), "utf8");
		const codes = [...source.matchAll(/code: "([\w-]+)"/g)].map((match) => match[1] ?? "");
		expect(codes.length).toBeGreaterThan(20);
		expect(codes.filter((code) => !isKnownCode(code))).toEqual([]);
	});
});
