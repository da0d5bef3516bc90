// `npm test`: everything that has to hold, cheapest first; the last line says how many passed and failed.
// `node test/run.mjs check | hosts | screens [FILE …] | long [FILE …]`: only the static checks, the tests over several hosts,
// all screens in all their looks, or the long ones.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";

process.chdir(new URL("..", import.meta.url).pathname);

const bin = (name) => join("node_modules", ".bin", name);
/** The native compiler; `typescript` itself is there for the tools that need its interface. */
const tsc = join("node_modules", "typescript-native", "bin", "tsc");
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

function compileMessages() {
	return check("messages compile", "npm", ["run", "messages"]);
}

/** One after the other: beside them there is something else to do. */
async function staticChecks() {
	await check("types: tools and tests", tsc, ["-p", "tsconfig.json"]);
	await check("types: page", bin("svelte-check"), ["--tsconfig", "./tsconfig.page.json", "--fail-on-warnings"]);
	await check("types: the pure core, without browser or worker", tsc, ["-p", "tsconfig.core.json"]);
	await check("types: worker and storage", tsc, ["-p", "tsconfig.worker.json"]);
	await check("layers, no circles", bin("depcruise"), ["--config", ".dependency-cruiser.cjs", "src", "signaling"]);
	await check("style and lint", bin("biome"), ["check", "--error-on-warnings"]);
}

const [which, ...files] = process.argv.slice(2);
if (which === "check") {
	await compileMessages();
	await staticChecks();
	finish();
}
if (which === "hosts" || which === "long" || which === "screens") {
	requireChromium();
	await compileMessages();
	if (which === "hosts") await tests("several hosts", ["--config", "test/hosts/vitest.config.ts"]);
	else if (which === "screens") await tests("all screens", ["--project", "screens", ...files]);
	else {
		await tests("long", ["--project", "long", ...files]);
		if (files.length === 0) await check("300 simulated streets", "npm", ["run", "simulate", "--", "--seeds", "300"]);
	}
	finish();
}
requireChromium();
await compileMessages();
const dist = join(scratch, "dist");
/** The built app in real browsers. They wait much: the rest is done beside them. */
async function browsers() {
	const build = ["build", "--logLevel", "error", "--outDir", dist, "--emptyOutDir"];
	if (!(await check("the app builds", bin("vite"), build, { NABOSTROM_MESSAGES: "compiled" }))) return;
	const environment = { NABOSTROM_DIST: dist };
	await check("bytes within their budgets", bin("size-limit"), ["--config", ".ci/budgets.mjs"], environment);
	await Promise.all([
		tests("serial ports", ["--project", "aside", "--maxWorkers", "3"], { environment, isAside: true }),
		tests("end to end", ["--project", "e2e"], { environment, isAside: true }),
	]);
}
async function inNode() {
	await staticChecks();
	// Two: browsers wait beside them, and each worker loads all modules anew.
	const projects = ["unit", "platform", "simulation"].flatMap((project) => ["--project", project]);
	await tests("unit and simulation", [...projects, "--maxWorkers", "2"]);
}
await Promise.all([browsers(), inNode()]);
finish();
