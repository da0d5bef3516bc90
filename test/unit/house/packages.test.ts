import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const read = (name: string) => readFile(new URL(`../../../${name}`, import.meta.url), "utf8");

it("is installed without letting any package run a program: .npmrc says so, and only esbuild would want to", async () => {
	expect((await read(".npmrc")).split("\n")).toContain("ignore-scripts=true");
	const lock: { packages: Record<string, { hasInstallScript?: true }> } = JSON.parse(await read("package-lock.json"));
	const wanting = Object.entries(lock.packages).flatMap(([path, { hasInstallScript }]) =>
		hasInstallScript ? [path] : [],
	);
	// It only replaces a starter by the program itself; without it the starter stays.
	expect(wanting).toEqual(["node_modules/esbuild"]);
});

it("has no script that npm would leave out without a word, and none that misses its packages after a clone", async () => {
	const { scripts }: { scripts: Record<string, string> } = JSON.parse(await read("package.json"));
	const names = Object.keys(scripts);
	expect(names.filter((name) => /^(pre|post)/.test(name) && names.includes(name.replace(/^(pre|post)/, "")))).toEqual(
		[],
	);
	for (const name of ["start", "test", "build", "signaling", "replay", "meter", "simulate", "bench"]) {
		expect(scripts[name]).toMatch(/^node \.ci\/packages\.mjs && /);
	}
});
