/** One change of the chain's database as requests of one transaction. */
import type { ChainChange } from "../node/storage.js";
import { commitBlocks, installBlocks, pruneBlocks } from "./indexedDbBlocks.js";
import {
	deleteDays,
	installStaged,
	putCheckpoint,
	stageCheckpoint,
	unstageCheckpoint,
} from "./indexedDbCheckpoints.js";
import type { StoreName, WriteTransaction } from "./indexedDbSchema.js";

/** The stores that a change touches, and the one with the fence: others stay free for readers. None: nothing changes. */
export function storesOf(change: ChainChange): StoreName[] {
	const stores = new Set<StoreName>();
	if (change.config !== undefined) stores.add("config");
	if (change.votes !== undefined) stores.add("votes");
	if (change.truncateFrom !== undefined || change.append !== undefined) stores.add("proposedBlocks");
	const touch = (...names: StoreName[]) => {
		for (const name of names) stores.add(name);
	};
	if (change.commit !== undefined || change.install !== undefined)
		touch("proposedBlocks", "blockchain", "certificates");
	if (change.stage !== undefined || change.unstage !== undefined) touch("staging", "stagingChunks");
	if (change.checkpoint !== undefined) touch("checkpoints", "checkpointChunks");
	if (change.voterSteps !== undefined) touch("voterSteps");
	if (change.days !== undefined || change.forgetDays !== undefined) touch("days");
	if (change.hours !== undefined || change.forgetDays !== undefined) touch("hours");
	if (change.intervals !== undefined) touch("intervals");
	if (change.proofs !== undefined) touch("proofs", "positions");
	if (change.prune !== undefined) touch("blockchain", "positions", "certificates");
	if ((change.unverified ?? change.refounding ?? change.boots ?? change.meter) !== undefined) touch("positions");
	if (change.accounts !== undefined) touch("positions");
	if (change.installCheckpoint !== undefined) {
		touch("staging", "stagingChunks", "checkpoints", "checkpointChunks");
		touch("proposedBlocks", "blockchain", "positions", "certificates");
	}
	if (change.evidence !== undefined) touch("evidence");
	if (change.outboxPut !== undefined || change.outboxDelete !== undefined) stores.add("outbox");
	if (stores.size > 0) stores.add("config");
	return [...stores];
}

/** Requests run in the order in which they are made; none waits for another's answer. */
export function requestsOf(change: ChainChange, transaction: WriteTransaction): Promise<unknown>[] {
	const requests: Promise<unknown>[] = [];
	if (change.votes !== undefined) requests.push(transaction.objectStore("votes").put(change.votes, "votes"));
	if (change.truncateFrom !== undefined) {
		requests.push(transaction.objectStore("proposedBlocks").delete(IDBKeyRange.lowerBound(change.truncateFrom)));
	}
	if (change.append !== undefined) {
		requests.push(transaction.objectStore("proposedBlocks").put(change.append.record, change.append.index));
	}
	if (change.unverified !== undefined) {
		requests.push(transaction.objectStore("positions").put(change.unverified, "unverified"));
	}
	if (change.refounding !== undefined) {
		requests.push(transaction.objectStore("positions").put(change.refounding, "refounding"));
	}
	if (change.boots !== undefined) requests.push(transaction.objectStore("positions").put(change.boots, "boots"));
	if (change.meter !== undefined) requests.push(transaction.objectStore("positions").put(change.meter, "meter"));
	for (const { index, record } of change.voterSteps ?? []) {
		requests.push(transaction.objectStore("voterSteps").put(record, index));
	}
	for (const { day, member, record } of change.days ?? []) {
		requests.push(transaction.objectStore("days").put(record, [day, member]));
	}
	for (const { member, day, record } of change.hours ?? []) {
		requests.push(transaction.objectStore("hours").put(record, [member, day]));
	}
	if (change.intervals !== undefined) {
		const { days, keepFromDay } = change.intervals;
		const intervals = transaction.objectStore("intervals");
		requests.push(...days.map(({ day, record }) => intervals.put(record, day)));
		requests.push(intervals.delete(IDBKeyRange.upperBound(keepFromDay, true)));
	}
	if (change.proofs !== undefined) {
		requests.push(transaction.objectStore("positions").put(change.proofs.proven, "proven"));
	}
	for (const { index, record } of change.proofs?.pages ?? []) {
		requests.push(transaction.objectStore("proofs").put(record, index));
	}
	for (const { key, record } of change.evidence ?? []) {
		requests.push(transaction.objectStore("evidence").put(record, key));
	}
	for (const { id, transaction: record } of change.outboxPut ?? []) {
		requests.push(transaction.objectStore("outbox").put(record, id));
	}
	for (const id of change.outboxDelete ?? []) requests.push(transaction.objectStore("outbox").delete(id));
	return requests;
}

/** What has to look before it writes, one after the other. */
export async function applyInOrder(change: ChainChange, transaction: WriteTransaction): Promise<void> {
	const { commit, stage, installCheckpoint, install, checkpoint, forgetDays, prune } = change;
	if (commit !== undefined) await commitBlocks(commit, transaction);
	if (stage !== undefined) await stageCheckpoint(stage, transaction);
	if (change.unstage === true) await unstageCheckpoint(transaction);
	if (installCheckpoint !== undefined) {
		const { index, keepBlocks } = installCheckpoint;
		await installStaged(installCheckpoint, transaction);
		await transaction.objectStore("proposedBlocks").delete(IDBKeyRange.upperBound(index));
		await pruneBlocks({ belowIndex: index + 1, keepBlocks }, transaction);
	}
	if (install !== undefined) await installBlocks(install, transaction);
	if (checkpoint !== undefined) await putCheckpoint(checkpoint, checkpoint.chunks, transaction);
	if (forgetDays !== undefined) await deleteDays(forgetDays, transaction);
	if (prune !== undefined) await pruneBlocks(prune, transaction);
}
