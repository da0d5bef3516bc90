/** A household alone in its neighbourhood, with a meter on a real serial port. */
import type { Page } from "playwright-core";
import { blockHash, decodeBlock } from "../../../src/block/block.js";
import type { Reading } from "../../../src/block/reading.js";
import type { Transaction } from "../../../src/block/transaction.js";
import type { MeterMemory } from "../../../src/meter/meterPipeline.js";
import { decodeMeter } from "../../../src/node/meterRecord.js";
import { openTransaction } from "../../../src/node/outbox.js";
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

/** Opens the app in a browser that has the port, granted but not chosen yet. `timeScale`: how fast the chain's clock runs. */
export async function openSerialHome({ timeScale = 1 } = {}): Promise<SerialHome> {
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
		if (timeScale !== 1) await page.addInitScript(runFaster, timeScale);
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

/** In the page: the worker is told another clock. */
function runFaster(timeScale: number): void {
	const { postMessage } = Worker.prototype;
	const clock = { realMs: Date.now(), chainMs: Date.now(), timeScale };
	Worker.prototype.postMessage = function (this: Worker, message: object, ...rest: []) {
		postMessage.call(this, "clock" in message ? { ...message, clock } : message, ...rest);
	};
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
	return transactionsOf(records).filter((transaction) => transaction.kind === "reading");
}

/** Of stored blocks, from genesis on without a hole. */
function transactionsOf(records: readonly number[][]): Transaction[] {
	let previousHash = ZERO_HASH;
	return records.flatMap((record) => {
		const content = openRecord(Uint8Array.from(record));
		const block = content.ok ? decodeBlock(content.value, previousHash) : content;
		if (!block.ok) throw new Error(`a stored block: ${block.error.code}`);
		previousHash = blockHash(block.value);
		return [...block.value.transactions];
	});
}

/** What the node has begun of its meter, and all its minutes that are on the chain or on their way, at one moment. */
export async function storedMeter(
	page: Page,
): Promise<{ memory: MeterMemory | undefined; readings: Map<number, Reading> }> {
	const { blocks, proposed, outbox, meter } = await page.evaluate(storedRecords, PERSISTENT_PREFIX);
	const memory = meter === undefined ? undefined : decodeMeter(Uint8Array.from(meter));
	if (memory?.ok === false) throw new Error("the meter's record is sound");
	const readings = new Map<number, Reading>();
	const add = (transaction: Transaction | undefined) => {
		if (transaction?.kind === "reading") readings.set(transaction.minute, transaction);
	};
	for (const record of outbox) add(openTransaction(Uint8Array.from(record)));
	for (const transaction of transactionsOf([...blocks, ...proposed])) add(transaction);
	return { memory: memory?.value, readings };
}

/** In the page: what the one neighbourhood's database holds of the meter and its minutes. */
async function storedRecords(
	prefix: string,
): Promise<{ blocks: number[][]; proposed: number[][]; outbox: number[][]; meter: number[] | undefined }> {
	const names = (await indexedDB.databases()).map(({ name }) => name ?? "");
	const name = names.find((each) => each.startsWith(prefix) && each !== `${prefix}profile`) ?? "";
	const done = <T>(request: IDBRequest<T>) =>
		new Promise<T>((resolve, reject) => {
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => reject(request.error);
		});
	const database = await done(indexedDB.open(name));
	const transaction = database.transaction(["blockchain", "proposedBlocks", "outbox", "positions"]);
	const [blocks, proposed, outbox, meter] = await Promise.all([
		done<Uint8Array[]>(transaction.objectStore("blockchain").getAll()),
		done<Uint8Array[]>(transaction.objectStore("proposedBlocks").getAll()),
		done<Uint8Array[]>(transaction.objectStore("outbox").getAll()),
		done<Uint8Array | undefined>(transaction.objectStore("positions").get("meter")),
	]);
	database.close();
	const plain = (records: Uint8Array[]) => records.map((record) => [...record]);
	return { blocks: plain(blocks), proposed: plain(proposed), outbox: plain(outbox), meter: meter && [...meter] };
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
