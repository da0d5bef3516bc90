/**
 * The main screens as pictures, at four widths in both themes, with the clock held. `NABOSTROM_PICTURES=write` makes them
 * anew, and lays them out as large as they are: whoever does so looks at each that changed.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { differenceOf, layOut, readPicture, small } from "./support/picture.js";
import { type Look, type Preview, startPreview, viewportOf } from "./support/preview.js";
import type { ShownScreen } from "./support/shownScreens.js";

const FOLDER = fileURLToPath(new URL("pictures/", import.meta.url));
const IS_WRITING = process.env.NABOSTROM_PICTURES === "write";
const WIDTHS = [360, 768, 1024, 1280] as const;
const THEMES = ["light", "dark"] as const;

const SCREENS: readonly (ShownScreen & { name: string })[] = [
	{ name: "welcome", scene: "welcome", route: "" },
	{ name: "found", scene: "welcome", route: "found" },
	{ name: "home-producer", scene: "street", route: "" },
	{ name: "home-consumer", scene: "consumer", route: "" },
	{ name: "usage", scene: "street", route: "usage" },
	{ name: "market", scene: "street", route: "market" },
	{ name: "balance", scene: "street", route: "balance" },
	{ name: "meter", scene: "street", route: "meter" },
	{ name: "chain", scene: "street", route: "chain" },
	{ name: "operations", scene: "street", route: "operations" },
	{ name: "network", scene: "street", route: "network" },
	{ name: "members", scene: "street", route: "members" },
	{ name: "treasury", scene: "street", route: "treasury" },
	{ name: "more", scene: "street", route: "more" },
	{ name: "inbox", scene: "street", route: "inbox" },
	{ name: "kiosk", scene: "street", route: "kiosk" },
	{ name: "statement", scene: "street", route: "statement" },
];

let preview: Preview;

beforeAll(async () => {
	if (IS_WRITING) {
		rmSync(FOLDER, { recursive: true, force: true });
		mkdirSync(FOLDER);
	}
	preview = await startPreview();
}, 180_000);

afterAll(async () => {
	await preview?.stop();
	if (IS_WRITING) console.log(`Look at them, as large as they are, in ${layOut({})}`);
});

/** A screen at all widths, one after the other in the same page. */
async function picturesOf(screen: ShownScreen, theme: Look["theme"]): Promise<Map<number, Buffer>> {
	const page = await preview.showAlone(screen, { width: WIDTHS[0], theme, language: "nb" });
	const pictures = new Map<number, Buffer>();
	for (const width of WIDTHS) {
		await page.setViewportSize(viewportOf(width));
		// What is drawn by hand is drawn again in the next frame.
		await page.clock.runFor(100);
		pictures.set(width, await page.screenshot());
	}
	await page.context().close();
	return pictures;
}

/** What is wrong with a picture, if anything is. */
function faultOf(name: string, drawn: Buffer): string[] {
	const path = join(FOLDER, `${name}.png`);
	const now = small(drawn);
	if (IS_WRITING) {
		writeFileSync(path, now);
		layOut({ [name]: drawn });
		return [];
	}
	const wanted = readPicture(path);
	if (wanted === undefined) return [`${name}: nothing to compare it with; drawn in ${layOut({ [name]: drawn })}`];
	const difference = differenceOf(wanted, now);
	if (difference === undefined) return [];
	const { of, inWindow, picture } = difference;
	const folder = layOut({ [name]: drawn, [`${name}.wanted`]: wanted, [`${name}.difference`]: picture });
	return [`${name}: its ${of} differ in ${inWindow} pixels close together; see ${folder}`];
}

describe("looks as in its picture", () => {
	it.each(SCREENS)("$name", async (screen) => {
		const drawn = await Promise.all(THEMES.map((theme) => picturesOf(screen, theme)));
		const faults = THEMES.flatMap((theme, at) =>
			[...(drawn[at] ?? [])].flatMap(([width, picture]) => faultOf(`${screen.name}-${width}-${theme}`, picture)),
		);
		expect(faults).toEqual([]);
	});
});

/** What is told apart, and what is not, on a screen that has cards, lines and letters. */
describe("two pictures", () => {
	const CHANGES: { change: string; style: string; differs: "shapes" | "surfaces" | undefined }[] = [
		{ change: "with a card 8 px lower", style: ".columns > :nth-child(2) { translate: 0 8px; }", differs: "shapes" },
		{
			change: "with a card 8 px to the right",
			style: ".columns > :nth-child(1) { translate: 8px; }",
			differs: "shapes",
		},
		{ change: "with another colour of lines", style: ":root { --line: #c3ccd8 !important; }", differs: "surfaces" },
		{ change: "with another background", style: ":root { --bg: #f2f3f6 !important; }", differs: "surfaces" },
		{ change: "with other edges of letters", style: "* { -webkit-text-stroke: 0.08px; }", differs: undefined },
	];
	let plain: Buffer;

	async function shownWith(style: string): Promise<Buffer> {
		const look: Look = { width: 1024, theme: "light", language: "nb" };
		const page = await preview.showAlone({ scene: "street", route: "balance" }, look);
		if (style !== "") await page.addStyleTag({ content: style });
		const picture = await page.screenshot();
		await page.context().close();
		return picture;
	}

	beforeAll(async () => {
		plain = await shownWith("");
	});

	it.each(CHANGES)("$change", async ({ style, differs }) => {
		const changed = await shownWith(style);
		expect(changed.equals(plain)).toBe(false);
		expect(differenceOf(small(plain), small(changed))?.of).toBe(differs);
	});
});
