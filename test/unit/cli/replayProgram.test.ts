import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { csvOf, streetFolder } from "../../support/streetFolder.js";

const project = fileURLToPath(new URL("../../../", import.meta.url));
const patient = { timeout: 60_000 };

function replay(...args: string[]) {
	return spawnSync("npm", ["run", "replay", "--", ...args], { cwd: project, encoding: "utf8" });
}

const household = (name: string) => ({ name, readings: `${name}.csv`, tokensNok: 10 });
const street = (change: object) =>
	JSON.stringify({
		name: "Program street",
		tariff: { retailMicroNokPerWh: 1_450, feedInMicroNokPerWh: 600 },
		households: [household("a"), household("b")],
		contracts: [],
		...change,
	});

describe("npm run replay", () => {
	it("stops at bad input with one line that names file and line, and exit code 2", patient, () => {
		const folder = streetFolder({
			"street.json": street({}),
			"a.csv": csvOf([[0, 1, 0]]),
			"b.csv": "minute,importWh\n",
		});
		const { status, stdout, stderr } = replay(folder, "--json");
		expect(status).toBe(2);
		expect(stdout).toBe("");
		expect(stderr.trim().split("\n")).toHaveLength(1);
		expect(stderr).toContain("b.csv:1");
	});

	it("says how it is called where no folder is named", patient, () => {
		const { status, stderr } = replay();
		expect(status).toBe(2);
		expect(stderr).toContain("npm run replay -- DIR");
	});

	it("gives each contract of two neighbours its own figures, also one that no reading falls into", patient, () => {
		const contract = { seller: "a", buyer: "b" };
		const contracts = [
			{ ...contract, priceMicroNokPerWh: 1, until: "2024-06-01T00:00:00Z" },
			{ ...contract, priceMicroNokPerWh: 2, from: "2024-06-01T00:00:00Z" },
		];
		const folder = streetFolder({
			"street.json": street({ contracts }),
			"a.csv": csvOf([[0, 0, 10]]),
			"b.csv": csvOf([[0, 10, 0]]),
		});
		const { status, stdout } = replay(folder, "--json");
		expect(status).toBe(0);
		expect(JSON.parse(stdout).contracts).toEqual([
			{ ...contract, energyWh: 0, amountMicroNok: 0 },
			{ ...contract, energyWh: 10, amountMicroNok: 20 },
		]);
	});
});
