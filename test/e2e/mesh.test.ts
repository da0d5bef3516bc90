import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { localCertificate } from "../../signaling/certificate.js";
import { type Service, startService } from "../../signaling/service.js";
import { startStockServer } from "../unit/signaling/stockServer.js";
import type { MeshPage } from "./fixtures/mesh.js";
import { CHROMIUM_ARGS, chromiumPath } from "./support/app.js";

/** Real pages, each in a context of its own, in one real Chromium; WebRTC over this computer's own addresses. */
let browser: Browser;
let folder: string;
let service: Service;
const stops: (() => void)[] = [];

const device = (n: number) => `02${n.toString(16).padStart(64, "0")}`;
const patient = { timeout: 30_000 };

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mesh-"));
	await build({
		configFile: false,
		logLevel: "warn",
		root: fileURLToPath(new URL("fixtures/", import.meta.url)),
		build: { outDir: folder, emptyOutDir: false, rolldownOptions: { input: "mesh.html" } },
	});
	await cp(join(folder, "mesh.html"), join(folder, "index.html"));
	const certificate = await localCertificate(
		join(folder, "certificate"),
		{ hosts: ["localhost"], addresses: ["127.0.0.1"] },
		Date.now(),
	);
	const tls = { port: 0, host: "127.0.0.1", certificate };
	const started = await startService({ port: 0, tls, lanName: "127.0.0.1", staticFolder: folder });
	if (!started.ok) throw new Error(started.error.code);
	service = started.value;
	browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
});

afterEach(async () => {
	for (const context of browser.contexts()) await context.close();
	for (const stop of stops.splice(0)) stop();
});

afterAll(async () => {
	await browser?.close();
	await service?.stop();
	await rm(folder, { recursive: true });
});

async function openPage(n: number, topic: string, signalingUrl: string, appUrl = service.localUrl): Promise<Page> {
	// The app's own policy allows no signaling server but the page's.
	const context = await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP: true });
	const page = await context.newPage();
	await page.goto(appUrl);
	const mesh = { signalingUrls: [signalingUrl], meshId: topic, topics: [topic] };
	const settings = { ...mesh, deviceId: device(n), iceServers: [], connectTo: "everybody" as const };
	await page.evaluate((given) => window.meshPage.start(given), settings);
	return page;
}

type Seen = Pick<MeshPage, "peers" | "closings" | "frames" | "status">;

async function read<K extends keyof Seen>(page: Page, key: K): Promise<Seen[K]> {
	const seen: Seen = await page.evaluate(() => {
		const { peers, closings, frames, status } = window.meshPage;
		return { peers, closings, frames, status };
	});
	return seen[key];
}

const counts = (pages: Page[]) => Promise.all(pages.map(async (page) => (await read(page, "peers")).length));

/** Which page is behind each page's channels: the fingerprints tell, if they match at all. */
async function links(pages: Page[]): Promise<Map<string, { from: Page; channel: string; to: Page }>> {
	const ends = (
		await Promise.all(pages.map(async (page) => (await read(page, "peers")).map((peer) => ({ page, ...peer }))))
	).flat();
	const found = new Map<string, { from: Page; channel: string; to: Page }>();
	for (const { page, channel, local, remote, initiator } of ends) {
		const others = ends.filter((end) => end.local === remote && end.remote === local);
		expect(others).toHaveLength(1);
		expect(others[0]?.initiator).toBe(!initiator);
		expect(local).toMatch(/^[0-9a-f]{64}$/);
		found.set(`${pages.indexOf(page)}-${pages.indexOf(others[0]?.page as Page)}`, {
			from: page,
			channel,
			to: others[0]?.page as Page,
		});
	}
	return found;
}

const SERVERS: [name: string, start: () => Promise<string>][] = [
	["our server", async () => service.localUrl.replace("http", "ws")],
	[
		"y-webrtc's server",
		async () => {
			const stock = await startStockServer();
			stops.push(stock.stop);
			return stock.url;
		},
	],
];

describe.each(SERVERS)("over %s", (name, start) => {
	it("four pages make a full mesh, exchange frames, and one that was closed comes back", {
		timeout: 90_000,
	}, async () => {
		const url = await start();
		const pages: Page[] = [];
		// The order of coming is not the order of the ids.
		for (const n of [3, 1, 4, 2]) pages.push(await openPage(n, name, url));
		await expect.poll(() => counts(pages), patient).toEqual([3, 3, 3, 3]);
		for (const page of pages) expect(await read(page, "status")).toEqual({ connected: 1, configured: 1 });

		const mesh = await links(pages);
		expect(mesh.size).toBe(12);
		for (const [pair, { from, channel }] of mesh) {
			const bytes = pair.split("-").map(Number);
			await from.evaluate(([to, sent]) => window.meshPage.send(to, sent), [channel, bytes] as const);
		}
		for (const [i, page] of pages.entries()) {
			const expected = [0, 1, 2, 3].filter((other) => other !== i).map((other) => `0${other}0${i}`);
			await expect.poll(async () => (await read(page, "frames")).map(({ frame }) => frame).sort()).toEqual(expected);
		}

		await pages[2]?.context().close();
		pages[2] = await openPage(4, name, url);
		await expect.poll(() => counts(pages), patient).toEqual([3, 3, 3, 3]);
		expect((await links(pages)).size).toBe(12);
		for (const page of [pages[0], pages[1], pages[3]]) {
			const closings = await read(page as Page, "closings");
			expect(closings).toHaveLength(1);
			expect(["peer-restarted", "connection-lost"]).toContain(closings[0]?.code);
		}
	});
});

describe("a channel", () => {
	it("carries frames of 64 kB in order, also from https, and closes for one that is longer or text", {
		timeout: 60_000,
	}, async () => {
		const lanUrl = service.lanUrl ?? "";
		const a = await openPage(1, "long frames", lanUrl.replace("http", "ws"), lanUrl);
		const b = await openPage(2, "long frames", service.localUrl.replace("http", "ws"));
		await expect.poll(() => counts([a, b]), patient).toEqual([1, 1]);
		const [{ channel } = { channel: "" }] = await read(a, "peers");
		for (let i = 0; i < 100; i++) {
			await a.evaluate(([to, fill]) => window.meshPage.sendLong(to, 65_536, fill), [channel, i] as const);
		}
		await expect.poll(async () => (await read(b, "frames")).length, patient).toBe(100);
		expect((await read(b, "frames")).map(({ frame }) => frame)).toEqual(
			Array.from({ length: 100 }, (_, i) => `65536 × ${i}`),
		);
		await a.evaluate((to) => window.meshPage.sendLong(to, 65_537, 1), channel);
		await expect
			.poll(async () => (await read(b, "closings")).map(({ code }) => code), patient)
			.toEqual(["frame-too-long"]);
		await expect
			.poll(async () => (await read(a, "closings")).map(({ code }) => code), patient)
			.toEqual(["connection-lost"]);
		// It is tried again after a while.
		await expect.poll(() => counts([a, b]), patient).toEqual([1, 1]);
		const [again] = await read(a, "peers");
		await a.evaluate((to) => window.meshPage.sendText(to, "hello"), again?.channel ?? "");
		await expect.poll(async () => (await read(b, "closings")).at(-1)?.code, patient).toBe("frame-not-binary");
	});
});
