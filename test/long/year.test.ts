import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, startApp } from "../e2e/support/app.js";
import { until } from "../e2e/support/expect.js";
import { putHome } from "../e2e/support/longChainHome.js";
import { comeIn, goTo, linkOf } from "../e2e/support/screens.js";
import { seenOf, watchNode } from "../e2e/support/watchNode.js";
import { DAY_BLOCKS, LongChain } from "../support/longChain.js";

/**
 * A year of twenty households, a block a minute, in a real browser: who comes by invitation follows the head in
 * seconds. The year is made by executing blocks without consensus (`support/longChain` says what that leaves out); the
 * tail above the last checkpoint is nearly a day, the worst case, and every reading in it is really signed.
 */
const DAYS = Number(process.env.NABOSTROM_YEAR_DAYS ?? 365);
const HOUSEHOLDS = 20;
const TAIL_BLOCKS = 1_380;
/** From the first open channel to the head. */
const LIMIT_MS = 10_000;

let app: App;
let chain: LongChain;
let operator: Page;
let newcomer: Page;

beforeAll(async () => {
	app = await startApp();
	const startMs = performance.now();
	const log = (text: string) => console.log(text);
	chain = new LongChain({ households: HOUSEHOLDS, days: DAYS, tailBlocks: TAIL_BLOCKS, endMs: Date.now(), log });
	await chain.grow();
	const seconds = Math.round((performance.now() - startMs) / 1_000);
	const { readings, signedReadings, head } = chain;
	console.log(
		`made ${head.index} blocks with ${readings} readings (${signedReadings} of them signed: the last ${TAIL_BLOCKS} blocks) in ${seconds} s`,
	);
}, 3_000_000);

afterAll(async () => {
	await app?.stop();
});

const lastHead = async (page: Page) => (await seenOf(page)).heads.at(-1);

describe(`a chain of ${DAYS * DAY_BLOCKS} blocks and a day's tail`, () => {
	it("opens on the operator's page, which goes on with it alone", async () => {
		operator = await app.openPage();
		await watchNode(operator);
		await putHome(operator, app.url, chain);
		const startMs = performance.now();
		await operator.goto(app.url);
		const head = await until(
			() => lastHead(operator),
			(seen) => (seen?.index ?? 0) > chain.head.index,
			120_000,
		);
		console.log(`the operator's page: ${Math.round(performance.now() - startMs)} ms until its next block`);
		expect(head?.stage).toBe("street");
		expect((await seenOf(operator)).faults).toEqual([]);
	}, 180_000);

	it(`is followed by a newcomer within ${LIMIT_MS / 1_000} s of its first neighbour`, async () => {
		await goTo(operator, "members");
		await operator.getByRole("button", { name: "Lag invitasjon" }).click();
		const shared = await linkOf(operator);
		newcomer = await app.openPage();
		await watchNode(newcomer);
		await comeIn(newcomer, `${app.url}/${shared.slice(shared.indexOf("#"))}`, "Hus 20", false);
		await until(
			() => lastHead(newcomer),
			(seen) => seen?.stage === "street",
			120_000,
		);
		const seen = await seenOf(newcomer);
		const { firstPeerMs = 0, heads } = seen;
		const sinceMs = (atMs: number | undefined) => Math.round((atMs ?? Number.POSITIVE_INFINITY) - firstPeerMs);
		const checkpoint = heads.find(({ index }) => index >= DAYS * DAY_BLOCKS);
		const level = heads.find(({ index }) => index >= chain.head.index);
		const member = heads.find(({ stage }) => stage === "street");
		console.log(
			[
				`since the first channel: at the checkpoint (block ${checkpoint?.index}) after ${sinceMs(checkpoint?.atMs)} ms`,
				`at the head (block ${level?.index}) after ${sinceMs(level?.atMs)} ms`,
				`a member (block ${member?.index}) after ${sinceMs(member?.atMs)} ms`,
				`${seen.receivedBytes} bytes fetched`,
			].join("; "),
		);
		expect(sinceMs(level?.atMs)).toBeLessThan(LIMIT_MS);
		expect(seen.faults).toEqual([]);
	}, 180_000);

	it("has the same head and state on both pages, and goes on having it", async () => {
		const from = (await lastHead(newcomer))?.index ?? 0;
		const both = async () => {
			const [a, b] = await Promise.all([seenOf(operator), seenOf(newcomer)]);
			const head = b.heads.at(-1);
			return { head, same: a.heads.find(({ index }) => index === head?.index) };
		};
		const { head, same } = await until(
			both,
			(seen) => (seen.head?.index ?? 0) > from && seen.same !== undefined,
			150_000,
		);
		expect({ hash: head?.hash, stateRoot: head?.stateRoot }).toEqual({ hash: same?.hash, stateRoot: same?.stateRoot });
		expect(head?.hash).toMatch(/^[0-9a-f]{64}$/);
	}, 180_000);

	it("is verified in the background until every signature of the tail is checked", async () => {
		await goTo(newcomer, "chain");
		const row = newcomer.getByText("Signaturer kontrollert i hentede blokker");
		await until(
			() => row.count(),
			(count) => count === 0,
			300_000,
		);
		const { firstPeerMs = 0, verifying, faults } = await seenOf(newcomer);
		console.log(
			`verified ${verifying?.all} transactions in the background, until ${Math.round((verifying?.lastMs ?? 0) - firstPeerMs)} ms after the first channel`,
		);
		expect(verifying?.all).toBeGreaterThan(HOUSEHOLDS * 1_000);
		expect(faults).toEqual([]);
	}, 320_000);
});
