/** The blockchain and its certificates in IndexedDB: blocks come in, and go when they are pruned. */
import { type ChainChange, type KeepCertificate, prunedRuns, staysKept } from "../node/storage.js";
import { missing, type WriteTransaction, zip } from "./indexedDbSchema.js";

/** From the proposed blocks to the blockchain. */
export async function commitBlocks(
	{ upToIndex, certificate, keepCertificate }: NonNullable<ChainChange["commit"]>,
	transaction: WriteTransaction,
): Promise<void> {
	const proposed = transaction.objectStore("proposedBlocks");
	const range = IDBKeyRange.upperBound(upToIndex);
	const [indices, records] = await Promise.all([proposed.getAllKeys(range), proposed.getAll(range)]);
	if (indices.at(-1) !== upToIndex) throw missing("a certified block");
	const blockchain = transaction.objectStore("blockchain");
	await Promise.all([
		...zip(indices, records).map(([index, record]) => blockchain.put(record, index)),
		proposed.delete(range),
		putCertificate(transaction, upToIndex, certificate, keepCertificate),
	]);
}

/** From a neighbour into the blockchain. */
export async function installBlocks(
	{ blocks, upToIndex, certificate, keepCertificate }: NonNullable<ChainChange["install"]>,
	transaction: WriteTransaction,
): Promise<void> {
	const blockchain = transaction.objectStore("blockchain");
	await Promise.all([
		...blocks.map(({ index, record }) => blockchain.put(record, index)),
		transaction.objectStore("proposedBlocks").delete(IDBKeyRange.upperBound(upToIndex)),
		certificate === undefined ? undefined : putCertificate(transaction, upToIndex, certificate, keepCertificate),
	]);
}

async function putCertificate(
	transaction: WriteTransaction,
	index: number,
	record: Uint8Array,
	keep: KeepCertificate | undefined,
): Promise<void> {
	const certificates = transaction.objectStore("certificates");
	const newest = await certificates.openCursor(null, "prev");
	if (newest !== null && !newest.value.isAlwaysKept && !staysKept({ index: newest.key }, { index })) {
		await certificates.delete(newest.key);
	}
	await certificates.put({ record, isAlwaysKept: keep === "always" }, index);
}

/** Deletes what lies below an index, but for genesis and what is to be kept. */
export async function pruneBlocks(
	prune: NonNullable<ChainChange["prune"]>,
	transaction: WriteTransaction,
): Promise<void> {
	const { belowIndex } = prune;
	const blockchain = transaction.objectStore("blockchain");
	const positions = transaction.objectStore("positions");
	const certificates = transaction.objectStore("certificates");
	const below = IDBKeyRange.upperBound(belowIndex, true);
	const [indices, values, blocksFrom] = await Promise.all([
		certificates.getAllKeys(below),
		certificates.getAll(below),
		positions.get("blocksFrom"),
	]);
	const old = zip(indices, values).filter(([, { isAlwaysKept }]) => !isAlwaysKept);
	await Promise.all([
		...prunedRuns(prune).map(([fromIndex, untilIndex]) =>
			blockchain.delete(IDBKeyRange.bound(fromIndex, untilIndex, false, true)),
		),
		...old.map(([index]) => certificates.delete(index)),
		positions.put(Math.max(typeof blocksFrom === "number" ? blocksFrom : 0, belowIndex), "blocksFrom"),
	]);
}
