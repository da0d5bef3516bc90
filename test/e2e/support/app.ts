/** The real app in the real browser: built once, served by the real server. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { type Service, startService } from "../../../signaling/service.js";
import { assert } from "../../../src/primitives/assert.js";
import { createScratch } from "../../hosts/support/scratch.js";

const project = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Each window's address bar, in which nobody types, has a page of its own behind it: to load it takes as long as the whole
 * app does.
 */
export const BARE_WINDOW = "WebUIOmniboxPopup,WebUIOmniboxAimPopup";
/** Names of the local network instead of addresses cost seconds here. */
export const CHROMIUM_ARGS = ["--no-sandbox", `--disable-features=WebRtcHideLocalIpsWithMdns,${BARE_WINDOW}`];

/** Where the system has a program, if it has it. */
export function programPath(name: string): string | undefined {
	return (process.env.PATH ?? "")
		.split(delimiter)
		.map((directory) => join(directory, name))
		.find((candidate) => existsSync(candidate));
}

/** The system's Chromium: Playwright's own cannot be downloaded everywhere. */
export function chromiumPath(): string {
	const path = programPath("chromium");
	if (path === undefined) throw new Error("no chromium on PATH: apt-get install chromium");
	return path;
}

/** `npm test` builds once for all files and says where; a file that is run by itself builds anew. */
export function builtApp(): string {
	const given = process.env.NABOSTROM_DIST;
	if (given !== undefined) return given;
	const folder = join(project, "dist");
	const result = spawnSync("npx", ["vite", "build", "--logLevel", "error", "--outDir", folder], {
		cwd: project,
		stdio: "inherit",
		// Vitest says "test", and an app that is built for tests registers no service worker.
		env: { ...process.env, NODE_ENV: "production" },
	});
	if (result.status !== 0) throw new Error("the app does not build");
	return folder;
}

export interface App {
	url: string;
	/**
	 * A page of its own browser profile, which ends with it. `serviceWorkers`: what they fetch beside would cost each page of
	 * each test a second.
	 */
	openPage(serviceWorkers?: "allow" | "block"): Promise<Page>;
	/** A profile that lasts: closing and opening it again is closing and opening the tablet's browser. */
	openPersistent(folder: string): Promise<{ context: BrowserContext; page: Page }>;
	newFolder(): Promise<string>;
	/** The server is gone, the pages stay. */
	stopServer(): Promise<void>;
	stop(): Promise<void>;
}

export interface AppOptions {
	/** Up to so many devices everybody is connected with everybody; as it is built where it is absent. */
	fullMeshDevices?: number;
	/** Signaling servers that it names beside itself. */
	furtherServers?: readonly string[];
	/** Whether it also has an empty page, `/empty.html`, to compare with. */
	withEmptyPage?: boolean;
}

const EMPTY_PAGE = '<!doctype html><html lang="nb"><meta charset="utf-8"><title>Tom</title><p>Tom</p></html>';

/** The real server with the real app, on a free port. */
export async function serveApp(options: AppOptions = {}): Promise<Service> {
	const { fullMeshDevices, furtherServers = [], withEmptyPage = false } = options;
	let staticFolder = fullMeshDevices === undefined ? builtApp() : await appWith(fullMeshDevices);
	if (withEmptyPage) {
		staticFolder = await copyOf(staticFolder);
		await writeFile(join(staticFolder, "empty.html"), EMPTY_PAGE);
	}
	const service = await startService({ port: 0, staticFolder, furtherServers });
	if (!service.ok) throw new Error(service.error.code);
	return service.value;
}

/** A copy of the built app with one number of its node's settings changed: thirty-one pages are too many for a test. */
async function appWith(fullMeshDevices: number): Promise<string> {
	const folder = await copyOf(builtApp());
	const workers = join(folder, "assets", "worker");
	let changed = 0;
	for (const name of await readdir(workers)) {
		const text = await readFile(join(workers, name), "utf8");
		const other = text.replace(/fullMeshDevices:30\b/, `fullMeshDevices:${fullMeshDevices}`);
		if (other !== text) changed += 1;
		await writeFile(join(workers, name), other);
	}
	assert(changed === 1, "the node's settings are in one file");
	return folder;
}

async function copyOf(built: string): Promise<string> {
	const { folder } = createScratch("app");
	await cp(built, folder, { recursive: true });
	return folder;
}

export async function startApp(options: AppOptions = {}): Promise<App> {
	const service = await serveApp(options);
	const executablePath = chromiumPath();
	const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
	return createApp(service, browser, executablePath);
}

function createApp(service: Service, browser: Browser, executablePath: string): App {
	const url = service.localUrl;
	const folders: string[] = [];
	const contexts: BrowserContext[] = [];
	/** What moves on ten pages at once is painted without a graphics card, and costs the machine half of what they do. */
	const look = { locale: "nb-NO", reducedMotion: "reduce" } as const;
	return {
		url,
		async openPage(serviceWorkers = "block") {
			const context = await browser.newContext({ ...look, serviceWorkers });
			return context.newPage();
		},
		async openPersistent(folder) {
			const context = await chromium.launchPersistentContext(folder, { ...look, executablePath, args: CHROMIUM_ARGS });
			contexts.push(context);
			return { context, page: context.pages()[0] ?? (await context.newPage()) };
		},
		async newFolder() {
			const folder = await mkdtemp(join(tmpdir(), "nabostrom-"));
			folders.push(folder);
			return folder;
		},
		stopServer: () => service.stop(),
		async stop() {
			for (const context of contexts) await context.close().catch(() => {});
			await browser.close();
			await service.stop();
			for (const folder of folders) await rm(folder, { recursive: true, force: true });
		},
	};
}
