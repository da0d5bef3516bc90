// `npm test`: everything that has to hold, cheapest first; the last line says how many passed and failed.
// `node test/run.mjs check | hosts | long [FILE …]`: only the static checks, the tests over several hosts, or the long ones.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

process.chdir(new URL("..", import.meta.url).pathname);

const bin = (name) => join("node_modules", ".bin", name);
const scratch = mkdtempSync(join(tmpdir(), "nabostrom-test-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

let passed = 0;
let failed = 0;

/** One check that holds or does not. Its output is shown when it does not. */
function check(title, command, args) {
	const begin = Date.now();
	const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 26 });
	const seconds = ((Date.now() - begin) / 1000).toFixed(1);
	if (status === 0) {
		passed += 1;
		console.log(`✓ ${title} (${seconds} s)`);
		return true;
	}
	failed += 1;
	console.log(`✗ ${title} (${seconds} s): ${command} ${args.join(" ")}\n${stdout}${stderr}`);
	return false;
}

/** Tests that vitest counts. A run that ends without a report has failed, whatever it printed. */
function tests(title, args, environment = {}) {
	const report = join(scratch, `${title}.json`);
	console.log(`— ${title}`);
	const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
	const { status } = spawnSync(bin("vitest"), ["run", ...args, ...reporters], {
		stdio: "inherit",
		env: { ...process.env, ...environment },
	});
	if (!existsSync(report)) {
		failed += 1;
		return;
	}
	const { numPassedTests, numFailedTests, numTotalTestSuites } = JSON.parse(readFileSync(report, "utf8"));
	passed += numPassedTests;
	// A file that does not even load has no test that could fail.
	failed += numFailedTests === 0 && (status !== 0 || numTotalTestSuites === 0) ? 1 : numFailedTests;
}

function finish() {
	console.log(`${passed} passed, ${failed} failed`);
	process.exit(failed === 0 ? 0 : 1);
}

function requireChromium() {
	const found = (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, "chromium")));
	if (found) return;
	console.log("✗ there is no chromium on PATH. Install it (Debian: apt-get install chromium), then run this again.");
	failed += 1;
	finish();
}

function staticChecks() {
	check("messages compile", "npm", ["run", "messages"]);
	check("types: the pure core, without browser or worker", bin("tsc"), ["-p", "tsconfig.core.json"]);
	check("types: worker and storage", bin("tsc"), ["-p", "tsconfig.worker.json"]);
	check("types: tools and tests", bin("tsc"), ["-p", "tsconfig.json"]);
	check("types: page", bin("svelte-check"), ["--tsconfig", "./tsconfig.page.json", "--fail-on-warnings"]);
	check("style and lint", bin("biome"), ["check", "--error-on-warnings"]);
	check("layers, no circles", bin("depcruise"), ["--config", ".dependency-cruiser.cjs", "src", "signaling"]);
}

const [which, ...files] = process.argv.slice(2);
if (which === "check") {
	staticChecks();
	finish();
}
if (which === "hosts" || which === "long") {
	requireChromium();
	check("messages compile", "npm", ["run", "messages"]);
	if (which === "hosts") tests("several hosts", ["--config", "test/hosts/vitest.config.ts"]);
	else {
		tests("long", ["--project", "long", ...files]);
		if (files.length === 0) check("300 simulated streets", "npm", ["run", "simulate", "--", "--seeds", "300"]);
	}
	finish();
}
staticChecks();
tests("unit", ["--project", "unit"]);
requireChromium();
tests("simulation", ["--project", "simulation"]);
const dist = join(scratch, "dist");
if (check("the app builds", bin("vite"), ["build", "--logLevel", "error", "--outDir", dist, "--emptyOutDir"])) {
	tests("end to end", ["--project", "e2e"], { NABOSTROM_DIST: dist });
}
finish();
