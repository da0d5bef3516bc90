/** What a device keeps of itself in the browser's database: its keys, its starts. */
import type { Page } from "playwright-core";
import { type ChainConfig, decodeConfig } from "../../../src/node/records.js";
import type { SealedRecord } from "../../../src/storage/indexedDbSealing.js";
import { PERSISTENT_PREFIX } from "../../../src/worker/start.js";

/** The config of the neighbourhood that this page's browser is in. */
export async function storedConfig(page: Page): Promise<ChainConfig> {
	const record = await page.evaluate(async (prefix) => {
		const names = (await indexedDB.databases()).map(({ name }) => name ?? "");
		const name = names.find((each) => each.startsWith(prefix) && each !== `${prefix}profile`) ?? "";
		const done = <T>(request: IDBRequest<T>) =>
			new Promise<T>((resolve, reject) => {
				request.onsuccess = () => resolve(request.result);
				request.onerror = () => reject(request.error);
			});
		const read = async (of: string, store: string, key: string) => {
			const database = await done(indexedDB.open(of));
			const value = await done(database.transaction(store).objectStore(store).get(key));
			database.close();
			return value;
		};
		// As code at the page's own origin can, and nobody else.
		const key: CryptoKey = await read(`${prefix}profile`, "profile", "sealingKey");
		const { nonce, sealed }: SealedRecord = await read(name, "config", "config");
		const additionalData = new TextEncoder().encode(name.slice(prefix.length));
		const bytes = await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData }, key, sealed);
		return [...new Uint8Array(bytes)];
	}, PERSISTENT_PREFIX);
	const config = decodeConfig(Uint8Array.from(record));
	if (!config.ok) throw new Error(config.error.code);
	return config.value;
}
