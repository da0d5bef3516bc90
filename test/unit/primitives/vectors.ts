/** Values that others published, as we keep them: a line for each case, its fields apart by spaces, `-` for nothing. */
import { readFileSync } from "node:fs";

export function readVectors(name: string): string[][] {
	return readFileSync(new URL(`./vectors/${name}.txt`, import.meta.url), "utf8")
		.split("\n")
		.filter((line) => line !== "" && !line.startsWith("#"))
		.map((line) => line.split(" ").map((field) => (field === "-" ? "" : field)));
}

export const bytesOf = (hex = ""): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
