import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import encodeQR from "qr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import nb from "../../src/ui/messages/nb.json" with { type: "json" };
import { type App, CHROMIUM_ARGS, chromiumPath, startApp } from "../e2e/support/app.js";
import { expect as expectPage, until } from "../e2e/support/expect.js";
import { openLobby } from "../e2e/support/screens.js";
import { watchPolicy } from "../e2e/support/watchPolicy.js";

/** A tablet is held before a neighbour's screen: Chromium's camera shows a film of the code. */
let app: App;
let link = "";
const browsers: Browser[] = [];

beforeAll(async () => {
	app = await startApp();
	const shared = await openLobby(await app.openPage(), app.url, { neighbourhood: "Solbakken", household: "Berg" });
	link = `${app.url}/${shared.slice(shared.indexOf("#"))}`;
});

afterAll(async () => {
	for (const browser of browsers) await browser.close();
	await app?.stop();
});

const WIDTH = 640;
const HEIGHT = 480;
/** Camera pixels of one module. */
const SCALE = 5;

/** One frame, as an uncompressed film: the code in black on white, somewhere in the picture. */
function filmOf(text: string): Buffer {
	const rows = encodeQR(text, "raw", { border: 4, ecc: "medium" });
	const luma = Buffer.alloc(WIDTH * HEIGHT, 200);
	rows.forEach((row, y) => {
		row.forEach((isDark, x) => {
			for (let dy = 0; dy < SCALE; dy++) {
				const at = (y * SCALE + dy + 10) * WIDTH + x * SCALE + 90;
				luma.fill(isDark ? 30 : 230, at, at + SCALE);
			}
		});
	});
	const header = `YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`;
	return Buffer.concat([Buffer.from(`${header}FRAME\n`), luma, Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]);
}

/** The screen on which a link is pasted or scanned, in a browser whose camera sees a text. */
async function joinBefore(text: string | undefined, complaints: string[] = []): Promise<Page> {
	const film = join(await app.newFolder(), "film.y4m");
	if (text !== undefined) await writeFile(film, filmOf(text));
	const camera = ["--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${film}`];
	const args = [...CHROMIUM_ARGS, "--use-fake-ui-for-media-stream", ...(text === undefined ? [] : camera)];
	const browser = await chromium.launch({ args, executablePath: chromiumPath() });
	browsers.push(browser);
	const page = await browser.newPage({ locale: "nb-NO" });
	await watchPolicy(page, complaints);
	await page.goto(`${app.url}/#/join`);
	await page.getByRole("button", { name: nb.scan_open }).click();
	return page;
}

describe("the code on a neighbour's screen", () => {
	it("is read by the camera, which goes off, and leads into the lobby", async () => {
		const complaints: string[] = [];
		const page = await joinBefore(link, complaints);
		const field = page.getByLabel(nb.join_paste);
		await until(
			() => field.inputValue(),
			(value) => value === link,
			20_000,
		);
		expect(await page.locator("video").count()).toBe(0);
		// A hint to the library that reads the pictures.
		expect(complaints.filter((text) => !text.startsWith("Canvas2D: "))).toEqual([]);
	});

	it("says so where it leads nowhere here, and goes on looking", async () => {
		const page = await joinBefore("https://example.com/menu");
		await expectPage(page.getByText(nb.join_bad_link)).visible();
		const isLive = await page
			.locator("video")
			.evaluate((video) => ((video as HTMLVideoElement).srcObject as MediaStream).active);
		expect(isLive).toBe(true);
	});

	it("is pasted as a link where there is no camera", async () => {
		const page = await joinBefore(undefined);
		await expectPage(page.getByText(nb.scan_no_camera)).visible();
		await page.getByRole("button", { name: nb.scan_paste }).click();
		await expectPage(page.getByLabel(nb.join_paste)).visible();
	});
});
