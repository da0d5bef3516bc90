/** The household's key under its password, in the real browser: Argon2id, IndexedDB, the screens. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seedOfWords } from "../../src/primitives/recoveryWords.js";
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { PERSISTENT_PREFIX } from "../../src/worker/start.js";
import { formsOf } from "../support/secretSearch.js";
import { type App, startApp } from "./support/app.js";
import { expect as expectPage } from "./support/expect.js";
import { goTo, openLobby, PASSWORD, start } from "./support/screens.js";
import { watchPolicy } from "./support/watchPolicy.js";

const OTHER_PASSWORD = "tre små fugler";

let app: App;
let home: Page;
const complaints: string[] = [];
/** Of the household, as its screen showed them. */
let words: string[] = [];

beforeAll(async () => {
	app = await startApp();
	home = await app.openPage();
	await watchPolicy(home, complaints);
	await openLobby(home, app.url, { neighbourhood: "Solbakken", household: "Hansen" }, false);
	await start(home);
	await expectPage(home.getByText(nb.home_today).first()).visible();
});

afterAll(async () => {
	await app?.stop();
});

const dialogOf = (page: Page, name: string) => page.getByRole("dialog", { name });

/** Orders 100 trial kroner, up to the question for the password. */
async function order(page: Page): Promise<void> {
	await goTo(page, "balance");
	await page.getByLabel("Beløp").fill("100");
	await page.getByRole("button", { name: nb.balance_buy_trial }).last().click();
	await page.getByRole("dialog").getByRole("textbox").fill("100");
	await page.getByRole("dialog").getByRole("button", { name: nb.balance_buy_trial }).click();
}

async function type(page: Page, password: string): Promise<void> {
	const asked = dialogOf(page, nb.unlock_title);
	await asked.getByLabel(nb.password, { exact: true }).fill(password);
	await asked.getByRole("button", { name: nb.unlock_submit }).click();
}

/** Everything in this browser's databases, as text with a character for each byte. */
function everythingStored(page: Page): Promise<{ text: string; extractable: boolean }> {
	return page.evaluate(async (prefix) => {
		const done = <T>(request: IDBRequest<T>) =>
			new Promise<T>((resolve, reject) => {
				request.onsuccess = () => resolve(request.result);
				request.onerror = () => reject(request.error);
			});
		const parts: string[] = [];
		let extractable = false;
		const visit = (value: unknown): void => {
			if (value instanceof CryptoKey) extractable ||= value.extractable;
			else if (value instanceof ArrayBuffer) visit(new Uint8Array(value));
			else if (value instanceof Uint8Array) parts.push(String.fromCharCode(...value));
			else if (typeof value === "object" && value !== null) for (const part of Object.values(value)) visit(part);
			else parts.push(String(value));
		};
		for (const { name = "" } of await indexedDB.databases()) {
			if (!name.startsWith(prefix)) continue;
			const database = await done(indexedDB.open(name));
			for (const store of database.objectStoreNames) {
				visit(await done(database.transaction(store).objectStore(store).getAll()));
			}
			database.close();
		}
		return { text: parts.join("\n"), extractable };
	}, PERSISTENT_PREFIX);
}

describe("the household's key", () => {
	it("is locked after a start of the browser; the chain goes on without it, and an order asks for the password", async () => {
		await home.reload();
		await order(home);
		await expectPage(dialogOf(home, nb.unlock_title)).visible();
		await type(home, "helt feil passord");
		await expectPage(home.getByText(nb.error_password_wrong)).visible();
		await type(home, PASSWORD);
		await expectPage(home.getByRole("dialog").getByText(nb.done_title)).visible();
		await home.getByRole("dialog").getByRole("button", { name: nb.close, exact: true }).click();
		await goTo(home, "more");
		await expectPage(home.getByText(nb.keys_open)).visible();
		await home.getByRole("button", { name: nb.keys_lock }).click();
		await expectPage(home.getByText(nb.keys_locked)).visible();
	});

	it("is twelve words, which are shown for the password, and asked for once they are on paper", async () => {
		await expectPage(home.getByText(nb.banner_no_words)).visible();
		await home.getByRole("button", { name: nb.words_show }).click();
		const dialog = dialogOf(home, nb.words_title);
		await dialog.getByLabel(nb.password, { exact: true }).fill(PASSWORD);
		await dialog.getByRole("button", { name: nb.words_reveal }).click();
		await expectPage(dialog.getByRole("listitem").first()).visible();
		words = await dialog.getByRole("listitem").allInnerTexts();
		expect(words).toHaveLength(12);
		await dialog.getByRole("button", { name: nb.words_written }).click();
		const asked = await dialog.getByRole("textbox").all();
		const places = await dialog.locator("label").allInnerTexts();
		const right = places.map((place) => words[Number(place.replace(/\D/g, "")) - 1] ?? "");
		for (const field of asked) await field.fill("feil");
		await dialog.getByRole("button", { name: nb.words_check_submit }).click();
		await expectPage(dialog.getByText(nb.words_check_wrong)).visible();
		for (const [at, field] of asked.entries()) await field.fill(right[at] ?? "");
		await dialog.getByRole("button", { name: nb.words_check_submit }).click();
		await expectPage(home.getByText(nb.keys_words_kept)).visible();
		await home.getByText(nb.banner_no_words).waitFor({ state: "detached" });
	});

	it("lies nowhere in the browser's databases but sealed, and what seals the device's key cannot be taken out", async () => {
		const seed = seedOfWords(words.join(" "));
		if (!seed.ok) throw new Error(seed.error.code);
		const { text, extractable } = await everythingStored(home);
		expect(text.length).toBeGreaterThan(1_000);
		expect(formsOf(seed.value).filter((form) => text.includes(form))).toEqual([]);
		expect(extractable).toBe(false);
		expect(complaints).toEqual([]);
	});

	it("gets another password, and who types five wrong ones has to wait", async () => {
		await home.getByRole("button", { name: nb.password_change }).click();
		const dialog = dialogOf(home, nb.password_change);
		await dialog.getByLabel(nb.password, { exact: true }).fill(PASSWORD);
		await dialog.getByLabel(nb.password_new).fill(OTHER_PASSWORD);
		await dialog.getByLabel(nb.password_again).fill(OTHER_PASSWORD);
		await dialog.getByRole("button", { name: nb.password_change }).click();
		await expectPage(dialog.getByText(nb.password_changed)).visible();
		await dialog.getByRole("button", { name: nb.close }).click();
		await order(home);
		for (let attempt = 0; attempt < 5; attempt++) {
			await type(home, PASSWORD);
			await expectPage(dialogOf(home, nb.unlock_title).getByText(nb.error_password_wrong)).visible();
		}
		await type(home, OTHER_PASSWORD);
		await expectPage(home.getByText(/blir sett på om/)).visible();
		await home.reload();
		await order(home);
		await type(home, OTHER_PASSWORD);
		await expectPage(home.getByText(/blir sett på om/)).visible();
	});
});
