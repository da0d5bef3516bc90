/**
 * Checking a proof file with nothing but itself: offline, years later, by somebody who never was a member. What it says is
 * followed from the signatures of readings and acts over paths, blocks and certificates to the genesis, whose hash is the
 * grid id. Whether that is the neighbourhood that one means is for whoever knows its id to compare.
 *
 * Which device of its household has signed a reading the chain's state says by the device's key; that it was the one whose
 * readings counted then is what the voters made sure of, as of all the rules, before they signed the block.
 */
import { blockHash } from "../block/block.js";
import type { ReadingTransaction } from "../block/kinds/metering.js";
import { isInRange, merkleLeaf } from "../block/merkle.js";
import type { Transaction } from "../block/transaction.js";
import { transactionId } from "../block/transaction.js";
import { checkCertificate } from "../consensus/certificate.js";
import type { Globals } from "../contract/globalLeaves.js";
import type { Contract, Device, Household } from "../contract/ledger.js";
import type { IntervalShare } from "../contract/results.js";
import type { SettledMinute } from "../contract/settlement.js";
import { areGood, requiredSignatures } from "../contract/signers.js";
import { hashesOf, openState, type ProvenState, provenStateRoot } from "../contract/stateProof.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { type ProofFile, type ReadError, readProofFile } from "./proofFile.js";
import { type CertifiedRow, openGenesisPart, openPart, openVoterChange, type Part } from "./proofFileParts.js";
import type { ProvenBlock } from "./proofPage.js";
import { type KnownVoters, type WalkError, walkStep } from "./voterWalk.js";

export type ProofFileError =
	| ReadError
	| WalkError
	/** A part is none, or its hashes do not lead where they have to. */
	| { code: "proof-broken" }
	/** The genesis in it is not the one that the grid id names. */
	| { code: "proof-of-another" }
	/** A signature in it is not by the key that the chain has for its author. */
	| { code: "proof-bad-signature"; kind: Transaction["kind"] }
	/** Nothing in it says with which key the author signs. */
	| { code: "proof-without-key"; kind: Transaction["kind"] }
	/** Its first line says something else than it proves. */
	| { code: "proof-says-otherwise" };

/** What a file proves. */
export interface Proven {
	/** In short, as the file's own head says it. */
	readonly title: string;
	readonly gridId: Uint8Array;
	/** Undefined: the file does not say it. */
	readonly neighbourhood: string | undefined;
	readonly foundedMs: number;
	/** Voter changes since the founding that were followed. */
	readonly voterChanges: number;
	/** Ascending. */
	readonly blocks: readonly ProvenFacts[];
	/** As of the block that is certified. */
	readonly contracts: readonly Contract[];
	/** Names by member index, the newest that is proven; not of everybody who is named by an index. */
	readonly names: ReadonlyMap<number, string>;
}

/** What is proven of a block. */
export interface ProvenFacts {
	readonly index: number;
	readonly timestampMs: number;
	readonly hash: Uint8Array;
	/** The block whose certificate stands behind this one, and how many of how many voters signed it. */
	readonly certified: { readonly index: number; readonly signatures: number; readonly voters: number };
	readonly transactions: readonly ProvenTransaction[];
	readonly settled: readonly SettledMinute[];
	readonly shares: readonly IntervalShare[];
}

export interface ProvenTransaction {
	readonly id: Uint8Array;
	readonly transaction: Transaction;
	/** Of a reading, the device that signed it. */
	readonly device: number | undefined;
}

/** Checks a proof file's text. Whatever is wrong with it is a value, whatever it is. */
export function verifyProofFile(text: string, verifier: Verifier): Result<Proven, ProofFileError> {
	const file = readProofFile(text);
	if (!file.ok) return file;
	const proven = prove(file.value, verifier);
	if (!proven.ok) return proven;
	return proven.value.title === file.value.proves ? proven : refused({ code: "proof-says-otherwise" });
}

/** Checks all of a file but what it says of itself. */
export function prove(file: Omit<ProofFile, "proves">, verifier: Verifier): Result<Proven, ProofFileError> {
	const { gridId } = file;
	const founding = openFounding(file);
	if (!founding.ok) return founding;
	const { state, voters, foundedMs, neighbourhood } = founding.value;
	const changes = file.voterChanges.map(openVoterChange);
	const parts = file.parts.map(openPart);
	let known = voters;
	let followed = 0;
	const blocks: ProvenFacts[] = [];
	const states: ProvenState[] = [state];
	for (const part of parts) {
		if (part === undefined) return BROKEN;
		const { index } = part.certified.certificate;
		for (let next = changes[followed]; followed < changes.length; next = changes[followed]) {
			const change = next === undefined ? undefined : changeOf(next);
			if (change === undefined) return BROKEN;
			if (change.block.index > index) break;
			const walked = walkStep(known, change, gridId, verifier);
			if (!walked.ok) return walked;
			if (walked.value.step.certificate.signatures.length < change.certificate.signatures.length) return BROKEN;
			known = walked.value.known;
			followed += 1;
		}
		const facts = provePart(part, known, states, gridId, verifier);
		if (!facts.ok) return facts;
		blocks.push(...facts.value);
	}
	// A change above all that is proven proves nothing.
	if (followed < changes.length || !isAscending(blocks)) return BROKEN;
	const contracts = states.flatMap((each) => each.contracts);
	const names = new Map(
		states.flatMap(({ households }) => households.map(({ index, name }) => [index, name] as const)),
	);
	const title = titleOf(blocks, contracts);
	if (title === undefined) return BROKEN;
	return ok({ title, gridId, neighbourhood, foundedMs, voterChanges: followed, blocks, contracts, names });
}

const BROKEN = refused({ code: "proof-broken" } as const);

interface Founding {
	readonly state: ProvenState;
	readonly voters: KnownVoters;
	readonly foundedMs: number;
	readonly neighbourhood: string | undefined;
}

/** Who votes first, by the state after the genesis that the grid id names. */
function openFounding({ genesis, gridId }: Pick<ProofFile, "genesis" | "gridId">): Result<Founding, ProofFileError> {
	const part = openGenesisPart(genesis);
	const state = part === undefined ? undefined : openState(part.state.proven);
	if (part === undefined || state?.globals?.index !== 0) return BROKEN;
	if (!equalBytes(blockHash(part.header), gridId)) return refused({ code: "proof-of-another" });
	const { voters } = state.globals;
	const keys = new Map(state.devices.map(({ index, publicKey }) => [index, publicKey]));
	const first = part.transactions instanceof Uint8Array ? undefined : part.transactions.transactions[0];
	// By its place: any household could have put a name elsewhere.
	const found = first?.[0] === 0 && first[1].kind === "found" ? first[1] : undefined;
	return ok({
		state,
		voters: { index: 0, voters, before: voters, keys },
		foundedMs: part.timestampMs,
		neighbourhood: found?.name,
	});
}

/** The change itself, which is the first transaction of the first block of a row. */
function changeOf({ blocks, certificate }: CertifiedRow) {
	const [first] = blocks;
	const [entry] = first?.transactionsProof?.transactions ?? [];
	if (first === undefined || entry?.[0] !== 0) return undefined;
	return { block: { index: first.header.index, transactions: [entry[1]] }, certificate };
}

/** What is proven of a part's blocks. What its state says is put to what was known before. */
function provePart(
	{ certified, state, below }: Part,
	known: KnownVoters,
	states: ProvenState[],
	gridId: Uint8Array,
	verifier: Verifier,
): Result<ProvenFacts[], ProofFileError> {
	const { certificate } = certified;
	const { index } = certificate;
	const sets = known.index === index ? [known.before, known.voters] : [known.voters];
	const counted = checkCertificate(certificate, sets, (voter) => known.keys.get(voter), gridId, verifier);
	if (!counted.ok) return counted;
	const last = certified.blocks.at(-1);
	const says = state === undefined ? undefined : openState(state.proven);
	if (last === undefined || (state !== undefined && says === undefined)) return BROKEN;
	if (counted.value.signatures.length < certificate.signatures.length) return BROKEN;
	if (state !== undefined) {
		const root = provenStateRoot(state);
		if (root === undefined || !equalBytes(root, last.header.stateRoot)) return BROKEN;
		// No change was left out on the way.
		if (says?.globals !== undefined && !saysVoters(says.globals, known))
			return refused({ code: "bad-voter-step", index });
	}
	for (const { blocks, path } of below) {
		const top = blocks.at(-1);
		const history = says?.history;
		if (top === undefined || history?.count !== index) return BROKEN;
		if (!isInRange(history, top.header.index, merkleLeaf(top.hash), hashesOf(path))) return BROKEN;
	}
	if (says !== undefined) states.push(says);
	const isSigner = (voter: number) => counted.value.signatures.some((signature) => signature.voter === voter);
	const signatures = known.voters.filter(isSigner).length;
	const facts: ProvenFacts[] = [];
	for (const block of [...below.flatMap(({ blocks }) => blocks), ...certified.blocks]) {
		const { transactionsProof, resultsProof, settled, shares, header, hash } = block;
		if (transactionsProof === undefined && resultsProof === undefined) continue;
		const transactions = signedTransactions(block, says === undefined ? states : [says, ...states], gridId, verifier);
		if (!transactions.ok) return transactions;
		const { timestampMs } = header;
		const certifiedBy = { index, signatures, voters: known.voters.length };
		facts.push({
			index: header.index,
			timestampMs,
			hash,
			certified: certifiedBy,
			transactions: transactions.value,
			settled,
			shares,
		});
	}
	return ok(facts);
}

function saysVoters({ voters, votersSinceIndex }: Globals, known: KnownVoters): boolean {
	return (
		votersSinceIndex === known.index &&
		voters.length === known.voters.length &&
		voters.every((voter, at) => voter === known.voters[at])
	);
}

/** The transactions of a block, each signed by whom it names. `states`: what says the keys, the best of them first. */
function signedTransactions(
	{ transactions }: ProvenBlock,
	states: readonly ProvenState[],
	gridId: Uint8Array,
	verifier: Verifier,
): Result<ProvenTransaction[], ProofFileError> {
	const devices: Device[] = [];
	const households: Household[] = [];
	for (const state of states) {
		for (const device of state.devices) devices[device.index] ??= device;
		for (const household of state.households) households[household.index] ??= household;
	}
	const proven: ProvenTransaction[] = [];
	for (const transaction of transactions) {
		const { kind } = transaction;
		const id = transactionId(transaction, gridId);
		if (transaction.kind === "reading") {
			const own = devices.filter((each) => each?.household === transaction.member);
			if (own.length === 0) return refused({ code: "proof-without-key", kind });
			const device = signerOf(transaction, id, own, verifier);
			if (device === undefined) return refused({ code: "proof-bad-signature", kind });
			proven.push({ id, transaction, device });
			continue;
		}
		const required = requiredSignatures({ gridId, households, devices }, transaction);
		if ("code" in required) return refused({ code: "proof-without-key", kind });
		if (!areGood(required, verifier)) return refused({ code: "proof-bad-signature", kind });
		proven.push({ id, transaction, device: undefined });
	}
	return ok(proven);
}

function signerOf(
	{ signature }: ReadingTransaction,
	digest: Uint8Array,
	devices: readonly Device[],
	verifier: Verifier,
): number | undefined {
	return devices.find(({ publicKey }) => verifier.verify(signature, digest, publicKey))?.index;
}

function isAscending(blocks: readonly ProvenFacts[]): boolean {
	return blocks.every(({ index }, at) => at === 0 || (blocks[at - 1]?.index ?? index) < index);
}

/** A line that says what is proven; undefined: nothing is. It stands in the file, so its words are its format. */
function titleOf(blocks: readonly ProvenFacts[], contracts: readonly Contract[]): string | undefined {
	const contract = contracts[0];
	const settled = blocks.flatMap((block) => block.settled)[0];
	if (settled !== undefined) {
		const under = contract === undefined ? "" : ` under contract ${shortId(contract.id)}`;
		return `minute ${settled.minute} settled${under}`;
	}
	const [share] = blocks.flatMap((block) => block.shares);
	if (share !== undefined) return `share of the market from minute ${share.fromMinute} on`;
	const last = blocks.flatMap(({ transactions }) => transactions).at(-1);
	if (last === undefined) return undefined;
	const { kind } = last.transaction;
	return `${kind === "accept" ? "contract" : kind} ${shortId(last.id)}`;
}

/** The beginning of an id, in hex: enough to tell a household's acts apart. */
function shortId(id: Uint8Array): string {
	return toHex(id.subarray(0, 8));
}
