import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Scratch {
	readonly folder: string;
	remove(): void;
}

/** A temporary folder that is gone after the run, also one that is broken off. */
export function createScratch(name: string): Scratch {
	const folder = mkdtempSync(join(tmpdir(), `nabostrom-${name}-`));
	const remove = () => {
		process.removeListener("exit", remove);
		rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
	};
	process.on("exit", remove);
	return { folder, remove };
}
