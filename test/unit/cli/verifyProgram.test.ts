import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../../src/primitives/bytes.js";
import { BUYER, type Kept, settledStreet } from "../../support/keptProofs.js";
import { FIRST_MINUTE } from "../../support/ledger.js";

const project = fileURLToPath(new URL("../../../", import.meta.url));
const patient = { timeout: 60_000 };
const folder = mkdtempSync(join(tmpdir(), "nabostrom-verify-"));

function verify(...args: string[]) {
	return spawnSync("npm", ["run", "verify", "--", ...args], { cwd: project, encoding: "utf8" });
}

/** Without npm, which takes as long as the program. */
function verifyDirectly(...args: string[]) {
	const program = ["--import", "tsx", "src/cli/verify.ts", ...args];
	return spawnSync(process.execPath, program, { cwd: project, encoding: "utf8" });
}

function fileOf(name: string, text: string): string {
	const path = join(folder, name);
	writeFileSync(path, text);
	return path;
}

describe("npm run verify", () => {
	let kept: Kept;
	let text: string;

	beforeAll(async () => {
		kept = settledStreet(BUYER, 5, 3);
		const contractId = toHex(kept.street.contract(0).id);
		({ text } = await kept.file({ contractId, minute: FIRST_MINUTE + 2 }));
	});

	it("says line by line what is proved, and the grid id to compare", patient, () => {
		const { status, stdout, stderr } = verify(fileOf("good.json", text));
		expect([status, stderr]).toEqual([0, ""]);
		const lines = stdout.trim().split("\n");
		expect(lines[0]).toBe("PROVED");
		expect(stdout).toContain("Solbakken borettslag, founded 2025-02-19 21:20 UTC");
		expect(stdout).toContain("Hus 2 sells to Hus 1 at 100 øre/kWh");
		expect(stdout).toContain("reading: Hus 1 took 21 Wh and fed in 0 Wh in minute 2025-02-19 21:22 UTC (measured)");
		expect(stdout).toContain("delivered: 21 Wh from Hus 2 to Hus 1 for 0.021 NOK under contract");
		expect(stdout).toContain("certified by 3 of 5 voters");
		expect(lines.at(-1)).toContain(`grid id ${toHex(kept.street.ledger.gridId)}: compare`);
	});

	it("takes the grid id that is expected, and says where it is another's", patient, () => {
		const path = fileOf("good.json", text);
		const gridId = toHex(kept.street.ledger.gridId);
		expect(verifyDirectly(path, "--grid", gridId.toUpperCase()).status).toBe(0);
		const other = verifyDirectly(path, "--grid", "ab".repeat(32));
		expect([other.status, other.stdout]).toEqual([1, ""]);
		expect(other.stderr).toContain(gridId);
		expect(verifyDirectly(path, "--grid", "ab").status).toBe(2);
	});

	it("ends with 1 where a file does not prove what it says", patient, () => {
		const { status, stdout, stderr } = verifyDirectly(
			fileOf("changed.json", text.replace("minute 29000002", "minute 29000003")),
		);
		expect([status, stdout]).toEqual([1, ""]);
		expect(stderr).toContain("NOT PROVED");
	});

	it("ends with 2 where there is no file, or it is no proof file", patient, () => {
		expect(verifyDirectly(join(folder, "missing.json")).status).toBe(2);
		expect(verifyDirectly(fileOf("text.json", "hello")).status).toBe(2);
		const usage = verify();
		expect(usage.status).toBe(2);
		expect(usage.stderr).toContain("npm run verify -- FILE [--grid ID]");
	});
});
