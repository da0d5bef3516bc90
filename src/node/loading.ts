/** Opening a neighbourhood's database: what was stored is executed again, and what is damaged is noticed, not believed. */
import { blockHash, decodeBlock, encodeBlock } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import type { DoubleSignature } from "../block/evidence.js";
import type { Transaction } from "../block/transaction.js";
import { checkCertificate } from "../consensus/certificate.js";
import { LOG_DAMAGED } from "../consensus/commit.js";
import { openGenesis } from "../contract/genesis.js";
import type { Ledger } from "../contract/ledger.js";
import { openRefounding } from "../contract/refounding.js";
import { NO_RESULTS } from "../contract/settlement.js";
import type { Entry } from "../message/message.js";
import type { MeterMemory } from "../meter/meterPipeline.js";
import { equalBytes } from "../primitives/bytes.js";
import { ZERO_HASH } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { minuteOf } from "../primitives/units.js";
import { type AccountsRecord, decodeAccounts, NO_ACCOUNTS } from "./accountsRecord.js";
import { decodeBoots, type KnownBoot } from "./bootsRecord.js";
import { Chain, extend, type Link } from "./chain.js";
import { openCheckpoint } from "./checkpoints.js";
import { KEPT_DAYS } from "./history.js";
import { dayOf } from "./intervalHistory.js";
import { decodeMeter } from "./meterRecord.js";
import { actOfKey, openRefusal, openTransaction, type RefusedAct } from "./outbox.js";
import { decodeProven, type Proven } from "./proofKeeper.js";
import {
	type ChainConfig,
	decodeCertificateRecord,
	decodeConfig,
	decodeEvidenceRecord,
	decodeVotes,
	openRecord,
} from "./records.js";
import { decodeRefounding, type RefoundingRecord } from "./refoundingRecord.js";
import type {
	ChainStorage,
	StorageError,
	StoredBlock,
	StoredCheckpoint,
	StoredDay,
	StoredIntervals,
	Votes,
} from "./storage.js";
import {
	type BadSignature,
	decodeUnverified,
	NOTHING_UNVERIFIED,
	type Unverified,
	type UnverifiedBlock,
	unverifiedBlock,
} from "./unverified.js";
import { decodeAnchorRecord } from "./voterSteps.js";

export interface LoadedChain {
	config: ChainConfig;
	votes: Votes;
	/** Undefined: joining, the genesis has not come yet. */
	chain: Chain | undefined;
	certificate: Certificate | undefined;
	/** The first kept certificate at or above the voters' last change. */
	votersCertificate: Certificate | undefined;
	tail: Entry[];
	outbox: { id: string; transaction: Transaction }[];
	/** Keys of what lies there and cannot be read. */
	unreadable: string[];
	/** Acts that were refused, which the screens still show. */
	refusedActs: RefusedAct[];
	/** Voters that signed two blocks for one place. */
	evidence: DoubleSignature[];
	/** What this device promised about the end of this chain. */
	refounding: RefoundingRecord | undefined;
	/** The newest start of each neighbour's device, by its key in hex. */
	boots: ReadonlyMap<string, KnownBoot>;
	/** Households' bank accounts. */
	accounts: AccountsRecord;
	/** What is begun of the meter; undefined: nothing. */
	meter: MeterMemory | undefined;
	/** Committed blocks whose signatures are still to be verified, and what earlier runs found in others. */
	unverified: { blocks: UnverifiedBlock[]; bad: readonly BadSignature[] };
	/** From here on the blockchain has no holes. */
	blocksFrom: number;
	/** Of earlier days the minutes were not read yet. */
	daysFrom: number;
	/** Records that could not be believed, by store. */
	damaged: string[];
}

/** What derives history and statement from the chain. */
export interface ChainObserver {
	/** Begins with what was derived up to a checkpoint; gives the names of what was damaged and left out. */
	restore(days: readonly StoredDay[], intervals: readonly StoredIntervals[], derived: Uint8Array | undefined): string[];
	/** Takes in a committed block; `parent` is the ledger before it. */
	add(parent: Ledger, link: Link): void;
}

const READ_BLOCKS = 500;
/** `contractCheck` and `offerOutlook` look at a week. */
const DAYS_LOOKED_BACK = 7;
/** So many blocks are executed at a start, if they are there: what flowed lately is read out of them. */
const MIN_TAIL_BLOCKS = 32;
const NO_BOOTS: ReadonlyMap<string, KnownBoot> = new Map();
const NO_VOTES: Votes = { term: 0, votedFor: undefined, lastSigned: undefined, suspended: undefined };

/**
 * Reads everything and executes the chain from the newest checkpoint that is whole, or from genesis. What `observe`
 * gives sees what was derived up to there, and each committed block above with the ledger before it. Signatures were
 * checked before anything was stored, or are named as unverified; checksums, hashes and state roots are checked again.
 */
export async function loadChain(
	storage: ChainStorage,
	gridId: Uint8Array,
	observe: (config: ChainConfig, proven: Proven | undefined) => ChainObserver,
): Promise<Result<LoadedChain, StorageError | { code: "no-config" }>> {
	const stored = await storage.load();
	if (!stored.ok) return stored;
	if (stored.value.config === undefined) return refused({ code: "no-config" });
	const config = decodeConfig(stored.value.config);
	// Without its keys this device is nobody: nothing can go on.
	if (!config.ok) return refused({ code: "record-damaged", store: "config", key: "config" });

	const damaged: string[] = [];
	const votes = stored.value.votes === undefined ? ok(NO_VOTES) : decodeVotes(stored.value.votes);
	if (!votes.ok) damaged.push("votes");
	const certificate =
		stored.value.certificate === undefined ? undefined : decodeCertificateRecord(stored.value.certificate);
	if (certificate?.ok === false) damaged.push("certificates");

	const unverified = loadUnverified(stored.value.unverified);
	if (unverified === undefined) damaged.push("positions");
	// Unreadable: proofs begin anew, and what lies below them is not pruned.
	const proven = stored.value.proven === undefined ? undefined : decodeProven(stored.value.proven);
	if (proven?.ok === false) damaged.push("positions");
	const observer = observe(config.value, proven?.ok === true ? proven.value : undefined);
	const head = await loadBlockchain(storage, gridId, observer, unverified ?? ALL_UNVERIFIED, {
		blocksFrom: stored.value.blocksFrom,
		headIndex: certificate?.ok === true ? certificate.value.index : 0,
	});
	if (!head.ok) return head;
	damaged.push(...head.value.damaged);
	const chain = head.value.link === undefined ? undefined : new Chain(head.value.link);
	// A certificate whose block was lost says nothing about the head that is left.
	const valid =
		certificate?.ok === true && certificate.value.index === chain?.head.block.index ? certificate.value : undefined;

	const tail = chain === undefined ? { entries: [], damaged: false } : loadTail(chain, stored.value.proposed);
	if (tail.damaged) damaged.push("proposedBlocks");

	const evidence: DoubleSignature[] = [];
	for (const record of stored.value.evidence) {
		const opened = decodeEvidenceRecord(record);
		if (opened.ok) evidence.push(opened.value);
		else damaged.push("evidence");
	}
	const refounding = stored.value.refounding === undefined ? ok(undefined) : decodeRefounding(stored.value.refounding);
	if (!refounding.ok) damaged.push("refounding");

	const boots = stored.value.boots === undefined ? ok(NO_BOOTS) : decodeBoots(stored.value.boots);

	const accounts = stored.value.accounts === undefined ? ok(NO_ACCOUNTS) : decodeAccounts(stored.value.accounts);

	const meter = stored.value.meter === undefined ? ok(undefined) : decodeMeter(stored.value.meter);

	const outbox: LoadedChain["outbox"] = [];
	const refusedActs: RefusedAct[] = [];
	const unreadable: string[] = [];
	for (const { id: key, transaction: record } of stored.value.outbox) {
		const id = actOfKey(key);
		const transaction = openTransaction(record);
		const refusal = transaction === undefined ? openRefusal(id, record) : undefined;
		if (transaction !== undefined) outbox.push({ id, transaction });
		else if (refusal !== undefined) refusedActs.push(refusal);
		else unreadable.push(key);
	}
	if (unreadable.length > 0) damaged.push("outbox");
	// A voter that forgot its votes, or blocks that it acknowledged, must not vote as if nothing had been. What it
	// acknowledged lies at or below what it last signed.
	const known = votes.ok ? votes.value : { ...NO_VOTES, suspended: "votes-damaged" };
	const isShort = (known.lastSigned?.index ?? 0) > (chain?.last.block.index ?? 0);
	const lost = isShort && damaged.some((store) => store !== "outbox" && store !== "evidence");
	return ok({
		config: config.value,
		votes: lost && known.suspended === undefined ? { ...known, suspended: LOG_DAMAGED } : known,
		chain,
		certificate: valid,
		votersCertificate: chain === undefined ? undefined : await loadVotersCertificate(storage, chain.head.ledger),
		tail: tail.entries,
		// The act itself lies there until nobody is shown its refusal any more.
		outbox: outbox.filter(({ id }) => !refusedActs.some((refused) => refused.id === id)),
		refusedActs,
		unreadable,
		evidence,
		refounding: refounding.ok ? refounding.value : undefined,
		boots: boots.ok ? boots.value : NO_BOOTS,
		accounts: accounts.ok ? accounts.value : NO_ACCOUNTS,
		meter: meter.ok ? meter.value : undefined,
		unverified: { blocks: head.value.unverified, bad: unverified?.bad ?? [] },
		blocksFrom: stored.value.blocksFrom,
		daysFrom: chain === undefined ? 0 : head.value.daysFrom,
		// Nothing of the log is lost with these.
		damaged: [
			...damaged,
			...(boots.ok ? [] : ["boots"]),
			...(accounts.ok ? [] : ["accounts"]),
			...(meter.ok ? [] : ["meter"]),
		],
	});
}

/** Where it cannot be read what is verified, all that is executed is verified once more. */
const ALL_UNVERIFIED: Unverified = { fromIndex: 0, untilIndex: Number.POSITIVE_INFINITY, bad: [] };

function loadUnverified(record: Uint8Array | undefined): Unverified | undefined {
	if (record === undefined) return NOTHING_UNVERIFIED;
	const unverified = decodeUnverified(record);
	return unverified.ok ? unverified.value : undefined;
}

interface LoadedHead {
	link: Link | undefined;
	unverified: UnverifiedBlock[];
	daysFrom: number;
	damaged: string[];
}

async function loadBlockchain(
	storage: ChainStorage,
	gridId: Uint8Array,
	observer: ChainObserver,
	{ fromIndex, untilIndex }: Unverified,
	extent: Extent,
): Promise<Result<LoadedHead, StorageError>> {
	const unverified: UnverifiedBlock[] = [];
	const first = await storage.readBlocks(0, 1);
	if (!first.ok) return first;
	const [stored] = first.value;
	if (stored === undefined) return ok({ link: undefined, unverified, daysFrom: 0, damaged: [] });
	const genesis = openFirst(stored, gridId);
	if (genesis === undefined) return ok({ link: undefined, unverified, daysFrom: 0, damaged: ["blockchain"] });
	const base = await loadCheckpoint(storage, genesis.ledger, observer, extent);
	if (!base.ok) return base;
	const { damaged } = base.value;
	let { daysFrom } = base.value;
	if (base.value.link === undefined) {
		if (genesis.ledger.predecessor !== undefined) {
			const carried = await restoreDerived(storage, genesis, {}, observer);
			if (!carried.ok) return carried;
			damaged.push(...carried.value.damaged);
			daysFrom = carried.value.daysFrom;
		}
		observer.add(genesis.ledger, genesis);
	}
	let link = base.value.link ?? genesis;
	for (;;) {
		const run = await storage.readBlocks(link.block.index + 1, READ_BLOCKS);
		if (!run.ok) return run;
		for (const each of run.value) {
			const next = openNext(link, each);
			if (next === undefined) return ok({ link, unverified, daysFrom, damaged: [...damaged, "blockchain"] });
			observer.add(link.ledger, next);
			if (each.index >= fromIndex && each.index < untilIndex) {
				unverified.push(unverifiedBlock(link.ledger, next.block, () => false));
			}
			link = next;
		}
		if (run.value.length < READ_BLOCKS) return ok({ link, unverified, daysFrom, damaged });
	}
}

/** What was taken in of what was derived up to a checkpoint. */
type Restored = Pick<LoadedHead, "daysFrom" | "damaged">;

/** From where on the blockchain has no holes, and how far it goes. */
interface Extent {
	readonly blocksFrom: number;
	readonly headIndex: number;
}

/**
 * The newest checkpoint that is whole and lies below the blocks that the screens show. A damaged one is passed over: the
 * one before, or genesis, leads to the same.
 */
async function loadCheckpoint(
	storage: ChainStorage,
	genesis: Ledger,
	observer: ChainObserver,
	{ blocksFrom, headIndex }: Extent,
): Promise<Result<Restored & { link: Link | undefined }, StorageError>> {
	const damaged: string[] = [];
	const below = await storage.newestCheckpoint(headIndex - MIN_TAIL_BLOCKS + 1);
	if (!below.ok) return below;
	const isConnected = below.value !== undefined && below.value.index + 1 >= blocksFrom;
	for (let belowIndex = isConnected ? headIndex - MIN_TAIL_BLOCKS + 1 : undefined; ; ) {
		const stored = await storage.newestCheckpoint(belowIndex);
		if (!stored.ok) return stored;
		if (stored.value === undefined) return ok({ link: undefined, daysFrom: 0, damaged });
		const chunks = await readChunks(storage, stored.value);
		if (!chunks.ok) return chunks;
		const link = openCheckpoint(stored.value, chunks.value, genesis);
		if (link.ok) {
			const restored = await restoreDerived(storage, link.value, stored.value, observer);
			if (!restored.ok) return restored;
			return ok({ ...restored.value, link: link.value, damaged: [...damaged, ...restored.value.damaged] });
		}
		damaged.push("checkpoints");
		belowIndex = stored.value.index;
	}
}

async function readChunks(
	storage: ChainStorage,
	{ index }: StoredCheckpoint,
): Promise<Result<Uint8Array[], StorageError>> {
	const chunks: Uint8Array[] = [];
	for (;;) {
		const chunk = await storage.checkpointChunk(index, chunks.length);
		if (!chunk.ok) return chunk;
		if (chunk.value === undefined) return ok(chunks);
		chunks.push(chunk.value);
	}
}

/**
 * Days may be newer than the checkpoint: the blocks above it that are taken in once more change nothing in them. The
 * statement is the checkpoint's own.
 */
async function restoreDerived(
	storage: ChainStorage,
	link: Link,
	{ derived }: Pick<StoredCheckpoint, "derived">,
	observer: ChainObserver,
): Promise<Result<Restored, StorageError>> {
	const daysFrom = firstOpenDay(link.ledger);
	const days = await storage.readDays(daysFrom);
	if (!days.ok) return days;
	// What is matched already no block above adds to.
	const { market } = link.ledger;
	const openDay = dayOf(market?.matchedUntilMinute ?? minuteOf(link.block.timestampMs));
	const intervals = await storage.readIntervals(openDay, Number.MAX_SAFE_INTEGER);
	if (!intervals.ok) return intervals;
	return ok({ daysFrom, damaged: observer.restore(days.value, intervals.value, derived) });
}

/**
 * The first day that has to be there before a block is taken in, with one more for the clocks that are ahead of UTC: a
 * block may add to those of the reading window, which reaches as far back as what is counted, and views look back a week.
 */
function firstOpenDay({ counted, parameters, timestampMs }: Ledger): number {
	const today = dayOf(minuteOf(timestampMs));
	const countedMs = counted[0] === undefined ? timestampMs : counted[0][0] * parameters.blockIntervalMs;
	const openDay = Math.min(dayOf(minuteOf(countedMs)), today - DAYS_LOOKED_BACK);
	return Math.max(0, today - KEPT_DAYS + 1, openDay - 1);
}

/** The genesis that this chain is named by: its signatures were checked when it came. */
function openFirst(stored: StoredBlock, gridId: Uint8Array): Link | undefined {
	const content = openRecord(stored.record);
	const link = content.ok ? openGenesisLink(content.value, { verify: () => true }) : undefined;
	return link !== undefined && equalBytes(link.hash, gridId) ? link : undefined;
}

/** A genesis block from bytes, checked; undefined where it is none. */
export function openGenesisLink(bytes: Uint8Array, verifier: Verifier): Link | undefined {
	const block = decodeBlock(bytes, ZERO_HASH);
	if (!block.ok) return undefined;
	const isAgain = block.value.transactions[0]?.kind === "refound";
	const ledger = isAgain ? openRefounding(block.value, verifier, checkCertificate) : openGenesis(block.value, verifier);
	if (!ledger.ok) return undefined;
	return { block: block.value, hash: blockHash(block.value), ledger: ledger.value, results: NO_RESULTS };
}

function openNext(parent: Link, stored: StoredBlock): Link | undefined {
	const content = openRecord(stored.record);
	if (!content.ok) return undefined;
	const block = decodeBlock(content.value, parent.hash);
	if (!block.ok) return undefined;
	const link = extend(parent, block.value, content.value.length, () => undefined);
	return link.ok ? link.value : undefined;
}

async function loadVotersCertificate(storage: ChainStorage, ledger: Ledger): Promise<Certificate | undefined> {
	if (ledger.votersSinceIndex === 0) return undefined;
	const steps = await storage.voterSteps(ledger.votersSinceIndex);
	const record = steps.ok ? steps.value[0]?.record : undefined;
	const step = record === undefined ? undefined : decodeAnchorRecord(record);
	return step?.ok === true ? step.value.certificate : undefined;
}

function loadTail(chain: Chain, proposed: readonly StoredBlock[]): { entries: Entry[]; damaged: boolean } {
	const entries: Entry[] = [];
	for (const stored of proposed) {
		// Left over from before a run of certified blocks was installed.
		if (stored.index <= chain.head.block.index) continue;
		const link = openNext(chain.last, stored);
		if (link === undefined) return { entries, damaged: true };
		chain.push(link);
		entries.push({ hash: link.hash, block: link.block, encoded: encodeBlock(link.block) });
	}
	return { entries, damaged: false };
}
