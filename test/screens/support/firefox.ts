/** Debian's Firefox, driven over WebDriver BiDi, which Playwright does not speak to it. */
import { type Browser, launch, type Page } from "puppeteer-core";
import { programPath } from "../../e2e/support/app.js";

export const FIREFOX = programPath("firefox-esr") ?? programPath("firefox");

/** What a busy machine may take. */
const PATIENCE_MS = 40_000;

export interface Firefox {
	goTo(screen: string): Promise<void>;
	open(url: string): Promise<void>;
	/** Waits until the page says this, wherever. */
	says(text: string): Promise<void>;
	/** Writes into the field with this label. */
	write(label: string, text: string): Promise<void>;
	/** Presses the button with this name. */
	press(name: string): Promise<void>;
	readonly page: Page;
	stop(): Promise<void>;
}

export async function startFirefox(executablePath: string): Promise<Firefox> {
	const browser: Browser = await launch({
		browser: "firefox",
		executablePath,
		headless: true,
		extraPrefsFirefox: {
			"intl.accept_languages": "nb-NO, nb",
			// Firefox 153 has Web Serial; the ones before it have not, nor has Safari.
			"dom.webserial.enabled": false,
			// Names of the local network instead of addresses cost seconds here.
			"media.peerconnection.ice.obfuscate_host_addresses": false,
		},
	});
	const page = await browser.newPage();
	page.setDefaultTimeout(PATIENCE_MS);
	return {
		page,
		async open(url) {
			await page.goto(url);
		},
		async goTo(screen) {
			await page.evaluate((hash) => {
				location.hash = hash;
			}, `#/${screen}`);
		},
		async says(text) {
			const wanted = text.replace(/\s/gu, " ");
			const saying = page.waitForFunction(
				(all) => (document.body.textContent ?? "").replace(/\s/gu, " ").includes(all),
				{},
				wanted,
			);
			await saying.catch(async (error: unknown) => {
				const said = await page.evaluate(() => document.body.textContent);
				throw new Error(`Firefox never said “${wanted}”, but:\n${said}`, { cause: error });
			});
		},
		async write(label, text) {
			const field = await page.waitForFunction(
				(name) => [...document.querySelectorAll("label")].find((each) => each.textContent === name)?.control,
				{},
				label,
			);
			await field.asElement()?.type(text);
		},
		async press(name) {
			await page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
		},
		stop: () => browser.close(),
	};
}
