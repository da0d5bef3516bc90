import { afterEach, expect, it } from "vitest";
import { sendFrames, sendTexts, sendUpgrades } from "./fuzzing.js";
import { median, startHonestPair } from "./honestPair.js";
import { createRandom } from "./mutation.js";
import { killPrograms, startSignaling } from "./program.js";
import { health } from "./testSocket.js";

const SEED = Number(process.env.NABOSTROM_FUZZ_SEED ?? 20_250_621);
/** Together more than 10,000; the long test sends many times that. */
const SCALE = Number(process.env.NABOSTROM_FUZZ_SCALE ?? 1);
const [TEXTS, FRAMES, UPGRADES] = [6_000 * SCALE, 3_500 * SCALE, 1_000 * SCALE];
/** By how much the median exchange of others may take longer meanwhile; the senders of all this share their processor. */
const LATENCY_RATIO = 50;

afterEach(killPrograms);

it(`outlives ${TEXTS + FRAMES + UPGRADES} damaged messages, frames and requests: each refusal has its code, others notice nothing`, {
	timeout: 120_000 * SCALE,
}, async () => {
	const { url, child, err } = await startSignaling();
	const random = createRandom(SEED);
	const pair = await startHonestPair(url);
	pair.begin();
	await new Promise((resolve) => setTimeout(resolve, 1_000));
	const calmMs = await pair.rest();

	pair.begin();
	const texts = await sendTexts(url, TEXTS, random);
	expect((await health(url)).refused).toEqual(texts);
	const closed = await sendFrames(url, FRAMES, random);
	const afterFrames = (await health(url)).refused;
	expect(sum(afterFrames, ["bad-frame", "message-too-long", "too-many-fragments"])).toBe(closed);
	expect(closed).toBeGreaterThan(FRAMES / 4);
	const refused = await sendUpgrades(url, UPGRADES, random);
	const after = (await health(url)).refused;
	const requests = ["bad-upgrade", "bad-request", "bad-path", "bad-method"];
	expect(sum(after, requests) - sum(afterFrames, requests)).toBe(refused);
	expect(refused).toBeGreaterThan(UPGRADES / 4);
	const meanwhileMs = await pair.rest();

	expect([child.exitCode, child.signalCode, err()]).toEqual([null, null, ""]);
	await expect.poll(() => health(url)).toMatchObject({ ok: true, sockets: 2, topics: 1 });
	expect(meanwhileMs.length).toBeGreaterThan(20);
	const ratio = median(meanwhileMs) / Math.max(1, median(calmMs));
	console.log(
		`seed ${SEED}: refused ${JSON.stringify(after)}; an exchange of others took ${median(calmMs).toFixed(1)} ms before, ` +
			`${median(meanwhileMs).toFixed(1)} ms meanwhile (medians of ${calmMs.length} and ${meanwhileMs.length})`,
	);
	expect(ratio).toBeLessThan(LATENCY_RATIO);
	pair.close();
});

function sum(counts: Record<string, number>, codes: readonly string[]): number {
	return codes.reduce((total, code) => total + (counts[code] ?? 0), 0);
}
