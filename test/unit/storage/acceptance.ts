/**
 * What every storage must do, as cases without a test runner: they run in Node.js against the memory and in a real
 * browser against IndexedDB.
 */
import { encodeBlock } from "../../../src/block/block.js";
import type { Certificate } from "../../../src/block/certificate.js";
import { LOG_DAMAGED } from "../../../src/consensus/commit.js";
import { type LoadedChain, loadChain } from "../../../src/node/loading.js";
import { sealTransaction } from "../../../src/node/outbox.js";
import {
	encodeCertificateRecord,
	encodeConfig,
	encodeVotes,
	NO_WRONG_PASSWORDS,
	sealRecord,
} from "../../../src/node/records.js";
import type { ChainChange, ChainStorage, StorageRoot, Votes } from "../../../src/node/storage.js";
import type { Result } from "../../../src/primitives/result.js";
import { blockMsOf, FIRST_MINUTE, secretOf, TestNeighbourhood } from "../../support/ledger.js";
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
import { CHECKPOINT_CASES } from "./checkpointCases.js";
import { PROOF_CASES } from "./proofCases.js";

export const ACCEPTANCE: AcceptanceCase[] = [
	{
		name: "has no profile at the very first start, and afterwards the one that was saved last",
		async run(root, reopen) {
			is(await must(root.loadProfile()), undefined, "first start");
			await must(root.saveProfile(record("one")));
			await must(root.saveProfile(record("two")));
			is(text(await must(root.loadProfile())), "two", "saved");
			is(text(await must((await reopen()).loadProfile())), "two", "reopened");
		},
	},
	{
		name: "opens an empty chain, and chains of other names do not see one another",
		async run(root) {
			const one = await open(root);
			const empty = {
				config: undefined,
				votes: undefined,
				proposed: [],
				blockchain: [],
				certificate: undefined,
				outbox: [],
			};
			is(await contentOf(one), empty, "empty");
			is(await must(one.certificateFrom(0)), undefined, "no certificate");
			await must(one.write({ config: record("mine") }));
			is(await contentOf(await must(root.openChain("grid/other"))), empty, "another");
		},
	},
	{
		name: "opened again it takes no write of the older opening, not even in part, and the newer one goes on",
		async run(root, reopen) {
			const older = await open(root);
			await must(older.write({ votes: record("term 1") }));
			const written = older.write({ votes: record("term 2") });
			const newer = await open(await reopen());
			await must(written);
			is(text((await must(newer.load())).votes), "term 2", "what came before the fence is there");
			const late = older.write({
				votes: record("term 3"),
				append: block(1),
				outboxPut: [{ id: "a", transaction: record("a") }],
			});
			is(await refusal(late), "storage-taken-over", "the older one");
			is(await refusal(older.write({ outboxDelete: ["a"] })), "storage-taken-over", "and again");
			const { votes, proposed, outbox } = await must(newer.load());
			is([text(votes), proposed, outbox], ["term 2", [], []], "nothing of it");
			is(text((await must(older.load())).votes), "term 2", "reading harms nobody");
			await must(newer.write({ votes: record("term 4") }));
			is(text((await must(older.load())).votes), "term 4", "the newer one");
		},
	},
	{
		name: "writes a change whole, and finds all of it again",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			await must(
				chain.write({
					config: record("config"),
					votes: record("votes"),
					append: block(1),
					outboxPut: [
						{ id: "b", transaction: record("second") },
						{ id: "a", transaction: record("first") },
					],
				}),
			);
			chain.close();
			is(
				await contentOf(await open(await reopen())),
				{
					config: "config",
					votes: "votes",
					proposed: ["1: block 1"],
					blockchain: ["0: block 0"],
					certificate: undefined,
					outbox: ["a: first", "b: second"],
				},
				"reopened",
			);
		},
	},
	{
		name: "takes a change in which nothing is asked for",
		async run(root) {
			await must((await open(root)).write({}));
		},
	},
	{
		name: "carries out truncate, append, commit and install of one change in this order",
		async run(root) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			for (const index of [1, 2, 3]) await must(chain.write({ append: block(index) }));
			await must(chain.write({ truncateFrom: 2, append: block(2, "another 2") }));
			is((await contentOf(chain)).proposed, ["1: block 1", "2: another 2"], "truncated, then appended");
			await must(
				chain.write({ append: block(3, "another 3"), commit: { upToIndex: 3, certificate: record("certificate 3") } }),
			);
			is(
				(await contentOf(chain)).blockchain,
				["0: block 0", "1: block 1", "2: another 2", "3: another 3"],
				"appended, then committed",
			);
			await must(chain.write({ append: block(4) }));
			await must(
				chain.write({
					append: block(6, "proposed 6"),
					install: {
						blocks: [block(4, "certified 4"), block(5, "certified 5")],
						upToIndex: 5,
						certificate: record("certificate 5"),
					},
				}),
			);
			const after = await contentOf(chain);
			is(after.blockchain.slice(4), ["4: certified 4", "5: certified 5"], "installed");
			// What was proposed at or below is gone, what was proposed above stays.
			is(after.proposed, ["6: proposed 6"], "above");
			is(after.certificate, "certificate 5", "newest certificate");
		},
	},
	{
		name: "commits several proposed blocks with one certificate",
		async run(root) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			for (const index of [1, 2, 3, 4]) await must(chain.write({ append: block(index) }));
			await must(chain.write({ commit: { upToIndex: 3, certificate: record("certificate 3") } }));
			const { blockchain, proposed, certificate } = await contentOf(chain);
			is([blockchain.length, proposed, certificate], [4, ["4: block 4"], "certificate 3"], "committed");
		},
	},
	{
		name: "keeps nothing of a write that fails: a certified block that is not there fails it whole",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write({ ...GENESIS, votes: record("before") }));
			await must(chain.write({ append: block(1) }));
			const before = await contentOf(chain);
			const failing: ChainChange = {
				config: record("after"),
				votes: record("after"),
				outboxPut: [{ id: "a", transaction: record("after") }],
				commit: { upToIndex: 2, certificate: record("certificate 2") },
			};
			is(await refusal(chain.write(failing)), "storage-write-failed", "missing block");
			is(
				await refusal(chain.write({ ...failing, truncateFrom: 1, commit: { upToIndex: 1, certificate: record("c") } })),
				"storage-write-failed",
				"truncated block",
			);
			is(await contentOf(chain), before, "at once");
			// The storage goes on working.
			await must(chain.write({ commit: { upToIndex: 1, certificate: record("certificate 1") } }));
			chain.close();
			is((await contentOf(await open(await reopen()))).votes, "before", "reopened");
		},
	},
	{
		name: "keeps the newest certificate and the last one of every 64 blocks",
		async run(root) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			for (let index = 1; index <= 200; index++) await commit(chain, index);
			const kept: number[] = [];
			for (let from = 0; ; ) {
				const next = await must(chain.certificateFrom(from));
				if (next === undefined) break;
				is(text(next.record), `certificate ${next.index}`, "its own record");
				kept.push(next.index);
				from = next.index + 1;
			}
			is(kept, [63, 127, 191, 200], "kept");
			is((await must(chain.certificateFrom(64)))?.index, 127, "first at or above");
			is((await contentOf(chain)).certificate, "certificate 200", "newest");
		},
	},
	{
		name: "reads blocks in runs, ascending and without holes, fewer at the end",
		async run(root) {
			const chain = await open(root);
			await must(chain.write(GENESIS));
			for (let index = 1; index <= 12; index++) await commit(chain, index);
			is(
				(await must(chain.readBlocks(8, 3))).map(({ index }) => index),
				[8, 9, 10],
				"a run",
			);
			is(
				(await must(chain.readBlocks(11, 50))).map(({ index }) => index),
				[11, 12],
				"the end",
			);
			is(await must(chain.readBlocks(13, 50)), [], "beyond");
			await must(
				chain.write({ install: { blocks: [block(20)], upToIndex: 20, certificate: record("certificate 20") } }),
			);
			is((await must(chain.readBlocks(11, 50))).length, 2, "a hole ends it");
		},
	},
	{
		name: "puts into the outbox and takes out of it, in one write with other things",
		async run(root) {
			const chain = await open(root);
			await must(chain.write({ outboxPut: ["a", "b", "c"].map((id) => ({ id, transaction: record(id) })) }));
			await must(chain.write({ outboxPut: [{ id: "b", transaction: record("B") }], outboxDelete: ["a", "x"] }));
			is((await contentOf(chain)).outbox, ["b: B", "c: c"], "outbox");
		},
	},
	{
		name: "keeps evidence, by key, each once",
		async run(root, reopen) {
			const chain = await open(root);
			await must(chain.write({ evidence: [{ key: "2/7/1", record: record("two") }] }));
			const again = { key: "2/7/1", record: record("two again") };
			await must(chain.write({ evidence: [again, { key: "1/9/3", record: record("one") }] }));
			const { evidence } = await must((await open(await reopen())).load());
			is(evidence.map(text), ["one", "two again"], "kept");
		},
	},
	{
		name: "gives back bytes as bytes",
		async run(root) {
			const chain = await open(root);
			const bytes = record("votes");
			await must(chain.write({ votes: bytes }));
			is((await contentOf(chain)).votes, "votes", "votes");
			const { votes } = await must(chain.load());
			is(votes instanceof Uint8Array, true, "bytes stay bytes");
		},
	},
	...CHECKPOINT_CASES,
	...PROOF_CASES,
	...damageCases(),
];

// ── damage: noticed by loadChain, whatever the storage ───────────────────────────────────────────────────────────

const CONFIG = encodeConfig({
	keys: { household: { seed: secretOf("household 0") }, deviceSecret: secretOf("device 0") },
	networkKey: new Uint8Array(16),
	keyGeneration: 0,
	signalingUrls: [],
	iceServers: [],
	householdName: "Hus 0",
	alwaysOn: true,
	bootCount: 3,
	lobbyId: undefined,
	invitationLink: undefined,
	pin: undefined,
	meterSource: { source: "none" },
	ownRetail: [],
	keptFromVoting: [],
	admission: undefined,
	retentionDays: undefined,
	fuseLimitW: 43_470,
	wrongPasswords: NO_WRONG_PASSWORDS,
	wordsKept: false,
	firstWeek: {},
});

/** A chain of 5 blocks of which 3 are committed, with a reading in the outbox. */
async function writeChain(chain: ChainStorage, damage: Partial<Record<string, number>>): Promise<void> {
	const street = new TestNeighbourhood(3);
	for (let minute = 0; minute < 5; minute++) street.block(blockMsOf(FIRST_MINUTE + minute));
	const hurt = (store: string, at: number, bytes: Uint8Array) => {
		if (damage[store] !== at) return bytes;
		const hurting = bytes.slice();
		hurting[hurting.length - 1] = (hurting.at(-1) ?? 0) ^ 1;
		return hurting;
	};
	const blocks = street.blocks.map((stored, index) => ({ index, record: sealRecord(encodeBlock(stored)) }));
	const hash = street.ledger.gridId;
	const votes: Votes = { term: 1, votedFor: 2, lastSigned: { index: 5, term: 1, hash }, suspended: undefined };
	const certificate: Certificate = {
		index: 3,
		term: 1,
		hash,
		signatures: [{ voter: 0, signature: new Uint8Array(65) }],
	};
	await must(
		chain.write({
			config: hurt("config", 0, CONFIG),
			votes: hurt("votes", 0, encodeVotes(votes)),
			install: {
				blocks: blocks.slice(0, 4).map(({ index, record }) => ({ index, record: hurt("blockchain", index, record) })),
				upToIndex: 3,
				certificate: hurt("certificates", 0, encodeCertificateRecord(certificate)),
			},
			outboxPut: [
				{ id: "1", transaction: sealTransaction(street.reading(0, FIRST_MINUTE, 1, 0)) },
				{ id: "2", transaction: hurt("outbox", 0, sealTransaction(street.reading(0, FIRST_MINUTE + 1, 1, 0))) },
			],
		}),
	);
	for (const { index, record } of blocks.slice(4)) {
		await must(chain.write({ append: { index, record: hurt("proposedBlocks", index, record) } }));
	}
}

function load(chain: ChainStorage): Promise<Result<LoadedChain, { code: string }>> {
	return loadChain(chain, new TestNeighbourhood(3).ledger.gridId, () => ({ restore: () => [], add: () => {} }));
}

function damageCases(): AcceptanceCase[] {
	const damaging = (
		name: string,
		damage: Partial<Record<string, number>>,
		check: (loaded: LoadedChain) => void,
	): AcceptanceCase => ({
		name,
		async run(root) {
			const chain = await open(root);
			await writeChain(chain, damage);
			check(await must(load(chain)));
		},
	});
	const heights = ({ chain, tail }: LoadedChain) => [chain?.head.block.index, tail.map((entry) => entry.block.index)];
	return [
		damaging("loads a chain that is whole: committed, proposed, votes and outbox", {}, (loaded) => {
			is(loaded.damaged, [], "nothing damaged");
			is(heights(loaded), [3, [4, 5]], "heights");
			is([loaded.votes.votedFor, loaded.votes.suspended, loaded.certificate?.index], [2, undefined, 3], "votes");
			is(loaded.outbox.length, 2, "outbox");
		}),
		damaging(
			"notices a damaged block, ends the chain below it, and the voter does not vote",
			{ blockchain: 2 },
			(loaded) => {
				is(loaded.damaged, ["blockchain", "proposedBlocks"], "damaged");
				is(heights(loaded), [1, []], "heights");
				is([loaded.votes.suspended, loaded.certificate], [LOG_DAMAGED, undefined], "not voting");
			},
		),
		damaging("notices a damaged genesis: it is asked for again", { blockchain: 0 }, (loaded) => {
			is([loaded.chain, loaded.damaged], [undefined, ["blockchain"]], "no chain");
		}),
		damaging("notices a damaged proposed block that was acknowledged", { proposedBlocks: 4 }, (loaded) => {
			is([loaded.damaged, loaded.votes.suspended], [["proposedBlocks"], LOG_DAMAGED], "not voting");
			is(heights(loaded), [3, []], "heights");
		}),
		damaging("notices damaged votes: who forgot its votes does not vote again", { votes: 0 }, (loaded) => {
			is([loaded.damaged, loaded.votes.suspended], [["votes"], "votes-damaged"], "not voting");
		}),
		damaging(
			"notices a damaged certificate; no block was lost with it, so the voter goes on",
			{ certificates: 0 },
			(loaded) => {
				is([loaded.damaged, loaded.certificate], [["certificates"], undefined], "damaged");
				is([heights(loaded), loaded.votes.suspended], [[3, [4, 5]], undefined], "voting");
			},
		),
		damaging("notices a damaged outbox record and keeps the others", { outbox: 0 }, (loaded) => {
			is([loaded.damaged, loaded.outbox.length, loaded.votes.suspended], [["outbox"], 1, undefined], "outbox");
		}),
		{
			name: "does not open a chain whose config is damaged or missing: without its keys a device is nobody",
			async run(root) {
				const chain = await open(root);
				is(await refusal(load(chain)), "no-config", "missing");
				await writeChain(chain, { config: 0 });
				is(await refusal(load(chain)), "record-damaged", "damaged");
			},
		},
	];
}

/** Only for a storage whose roots are told apart: each browser worker makes its own. */
export const PROFILE_FENCE: AcceptanceCase = {
	name: "takes no profile from a root that was followed by another",
	async run(root, reopen) {
		await must(root.saveProfile(record("one")));
		const newer = await reopen();
		is(text(await must(newer.loadProfile())), "one", "seen");
		is(await refusal(root.saveProfile(record("two"))), "storage-taken-over", "the older one");
		is(text(await must(newer.loadProfile())), "one", "kept");
		await must(newer.saveProfile(record("three")));
		is(text(await must(root.loadProfile())), "three", "the newer one");
	},
};

// ── durability: written before the browser is closed, found when it is open again ────────────────────────────────

/** Writes one of everything. */
export async function writeEverything(root: StorageRoot): Promise<void> {
	await must(root.saveProfile(record("profile")));
	const chain = await must(root.openChain("durable"));
	await must(chain.write({ ...GENESIS, config: record("config"), votes: record("votes") }));
	for (let index = 1; index <= 70; index++) await commit(chain, index);
	await must(chain.write({ append: block(71), outboxPut: [{ id: "a", transaction: record("first") }] }));
}

/** Throws if anything of it is missing. */
export async function findEverything(root: StorageRoot): Promise<void> {
	is(text(await must(root.loadProfile())), "profile", "profile");
	const chain = await must(root.openChain("durable"));
	const { blockchain, ...rest } = await contentOf(chain);
	is(blockchain.length, 71, "blocks");
	is(
		rest,
		{
			config: "config",
			votes: "votes",
			proposed: ["71: block 71"],
			certificate: "certificate 70",
			outbox: ["a: first"],
		},
		"the rest",
	);
	is((await must(chain.certificateFrom(0)))?.index, 63, "kept certificate");
}
