// Makes the app's PNG icons from their drawings with the system's chromium; run it when a drawing has changed:
// `node --import tsx .ci/icons.mjs`. What it makes is committed.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { ICONS } from "../src/ui/icons.ts";

const drawing = (name) => readFileSync(`public/${name}.svg`, "utf8");
/** A place's icon on the app's colour, for shortcuts. */
const shortcut = (name) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">
	<rect width="48" height="48" rx="24" fill="#0f4f8a"/>
	<path d="${ICONS[name]}" transform="translate(12 12)" fill="none" stroke="#fff" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>
</svg>`;

const icons = [
	{ file: "icon-192", svg: drawing("favicon"), size: 192 },
	{ file: "icon-512", svg: drawing("favicon"), size: 512 },
	{ file: "maskable-512", svg: drawing("icon-maskable"), size: 512 },
	{ file: "apple-touch-180", svg: drawing("icon-maskable"), size: 180 },
	...["meter", "market", "balance"].map((name) => ({ file: `${name}-96`, svg: shortcut(name), size: 96 })),
];

const executablePath = execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage();
for (const { file, svg, size } of icons) {
	await page.setViewportSize({ width: size, height: size });
	const address = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
	await page.setContent(`<img src="${address}" width="${size}" height="${size}" style="position:fixed;inset:0">`);
	writeFileSync(`public/icons/${file}.png`, await page.screenshot({ omitBackground: true }));
}
await browser.close();
