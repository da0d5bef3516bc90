import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** The folders are the architecture: what breaks it has to fail. Each test breaks a copy of the house in one way. */
const project = fileURLToPath(new URL("../../../", import.meta.url));
const patient = { timeout: 60_000 };
let house: string;

beforeEach(() => {
	house = mkdtempSync(join(tmpdir(), "nabostrom-house-"));
	for (const name of ["src", "tsconfig.base.json", "tsconfig.core.json", "tsconfig.json", ".dependency-cruiser.cjs"]) {
		cpSync(join(project, name), join(house, name), { recursive: true });
	}
	symlinkSync(join(project, "node_modules"), join(house, "node_modules"));
});

afterEach(() => rmSync(house, { recursive: true }));

function run(command: string, ...args: string[]): { status: number | null; output: string } {
	const program = join("node_modules", ".bin", command);
	const { status, stdout, stderr } = spawnSync(program, args, { cwd: house, encoding: "utf8" });
	return { status, output: stdout + stderr };
}

const layers = () => run("depcruise", "--config", ".dependency-cruiser.cjs", "src");
const coreTypes = () => run("tsc", "-p", "tsconfig.core.json");
const breakIn = (file: string, code: string) => appendFileSync(join(house, file), code);

describe("the house", () => {
	it("refuses an import that goes up", patient, () => {
		breakIn("src/block/merkle.ts", 'export { householdOf } from "../contract/ledger.js";\n');
		const { status, output } = layers();
		expect(output).toContain("layer-block: src/block/merkle.ts → src/contract/ledger.ts");
		expect(status).not.toBe(0);
	});

	it("refuses neighbours that ought to ignore one another", patient, () => {
		breakIn("src/meter/telegram.ts", 'export type { Message } from "../message/message.js";\n');
		expect(layers().output).toContain("layer-meter: src/meter/telegram.ts → src/message/message.ts");
	});

	it("refuses a circle", patient, () => {
		breakIn("src/primitives/assert.ts", 'export { encode } from "./codec.js";\n');
		expect(layers().output).toContain("no-circle: src/primitives/assert.ts →");
	});

	it("refuses a curve library outside of its one file, and a module of Node.js in the core", patient, () => {
		breakIn(
			"src/block/merkle.ts",
			'export { Point } from "@noble/secp256k1";\nexport { readFileSync } from "node:fs";\n',
		);
		const { output } = layers();
		expect(output).toContain("one-curve-file: src/block/merkle.ts");
		expect(output).toContain("core-packages: src/block/merkle.ts → fs");
	});

	it("refuses a browser API in the core", patient, () => {
		breakIn("src/node/history.ts", "export const width = window.innerWidth;\nexport const bytes = btoa('x');\n");
		const { status, output } = coreTypes();
		expect(output).toContain("Cannot find name 'window'");
		expect(output).toContain("Cannot find name 'btoa'");
		expect(status).not.toBe(0);
	});
});
