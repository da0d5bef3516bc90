/** What every storage must do with checkpoints: keep the last two, take one from the staging, prune below. */
import type { ChainChange, ChainStorage, StoredCheckpoint } from "../../../src/node/storage.js";
import {
	type AcceptanceCase,
	block,
	commit,
	contentOf,
	GENESIS,
	is,
	must,
	open,
	record,
	refusal,
	text,
} from "./cases.js";

const CHUNKS = [0, 1, 2];

const recordsOf = (index: number, name = "") => ({
	block: record(`${name}block ${index}`),
	certificate: record(`${name}certificate ${index}`),
	manifest: record(`${name}manifest ${index}`),
});
const chunksOf = (index: number, numbers: readonly number[] = CHUNKS, name = "") =>
	numbers.map((number) => ({ number, record: record(`${name}chunk ${index}.${number}`) }));
const checkpoint = (index: number): NonNullable<ChainChange["checkpoint"]> => ({
	index,
	...recordsOf(index),
	derived: record(`derived ${index}`),
	chunks: chunksOf(index),
});

const inWords = (stored: StoredCheckpoint | undefined) =>
	stored === undefined
		? undefined
		: [stored.index, ...[stored.block, stored.certificate, stored.manifest, stored.derived].map(text)].join();

/** Checkpoints, newest first, each with the chunks that can be read. */
async function checkpointsOf(chain: ChainStorage): Promise<string[]> {
	const all: string[] = [];
	for (let below: number | undefined; ; ) {
		const stored = await must(chain.newestCheckpoint(below));
		if (stored === undefined) return all;
		const chunks: (string | undefined)[] = [];
		for (let number = 0; ; number++) {
			const chunk = await must(chain.checkpointChunk(stored.index, number));
			if (chunk === undefined) break;
			chunks.push(text(chunk));
		}
		all.push(`${inWords(stored)}: ${chunks.join()}`);
		below = stored.index;
	}
}

const wordsOf = (index: number, chunks: readonly number[] = CHUNKS) =>
	`${index},block ${index},certificate ${index},manifest ${index},derived ${index}: ` +
	chunks.map((number) => `chunk ${index}.${number}`).join();

async function stagedOf(chain: ChainStorage): Promise<string | undefined> {
	const staged = await must(chain.staged());
	if (staged === undefined) return undefined;
	const chunks = await Promise.all(staged.chunks.map(async (number) => text(await must(chain.stagedChunk(number)))));
	return [staged.index, text(staged.block), text(staged.certificate), text(staged.manifest), ...chunks].join();
}

async function certificatesOf(chain: ChainStorage): Promise<number[]> {
	const kept: number[] = [];
	for (let next = await must(chain.certificateFrom(0)); next !== undefined; ) {
		kept.push(next.index);
		next = await must(chain.certificateFrom(next.index + 1));
	}
	return kept;
}

const blocksOf = async (chain: ChainStorage, from: number, count = 1_000) =>
	(await must(chain.readBlocks(from, count))).map(({ index }) => index);

export const CHECKPOINT_CASES: AcceptanceCase[] = [
	{
		name: "has no checkpoint, no day and nothing staged at first",
		async run(root) {
			const chain = await open(root);
			is(await checkpointsOf(chain), [], "checkpoints");
			is(await must(chain.readDays(0)), [], "days");
			is([await stagedOf(chain), await must(chain.stagedChunk(0))], [undefined, undefined], "staged");
			is((await must(chain.load())).blocksFrom, 0, "all blocks");
		},
	},
	{
		name: "keeps the proofs of voter changes, and reads them from an index on",
		async run(root, reopen) {
			const chain = await open(root);
			const step = (index: number) => ({ index, record: record(`step ${index}`) });
			await must(chain.write({ voterSteps: [step(30), step(4)] }));
			await must(chain.write({ voterSteps: [step(200)] }));
			chain.close();
			const again = await open(await reopen());
			const stepsFrom = async (from: number) =>
				(await must(again.voterSteps(from))).map(({ index, record: each }) => `${index} ${text(each)}`);
			is(await stepsFrom(0), ["4 step 4", "30 step 30", "200 step 200"], "all");
			is(await stepsFrom(5), ["30 step 30", "200 step 200"], "above");
			is(await stepsFrom(201), [], "none");
		},
	},
	{
		name: "keeps a checkpoint with the commit that reached it, in one write",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write({ ...GENESIS, votes: record("before") }));
			await must(chain.write({ append: block(1) }));
			const change: ChainChange = {
				commit: { upToIndex: 1, certificate: record("certificate 1") },
				checkpoint: checkpoint(1),
				days: [{ member: 2, day: 7, record: record("day 7") }],
			};
			const failing = { ...change, votes: record("after"), commit: { upToIndex: 2, certificate: record("c") } };
			is(await refusal(chain.write(failing)), "storage-write-failed", "a block is missing");
			is([await checkpointsOf(chain), await must(chain.readDays(0))], [[], []], "nothing of it");
			await must(chain.write(change));
			chain.close();
			const again = await open(await reopen());
			is(await checkpointsOf(again), [wordsOf(1)], "kept");
			is((await contentOf(again)).votes, "before", "votes");
		},
	},
	{
		name: "keeps the last two checkpoints, and nothing of older ones",
		async run(root) {
			const chain = await open(root);
			for (const index of [10, 20, 30, 40]) await must(chain.write({ checkpoint: checkpoint(index) }));
			is(await checkpointsOf(chain), [wordsOf(40), wordsOf(30)], "the last two");
			is(await must(chain.checkpointChunk(20, 0)), undefined, "chunks of older ones");
			is(inWords(await must(chain.newestCheckpoint(30))), undefined, "below both");
		},
	},
	{
		name: "writes a checkpoint over as a whole",
		async run(root) {
			const chain = await open(root);
			await must(chain.write({ checkpoint: checkpoint(10) }));
			await must(chain.write({ checkpoint: { ...checkpoint(10), chunks: chunksOf(10, [0]) } }));
			is(await checkpointsOf(chain), [wordsOf(10, [0])], "fewer chunks");
		},
	},
	{
		name: "keeps one record for each member and day, and reads them from a day on",
		async run(root, reopen) {
			const chain = await open(root);
			const day = (member: number, at: number, name = `${member} on ${at}`) => ({
				member,
				day: at,
				record: record(name),
			});
			await must(chain.write({ days: [day(1, 20_001), day(0, 20_001), day(3, 20_000), day(0, 300)] }));
			await must(chain.write({ days: [day(1, 20_001, "again"), day(0, 20_002)] }));
			chain.close();
			const again = await open(await reopen());
			const days = await must(again.readDays(20_000));
			const own = await must(again.readMemberDays(0, 300, 20_002));
			is(
				own.map((each) => `${each.member} on ${each.day}: ${text(each.record)}`),
				["0 on 300: 0 on 300", "0 on 20001: 0 on 20001"],
				"one member's days",
			);
			is(
				days.map((each) => `${each.member} on ${each.day}: ${text(each.record)}`),
				["3 on 20000: 3 on 20000", "0 on 20001: 0 on 20001", "1 on 20001: again", "0 on 20002: 0 on 20002"],
				"days",
			);
		},
	},
	{
		name: "keeps one record for each member and local day by the hour, and forgets them with the days",
		async run(root, reopen) {
			const chain = await open(root);
			const hours = (member: number, day: number, name = `${member} on ${day}`) => ({
				member,
				day,
				record: record(name),
			});
			await must(chain.write({ hours: [hours(1, 20_001), hours(0, 20_001), hours(1, 300), hours(0, 300)] }));
			await must(chain.write({ hours: [hours(1, 20_001, "again"), hours(1, 20_002)] }));
			chain.close();
			const again = await open(await reopen());
			const read = async (member: number, from: number, until: number) =>
				(await must(again.readHours(member, from, until))).map((each) => `${each.day}: ${text(each.record)}`);
			is(await read(1, 300, 20_002), ["300: 1 on 300", "20001: again"], "one member's");
			await must(again.write({ forgetDays: { belowDay: 20_001, exceptMember: 0 } }));
			is(await read(1, 0, 30_000), ["20001: again", "20002: 1 on 20002"], "a neighbour's old ones are gone");
			is(await read(0, 0, 30_000), ["300: 0 on 300", "20001: 0 on 20001"], "one's own are not");
		},
	},
	{
		name: "stages a checkpoint piece by piece, and goes on where it stopped",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write({ stage: { index: 10, checkpoint: recordsOf(10), chunks: chunksOf(10, [1]) } }));
			chain.close();
			const again = await open(await reopen());
			is(await stagedOf(again), "10,block 10,certificate 10,manifest 10,chunk 10.1", "after a start");
			await must(again.write({ stage: { index: 10, chunks: chunksOf(10, [0]) } }));
			await must(again.write({ stage: { index: 10, checkpoint: recordsOf(10, "new ") } }));
			is(
				await stagedOf(again),
				"10,new block 10,new certificate 10,new manifest 10,chunk 10.0,chunk 10.1",
				"its chunks stay",
			);
			is(await checkpointsOf(again), [], "no checkpoint yet");
			is(
				await refusal(again.write({ stage: { index: 20, chunks: chunksOf(20) } })),
				"storage-write-failed",
				"chunks first",
			);
			await must(again.write({ stage: { index: 20, checkpoint: recordsOf(20) } }));
			is(await stagedOf(again), "20,block 20,certificate 20,manifest 20", "another takes its place");
			await must(again.write({ unstage: true }));
			is([await stagedOf(again), await must(again.stagedChunk(0))], [undefined, undefined], "thrown away");
		},
	},
	{
		name: "installs what is staged: checkpoint, blocks above it and where the blockchain begins, in one write",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			for (let index = 1; index <= 5; index++) await commit(chain, index);
			await must(chain.write({ append: block(6) }));
			await must(chain.write({ checkpoint: checkpoint(4) }));
			await must(chain.write({ stage: { index: 90, checkpoint: recordsOf(90), chunks: chunksOf(90) } }));
			const before = await contentOf(chain);
			const install = { blocks: [block(91), block(92)], upToIndex: 92, certificate: record("certificate 92") };
			const failing: ChainChange = { installCheckpoint: { index: 80, keepBlocks: [] }, install };
			is(await refusal(chain.write(failing)), "storage-write-failed", "another index");
			is([await contentOf(chain), await checkpointsOf(chain)], [before, [wordsOf(4)]], "nothing of it");
			await must(
				chain.write({ installCheckpoint: { index: 90, keepBlocks: [3], derived: record("derived") }, install }),
			);
			chain.close();
			const again = await open(await reopen());
			const [newest, older] = await checkpointsOf(again);
			is(newest, "90,block 90,certificate 90,manifest 90,derived: chunk 90.0,chunk 90.1,chunk 90.2", "the newest");
			is([older, await stagedOf(again)], [wordsOf(4), undefined], "the one before stays, the staging is empty");
			is(
				[await blocksOf(again, 0), await blocksOf(again, 3), await blocksOf(again, 91)],
				[[0], [3], [91, 92]],
				"blocks",
			);
			const { proposed, certificate } = await contentOf(again);
			is([proposed, certificate, await certificatesOf(again)], [[], "certificate 92", [92]], "certificates");
			is((await must(again.load())).blocksFrom, 91, "begins");
		},
	},
	{
		name: "prunes below an index: genesis, named blocks and certificates kept always stay",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			for (let index = 1; index <= 200; index++) {
				await must(chain.write({ append: block(index) }));
				const change = { upToIndex: index, certificate: record(`certificate ${index}`) };
				const isVoterChange = index === 30 || index === 31;
				await must(chain.write({ commit: isVoterChange ? { ...change, keepCertificate: "always" } : change }));
			}
			is(await certificatesOf(chain), [30, 31, 63, 127, 191, 200], "kept besides the spacing");
			await must(chain.write({ prune: { belowIndex: 150, keepBlocks: [30, 31] } }));
			chain.close();
			const again = await open(await reopen());
			is(await certificatesOf(again), [30, 31, 191, 200], "certificates");
			is(
				[await blocksOf(again, 0), await blocksOf(again, 30), await blocksOf(again, 149)],
				[[0], [30, 31], []],
				"pruned",
			);
			is((await blocksOf(again, 150)).length, 51, "above");
			is((await must(again.load())).blocksFrom, 150, "begins");
			await must(again.write({ prune: { belowIndex: 100, keepBlocks: [30] } }));
			is((await must(again.load())).blocksFrom, 150, "never goes back");
		},
	},
	{
		name: "keeps what is unverified with the blocks that are, until it is said anew, and beside where the blocks begin",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			is((await must(chain.load())).unverified, undefined, "nothing was ever said");
			const install = { blocks: [block(1), block(2)], upToIndex: 2, certificate: record("certificate 2") };
			await must(chain.write({ unverified: record("1 to 2"), install }));
			await must(chain.write({ prune: { belowIndex: 2, keepBlocks: [] } }));
			chain.close();
			const again = await open(await reopen());
			const loaded = await must(again.load());
			is([text(loaded.unverified), loaded.blocksFrom], ["1 to 2", 2], "both");
			is(await blocksOf(again, 2), [2], "the blocks");
			await must(again.write({ unverified: record("none") }));
			is(text((await must(again.load())).unverified), "none", "the last word");
		},
	},
	{
		name: "keeps what was promised about the end of the chain, until it is said anew",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			is((await must(chain.load())).refounding, undefined, "nothing was ever promised");
			await must(chain.write({ refounding: record("confirmed"), unverified: record("1 to 2") }));
			chain.close();
			const again = await open(await reopen());
			const loaded = await must(again.load());
			is([text(loaded.refounding), text(loaded.unverified)], ["confirmed", "1 to 2"], "both");
			await must(again.write({ refounding: record("none") }));
			is(text((await must(again.load())).refounding), "none", "the last word");
		},
	},
	{
		name: "keeps the neighbours' newest starts, also in a database that never held any",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			is((await must(chain.load())).boots, undefined, "nobody was heard yet");
			await must(chain.write({ boots: record("one"), refounding: record("none") }));
			await must(chain.write({ boots: record("one, two") }));
			chain.close();
			const loaded = await must((await open(await reopen())).load());
			is([text(loaded.boots), text(loaded.refounding)], ["one, two", "none"], "the last word");
		},
	},
	{
		name: "keeps households' bank accounts, also in a database that never held any, and beside a config of the same write",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			is((await must(chain.load())).accounts, undefined, "nobody has stated one");
			await must(chain.write({ accounts: record("one") }));
			await Promise.all([
				must(chain.write({ config: record("config"), accounts: record("two") })),
				must(chain.write({ accounts: record("three"), boots: record("boots") })),
			]);
			chain.close();
			const loaded = await must((await open(await reopen())).load());
			is(
				[text(loaded.accounts), text(loaded.config), text(loaded.boots)],
				["three", "config", "boots"],
				"the last word",
			);
		},
	},
	{
		name: "keeps an installed certificate always, too",
		async run(root) {
			const chain = await open(root);
			const install = (index: number, keepCertificate: "always" | "spacing") =>
				must(
					chain.write({
						install: { blocks: [], upToIndex: index, certificate: record(`certificate ${index}`), keepCertificate },
					}),
				);
			await install(5, "always");
			await install(6, "spacing");
			await install(7, "spacing");
			is(await certificatesOf(chain), [5, 7], "kept");
		},
	},
];
