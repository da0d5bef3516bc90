/** A household alone in its neighbourhood, with a meter on a real serial port. */
import type { Page } from "playwright-core";
import { blockHash, decodeBlock } from "../../../src/block/block.js";
import type { Reading } from "../../../src/block/reading.js";
import { openRecord } from "../../../src/node/records.js";
import { ZERO_HASH } from "../../../src/primitives/hash.js";
import { PERSISTENT_PREFIX } from "../../../src/worker/start.js";
import { serveApp } from "./app.js";
import { expect as expectPage, until } from "./expect.js";
import { goTo, openLobby, start } from "./screens.js";
import { launchSerialBrowser, type SerialBrowser } from "./serialPty.js";

export interface SerialHome {
	page: Page;
	port: SerialBrowser;
	stop(): Promise<void>;
}

/** What the meter's screen says. */
export interface MeterCounts {
	telegrams: number;
	/** By the screen's own words. */
	dropped: Record<string, number>;
}

/** Opens the app in a browser that has the port, granted but not chosen yet. */
export async function openSerialHome(): Promise<SerialHome> {
	const service = await serveApp();
	try {
		const port = await launchSerialBrowser(service.localUrl);
		const page = port.context.pages()[0] ?? (await port.context.newPage());
		// The browser's own list of ports, which a headless one never shows: the person takes the first.
		await page.addInitScript(() => {
			navigator.serial.requestPort = async () => {
				const [first] = await navigator.serial.getPorts();
				if (first === undefined) throw new DOMException("No port selected by the user.", "NotFoundError");
				return first;
			};
		});
		await page.goto(service.localUrl);
		return {
			page,
			port,
			async stop() {
				await port.close();
				await service.stop();
			},
		};
	} catch (error) {
		await service.stop();
		throw error;
	}
}

/** Founds a neighbourhood of one household, and starts it without waiting for anybody. */
export async function foundAlone({ page }: SerialHome): Promise<void> {
	await openLobby(page, page.url(), { neighbourhood: "Solbakken", household: "Bjørkeveien 1" });
	await start(page);
	await expectPage(page.getByText("Akkurat nå")).visible();
}

/** Chooses the port on the meter's screen, and waits until the app listens to it. */
export async function connectMeter({ page, port }: SerialHome): Promise<void> {
	await goTo(page, "meter");
	await page.getByRole("button", { name: "Koble til måler" }).click();
	await expectPage(page.getByText("Lytter på porten med 2400 8E1")).visible();
	// The pty knows, too: what is read at another speed is noise on a real line.
	if (port.baudRate() !== 2_400) throw new Error(`the port was opened with ${port.baudRate()} baud`);
}

/** Waits until the app understands what comes at a line. */
export async function meterUnderstood({ page }: SerialHome, line: string, withinMs: number): Promise<void> {
	await expectPage(page.getByText(`Måleren leses med ${line}`)).visible(withinMs);
}

/** What the meter's screen has counted. */
export async function meterCounts(page: Page): Promise<MeterCounts> {
	await goTo(page, "meter");
	const heading = page.getByText("Meldinger fra måleren");
	await expectPage(heading).visible();
	const rows = await page
		.locator("section")
		.filter({ has: heading })
		.locator("dl > div")
		.evaluateAll((divisions) =>
			divisions.map((division): [string, number] => [
				division.querySelector("dt")?.textContent?.trim() ?? "",
				Number(division.querySelector("dd")?.textContent?.replace(/\s/g, "")),
			]),
		);
	const { "Mottatt og lest": telegrams = 0, ...dropped } = Object.fromEntries(rows);
	return { telegrams, dropped };
}

/** The readings on the chain as this browser has stored it, block by block from genesis. */
export async function chainReadings(page: Page): Promise<Reading[]> {
	const records = await page.evaluate(storedBlocks, PERSISTENT_PREFIX);
	const readings: Reading[] = [];
	let previousHash = ZERO_HASH;
	for (const record of records) {
		const content = openRecord(Uint8Array.from(record));
		const block = content.ok ? decodeBlock(content.value, previousHash) : content;
		if (!block.ok) throw new Error(`a stored block: ${block.error.code}`);
		previousHash = blockHash(block.value);
		for (const transaction of block.value.transactions) {
			if (transaction.kind === "reading") readings.push(transaction);
		}
	}
	return readings;
}

/** In the page: all that the blockchain's store of the one neighbourhood holds. */
async function storedBlocks(prefix: string): Promise<number[][]> {
	const names = (await indexedDB.databases()).map(({ name }) => name ?? "");
	const name = names.find((each) => each.startsWith(prefix) && each !== `${prefix}profile`);
	if (name === undefined) return [];
	const done = <T>(request: IDBRequest<T>) =>
		new Promise<T>((resolve, reject) => {
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => reject(request.error);
		});
	const database = await done(indexedDB.open(name));
	const store = database.transaction("blockchain").objectStore("blockchain");
	const records = await done<Uint8Array[]>(store.getAll());
	database.close();
	return records.map((record) => [...record]);
}

/** Waits until a minute is on the chain, then gives all readings. */
export async function chainUpTo(page: Page, minute: number): Promise<Reading[]> {
	return until(
		() => chainReadings(page),
		(readings) => readings.some((reading) => reading.minute >= minute),
		30_000,
	);
}
