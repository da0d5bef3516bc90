/** Real meters' bytes, kept outside the project for their licences. Tests that need them skip where they are not. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../../shared/meters/captures/", import.meta.url));

export const capturesMissing = existsSync(`${folder}INDEX.json`) ? undefined : `no reference captures in ${folder}`;

export interface Capture {
	file: string;
	encoding: string;
	format: string;
	validMessages: number;
	chunks?: number[];
	messages: CapturedMessage[];
}

/** What the reference decoder read in one telegram. */
export interface CapturedMessage {
	crcOk?: boolean | null;
	serverId?: string;
	meta?: { apdu_time?: string; clock?: string };
	obis?: Record<string, { value: number | string; unit: string | null }>;
}

/** Every captured stream. */
export function captures(): Capture[] {
	if (capturesMissing) return [];
	const index = JSON.parse(readFileSync(`${folder}INDEX.json`, "utf8")) as Capture[];
	return index.filter(({ messages }) => messages !== undefined);
}

/** Its bytes. */
export function captureBytes({ file, encoding }: Pick<Capture, "file" | "encoding">): Uint8Array {
	const content = readFileSync(folder + file);
	if (encoding !== "hex") return Uint8Array.from(content);
	return Uint8Array.from(Buffer.from(content.toString().replaceAll(/\s/g, ""), "hex"));
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
