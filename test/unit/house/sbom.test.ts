import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const project = fileURLToPath(new URL("../../../", import.meta.url));

/** What is looked at of CycloneDX 1.5. */
interface Bom {
	bomFormat: string;
	specVersion: string;
	components: Component[];
	dependencies: { ref: string; dependsOn: string[] }[];
}

interface Component {
	"bom-ref": string;
	name: string;
	version: string;
	purl: string;
	licenses: { license?: { id?: string; name?: string }; expression?: string }[];
	hashes: { alg: string; content: string }[];
}

const printed = execFileSync(process.execPath, [".ci/sbom.mjs"], { cwd: project, encoding: "utf8" });
const bom: Bom = JSON.parse(printed);
const packageJson: { name: string; version: string; dependencies: Record<string, string> } = JSON.parse(
	await readFile(`${project}package.json`, "utf8"),
);
const lock: { packages: Record<string, { integrity?: string }> } = JSON.parse(
	await readFile(`${project}package-lock.json`, "utf8"),
);

describe("npm run sbom", () => {
	it.each(Object.entries(packageJson.dependencies))("names %s %s with its licence and its hash", (name, version) => {
		const component = bom.components.find((each) => each["bom-ref"] === `${name}@${version}`);
		expect(component).toMatchObject({ name, version, purl: `pkg:npm/${name.replace("@", "%40")}@${version}` });
		const content = component?.hashes[0]?.content ?? "";
		const integrity = `sha512-${Buffer.from(content, "hex").toString("base64")}`;
		expect(integrity).toBe(lock.packages[`node_modules/${name}`]?.integrity);
	});

	it("has a licence and a SHA-512 for every package that these need, and no package that nothing needs", () => {
		for (const { licenses, hashes } of bom.components) {
			const [only] = licenses;
			expect(only?.license?.id ?? only?.license?.name ?? only?.expression).toMatch(/\w/);
			expect(hashes).toEqual([{ alg: "SHA-512", content: expect.stringMatching(/^[0-9a-f]{128}$/) }]);
		}
		const needs = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
		const reached = new Set([`${packageJson.name}@${packageJson.version}`]);
		// What is added while the set is gone through is gone through as well.
		for (const ref of reached) for (const needed of needs.get(ref) ?? []) reached.add(needed);
		const named = bom.components.map((component) => component["bom-ref"]);
		expect([...reached].slice(1).sort()).toEqual([...named].sort());
		expect(named.filter((ref) => /^(vite|vitest|typescript|playwright-core)@/.test(ref))).toEqual([]);
	});

	it("is CycloneDX without a time or a number of its own: the same for the same lock file", () => {
		expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.5" });
		expect(printed).not.toMatch(/serialNumber|timestamp|urn:uuid/);
		expect(execFileSync(process.execPath, [".ci/sbom.mjs"], { cwd: project, encoding: "utf8" })).toBe(printed);
	});
});
