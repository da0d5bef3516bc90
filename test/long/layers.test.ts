import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/**
 * The folders are the architecture: what breaks it has to fail. A copy of the house's lower floors is broken in all these
 * ways at once.
 */
const project = fileURLToPath(new URL("../../", import.meta.url));
let house: string;
let layers: { status: number | null; output: string };
let coreTypes: { status: number | null; output: string };

beforeAll(() => {
	house = mkdtempSync(join(tmpdir(), "nabostrom-house-"));
	const floors = ["primitives", "block", "contract", "meter", "message"].map((folder) => join("src", folder));
	const settings = ["tsconfig.base.json", "tsconfig.core.json", "tsconfig.json", ".dependency-cruiser.cjs"];
	// tsconfig.json has to find something of its own.
	for (const name of [...floors, ...settings, "vite.config.ts"]) {
		cpSync(join(project, name), join(house, name), { recursive: true });
	}
	symlinkSync(join(project, "node_modules"), join(house, "node_modules"));
	breakIn("src/block/merkle.ts", 'export { householdOf } from "../contract/ledger.js";');
	breakIn("src/block/merkle.ts", 'export { Point } from "@noble/secp256k1";');
	breakIn("src/block/merkle.ts", 'export { readFileSync } from "node:fs";');
	breakIn("src/meter/telegram.ts", 'export type { Message } from "../message/message.js";');
	breakIn("src/primitives/assert.ts", 'export { encode } from "./codec.js";');
	breakIn("src/contract/execute.ts", "export const width = window.innerWidth;");
	breakIn("src/contract/execute.ts", "export const bytes = btoa('x');");
	layers = run(".bin/depcruise", "--config", ".dependency-cruiser.cjs", "src");
	coreTypes = run("typescript-native/bin/tsc", "-p", "tsconfig.core.json");
}, 120_000);

afterAll(() => rmSync(house, { recursive: true }));

function run(command: string, ...args: string[]): { status: number | null; output: string } {
	const program = join("node_modules", command);
	const { status, stdout, stderr } = spawnSync(program, args, { cwd: house, encoding: "utf8" });
	return { status, output: stdout + stderr };
}

const breakIn = (file: string, code: string) => appendFileSync(join(house, file), `${code}\n`);

describe("the house", () => {
	it("refuses an import that goes up", () => {
		expect(layers.output).toContain("layer-block: src/block/merkle.ts → src/contract/ledger.ts");
		expect(layers.status).not.toBe(0);
	});

	it("refuses neighbours that ought to ignore one another", () => {
		expect(layers.output).toContain("layer-meter: src/meter/telegram.ts → src/message/message.ts");
	});

	it("refuses a circle", () => {
		expect(layers.output).toContain("no-circle: src/primitives/assert.ts →");
	});

	it("refuses a curve library outside of its files, and a module of Node.js in the core", () => {
		expect(layers.output).toContain("curve-files: src/block/merkle.ts");
		expect(layers.output).toContain("core-packages: src/block/merkle.ts → fs");
	});

	it("refuses a browser API in the core", () => {
		expect(coreTypes.output).toContain("Cannot find name 'window'");
		expect(coreTypes.output).toContain("Cannot find name 'btoa'");
		expect(coreTypes.status).not.toBe(0);
	});
});
