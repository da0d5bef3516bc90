/**
 * What the parts of a proof file say. All of it is hashes and what they are made of: nothing in here is believed before
 * `proofFileCheck` has followed it to the genesis, and to the signatures of those who voted.
 */
import * as v from "valibot";
import { BLOCK_VERSION, type BlockHeader } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import { blob, deviceIndex, hash, natural, timestampMs as timestampMsShape } from "../block/fieldShapes.js";
import {
	openTransactionsProof,
	type TransactionsProof,
	transactionsProofFields,
	transactionsProofShape,
	transactionsRootOf,
} from "../block/transactionsProof.js";
import { provenStateRoot, type StateProof, stateProofFields, stateProofShape } from "../contract/stateProof.js";
import { joinBytes } from "../primitives/bytes.js";
import { type CborValue, decode, encode } from "../primitives/codec.js";
import { ZERO_HASH } from "../primitives/hash.js";
import { SIGNATURE_BYTES } from "../primitives/signature.js";
import { MAX_PROOF_FILE_LENGTH } from "./proofFile.js";
import { encodeProvenBlock, openProvenRow, type ProvenBlock } from "./proofPage.js";

/** The genesis block, as far as it is proven: its own hash is the neighbourhood's name. */
export interface GenesisPart {
	readonly timestampMs: number;
	/** With its first transaction, or its root alone. */
	readonly transactions: TransactionsProof | Uint8Array;
	/** The globals, with who votes first, and households and devices. */
	readonly state: StateProof;
}

/** Blocks in a row, the last one certified. */
export interface CertifiedRow {
	readonly blocks: readonly ProvenBlock[];
	readonly certificate: Certificate;
}

/** What one certificate stands behind. */
export interface Part {
	readonly certified: CertifiedRow;
	/**
	 * By the state after the last of them: the globals, which say who votes, and the history if there are rows below.
	 * Undefined: of a page of the first version.
	 */
	readonly state: StateProof | undefined;
	/** Older blocks, each row proven by the place of its last block in that history. */
	readonly below: readonly HistoricRow[];
}

export interface HistoricRow {
	readonly blocks: readonly ProvenBlock[];
	/** From the last block's place to its peak: hashes, one after the other. */
	readonly path: Uint8Array;
}

export function encodeGenesisPart({ timestampMs, transactions, state }: GenesisPart): Uint8Array {
	const isRoot = transactions instanceof Uint8Array;
	return encode([
		timestampMs,
		isRoot ? transactions : transactionsProofFields(transactions, timestampMs),
		stateProofFields(state),
	]);
}

const genesisShape = v.strictTuple([timestampMsShape, v.union([hash, transactionsProofShape]), stateProofShape]);

/** Undefined: it is none. */
export function openGenesisPart(bytes: Uint8Array): (GenesisPart & { header: BlockHeader }) | undefined {
	const read = shaped(bytes, genesisShape);
	if (read === undefined) return undefined;
	const [timestampMs, encoded, state] = read;
	const proof = encoded instanceof Uint8Array ? undefined : openTransactionsProof(encoded, timestampMs);
	if (proof?.ok === false) return undefined;
	const transactions = encoded instanceof Uint8Array ? encoded : proof?.value;
	if (transactions === undefined) return undefined;
	const root = transactions instanceof Uint8Array ? transactions : transactionsRootOf(transactions, timestampMs);
	const stateRoot = provenStateRoot(state);
	if (root === undefined || stateRoot === undefined) return undefined;
	const beginning = { version: BLOCK_VERSION, index: 0, previousHash: ZERO_HASH, term: 0, proposer: 0 };
	return { timestampMs, transactions, state, header: { ...beginning, timestampMs, transactionsRoot: root, stateRoot } };
}

/** A voter change: the block that makes it, which proves its first transaction, and those up to the certified one. */
export function encodeVoterChange(row: CertifiedRow): Uint8Array {
	return encode(certifiedFields(row));
}

/** Undefined: it is none. */
export function openVoterChange(bytes: Uint8Array): CertifiedRow | undefined {
	const read = shaped(bytes, certifiedShape);
	return read === undefined ? undefined : openCertified(read);
}

export function encodePart({ certified, state, below }: Part): Uint8Array {
	return encode([
		certifiedFields(certified),
		state === undefined ? [] : stateProofFields(state),
		below.map(({ blocks, path }): CborValue => [...rowFields(blocks), path]),
	]);
}

/** Undefined: it is none. */
export function openPart(bytes: Uint8Array): Part | undefined {
	const read = shaped(bytes, partShape);
	if (read === undefined) return undefined;
	const [encoded, state, rows] = read;
	const certified = openCertified(encoded);
	if (certified === undefined) return undefined;
	const below: HistoricRow[] = [];
	for (const [fromIndex, previousHash, row, path] of rows) {
		const blocks = openProvenRow(fromIndex, previousHash, row);
		if (!blocks.ok) return undefined;
		below.push({ blocks: blocks.value, path });
	}
	return { certified, state: Array.isArray(state) ? undefined : state, below };
}

// ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function rowFields(blocks: readonly ProvenBlock[]): CborValue[] {
	const { index, previousHash } = blocks[0]?.header ?? { index: 0, previousHash: ZERO_HASH };
	const encoded = blocks.map((each) => encodeProvenBlock(each.header, each.transactionsProof, each.resultsProof));
	return [index, previousHash, encoded];
}

/** What a certificate names is the last block: its signatures are enough. */
function certifiedFields({ blocks, certificate }: CertifiedRow): CborValue[] {
	return [
		...rowFields(blocks),
		certificate.signatures.map(({ voter }) => voter),
		joinBytes(certificate.signatures.map(({ signature }) => signature)),
	];
}

const rowShapes = [natural, hash, v.pipe(v.array(blob), v.minLength(1))] as const;
const certifiedShape = v.pipe(
	v.strictTuple([
		...rowShapes,
		v.pipe(
			v.array(deviceIndex),
			v.minLength(1),
			v.maxLength(64),
			// Ascending and so distinct: nobody is counted twice.
			v.check((voters) => voters.every((voter, at) => at === 0 || (voters[at - 1] ?? voter) < voter)),
		),
		blob,
	]),
	v.check(([, , , voters, signatures]) => signatures.length === voters.length * SIGNATURE_BYTES),
);
const partShape = v.strictTuple([
	certifiedShape,
	v.union([v.strictTuple([]), stateProofShape]),
	v.array(v.strictTuple([...rowShapes, blob])),
]);

function openCertified([fromIndex, previousHash, row, voters, joined]: v.InferOutput<typeof certifiedShape>):
	| CertifiedRow
	| undefined {
	const blocks = openProvenRow(fromIndex, previousHash, row);
	const last = blocks.ok ? blocks.value.at(-1) : undefined;
	if (!blocks.ok || last === undefined) return undefined;
	const signatures = voters.map((voter, at) => {
		return { voter, signature: joined.slice(at * SIGNATURE_BYTES, (at + 1) * SIGNATURE_BYTES) };
	});
	const { index, term } = last.header;
	return { blocks: blocks.value, certificate: { index, term, hash: last.hash, signatures } };
}

function shaped<T>(bytes: Uint8Array, shape: v.GenericSchema<unknown, T>): T | undefined {
	const decoded = decode(bytes, MAX_PROOF_FILE_LENGTH);
	const read = decoded.ok ? v.safeParse(shape, decoded.value, { abortEarly: true }) : undefined;
	return read?.success === true ? read.output : undefined;
}
