/** Puts a node's databases into a browser before the app is opened in it. */
import type { Page } from "playwright-core";
import { CHAIN_STORES } from "../../../src/storage/indexedDbSchema.js";
import { PERSISTENT_PREFIX } from "../../../src/worker/start.js";

/** Keys and values of the stores that are filled, by name. */
export type StoreContents = Record<string, readonly (readonly [IDBValidKey, unknown])[]>;

/** `database` is a neighbourhood's, without the prefix; `profile` the record that names it. */
export async function fillDatabases(
	page: Page,
	url: string,
	{ database, contents, profile }: { database: string; contents: StoreContents; profile: Uint8Array },
): Promise<void> {
	// A page of the app's own origin that runs nothing.
	await page.route(`${url}/empty`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
	await page.goto(`${url}/empty`);
	const chain = portable(contents);
	const names = [...CHAIN_STORES];
	await page.evaluate(fill, { name: PERSISTENT_PREFIX + database, stores: names, contents: chain });
	const profiles = portable({ profile: [["profile", profile]] });
	await page.evaluate(fill, { name: `${PERSISTENT_PREFIX}profile`, stores: ["profile"], contents: profiles });
}

/** Puts more into a neighbourhood's database, on the page on which it was filled. */
export async function addRecords(page: Page, database: string, contents: StoreContents): Promise<void> {
	const names = [...CHAIN_STORES];
	await page.evaluate(fill, { name: PERSISTENT_PREFIX + database, stores: names, contents: portable(contents) });
}

/** JSON, with bytes as base64. */
function portable(contents: StoreContents): string {
	return JSON.stringify(contents, (_, value) =>
		value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value,
	);
}

/** Runs in the page, by itself. */
async function fill(given: { name: string; stores: string[]; contents: string }): Promise<void> {
	const contents = JSON.parse(given.contents, (_, value) =>
		typeof value?.base64 === "string" ? Uint8Array.from(atob(value.base64), (char) => char.charCodeAt(0)) : value,
	) as Record<string, [IDBValidKey, unknown][]>;
	const settled = <T>(request: IDBRequest<T>) =>
		new Promise<T>((resolve, reject) => {
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => reject(request.error);
		});
	const opening = indexedDB.open(given.name, 1);
	opening.onupgradeneeded = () => {
		for (const store of given.stores) opening.result.createObjectStore(store);
	};
	const database = await settled(opening);
	const transaction = database.transaction(given.stores, "readwrite");
	const done = new Promise<void>((resolve, reject) => {
		transaction.oncomplete = () => resolve();
		transaction.onabort = () => reject(transaction.error);
	});
	for (const [store, entries] of Object.entries(contents)) {
		for (const [key, value] of entries) transaction.objectStore(store).put(value, key);
	}
	await done;
	database.close();
}
