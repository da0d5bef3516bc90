import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { ReplayResult } from "../../src/cli/replayStreet.js";

/** The thesis's own 48 hours of four households, with the exact settlement. */
const project = fileURLToPath(new URL("../../", import.meta.url));
const folder = fileURLToPath(new URL("../../../shared/data/thesis-street/", import.meta.url));
const hasData = existsSync(folder);
if (!hasData) console.log("skipped: the thesis's data is not beside the project");

interface Expected {
	settled: Record<string, { energyWh: number; amountMicroNok: number }>;
	metered: Record<string, { importWh: number; exportWh: number }>;
	minutes: number;
}

describe.skipIf(!hasData)("npm run replay -- thesis-street --json", () => {
	it("prints one JSON object that equals the exact settlement; all nodes agree; at most 100 bytes a reading", () => {
		const { status, stdout } = spawnSync("npm", ["run", "replay", "--", folder, "--json"], {
			cwd: project,
			encoding: "utf8",
		});
		expect(status).toBe(0);
		const result: ReplayResult & { elapsedMs: number } = JSON.parse(stdout);
		const expected: Expected = JSON.parse(readFileSync(`${folder}expected.json`, "utf8"));
		expect(result.agree).toBe(true);
		expect(result.blocks).toBeGreaterThan(expected.minutes);
		expect(result.bytesPerReading).toBeLessThanOrEqual(100);
		for (const { seller, buyer, energyWh, amountMicroNok } of result.contracts) {
			expect({ energyWh, amountMicroNok }).toEqual(expected.settled[`${seller}->${buyer}`]);
		}
		expect(result.contracts).toHaveLength(Object.keys(expected.settled).length);
		for (const { name, importWh, exportWh } of result.households) {
			expect({ importWh, exportWh }).toEqual(expected.metered[name]);
		}
		// Every node checked every reading's signature by itself.
		expect(result.verifications).toBeGreaterThanOrEqual(4 * 4 * expected.minutes);
		const sumMicroNok = result.households.reduce((sum, { balanceMicroNok }) => sum + balanceMicroNok, 0);
		expect(sumMicroNok).toBe(4 * 5_000 * 1_000_000);
	});
});
