/** Damage of every kind into the real server, beside two clients who have nothing to do with it. */

import { expect } from "vitest";
import { createRandom } from "../../support/xorshift.js";
import { sendFrames, sendTexts, sendUpgrades } from "./fuzzing.js";
import { median, startHonestPair } from "./honestPair.js";
import { startSignaling } from "./program.js";
import { health } from "./testSocket.js";

export interface DamageCounts {
	texts: number;
	frames: number;
	upgrades: number;
}

/** By how much the median exchange of others may take longer meanwhile; the senders of all this share their processor. */
const LATENCY_RATIO = 50;
const CALM_MS = 1_000;

/** The server goes on, each refusal has its code, and the others lose nothing. */
export async function expectToOutlive(seed: number, { texts, frames, upgrades }: DamageCounts): Promise<void> {
	const { url, child, err } = await startSignaling();
	const random = createRandom(seed);
	const pair = await startHonestPair(url);
	pair.begin();
	await new Promise((resolve) => setTimeout(resolve, CALM_MS));
	const calmMs = await pair.rest();

	pair.begin();
	const refusedTexts = await sendTexts(url, texts, random);
	expect((await health(url)).refused).toEqual(refusedTexts);
	const closed = await sendFrames(url, frames, random);
	const afterFrames = (await health(url)).refused;
	expect(sum(afterFrames, ["bad-frame", "message-too-long", "too-many-fragments"])).toBe(closed);
	expect(closed).toBeGreaterThan(frames / 4);
	const refused = await sendUpgrades(url, upgrades, random);
	const after = (await health(url)).refused;
	const requests = ["bad-upgrade", "bad-request", "bad-path", "bad-method"];
	expect(sum(after, requests) - sum(afterFrames, requests)).toBe(refused);
	expect(refused).toBeGreaterThan(upgrades / 4);
	const meanwhileMs = await pair.rest();

	expect([child.exitCode, child.signalCode, err()]).toEqual([null, null, ""]);
	await expect.poll(() => health(url)).toMatchObject({ ok: true, sockets: 2, topics: 1 });
	expect(meanwhileMs.length).toBeGreaterThan(20);
	const ratio = median(meanwhileMs) / Math.max(1, median(calmMs));
	console.log(
		`seed ${seed}: refused ${JSON.stringify(after)}; an exchange of others took ${median(calmMs).toFixed(1)} ms before, ` +
			`${median(meanwhileMs).toFixed(1)} ms meanwhile (medians of ${calmMs.length} and ${meanwhileMs.length})`,
	);
	expect(ratio).toBeLessThan(LATENCY_RATIO);
	pair.close();
}

function sum(counts: Record<string, number>, codes: readonly string[]): number {
	return codes.reduce((total, code) => total + (counts[code] ?? 0), 0);
}
