/** Checkpoints, what is staged of one, and days, in IndexedDB. */
import { type ChainChange, KEPT_CHECKPOINTS, type StoredCheckpoint, type StoredChunk } from "../node/storage.js";
import { missing, type WriteTransaction, zip } from "./indexedDbSchema.js";

/** Puts pieces of a checkpoint that is being fetched aside. */
export async function stageCheckpoint(
	{ index, checkpoint, chunks = [] }: NonNullable<ChainChange["stage"]>,
	transaction: WriteTransaction,
): Promise<void> {
	const staging = transaction.objectStore("staging");
	const stagingChunks = transaction.objectStore("stagingChunks");
	const known = await staging.get("checkpoint");
	if (known?.index !== index) {
		if (checkpoint === undefined) throw missing("the staged checkpoint");
		await stagingChunks.clear();
	}
	if (checkpoint !== undefined) {
		const { block, certificate, manifest } = checkpoint;
		await staging.put({ index, block, certificate, manifest }, "checkpoint");
	}
	await Promise.all(chunks.map(({ number, record }) => stagingChunks.put(record, number)));
}

export async function unstageCheckpoint(transaction: WriteTransaction): Promise<void> {
	await Promise.all([transaction.objectStore("staging").clear(), transaction.objectStore("stagingChunks").clear()]);
}

/** What is staged becomes the newest checkpoint. */
export async function installStaged(
	{ index, derived }: NonNullable<ChainChange["installCheckpoint"]>,
	transaction: WriteTransaction,
): Promise<void> {
	const stagingChunks = transaction.objectStore("stagingChunks");
	const [staged, numbers, records] = await Promise.all([
		transaction.objectStore("staging").get("checkpoint"),
		stagingChunks.getAllKeys(),
		stagingChunks.getAll(),
	]);
	if (staged?.index !== index) throw missing("the staged checkpoint");
	const chunks = zip(numbers, records).map(([number, record]) => ({ number, record }));
	await putCheckpoint({ ...staged, ...(derived === undefined ? {} : { derived }) }, chunks, transaction);
	await unstageCheckpoint(transaction);
}

/** Puts a checkpoint, and deletes those that are too old. */
export async function putCheckpoint(
	{ index, block, certificate, manifest, derived }: StoredCheckpoint,
	chunks: readonly StoredChunk[],
	transaction: WriteTransaction,
): Promise<void> {
	const checkpoints = transaction.objectStore("checkpoints");
	const checkpointChunks = transaction.objectStore("checkpointChunks");
	await Promise.all([
		checkpoints.put({ block, certificate, manifest, ...(derived === undefined ? {} : { derived }) }, index),
		// Of the same checkpoint written once more there may have been more chunks.
		checkpointChunks.delete(chunksOf(index)),
		...chunks.map(({ number, record }) => checkpointChunks.put(record, [index, number])),
	]);
	const indices = await checkpoints.getAllKeys();
	await Promise.all(
		indices
			.slice(0, -KEPT_CHECKPOINTS)
			.flatMap((old) => [checkpoints.delete(old), checkpointChunks.delete(chunksOf(old))]),
	);
}

/** Deletes the old days of all members but one, and their hours. */
export async function deleteDays(
	{ belowDay, exceptMember }: NonNullable<ChainChange["forgetDays"]>,
	transaction: WriteTransaction,
): Promise<void> {
	const days = transaction.objectStore("days");
	const old = await days.getAllKeys(IDBKeyRange.upperBound([belowDay], true));
	await Promise.all(old.map(([day, member]) => (member === exceptMember ? undefined : days.delete([day, member]))));
	const hours = transaction.objectStore("hours");
	const all = await hours.getAllKeys();
	const oldHours = all.filter(([member, day]) => member !== exceptMember && day < belowDay);
	await Promise.all(oldHours.map((key) => hours.delete(key)));
}

function chunksOf(index: number): IDBKeyRange {
	return IDBKeyRange.bound([index], [index + 1], false, true);
}
