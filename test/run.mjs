// `npm test`: everything that has to hold, cheapest first; the last line says how many passed and failed.
// `node test/run.mjs check | hosts | screens [FILE …] | long [FILE …]`: only the static checks, the tests over several hosts,
// all screens in all their looks, or the long ones.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";

process.chdir(new URL("..", import.meta.url).pathname);

const bin = (name) => join("node_modules", ".bin", name);
const scratch = mkdtempSync(join(tmpdir(), "nabostrom-test-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

let passed = 0;
let failed = 0;
/** What failed, in lines: a test's file and name with the first of what it said, or a check with its command. */
const failures = [];

/** Runs a program; gives its exit status and what it printed, which is shown at once where `isShown`. */
function run(command, args, { isShown = false, environment = {} } = {}) {
	return new Promise((resolve) => {
		const child = spawn(command, args, {
			stdio: ["ignore", isShown ? "inherit" : "pipe", isShown ? "inherit" : "pipe"],
			env: { ...process.env, ...environment },
		});
		let output = "";
		for (const stream of [child.stdout, child.stderr]) {
			stream?.on("data", (data) => {
				output += data;
			});
		}
		child.on("error", (error) => resolve({ status: 1, output: String(error) }));
		child.on("close", (status) => resolve({ status, output }));
	});
}

/** One check that holds or does not. Its output is shown when it does not. */
async function check(title, command, args, environment) {
	const begin = Date.now();
	const { status, output } = await run(command, args, { environment });
	const seconds = ((Date.now() - begin) / 1000).toFixed(1);
	if (status === 0) {
		passed += 1;
		console.log(`✓ ${title} (${seconds} s)`);
		return true;
	}
	failed += 1;
	console.log(`✗ ${title} (${seconds} s)\n${output}`);
	failures.push([title, `${command} ${args.join(" ")}`]);
	return false;
}

/** Tests that vitest counts. A run that ends without a report has failed, whatever it printed. */
async function tests(title, args, { environment, isAside = false } = {}) {
	const report = join(scratch, `${title}.json`);
	const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
	if (!isAside) console.log(`— ${title}`);
	const { status, output } = await run(bin("vitest"), ["run", ...args, ...reporters], {
		isShown: !isAside,
		environment,
	});
	if (isAside) console.log(`— ${title}\n${output}`);
	if (!existsSync(report)) {
		failed += 1;
		failures.push([title, `ended with ${status}, without a report`]);
		return;
	}
	const { numPassedTests, numFailedTests, numTotalTestSuites, testResults } = JSON.parse(readFileSync(report, "utf8"));
	passed += numPassedTests;
	// A file that does not even load has no test that could fail.
	failed += numFailedTests === 0 && (status !== 0 || numTotalTestSuites === 0) ? 1 : numFailedTests;
	failures.push(...testResults.flatMap(failuresOf));
}

const SHOWN_LINES = 4;

function failuresOf({ name, status, message, assertionResults }) {
	const file = relative(process.cwd(), name);
	const failing = assertionResults.filter((each) => each.status === "failed");
	const said = failing.map(({ fullName, failureMessages }) => [`${file}: ${fullName}`, failureMessages.join("\n")]);
	if (said.length === 0 && status === "failed") said.push([file, message]);
	return said.map(([title, text]) => [title, ...text.split("\n").slice(0, SHOWN_LINES)]);
}

/** Who looks at the end alone sees what failed, however much was printed in between. */
function finish() {
	for (const lines of failures) console.log(`✗ ${lines.join("\n✗   ")}`);
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

/** Two at a time: there may be no more cores. `alongside` is done with the shorter row of them. */
async function staticChecks(alongside = async () => {}) {
	await check("messages compile", "npm", ["run", "messages"]);
	await Promise.all([
		check("types: the pure core, without browser or worker", bin("tsc"), ["-p", "tsconfig.core.json"])
			.then(() => check("types: worker and storage", bin("tsc"), ["-p", "tsconfig.worker.json"]))
			.then(() =>
				check("layers, no circles", bin("depcruise"), ["--config", ".dependency-cruiser.cjs", "src", "signaling"]),
			)
			.then(() => check("style and lint", bin("biome"), ["check", "--error-on-warnings"]))
			.then(alongside),
		check("types: tools and tests", bin("tsc"), ["-p", "tsconfig.json"]).then(() =>
			check("types: page", bin("svelte-check"), ["--tsconfig", "./tsconfig.page.json", "--fail-on-warnings"]),
		),
	]);
}

const [which, ...files] = process.argv.slice(2);
if (which === "check") {
	await staticChecks();
	finish();
}
if (which === "hosts" || which === "long" || which === "screens") {
	requireChromium();
	await check("messages compile", "npm", ["run", "messages"]);
	if (which === "hosts") await tests("several hosts", ["--config", "test/hosts/vitest.config.ts"]);
	else if (which === "screens") await tests("all screens", ["--project", "screens", ...files]);
	else {
		await tests("long", ["--project", "long", ...files]);
		if (files.length === 0) await check("300 simulated streets", "npm", ["run", "simulate", "--", "--seeds", "300"]);
	}
	finish();
}
requireChromium();
const dist = join(scratch, "dist");
const BUDGETS = ["--config", ".ci/budgets.mjs"];
let isBuilt = false;
await staticChecks(async () => {
	const build = ["build", "--logLevel", "error", "--outDir", dist, "--emptyOutDir"];
	isBuilt = await check("the app builds", bin("vite"), build, { NABOSTROM_MESSAGES: "compiled" });
	if (isBuilt) await check("bytes within their budgets", bin("size-limit"), BUDGETS, { NABOSTROM_DIST: dist });
});
const environment = { NABOSTROM_DIST: dist };
// Meters speak in real time, and tabs are frozen in it: their minutes pass, all at once, while the others compute. Then
// come the pages, which wait more than they compute as well.
const browsers = async () => {
	await tests("serial ports and tabs", ["--project", "aside", "--maxWorkers", "4"], { environment, isAside: true });
	await tests("end to end", ["--project", "e2e"], { environment, isAside: true });
};
// Two: browsers wait beside them, and each worker loads all modules anew.
const inNode = ["unit", "platform", "simulation"].flatMap((project) => ["--project", project]);
await Promise.all([isBuilt ? browsers() : undefined, tests("unit and simulation", [...inNode, "--maxWorkers", "2"])]);
finish();
