/** What a page's databases hold of its neighbourhood, read beside the node that writes them. */
import type { Page } from "playwright-core";
import { PERSISTENT_PREFIX } from "../../../src/worker/start.js";

export interface Stored {
	/** Blocks from an index on, ascending. */
	blocks: { index: number; record: Uint8Array }[];
	/** Highest index in the blockchain; −1: empty. */
	newest: number;
	/** Records of transactions that wait. */
	outbox: Uint8Array[];
}

export async function readStored(page: Page, fromIndex: number): Promise<Stored> {
	const { blocks, newest, outbox } = await page.evaluate(inPage, { prefix: PERSISTENT_PREFIX, fromIndex });
	const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));
	return {
		blocks: blocks.map(({ index, record }) => ({ index, record: bytes(record) })),
		newest,
		outbox: outbox.map(bytes),
	};
}

/** In the page. One transaction, so that a reading is seen in the outbox or in a block. */
async function inPage({ prefix, fromIndex }: { prefix: string; fromIndex: number }) {
	const names = (await indexedDB.databases()).map(({ name }) => name ?? "");
	const name = names.find((each) => each.startsWith(prefix) && each !== `${prefix}profile`);
	if (name === undefined) return { blocks: [], newest: -1, outbox: [] };
	const done = <T>(request: IDBRequest<T>) =>
		new Promise<T>((resolve, reject) => {
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => reject(request.error);
		});
	const text = (bytes: Uint8Array) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
	const database = await done(indexedDB.open(name));
	const transaction = database.transaction(["blockchain", "outbox"]);
	const blockchain = transaction.objectStore("blockchain");
	const range = IDBKeyRange.lowerBound(fromIndex);
	const [keys, records, last, outbox] = await Promise.all([
		done(blockchain.getAllKeys(range)),
		done<Uint8Array[]>(blockchain.getAll(range)),
		done(blockchain.openKeyCursor(null, "prev")),
		done<Uint8Array[]>(transaction.objectStore("outbox").getAll()),
	]);
	database.close();
	return {
		blocks: keys.map((key, at) => ({ index: Number(key), record: text(records[at] ?? new Uint8Array()) })),
		newest: last === null ? -1 : Number(last.key),
		outbox: outbox.map(text),
	};
}
