import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Service, startService } from "../../signaling/service.js";
import { ACCEPTANCE, PROFILE_FENCE } from "../unit/storage/acceptance.js";
import type { StorageRequest } from "./fixtures/storageWorker.js";
import { CHROMIUM_ARGS, chromiumPath } from "./support/app.js";

/** The storage's acceptance suite in a worker of a real page, in a profile that lasts. */
let folder: string;
let service: Service;
let context: BrowserContext;
let page: Page;

async function openBrowser(): Promise<void> {
	context = await chromium.launchPersistentContext(join(folder, "profile"), {
		executablePath: chromiumPath(),
		args: CHROMIUM_ARGS,
		// The app's own policy knows no worker but the app's.
		bypassCSP: true,
	});
	page = context.pages()[0] ?? (await context.newPage());
	await page.goto(`${service.localUrl}/storage.html`);
}

const ask = (request: StorageRequest) => page.evaluate((given) => window.askStorage(given), request);

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "storage-"));
	await build({
		configFile: false,
		logLevel: "warn",
		root: fileURLToPath(new URL("fixtures/", import.meta.url)),
		worker: { format: "es" },
		build: { outDir: join(folder, "site"), rolldownOptions: { input: "storage.html" } },
	});
	const started = await startService({ port: 0, staticFolder: join(folder, "site") });
	if (!started.ok) throw new Error(started.error.code);
	service = started.value;
	await openBrowser();
});

afterAll(async () => {
	await context?.close();
	await service?.stop();
	await rm(folder, { recursive: true, force: true });
});

describe("the storage in IndexedDB", () => {
	it.each([...ACCEPTANCE, PROFILE_FENCE])("$name", async ({ name }) => {
		expect(await ask({ type: "case", name })).toEqual({ error: undefined });
	});

	it("has everything on the disk when the browser is closed and opened again", async () => {
		expect(await ask({ type: "writeEverything" })).toEqual({ error: undefined });
		await context.close();
		await openBrowser();
		expect(await ask({ type: "findEverything" })).toEqual({ error: undefined });
	});

	it("opens a database of the first version, with what is in it, and says so where another tab will not let go", async () => {
		expect((await ask({ type: "openFirstVersion", isHeldOpen: false })).names).toEqual(["kept, 1"]);
		expect((await ask({ type: "openFirstVersion", isHeldOpen: true })).names).toEqual(["storage-blocked"]);
	});

	it("seals bank accounts, for the neighbourhood's database in which they lie", async () => {
		expect((await ask({ type: "howAccountsLie" })).names).toEqual(["nonce,sealed", "open", ""]);
	});

	it("deletes a demo's databases by their prefix, and no others", async () => {
		const { names } = await ask({ type: "deletePrefix", prefix: "case " });
		expect(names?.sort()).toEqual(["lasting/durable", "lasting/profile"]);
	});
});
