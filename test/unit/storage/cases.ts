/** What the cases of the storage's acceptance suite are written with. */
import type { ChainChange, ChainStorage, StorageRoot, StoredBlock } from "../../../src/node/storage.js";
import type { Result } from "../../../src/primitives/result.js";

export interface AcceptanceCase {
	name: string;
	/** `reopen` gives the same data to a storage that has just started. */
	run(root: StorageRoot, reopen: () => Promise<StorageRoot>): Promise<void>;
}

export function is(actual: unknown, expected: unknown, what: string): void {
	const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
	if (a !== b) throw new Error(`${what}: ${a} is not ${b}`);
}

export async function must<T, E extends { code: string }>(work: Promise<Result<T, E>>): Promise<T> {
	const result = await work;
	if (!result.ok) throw new Error(JSON.stringify(result.error));
	return result.value;
}

export const record = (text: string) => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array | undefined) =>
	bytes === undefined ? undefined : new TextDecoder().decode(bytes);
export const block = (index: number, name = `block ${index}`): StoredBlock => ({ index, record: record(name) });
export const open = (root: StorageRoot) => must(root.openChain("grid/device"));
export const texts = (blocks: readonly StoredBlock[]) => blocks.map(({ index, record }) => `${index}: ${text(record)}`);

/** Everything that a chain's database holds, in words. */
export async function contentOf(chain: ChainStorage) {
	const { config, votes, proposed, certificate, outbox } = await must(chain.load());
	return {
		config: text(config),
		votes: text(votes),
		proposed: texts(proposed),
		blockchain: texts(await must(chain.readBlocks(0, 1_000))),
		certificate: text(certificate),
		outbox: outbox.map(({ id, transaction }) => `${id}: ${text(transaction)}`).sort(),
	};
}

export async function refusal(work: Promise<Result<unknown, { code: string }>>): Promise<string> {
	const result = await work;
	return result.ok ? "ok" : result.error.code;
}

/** Proposes and commits a block in two writes, as Raft does. */
export async function commit(chain: ChainStorage, index: number): Promise<void> {
	await must(chain.write({ append: block(index) }));
	await must(chain.write({ commit: { upToIndex: index, certificate: record(`certificate ${index}`) } }));
}

export const GENESIS: ChainChange = { install: { blocks: [block(0)], upToIndex: 0, certificate: undefined } };
