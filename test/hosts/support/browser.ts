/** A Chromium on a computer of the test, with a profile and a home folder of its own, and nothing switched off. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { BARE_WINDOW } from "../../e2e/support/app.js";
import { type Computer, isOnPath } from "./namespaces.js";
import { createScratch } from "./scratch.js";

export interface HostBrowser {
	page: Page;
	close(): Promise<void>;
}

export interface BrowserOptions {
	/** PEM of an authority that is installed before the first start. */
	authority?: string;
}

/** Why no authority can be installed here, or undefined if it can. */
export function authorityStoreMissing(): string | undefined {
	return isOnPath("certutil") ? undefined : "certutil is not installed (Debian: apt-get install libnss3-tools)";
}

export async function openBrowser(host: Computer, options: BrowserOptions = {}): Promise<HostBrowser> {
	const scratch = createScratch("host");
	const home = scratch.folder;
	let context: BrowserContext;
	try {
		if (options.authority !== undefined) installAuthority(home, options.authority);
		const wrapper = join(home, "chromium-on-host");
		const { file, args } = host.inside("chromium", []);
		writeFileSync(wrapper, `#!/bin/sh\nexec ${file} ${args.join(" ")} "$@"\n`, { mode: 0o755 });
		context = await chromium.launchPersistentContext(join(home, "profile"), {
			executablePath: wrapper,
			args: [`--disable-features=${BARE_WINDOW}`],
			env: { ...process.env, HOME: home, XDG_CONFIG_HOME: "", XDG_CACHE_HOME: "", XDG_DATA_HOME: "" },
			locale: "nb-NO",
		});
	} catch (error) {
		scratch.remove();
		throw error;
	}
	return {
		page: context.pages()[0] ?? (await context.newPage()),
		async close() {
			await context.close().catch(() => {});
			scratch.remove();
		},
	};
}

/** "Advanced", then "Proceed", as the server's greeting tells people; the browser must have refused at first. */
export async function openDespiteWarning(page: Page, url: string): Promise<string> {
	const refusal = await page.goto(url).then(
		() => "none",
		(error: Error) => /net::(\w+)/.exec(error.message)?.[1] ?? error.message,
	);
	await page.locator("#details-button").click();
	await page.locator("#proceed-link").click();
	await page.waitForURL((now) => now.protocol === "https:");
	return refusal;
}

/** Chromium on Linux asks the NSS database of the person's home folder whom to trust. */
function installAuthority(home: string, authority: string): void {
	const database = join(home, ".pki", "nssdb");
	mkdirSync(database, { recursive: true });
	const file = join(home, "certificate.crt");
	writeFileSync(file, authority);
	const certutil = (...args: string[]) =>
		execFileSync("certutil", ["-d", `sql:${database}`, ...args], { stdio: ["ignore", "ignore", "inherit"] });
	certutil("-N", "--empty-password");
	certutil("-A", "-n", "Nabostrom", "-t", "C,,", "-i", file);
}
