/**
 * A page of proofs: blocks in a row, of each no more than what is proven of it and what its hash needs, the last one
 * certified. What a household keeps of its chain for ever: it proves its own readings, acts and settled minutes when the
 * blocks themselves are gone. Where every block holds a reading the row costs next to nothing: the hash of a block is
 * made of what is proven, and is the next one's previous hash.
 *
 * Once in a page stands what is proven by the state after its last block: whose keys have signed what is in it, which
 * contracts its deliveries were made under, and the range of all earlier blocks, by which one block of the row is proven
 * without those above it (`proofFileMaker`). Pages of the first version have none of it.
 */
import * as v from "valibot";
import { type BlockHeader, blockHash } from "../block/block.js";
import { type Certificate, certificateFields, certificateShape } from "../block/certificate.js";
import { blob, hash, natural } from "../block/fieldShapes.js";
import { appendLeaf, type MountainRange, merkleLeaf, rangeRoot } from "../block/merkle.js";
import type { Transaction } from "../block/transaction.js";
import {
	openTransactionsProof,
	type TransactionsProof,
	transactionsProofFields,
	transactionsProofShape,
	transactionsRootOf,
} from "../block/transactionsProof.js";
import type { IntervalShare } from "../contract/results.js";
import { type ResultsProof, resultsProofFields, resultsProofShape, stateRootOf } from "../contract/resultsProof.js";
import type { SettledMinute } from "../contract/settlement.js";
import {
	hashesOf,
	openState,
	type ProvenState,
	provenStateRoot,
	type StateProof,
	stateProofFields,
	stateProofShape,
} from "../contract/stateProof.js";
import { equalBytes, joinBytes } from "../primitives/bytes.js";
import { type CborValue, decode, encode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MAX_MINUTE, MS_PER_MINUTE } from "../primitives/units.js";
import { openRecord, sealRecord } from "./records.js";

const PAGE_VERSION = 2;
/** Without a summit. */
const FIRST_PAGE_VERSION = 1;
/** More than the longest run of blocks under one certificate comes to. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

export interface ProofPage {
	/** Ascending, without holes. */
	readonly blocks: readonly ProvenBlock[];
	/** Of the last block. */
	readonly certificate: Certificate;
	/** Undefined: a page of the first version. */
	readonly summit: OpenSummit | undefined;
}

/** What the state after the last block of a page proves. */
export interface Summit {
	/** The range of the blocks below the page. */
	readonly below: MountainRange;
	/** Its history and its globals among others. */
	readonly state: StateProof;
}

export interface OpenSummit extends Summit {
	readonly says: ProvenState;
}

/** A block, as far as it is proven. */
export interface ProvenBlock {
	readonly header: BlockHeader;
	readonly hash: Uint8Array;
	readonly transactions: readonly Transaction[];
	readonly settled: readonly SettledMinute[];
	/** Of intervals that the market matched. */
	readonly shares: readonly IntervalShare[];
	/** What leads from them to the header's roots. */
	readonly transactionsProof: TransactionsProof | undefined;
	readonly resultsProof: ResultsProof | undefined;
}

export type ProofPageError =
	/** Not a page, or a page of a version that is not known here. */
	| { code: "bad-proof" }
	/** What it proves does not lead to what its certificate names. */
	| { code: "proof-broken"; index: number };

/** One block's part of a page, encoded. */
export function encodeProvenBlock(
	{ version, timestampMs, term, proposer, transactionsRoot, stateRoot }: BlockHeader,
	transactions: TransactionsProof | undefined,
	results: ResultsProof | undefined,
): Uint8Array {
	return encode([
		version,
		timestampMs,
		term,
		proposer,
		transactions === undefined ? transactionsRoot : transactionsProofFields(transactions, timestampMs),
		results === undefined ? stateRoot : resultsProofFields(results),
	]);
}

/** A page of encoded blocks, as record. `previousHash`: of the block below the first, which has the index `fromIndex`. */
export function encodeProofPage(
	fromIndex: number,
	previousHash: Uint8Array,
	blocks: readonly Uint8Array[],
	certificate: Certificate,
	{ below, state }: Summit,
): Uint8Array {
	const summit: CborValue = [joinBytes(below.peaks), stateProofFields(state)];
	const fields: CborValue = [PAGE_VERSION, fromIndex, previousHash, blocks, certificateFields(certificate), summit];
	return sealRecord(encode(fields));
}

const pageFields = [natural, hash, v.pipe(v.array(v.instance(Uint8Array)), v.minLength(1)), certificateShape] as const;
const summitShape = v.strictTuple([blob, stateProofShape]);
const pageShape = v.union([
	v.strictTuple([v.literal(PAGE_VERSION), ...pageFields, summitShape]),
	v.strictTuple([v.literal(FIRST_PAGE_VERSION), ...pageFields]),
]);

const provenBlockShape = v.strictTuple([
	natural,
	v.pipe(natural, v.maxValue(MAX_MINUTE * MS_PER_MINUTE)),
	natural,
	natural,
	v.union([hash, transactionsProofShape]),
	v.union([hash, resultsProofShape]),
]);

/**
 * Reads a page, and follows its hashes from what is proven up to what its certificate names. Whether the certificate is
 * good is another's question (`proofCheck`).
 */
export function openProofPage(record: Uint8Array): Result<ProofPage, ProofPageError> {
	const content = openRecord(record);
	const decoded = content.ok ? decode(content.value, MAX_PAGE_BYTES) : content;
	const shaped = decoded.ok ? v.safeParse(pageShape, decoded.value, { abortEarly: true }) : undefined;
	if (shaped?.success !== true) return refused({ code: "bad-proof" });
	const [, fromIndex, previousHash, encoded, certificate, encodedSummit] = shaped.output;
	const row = openProvenRow(fromIndex, previousHash, encoded);
	if (!row.ok) return row;
	const last = row.value.at(-1);
	if (last === undefined || !equalBytes(certificate.hash, last.hash) || certificate.index !== last.header.index) {
		return refused({ code: "proof-broken", index: certificate.index });
	}
	if (encodedSummit === undefined) return ok({ blocks: row.value, certificate, summit: undefined });
	const [peaks, state] = encodedSummit;
	const summit = openSummit({ below: { count: fromIndex, peaks: hashesOf(peaks) }, state }, row.value);
	if (summit === undefined) return refused({ code: "proof-broken", index: certificate.index });
	return ok({ blocks: row.value, certificate, summit });
}

/** When the last block of a page was stamped: read without checking the page. Undefined: it is none. */
export function lastTimestampMs(record: Uint8Array): number | undefined {
	const content = openRecord(record);
	const decoded = content.ok ? decode(content.value, MAX_PAGE_BYTES) : content;
	const blocks = decoded.ok && Array.isArray(decoded.value) ? decoded.value[3] : undefined;
	const last = Array.isArray(blocks) ? blocks.at(-1) : undefined;
	const block = last instanceof Uint8Array ? decode(last, MAX_PAGE_BYTES) : undefined;
	const timestampMs = block?.ok === true && Array.isArray(block.value) ? block.value[1] : undefined;
	return typeof timestampMs === "number" ? timestampMs : undefined;
}

/** Blocks in a row, each one's hash the next one's previous hash. */
export function openProvenRow(
	fromIndex: number,
	previousHash: Uint8Array,
	encoded: readonly Uint8Array[],
): Result<ProvenBlock[], ProofPageError> {
	const blocks: ProvenBlock[] = [];
	for (const [at, bytes] of encoded.entries()) {
		const block = openProvenBlock(bytes, fromIndex + at, blocks.at(-1)?.hash ?? previousHash);
		if (!block.ok) return block;
		blocks.push(block.value);
	}
	return ok(blocks);
}

/** Undefined: it is not what the last block's state root stands for, or its past is not the one below. */
function openSummit(summit: Summit, blocks: readonly ProvenBlock[]): OpenSummit | undefined {
	const says = openState(summit.state.proven);
	const root = provenStateRoot(summit.state);
	const last = blocks.at(-1);
	if (says?.history === undefined || root === undefined || last === undefined) return undefined;
	let range = summit.below;
	for (const block of blocks.slice(0, -1)) range = appendLeaf(range, merkleLeaf(block.hash));
	const isPast = range.count === says.history.count && equalBytes(rangeRoot(range), rangeRoot(says.history));
	return isPast && equalBytes(root, last.header.stateRoot) ? { ...summit, says } : undefined;
}

function openProvenBlock(
	bytes: Uint8Array,
	index: number,
	previousHash: Uint8Array,
): Result<ProvenBlock, ProofPageError> {
	const decoded = decode(bytes, MAX_PAGE_BYTES);
	const shaped = decoded.ok ? v.safeParse(provenBlockShape, decoded.value, { abortEarly: true }) : undefined;
	if (shaped?.success !== true) return refused({ code: "bad-proof" });
	const [version, timestampMs, term, proposer, transactionsPart, resultsPart] = shaped.output;
	const transactions = openTransactions(transactionsPart, timestampMs);
	if (!transactions.ok) return transactions;
	const results = resultsPart instanceof Uint8Array ? undefined : resultsPart;
	const transactionsRoot = transactions.value.root;
	const stateRoot = resultsPart instanceof Uint8Array ? resultsPart : stateRootOf(resultsPart);
	if (transactionsRoot === undefined || stateRoot === undefined) return refused({ code: "proof-broken", index });
	const header = { version, index, previousHash, timestampMs, term, proposer, transactionsRoot, stateRoot };
	return ok({
		header,
		hash: blockHash(header),
		transactions: transactions.value.proof?.transactions.map(([, transaction]) => transaction) ?? [],
		settled: results?.settled.map(([, minute]) => minute) ?? [],
		shares: results?.shares.map(([, share]) => share) ?? [],
		transactionsProof: transactions.value.proof,
		resultsProof: results,
	});
}

/** The root as it stands there, or as the proof leads to it. */
function openTransactions(
	part: v.InferOutput<typeof provenBlockShape>[4],
	timestampMs: number,
): Result<{ root: Uint8Array | undefined; proof: TransactionsProof | undefined }, ProofPageError> {
	if (part instanceof Uint8Array) return ok({ root: part, proof: undefined });
	const proof = openTransactionsProof(part, timestampMs);
	if (!proof.ok) return refused({ code: "bad-proof" });
	return ok({ root: transactionsRootOf(proof.value, timestampMs), proof: proof.value });
}
