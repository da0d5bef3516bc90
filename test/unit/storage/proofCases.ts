/** What every storage must do with proofs, which are kept for ever, and with what pruning takes from around them. */
import { type AcceptanceCase, block, commit, GENESIS, is, must, open, record, refusal, text } from "./cases.js";

const page = (index: number) => ({ index, record: record(`page to ${index}`) });

export const PROOF_CASES: AcceptanceCase[] = [
	{
		name: "keeps pages of proofs by their last block, and what they are proofs of, whatever is pruned",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			is((await must(chain.load())).proven, undefined, "nothing was ever said");
			is(await must(chain.proofPageFrom(0)), undefined, "no page");
			for (let index = 1; index <= 5; index++) await commit(chain, index);
			await must(chain.write({ proofs: { pages: [page(2), page(4)], proven: record("1 to 4") } }));
			await must(chain.write({ prune: { belowIndex: 5, keepBlocks: [] } }));
			await must(chain.write({ proofs: { pages: [], proven: record("1 to 5") } }));
			chain.close();
			const again = await open(await reopen());
			is(text((await must(again.load())).proven), "1 to 5", "the last word");
			const found: string[] = [];
			for (const index of [0, 2, 3, 4, 5]) {
				const stored = await must(again.proofPageFrom(index));
				found.push(stored === undefined ? "none" : `${stored.index}: ${text(stored.record)}`);
			}
			is(found, ["2: page to 2", "2: page to 2", "4: page to 4", "4: page to 4", "none"], "pages");
			is((await must(again.load())).blocksFrom, 5, "pruned");
		},
	},
	{
		name: "keeps a page with the rest of its write, or not at all",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			const commitOfNothing = { upToIndex: 9, certificate: record("certificate 9") };
			const proofs = { pages: [page(1)], proven: record("1 to 2") };
			is(await refusal(chain.write({ commit: commitOfNothing, proofs })), "storage-write-failed", "refused");
			chain.close();
			const again = await open(await reopen());
			is(await must(again.proofPageFrom(0)), undefined, "no page");
			is((await must(again.load())).proven, undefined, "nor what it proves");
		},
	},
	{
		name: "prunes between two indices: what lies below the first stays where it is",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			for (let index = 1; index <= 20; index++) await commit(chain, index);
			await must(chain.write({ prune: { fromIndex: 5, belowIndex: 15, keepBlocks: [3, 7, 12, 17] } }));
			chain.close();
			const again = await open(await reopen());
			const kept: number[] = [];
			for (let index = 0; index <= 20; index++) {
				if ((await must(again.readBlocks(index, 1))).length > 0) kept.push(index);
			}
			is(kept, [0, 1, 2, 3, 4, 7, 12, 15, 16, 17, 18, 19, 20], "blocks");
			is((await must(again.load())).blocksFrom, 15, "begins");
			await must(again.write({ prune: { fromIndex: 15, belowIndex: 4, keepBlocks: [] } }));
			is((await must(again.readBlocks(1, 4))).length, 4, "nothing lies in between");
		},
	},
	{
		name: "keeps what the market's intervals were matched from by the day, and forgets what is too old",
		async run(root, reopen) {
			const chain = await open(root);
			const day = (at: number, what = "first") => ({ day: at, record: record(`${at} ${what}`) });
			await must(chain.write({ intervals: { days: [day(400), day(401), day(403)], keepFromDay: 0 } }));
			await must(chain.write({ intervals: { days: [day(401, "again"), day(405)], keepFromDay: 401 } }));
			chain.close();
			const again = await open(await reopen());
			const between = async (from: number, until: number) =>
				(await must(again.readIntervals(from, until))).map((each) => `${each.day}: ${text(each.record)}`);
			is(await between(0, Number.MAX_SAFE_INTEGER), ["401: 401 again", "403: 403 first", "405: 405 first"], "all");
			is(await between(402, 405), ["403: 403 first"], "some");
		},
	},
	{
		name: "forgets the old days of all members but one",
		async run(root, reopen) {
			const chain = await open(root);
			const days = [300, 301, 302].flatMap((day) =>
				[0, 1, 7].map((member) => ({ member, day, record: record(`${member} on ${day}`) })),
			);
			await must(chain.write({ days }));
			await must(chain.write({ forgetDays: { belowDay: 302, exceptMember: 1 } }));
			chain.close();
			const left = await must((await open(await reopen())).readDays(0));
			is(
				left.map(({ record }) => text(record)),
				["1 on 300", "1 on 301", "0 on 302", "1 on 302", "7 on 302"],
				"days",
			);
		},
	},
	{
		name: "installs a checkpoint and keeps the proofs of what goes, in one write",
		async run(root) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			for (let index = 1; index <= 3; index++) await commit(chain, index);
			const pieces = { block: record("b"), certificate: record("c"), manifest: record("m") };
			await must(chain.write({ stage: { index: 90, checkpoint: pieces, chunks: [] } }));
			const proofs = { pages: [page(3)], proven: record("91 to 91") };
			const install = { blocks: [block(91)], upToIndex: 91, certificate: record("certificate 91") };
			await must(chain.write({ installCheckpoint: { index: 90, keepBlocks: [] }, install, proofs }));
			is(text((await must(chain.proofPageFrom(1)))?.record), "page to 3", "the page");
			is((await must(chain.readBlocks(3, 1))).length, 0, "its block is gone");
		},
	},
];
