/** Writes a street's files into a fresh folder under the system's own for temporary things. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const folders: string[] = [];

afterAll(() => {
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function streetFolder(files: Record<string, string>): string {
	const folder = mkdtempSync(join(tmpdir(), "street-"));
	folders.push(folder);
	for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
	return folder;
}

/** A household's CSV; each row is the fields behind its minute, `undefined` a missing row. Minutes count from midnight. */
export function csvOf(rows: readonly (readonly [number, number, number, number?] | undefined)[]): string {
	const hasArrivals = rows.some((row) => row?.[3] !== undefined);
	const lines = rows.flatMap((row) => {
		if (row === undefined) return [];
		const [minute, importWh, exportWh, arrives] = row;
		const fields = [isoOf(minute), importWh, exportWh];
		return [(hasArrivals ? [...fields, arrives === undefined ? "" : isoOf(arrives)] : fields).join(",")];
	});
	return `${[`minute,importWh,exportWh${hasArrivals ? ",arrives" : ""}`, ...lines].join("\n")}\n`;
}

/** 1 June 2024, 00:00 UTC. */
export const MIDNIGHT_MINUTE = Date.parse("2024-06-01T00:00:00Z") / 60_000;

export function isoOf(minute: number): string {
	return `${new Date((MIDNIGHT_MINUTE + minute) * 60_000).toISOString().slice(0, 19)}Z`;
}
