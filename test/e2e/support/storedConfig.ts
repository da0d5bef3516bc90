/** What a device keeps of itself in the browser's database: its keys, its starts. */
import type { Page } from "playwright-core";
import { type ChainConfig, decodeConfig } from "../../../src/node/records.js";
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
		const database = await done(indexedDB.open(name));
		const bytes = await done<Uint8Array>(database.transaction("config").objectStore("config").get("config"));
		database.close();
		return [...bytes];
	}, PERSISTENT_PREFIX);
	const config = decodeConfig(Uint8Array.from(record));
	if (!config.ok) throw new Error(config.error.code);
	return config.value;
}
