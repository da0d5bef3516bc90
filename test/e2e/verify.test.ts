import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Proven, verifyProofFile } from "../../src/node/proofFileCheck.js";
import { toHex } from "../../src/primitives/bytes.js";
import { createVerifier } from "../../src/primitives/signature.js";
import en from "../../src/ui/messages/en.json" with { type: "json" };
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { statementFragment } from "../../src/ui/statementLink.js";
import { BUYER, settledStreet } from "../support/keptProofs.js";
import { FIRST_MINUTE } from "../support/ledger.js";
import { type App, startApp } from "./support/app.js";
import { expect as expectPage } from "./support/expect.js";
import { watchPolicy } from "./support/watchPolicy.js";

let app: App;
let page: Page;
let text: string;
let gridId: string;
let file: Proven;
const complaints: string[] = [];

beforeAll(async () => {
	const kept = settledStreet(BUYER, 5, 3);
	gridId = toHex(kept.street.ledger.gridId);
	({ text } = await kept.file({ contractId: toHex(kept.street.contract(0).id), minute: FIRST_MINUTE + 2 }));
	const proven = verifyProofFile(text, createVerifier());
	if (!proven.ok) throw new Error(proven.error.code);
	file = proven.value;
	app = await startApp();
	page = await app.openPage();
	await watchPolicy(page, complaints);
	await page.goto(`${app.url}/verify.html`);
	await page.getByRole("heading", { name: nb.verify_title }).waitFor();
	// All that follows is done without a network.
	await page.context().setOffline(true);
});

afterAll(async () => {
	await app?.stop();
});

const heading = (name: string) => page.getByRole("heading", { name, exact: true });

describe("the page that checks proof files, offline", () => {
	it("says in plain words what a file proves, and shows the neighbourhood's id", async () => {
		const path = join(mkdtempSync(join(tmpdir(), "nabostrom-proof-")), "proof.json");
		writeFileSync(path, text);
		await page.getByLabel(nb.verify_choose).setInputFiles(path);
		await heading(nb.verify_proved).waitFor();
		await expectPage(page.getByText("Hus 2 leverte 21 Wh til Hus 1", { exact: false })).visible();
		await expectPage(page.getByText("signert av 3 av 5 som stemmer", { exact: false })).visible();
		await expectPage(page.getByText(nb.verify_grid_compare)).visible();
		expect((await page.locator(".id").textContent())?.replaceAll(" ", "")).toBe(gridId);
	});

	it("compares the id that one knows", async () => {
		await page.getByLabel(nb.verify_expected).fill(gridId);
		await expectPage(page.getByText(nb.verify_grid_same)).visible();
		await page.getByLabel(nb.verify_expected).fill("ab".repeat(32));
		await expectPage(page.getByText(nb.verify_grid_other)).visible();
		await heading(nb.verify_not_proved).waitFor();
		await page.getByLabel(nb.verify_expected).fill("");
	});

	it("says why a changed text proves nothing, in either language, and asks the network for nothing", async () => {
		await page.getByRole("button", { name: "English" }).click();
		await page.getByLabel(en.verify_paste).fill(text.replace("minute 29000002", "minute 29000003"));
		await heading(en.verify_not_proved).waitFor();
		await expectPage(page.getByText(en.error_proof_damaged)).visible();
		await page.getByLabel(en.verify_paste).fill("hello");
		await expectPage(page.getByText(en.error_proof_unreadable)).visible();
		await page.getByLabel(en.verify_paste).fill(text);
		await expectPage(page.getByText("Hus 2 delivered 21 Wh to Hus 1", { exact: false })).visible();
		expect([complaints, await page.evaluate(() => window.violations)]).toEqual([[], []]);
	});

	// The last one: a browser asks for the page's icon again when its address changes, and finds no network.
	it("says what the code on a statement says, and holds the file to its neighbourhood and its block", async () => {
		const { blocks } = file;
		const [block] = blocks;
		const link = { gridId, blockIndex: block?.index ?? 0, householdId: `02${"b3".repeat(32)}` };
		const scan = (blockHash: string) =>
			page.evaluate(
				(hash) => {
					location.hash = hash;
				},
				statementFragment({ ...link, blockHash }),
			);
		await scan(toHex(block?.hash ?? new Uint8Array()));
		await heading(en.verify_statement).waitFor();
		await expectPage(page.getByText(en.verify_grid_same)).visible();
		await expectPage(page.getByText(en.verify_statement_same.replace("{index}", String(link.blockIndex)))).visible();
		await scan("a1".repeat(32));
		await heading(en.verify_not_proved).waitFor();
	});
});
