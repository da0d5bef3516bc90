/** A storage whose every write passes through somebody's hands first: to be counted, delayed, lost or spoilt there. */
import type { ChainChange, ChainStorage, StorageError, StorageRoot } from "../../src/node/storage.js";
import { ok, type Result } from "../../src/primitives/result.js";

/** What is to be written: the profile, or a change of the chain with this name. */
export type Writing = { profile: Uint8Array } | { chain: string; change: ChainChange };

export type Written = Result<true, StorageError>;

/** `write` is given each writing and decides what becomes of it; reads go straight through. */
export function interceptWrites(inner: StorageRoot, write: (writing: Writing) => Promise<Written>): StorageRoot {
	return {
		loadProfile: () => inner.loadProfile(),
		saveProfile: (profile) => write({ profile }),
		openChain: async (name) => {
			const opened = await inner.openChain(name);
			if (!opened.ok) return opened;
			const chain = opened.value;
			const intercepted: ChainStorage = {
				load: () => chain.load(),
				write: (change) => write({ chain: name, change }),
				readBlocks: (from, count) => chain.readBlocks(from, count),
				certificateFrom: (index) => chain.certificateFrom(index),
				newestCheckpoint: (belowIndex) => chain.newestCheckpoint(belowIndex),
				checkpointChunk: (index, number) => chain.checkpointChunk(index, number),
				voterSteps: (fromIndex) => chain.voterSteps(fromIndex),
				readDays: (fromDay, untilDay) => chain.readDays(fromDay, untilDay),
				readIntervals: (fromDay, untilDay) => chain.readIntervals(fromDay, untilDay),
				readMemberDays: (member, fromDay, untilDay) => chain.readMemberDays(member, fromDay, untilDay),
				readHours: (member, fromDay, untilDay) => chain.readHours(member, fromDay, untilDay),
				proofPageFrom: (index) => chain.proofPageFrom(index),
				staged: () => chain.staged(),
				stagedChunk: (number) => chain.stagedChunk(number),
				close: () => chain.close(),
			};
			return ok(intercepted);
		},
	};
}

/** Carries a writing out. */
export async function carryOut(storage: StorageRoot, writing: Writing): Promise<Written> {
	if ("profile" in writing) return storage.saveProfile(writing.profile);
	const opened = await storage.openChain(writing.chain);
	return opened.ok ? opened.value.write(writing.change) : opened;
}
