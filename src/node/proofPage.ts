/**
 * A page of proofs: blocks in a row, of each no more than what is proven of it and what its hash needs, the last one
 * certified. What a household keeps of its chain for ever: it proves its own readings, acts and settled minutes when the
 * blocks themselves are gone. Where every block holds a reading the row costs next to nothing: the hash of a block is
 * made of what is proven, and is the next one's previous hash.
 */
import * as v from "valibot";
import { type BlockHeader, blockHash } from "../block/block.js";
import { type Certificate, certificateFields, certificateShape } from "../block/certificate.js";
import { hash, natural } from "../block/fieldShapes.js";
import type { Transaction } from "../block/transaction.js";
import {
	openTransactionsProof,
	type TransactionsProof,
	transactionsProofFields,
	transactionsProofShape,
	transactionsRootOf,
} from "../block/transactionsProof.js";
import { type ResultsProof, resultsProofFields, resultsProofShape, stateRootOf } from "../contract/resultsProof.js";
import type { SettledMinute } from "../contract/settlement.js";
import { equalBytes } from "../primitives/bytes.js";
import { type CborValue, decode, encode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MAX_MINUTE, MS_PER_MINUTE } from "../primitives/units.js";
import { openRecord, sealRecord } from "./records.js";

const PAGE_VERSION = 1;
/** More than the longest run of blocks under one certificate comes to. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

export interface ProofPage {
	/** Ascending, without holes. */
	readonly blocks: readonly ProvenBlock[];
	/** Of the last block. */
	readonly certificate: Certificate;
}

/** A block, as far as it is proven. */
export interface ProvenBlock {
	readonly header: BlockHeader;
	readonly transactions: readonly Transaction[];
	readonly settled: readonly SettledMinute[];
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
): Uint8Array {
	const fields: CborValue = [PAGE_VERSION, fromIndex, previousHash, blocks, certificateFields(certificate)];
	return sealRecord(encode(fields));
}

const pageShape = v.strictTuple([
	v.literal(PAGE_VERSION),
	natural,
	hash,
	v.pipe(v.array(v.instance(Uint8Array)), v.minLength(1)),
	certificateShape,
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
	const [, fromIndex, firstPreviousHash, encoded, certificate] = shaped.output;
	const blocks: ProvenBlock[] = [];
	let previousHash: Uint8Array = firstPreviousHash;
	for (const [at, bytes] of encoded.entries()) {
		const block = openProvenBlock(bytes, fromIndex + at, previousHash);
		if (!block.ok) return block;
		blocks.push(block.value);
		previousHash = blockHash(block.value.header);
	}
	const lastIndex = fromIndex + encoded.length - 1;
	if (certificate.index !== lastIndex || !equalBytes(certificate.hash, previousHash)) {
		return refused({ code: "proof-broken", index: certificate.index });
	}
	return ok({ blocks, certificate });
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
	return ok({
		header: { version, index, previousHash, timestampMs, term, proposer, transactionsRoot, stateRoot },
		transactions: transactions.value.proven,
		settled: results?.settled.map(([, minute]) => minute) ?? [],
	});
}

/** The root as it stands there, or as the proof leads to it. */
function openTransactions(
	part: v.InferOutput<typeof provenBlockShape>[4],
	timestampMs: number,
): Result<{ root: Uint8Array | undefined; proven: Transaction[] }, ProofPageError> {
	if (part instanceof Uint8Array) return ok({ root: part, proven: [] });
	const proof = openTransactionsProof(part, timestampMs);
	if (!proof.ok) return refused({ code: "bad-proof" });
	const proven = proof.value.transactions.map(([, transaction]) => transaction);
	return ok({ root: transactionsRootOf(proof.value, timestampMs), proven });
}
