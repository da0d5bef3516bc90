/** Real meters' bytes, kept outside the project for their licences. Tests that need them skip where they are not. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../../shared/meters/captures/", import.meta.url));

export const capturesMissing = existsSync(`${folder}INDEX.json`) ? undefined : `no reference captures in ${folder}`;

interface Capture {
	file: string;
	format: string;
	validMessages: number;
	chunks?: number[];
	messages: {
		meta?: { apdu_time?: string; clock?: string };
		obis?: Record<string, { value: number | string }>;
	}[];
}

/** The index entries whose format starts so. */
export function captures(format: string): Capture[] {
	if (capturesMissing) return [];
	const index = JSON.parse(readFileSync(`${folder}INDEX.json`, "utf8")) as Capture[];
	return index.filter((entry) => entry.format.startsWith(format));
}

/** The bytes of a file of hex text. */
export function captureBytes(file: string): Uint8Array {
	const hex = readFileSync(folder + file, "utf8").replaceAll(/\s/g, "");
	return Uint8Array.from(Buffer.from(hex, "hex"));
}

export interface PowerSeries {
	start: string;
	t: number[];
	importW: number[];
	registers: { registerClock: string; importWh: number }[];
}

/** Twelve hours of a Kaifa meter's power every 2 s, with its hourly registers. */
export function powerSeries(): PowerSeries {
	return JSON.parse(readFileSync(`${folder}series_kaifa_12h_2s.json`, "utf8")) as PowerSeries;
}
