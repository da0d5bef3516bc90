// `npm start`: builds the app where that is needed, then runs the server with the same arguments.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../", import.meta.url));
const at = (path) => `${project}${path}`;

/** What the app is built from. Generated message files are left out: building writes them. */
const sources = ["src", "public", "index.html", "verify.html", "vite.config.ts", "package-lock.json"];
const generated = at("src/ui/paraglide");

/** Latest change below a path, folders included (their time tells of files that are gone); 0 where there is nothing. */
function changedMs(path) {
	if (path === generated || !existsSync(path)) return 0;
	const status = statSync(path);
	if (!status.isDirectory()) return status.mtimeMs;
	return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => changedMs(`${path}/${name}`)));
}

/** Runs the server to its end. Ctrl+C reaches it from the terminal; a signal to this process alone is passed on. */
function serve(args) {
	const command = ["--import", import.meta.resolve("tsx"), at("signaling/server.ts"), ...args];
	const server = spawn(process.execPath, command, { stdio: "inherit" });
	process.on("SIGINT", () => {});
	process.on("SIGTERM", () => server.kill("SIGTERM"));
	server.on("exit", (code) => process.exit(code ?? 1));
}

function build() {
	console.log("Nabostrøm: building the app, about ten seconds …");
	const vite = at("node_modules/vite/bin/vite.js");
	const result = spawnSync(process.execPath, [vite, "build", "--logLevel", "warn"], { cwd: project, stdio: "inherit" });
	if (result.status !== 0) {
		console.error("Nabostrøm: the app could not be built; the lines above say why.");
		process.exit(result.status ?? 1);
	}
}

const args = process.argv.slice(2);
const needsApp = !args.includes("--signaling-only") && !args.includes("--help");
if (needsApp && Math.max(...sources.map((path) => changedMs(at(path)))) > changedMs(at("dist/index.html"))) build();
serve(args);
