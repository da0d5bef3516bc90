// Brings node_modules up to package-lock.json where it is missing or older: a fresh clone needs no other command.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";

const installed = "node_modules/.package-lock.json";
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync("package-lock.json").mtimeMs) {
	console.error("Nabostrøm: installing the packages named in package-lock.json …");
	const result = spawnSync("npm", ["ci", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts"], {
		stdio: ["ignore", "inherit", "inherit"],
		shell: process.platform === "win32",
	});
	if (result.status !== 0) {
		console.error("Nabostrøm: the packages could not be installed. Check the network, then try again.");
		process.exit(result.status ?? 1);
	}
}
