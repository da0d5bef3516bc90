/** The real app in the real browser: built once, served by the real server. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { type Service, startService } from "../../../signaling/service.js";

const project = fileURLToPath(new URL("../../../", import.meta.url));

/** Names of the local network instead of addresses cost seconds here. */
export const CHROMIUM_ARGS = ["--no-sandbox", "--disable-features=WebRtcHideLocalIpsWithMdns"];

/** The system's Chromium: Playwright's own cannot be downloaded everywhere. */
export function chromiumPath(): string {
	const path = (process.env.PATH ?? "")
		.split(delimiter)
		.map((directory) => join(directory, "chromium"))
		.find((candidate) => existsSync(candidate));
	if (path === undefined) throw new Error("no chromium on PATH: apt-get install chromium");
	return path;
}

/** `npm test` builds once for all files and says where; a file that is run by itself builds anew. */
function builtApp(): string {
	const given = process.env.NABOSTROM_DIST;
	if (given !== undefined) return given;
	const folder = join(project, "dist");
	const result = spawnSync("npx", ["vite", "build", "--logLevel", "error", "--outDir", folder], {
		cwd: project,
		stdio: "inherit",
	});
	if (result.status !== 0) throw new Error("the app does not build");
	return folder;
}

export interface App {
	url: string;
	/** A page of its own browser profile, which ends with it. */
	openPage(): Promise<Page>;
	/** A profile that lasts: closing and opening it again is closing and opening the tablet's browser. */
	openPersistent(folder: string): Promise<{ context: BrowserContext; page: Page }>;
	newFolder(): Promise<string>;
	stop(): Promise<void>;
}

/** The real server with the real app, on a free port. */
export async function serveApp(): Promise<Service> {
	const service = await startService({ port: 0, staticFolder: builtApp() });
	if (!service.ok) throw new Error(service.error.code);
	return service.value;
}

export async function startApp(): Promise<App> {
	const service = await serveApp();
	const executablePath = chromiumPath();
	const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
	return createApp(service, browser, executablePath);
}

function createApp(service: Service, browser: Browser, executablePath: string): App {
	const url = service.localUrl;
	const folders: string[] = [];
	const contexts: BrowserContext[] = [];
	const locale = "nb-NO";
	return {
		url,
		async openPage() {
			const context = await browser.newContext({ locale });
			return context.newPage();
		},
		async openPersistent(folder) {
			const context = await chromium.launchPersistentContext(folder, { executablePath, args: CHROMIUM_ARGS, locale });
			contexts.push(context);
			return { context, page: context.pages()[0] ?? (await context.newPage()) };
		},
		async newFolder() {
			const folder = await mkdtemp(join(tmpdir(), "nabostrom-"));
			folders.push(folder);
			return folder;
		},
		async stop() {
			for (const context of contexts) await context.close().catch(() => {});
			await browser.close();
			await service.stop();
			for (const folder of folders) await rm(folder, { recursive: true, force: true });
		},
	};
}
