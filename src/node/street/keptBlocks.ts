/**
 * Blocks as this device keeps them, for a person who looks: a page of the list, the one of a time, those that concern this
 * household, and a single one with all that was checked of it. Nothing waits for it, and it changes nothing.
 */
import { type Block, blockHash, decodeBlock } from "../../block/block.js";
import { type BlockOutline, readOutline } from "../../block/outline.js";
import type { Transaction, TransactionKind } from "../../block/transaction.js";
import { equalBytes, toHex } from "../../primitives/bytes.js";
import { ZERO_HASH } from "../../primitives/hash.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import { type BlockCheckError, checkLinks, isSignedByKnownKey, type KeptRow, type LinkedBlock } from "../blockCheck.js";
import { openCheckpointRecords } from "../checkpoints.js";
import { votersAt } from "../checkpointWalk.js";
import { openGenesisLink } from "../loading.js";
import { idOf } from "../mempool.js";
import { readOrigin } from "../origin.js";
import type { BlockCheck, BlockPage, BlockReceipt, BlockSummary, BlockTransaction, Command } from "../protocol.js";
import { decodeCertificateRecord, openRecord } from "../records.js";
import type { Statement } from "../statement.js";
import { CERTIFICATE_SPACING, type StorageError, type StoredBlock } from "../storage.js";
import { type KnownVoters, walkUpTo } from "../voterWalk.js";
import type { StreetContext } from "./context.js";
import type { Pruning } from "./pruning.js";
import type { TailVerification } from "./tailVerification.js";

/** So many are wanted; where few of many are, it may be some more. */
const PAGE_BLOCKS = 20;
/** So many are looked through in one answer, and so many are read at once: the node has other things to do in between. */
const SEARCHED_BLOCKS = 1_024;
const READ_BLOCKS = 32;

export type KeptBlocksError =
	| StorageError
	/** Not a block of this chain, or one that this device has let go of. */
	| { code: "block-not-kept" }
	/** What is kept of it is not a block. */
	| { code: "block-damaged"; index: number };

export interface KeptBlocksParts {
	readonly statement: Statement;
	readonly verification: Pick<TailVerification, "bad">;
	readonly pruning: Pick<Pruning, "blocksFrom">;
}

export class KeptBlocks {
	readonly #context: StreetContext;
	readonly #parts: KeptBlocksParts;

	constructor(context: StreetContext, parts: KeptBlocksParts) {
		this.#context = context;
		this.#parts = parts;
	}

	/** Blocks from one on downwards, or from the newest one that was stamped by a time; those that concern this household. */
	async page({
		fromIndex,
		byMs,
		isOwnOnly = false,
	}: Extract<Command, { type: "blocks" }>): Promise<Result<BlockPage, KeptBlocksError>> {
		const headIndex = this.#context.chain.head.block.index;
		const { blocksFrom } = this.#parts.pruning;
		const lowestIndex = Math.max(1, blocksFrom);
		const top = byMs === undefined ? ok(fromIndex ?? headIndex) : await this.#newestBy(byMs, lowestIndex);
		if (!top.ok) return top;
		const blocks: BlockSummary[] = [];
		let next = Math.min(top.value, headIndex);
		for (let looked = 0; next >= lowestIndex && looked < SEARCHED_BLOCKS && blocks.length < PAGE_BLOCKS; ) {
			const count = Math.min(isOwnOnly ? READ_BLOCKS : PAGE_BLOCKS - blocks.length, next - lowestIndex + 1);
			const stored = await this.#context.storage.readBlocks(next - count + 1, count);
			if (!stored.ok) return stored;
			for (const block of stored.value.reverse()) {
				const summary = this.#summaryOf(block);
				if (!isOwnOnly || summary.own > 0) blocks.push(summary);
				next = block.index - 1;
			}
			// What is not there any more was let go of meanwhile.
			if (stored.value.length === 0) next = lowestIndex - 1;
			looked += count;
		}
		if (next >= lowestIndex) return ok({ blocks, nextIndex: next, blocksFrom });
		// Genesis is here in any case, and is everybody's.
		const genesis = await this.#context.storage.readBlocks(0, 1);
		if (!genesis.ok) return genesis;
		return ok({ blocks: [...blocks, ...genesis.value.map((block) => this.#summaryOf(block))], blocksFrom });
	}

	/** One block, checked against all that it hangs together with. */
	async block(index: number): Promise<Result<BlockReceipt, KeptBlocksError>> {
		const { chain, dependencies, storage } = this.#context;
		const isKept = index === 0 || index >= this.#parts.pruning.blocksFrom;
		if (index > chain.head.block.index || !isKept) return refused({ code: "block-not-kept" });
		const stored = await storage.readBlocks(index, 1);
		if (!stored.ok) return stored;
		const record = stored.value[0];
		const bytes = record?.index === index ? openRecord(record.record) : undefined;
		if (bytes?.ok !== true) return refused({ code: "block-damaged", index });
		if (index === 0) {
			const genesis = openGenesisLink(bytes.value, dependencies.verifier);
			if (genesis === undefined) return refused({ code: "block-damaged", index });
			return ok(this.#receiptOf(genesis.block, genesis.hash, { state: "genesis" }, bytes.value.length));
		}
		const linked = await this.#linked(index);
		if (!linked.ok && !isFinding(linked.error)) return refused(linked.error);
		if (linked.ok && linked.value !== undefined) {
			const { block, hash, certificate, voters } = linked.value;
			const households = certificate.signatures.flatMap(
				({ voter }) => chain.head.ledger.devices[voter]?.household ?? [],
			);
			const check = { state: "good", certifiedIndex: certificate.index, signers: households, voters } as const;
			return ok(this.#receiptOf(block, hash, check, bytes.value.length));
		}
		// It can be read all the same.
		const block = decodeBlock(bytes.value, ZERO_HASH);
		if (!block.ok) return refused({ code: "block-damaged", index });
		const check: BlockCheck = linked.ok ? { state: "unlinked" } : { state: "bad", code: linked.error.code };
		return ok(this.#receiptOf(block.value, undefined, check, bytes.value.length));
	}

	/** Undefined: below it everything that leads to it was let go of. */
	async #linked(
		index: number,
	): Promise<Result<(LinkedBlock & { voters: number }) | undefined, StorageError | BlockCheckError>> {
		const row = await this.#rowOf(index);
		if (!row.ok) return row;
		if (row.value === undefined) return ok(undefined);
		const voters = await this.#votersUpTo(row.value.certificate.index);
		if (voters === undefined) return refused({ code: "block-not-certified", index });
		const { gridId, dependencies } = this.#context;
		const linked = checkLinks(row.value, index, voters, gridId, dependencies.verifier);
		return linked.ok ? ok({ ...linked.value, voters: voters.voters.length }) : linked;
	}

	/** The blocks from the nearest one below whose hash is known up to the nearest certified one. */
	async #rowOf(index: number): Promise<Result<KeptRow | undefined, StorageError | BlockCheckError>> {
		const { storage } = this.#context;
		const above = await storage.certificateFrom(index);
		if (!above.ok) return above;
		const certificate = above.value === undefined ? undefined : decodeCertificateRecord(above.value.record);
		if (certificate?.ok !== true) return refused({ code: "block-not-certified", index });
		const below = await this.#knownBelow(index);
		if (!below.ok) return below;
		if (below.value === undefined) return ok(undefined);
		const blocks: Uint8Array[] = [];
		for (let next = below.value.index + 1; next <= certificate.value.index; next += READ_BLOCKS) {
			const stored = await storage.readBlocks(next, Math.min(READ_BLOCKS, certificate.value.index - next + 1));
			if (!stored.ok) return stored;
			for (const { index: at, record } of stored.value) {
				const content = openRecord(record);
				if (!content.ok) return refused({ code: "block-damaged", index: at });
				blocks.push(content.value);
			}
		}
		return ok({ below: below.value, blocks, certificate: certificate.value });
	}

	/**
	 * Certificates, checkpoints and genesis name hashes. Certificates stand so close that the second look finds one, if any
	 * is left.
	 */
	async #knownBelow(index: number): Promise<Result<KeptRow["below"] | undefined, StorageError>> {
		const { gridId, storage } = this.#context;
		const { blocksFrom } = this.#parts.pruning;
		for (const distance of [CERTIFICATE_SPACING, 2 * CERTIFICATE_SPACING]) {
			const found = await storage.certificateFrom(Math.max(1, blocksFrom - 1, index - distance));
			if (!found.ok) return found;
			if (found.value === undefined || found.value.index >= index) continue;
			const certificate = decodeCertificateRecord(found.value.record);
			if (certificate.ok) return ok(certificate.value);
		}
		if (blocksFrom <= 1) return ok({ index: 0, hash: gridId });
		const checkpoint = await storage.newestCheckpoint(index);
		if (!checkpoint.ok) return checkpoint;
		const block = checkpoint.value === undefined ? undefined : openCheckpointRecords(checkpoint.value).block;
		const isNear = block !== undefined && block.index >= blocksFrom - 1;
		return ok(isNear ? { index: block.index, hash: blockHash(block) } : undefined);
	}

	/** Who voted then, followed from genesis along every change; undefined: a proof of a change is missing or damaged. */
	async #votersUpTo(index: number): Promise<KnownVoters | undefined> {
		const { dependencies, gridId, storage } = this.#context;
		const origin = await readOrigin(storage, dependencies.verifier);
		if (!origin.ok || origin.value === undefined) return undefined;
		const { genesis, changes } = origin.value;
		const known = walkUpTo(votersAt(genesis.ledger), changes, index, gridId, dependencies.verifier);
		return known.ok ? known.value : undefined;
	}

	/** The newest block that was stamped by a time. */
	async #newestBy(byMs: number, lowestIndex: number): Promise<Result<number, StorageError>> {
		let [low, high] = [lowestIndex - 1, this.#context.chain.head.block.index];
		while (low < high) {
			const middle = Math.ceil((low + high) / 2);
			const stored = await this.#context.storage.readBlocks(middle, 1);
			if (!stored.ok) return stored;
			const outline = outlineOf(stored.value[0]);
			// Of a damaged one nobody knows: it is looked for below.
			if (outline !== undefined && outline.timestampMs <= byMs) low = middle;
			else high = middle - 1;
		}
		return ok(low);
	}

	#summaryOf(stored: StoredBlock): BlockSummary {
		const { index } = stored;
		const outline = outlineOf(stored);
		if (outline === undefined) return { index, isDamaged: true, timestampMs: 0, readings: 0, others: 0, own: 0 };
		const { timestampMs, readings, others } = outline;
		const own = others.filter((transaction) => this.#isOwn(transaction)).length;
		return { index, timestampMs, readings, others: others.length, own };
	}

	#receiptOf(block: Block, hash: Uint8Array | undefined, check: BlockCheck, bytes: number): BlockReceipt {
		const { index, timestampMs, term, previousHash, transactionsRoot, stateRoot } = block;
		const { ledger } = this.#context.chain.head;
		const proposer = ledger.devices[block.proposer]?.household;
		return {
			index,
			timestampMs,
			term,
			...(proposer === undefined ? {} : { proposer }),
			...(hash === undefined ? {} : { hash: toHex(hash), previousHash: toHex(previousHash) }),
			transactionsRoot: toHex(transactionsRoot),
			stateRoot: toHex(stateRoot),
			bytes,
			check,
			transactions: block.transactions.map((transaction, at) => this.#shown(transaction, at, block)),
		};
	}

	#shown(transaction: Transaction, at: number, { index }: Block): BlockTransaction {
		const isOwn = this.#isOwn(transaction);
		const { verifier } = this.#context.dependencies;
		const { ledger } = this.#context.chain.head;
		const isFoundBad = this.#parts.verification.bad.some((bad) => bad.index === index && bad.at === at);
		// A genesis is opened only where all of it is signed.
		const isGood = index === 0 || isSignedByKnownKey(ledger, transaction, verifier);
		return {
			id: idOf(transaction, this.#context.gridId),
			kind: transaction.kind,
			...("member" in transaction ? { member: transaction.member } : {}),
			...(transaction.kind === "reading" ? { minute: transaction.minute } : {}),
			isOwn,
			signature: isFoundBad ? "bad" : isGood ? "good" : "otherKey",
			...(isOwn || this.#isOpen(transaction) ? { transaction } : {}),
		};
	}

	/** Whether it says nothing of a neighbour's electricity or money that no other screen shows. An operator sees all. */
	#isOpen(transaction: Transaction): boolean {
		if (this.#context.isOperator) return true;
		if (transaction.kind === "offer") return transaction.buyer === undefined;
		return OPEN_KINDS.has(transaction.kind);
	}

	/** Whether this household has signed it, or it is about this household. */
	#isOwn(transaction: Transaction): boolean {
		const { gridId, householdKey, member, chain } = this.#context;
		if (transaction.kind === "join") return equalBytes(transaction.householdKey, householdKey);
		if (member === undefined || !("member" in transaction)) return false;
		if (transaction.member === member) return true;
		if ("household" in transaction && transaction.household === member) return true;
		switch (transaction.kind) {
			case "issue":
			case "payout":
				return this.#parts.statement.isOwnTransfer(idOf(transaction, gridId));
			case "offer":
				return transaction.buyer === member;
			case "correct":
				return transaction.counterparty === member;
			case "accept": {
				const id = idOf(transaction, gridId);
				return chain.head.ledger.contracts.some((contract) => contract.seller === member && toHex(contract.id) === id);
			}
			default:
				return false;
		}
	}
}

/** What all members may read: who is here and votes, prices and rules, offers to all, and the money in the bank. */
const OPEN_KINDS: ReadonlySet<TransactionKind> = new Set<TransactionKind>([
	"found",
	"join",
	"device",
	"revoke",
	"rename",
	"role",
	"suspend",
	"remove",
	"leave",
	"appoint",
	"rebind",
	"contest",
	"voters",
	"iceServers",
	"market",
	"tariff",
	"withdraw",
	"bank",
	"bankConfirm",
	"money",
	"moneyConfirm",
]);

const FINDINGS: ReadonlySet<string> = new Set<BlockCheckError["code"]>([
	"block-damaged",
	"block-not-linked",
	"block-not-certified",
]);

/** What came of the check, and not of reading. */
function isFinding(error: StorageError | BlockCheckError): error is BlockCheckError {
	return FINDINGS.has(error.code);
}

function outlineOf(stored: StoredBlock | undefined): BlockOutline | undefined {
	const content = stored === undefined ? undefined : openRecord(stored.record);
	const outline = content?.ok === true ? readOutline(content.value) : undefined;
	return outline?.ok === true ? outline.value : undefined;
}
