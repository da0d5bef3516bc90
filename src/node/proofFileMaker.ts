/**
 * Making a proof file of what a device keeps for ever: its genesis, the voter changes, and pages of proofs. Of a page goes
 * along what is asked for and no more. The block that holds it is led to the page's certificate either by the headers in
 * between or by its place in the past of the certified block, whichever is shorter.
 *
 * Names and keys are those of the founding where they still hold: what the genesis says of a household is all told, while
 * a later state would tell its balance with it. A later one is taken for whoever signed something in the file, and for the
 * household whose file it is; other neighbours who came later are named by their index alone.
 */
import type { Anchor } from "../block/anchor.js";
import { type Block, type BlockHeader, blockHash } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import { merkleLeaf, rangePath } from "../block/merkle.js";
import type { Transaction } from "../block/transaction.js";
import { transactionId } from "../block/transaction.js";
import { narrowTransactions, proveTransactions } from "../block/transactionsProof.js";
import { type VoterSet, votersAfter } from "../block/voters.js";
import { makeCertificate } from "../consensus/certificate.js";
import type { Ledger } from "../contract/ledger.js";
import { narrowResults, type WantedResults } from "../contract/resultsProof.js";
import { NO_RESULTS } from "../contract/settlement.js";
import { narrowState, proveState } from "../contract/stateProof.js";
import { assert } from "../primitives/assert.js";
import { equalBytes, joinBytes } from "../primitives/bytes.js";
import { ok, type Result } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { writeProofFile } from "./proofFile.js";
import { type ProofFileError, type Proven, prove } from "./proofFileCheck.js";
import { type CertifiedRow, encodeGenesisPart, encodePart, encodeVoterChange, type Part } from "./proofFileParts.js";
import type { OpenSummit, ProofPage, ProvenBlock } from "./proofPage.js";
import { headerOf } from "./voterSteps.js";

/** What a device knows besides its pages. */
export interface ProofSources {
	readonly genesis: { readonly block: Block; readonly ledger: Ledger };
	/** All voter changes, ascending. */
	readonly changes: readonly Anchor[];
	/** At the head: a name that has changed is not taken from the founding. */
	readonly ledger: Ledger;
	/** Whose file it is. */
	readonly member: number;
}

/** What is to be proven of a block. */
export interface Choice {
	readonly page: ProofPage;
	readonly block: ProvenBlock;
	readonly transactions?: (transaction: Transaction) => boolean;
	readonly results?: WantedResults;
	/** By their indices, as the state after the page says them. */
	readonly contracts?: readonly number[];
}

export interface MadeProof {
	readonly text: string;
	readonly proven: Proven;
}

/**
 * A file of one settled minute, voter changes aside, is to be no longer. The neighbourhood's name, which is no part of the
 * proof, is left out of one that would be: after years the past of a block takes more room.
 */
const ROOMY_LENGTH = 4_000;

/** Makes a file of some choices; each block is chosen once. Refused where what is kept does not prove them. */
export function makeProofFile(
	sources: ProofSources,
	choices: readonly Choice[],
	verifier: Verifier,
): Result<MadeProof, ProofFileError> {
	const { genesis } = sources;
	const pages = [...new Set(choices.map(({ page }) => page))].sort((a, b) => a.certificate.index - b.certificate.index);
	const lastIndex = pages.at(-1)?.certificate.index ?? 0;
	const changes = changesUpTo(sources, lastIndex);
	const people = new People(sources, choices, verifier);
	const parts = pages.map((page) => {
		const chosen = choices.filter((choice) => choice.page === page);
		return shorterPart(page, chosen, people, setsAt(genesis.ledger, sources.changes, page.certificate.index));
	});
	const certificates = [...changes.map(({ certificate }) => certificate), ...parts.map((part) => part.certificate)];
	const file = {
		gridId: genesis.ledger.gridId,
		genesis: genesisPart(sources, people, certificates),
		voterChanges: changes.map(encodeVoterChange),
		parts: parts.map(({ bytes }) => bytes),
	};
	const proven = prove(file, verifier);
	if (!proven.ok) return proven;
	const proves = proven.value.title;
	const text = writeProofFile({ ...file, proves });
	if (writeProofFile({ ...file, proves, voterChanges: [] }).length <= ROOMY_LENGTH)
		return ok({ text, proven: proven.value });
	const nameless = { ...file, genesis: genesisPart(sources, people, certificates, false) };
	return ok({
		text: writeProofFile({ ...nameless, proves }),
		proven: { ...proven.value, neighbourhood: undefined },
	});
}

// ── voters ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** The sets that stand behind a certificate: at a change that before it as well. */
function setsAt({ voters }: Ledger, changes: readonly Anchor[], index: number): VoterSet[] {
	let sets: VoterSet[] = [voters];
	for (const { block } of changes) {
		if (block.index > index) break;
		const before = sets.at(-1) ?? voters;
		const after = votersAfter(before, block);
		sets = block.index === index ? [before, after] : [after];
	}
	return sets;
}

/** No more signatures than it takes. */
function shortest(certificate: Certificate, sets: readonly VoterSet[]): Certificate {
	const signatures = new Map(certificate.signatures.map(({ voter, signature }) => [voter, signature]));
	return makeCertificate(certificate, signatures, sets) ?? certificate;
}

function changesUpTo({ genesis, changes }: ProofSources, lastIndex: number): CertifiedRow[] {
	return changes
		.filter(({ block }) => block.index <= lastIndex)
		.map(({ block, above, certificate }): CertifiedRow => {
			const sets = setsAt(genesis.ledger, changes, block.index);
			const [first] = block.transactions;
			const proof = proveTransactions(block, (transaction) => transaction === first);
			const changed: ProvenBlock = { ...bare(headerOf(block)), transactionsProof: proof };
			return { blocks: [changed, ...above.map(bare)], certificate: shortest(certificate, sets) };
		});
}

/** A block of which nothing is proven. */
function bare(header: BlockHeader): ProvenBlock {
	return {
		header,
		hash: blockHash(header),
		transactions: [],
		settled: [],
		shares: [],
		transactionsProof: undefined,
		resultsProof: undefined,
	};
}

// ── who is told of ───────────────────────────────────────────────────────────────────────────────────────────────

/** Whose names and keys go along, and from where. */
class People {
	/** Member indices of those whom the genesis says. */
	readonly founders = new Set<number>();
	/** Device indices of those whom the genesis says. */
	readonly foundingDevices = new Set<number>();
	readonly #later = new Map<ProofPage, { households: Set<number>; devices: Set<number> }>();

	constructor(sources: ProofSources, choices: readonly Choice[], verifier: Verifier) {
		for (const choice of choices) {
			const later = this.#later.get(choice.page) ?? { households: new Set(), devices: new Set() };
			this.#later.set(choice.page, later);
			const signers = new Set<number>([sources.member]);
			for (const transaction of choice.block.transactions) {
				if (choice.transactions?.(transaction) !== true) continue;
				const device =
					transaction.kind === "reading" ? readingDevice(sources, choice, transaction, verifier) : undefined;
				if (device === undefined) addSigners(signers, transaction);
				else if (device < sources.genesis.ledger.devices.length) this.foundingDevices.add(device);
				else later.devices.add(device);
			}
			for (const member of signers) {
				if (isAsFounded(sources, choice.page.summit, member)) this.founders.add(member);
				else later.households.add(member);
			}
			for (const member of partiesOf(sources, choice)) {
				if (isNamedAsFounded(sources, member)) this.founders.add(member);
			}
		}
	}

	later(page: ProofPage): { readonly households: ReadonlySet<number>; readonly devices: ReadonlySet<number> } {
		return this.#later.get(page) ?? { households: new Set(), devices: new Set() };
	}
}

/** The device that signed a reading; undefined: none that is known. */
function readingDevice(
	{ genesis }: ProofSources,
	{ page }: Choice,
	reading: Extract<Transaction, { kind: "reading" }>,
	verifier: Verifier,
): number | undefined {
	const digest = transactionId(reading, genesis.ledger.gridId);
	const devices = [...(page.summit?.says.devices ?? []), ...genesis.ledger.devices];
	const own = devices.filter(({ household }) => household === reading.member);
	return own.find(({ publicKey }) => verifier.verify(reading.signature, digest, publicKey))?.index;
}

function addSigners(signers: Set<number>, transaction: Transaction): void {
	if ("member" in transaction) signers.add(transaction.member);
	if (transaction.kind === "join" && transaction.invitation !== undefined) signers.add(transaction.invitation.operator);
}

/** Between whom the chosen contracts are. */
function partiesOf({ ledger }: ProofSources, { contracts = [] }: Choice): number[] {
	return contracts.flatMap((index) => {
		const contract = ledger.contracts[index];
		return contract === undefined ? [] : [contract.seller, contract.buyer];
	});
}

/** Whether a household is to be told of by what it was at the founding: by the page nothing else is known of it. */
function isAsFounded(sources: ProofSources, summit: OpenSummit | undefined, member: number): boolean {
	const founder = sources.genesis.ledger.households[member];
	if (founder === undefined) return false;
	const later = summit?.says.households.find(({ index }) => index === member);
	return later === undefined || (later.name === founder.name && equalBytes(later.publicKey, founder.publicKey));
}

function isNamedAsFounded({ genesis, ledger }: ProofSources, member: number): boolean {
	const founder = genesis.ledger.households[member];
	return founder !== undefined && founder.name === ledger.households[member]?.name;
}

function genesisPart(
	{ genesis }: ProofSources,
	{ founders, foundingDevices }: People,
	certificates: readonly Certificate[],
	isNamed = true,
): Uint8Array {
	const { block, ledger } = genesis;
	const voters = new Set(certificates.flatMap(({ signatures }) => signatures.map(({ voter }) => voter)));
	const wanted = new Set<object>([ledger]);
	for (const device of ledger.devices) {
		const votes = voters.has(device.index) && ledger.voters.includes(device.index);
		if (votes || foundingDevices.has(device.index)) wanted.add(device);
	}
	for (const household of ledger.households) if (founders.has(household.index)) wanted.add(household);
	return encodeGenesisPart({
		timestampMs: block.timestampMs,
		transactions: proveTransactions(block, ({ kind }) => isNamed && kind === "found") ?? block.transactionsRoot,
		state: proveState(ledger, NO_RESULTS, wanted),
	});
}

// ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface EncodedPart {
	readonly bytes: Uint8Array;
	readonly certificate: Certificate;
}

/** What is chosen of a page. Of two ways to its certificate the shorter one. */
function shorterPart(
	page: ProofPage,
	choices: readonly Choice[],
	people: People,
	sets: readonly VoterSet[],
): EncodedPart {
	const certificate = shortest(page.certificate, sets);
	const chosen = new Map(choices.map((choice) => [choice.block, narrowed(choice)]));
	const wanted = wantedLeaves(page, choices, people);
	const parts = [byHeaders(page, chosen, wanted, certificate), byHistory(page, chosen, wanted, certificate)];
	const [first, second] = parts.flatMap((part) => (part === undefined ? [] : [encodePart(part)]));
	assert(first !== undefined, "headers always lead to the certificate");
	return { bytes: second !== undefined && second.length < first.length ? second : first, certificate };
}

/** Of a block what is chosen. */
function narrowed({ block, transactions, results }: Choice): ProvenBlock {
	const { header, transactionsProof, resultsProof } = block;
	return {
		...bare(header),
		transactionsProof:
			transactions === undefined || transactionsProof === undefined
				? undefined
				: narrowTransactions(transactionsProof, header.timestampMs, transactions),
		resultsProof:
			results === undefined || resultsProof === undefined ? undefined : narrowResults(resultsProof, results),
	};
}

type Chosen = ReadonlyMap<ProvenBlock, ProvenBlock>;

/** Which leaves of a page's state go along, by kind and index. */
interface WantedLeaves {
	readonly households: ReadonlySet<number>;
	readonly devices: ReadonlySet<number>;
	readonly contracts: ReadonlySet<number>;
}

function wantedLeaves(page: ProofPage, choices: readonly Choice[], people: People): WantedLeaves {
	return { ...people.later(page), contracts: new Set(choices.flatMap(({ contracts = [] }) => contracts)) };
}

function stateOf({ summit }: ProofPage, wanted: WantedLeaves, hasHistory: boolean): Part["state"] {
	if (summit === undefined) return undefined;
	return narrowState(
		summit.state,
		({ globals, history, households, devices, contracts }) =>
			globals !== undefined ||
			(hasHistory && history !== undefined) ||
			households.some(({ index }) => wanted.households.has(index)) ||
			devices.some(({ index }) => wanted.devices.has(index)) ||
			contracts.some(({ index }) => wanted.contracts.has(index)),
	);
}

/** All headers from the first block that is chosen up to the certified one. */
function byHeaders(page: ProofPage, chosen: Chosen, wanted: WantedLeaves, certificate: Certificate): Part {
	const from = page.blocks.findIndex((block) => chosen.has(block));
	const blocks = page.blocks.slice(from).map((block) => chosen.get(block) ?? bare(block.header));
	return { certified: { blocks, certificate }, state: stateOf(page, wanted, false), below: [] };
}

/** The certified block alone, and each that is chosen by its place in the past of that one. */
function byHistory(page: ProofPage, chosen: Chosen, wanted: WantedLeaves, certificate: Certificate): Part | undefined {
	const { blocks, summit } = page;
	const last = blocks.at(-1);
	if (summit === undefined || last === undefined) return undefined;
	const leaves = blocks.slice(0, -1).map(({ hash }) => merkleLeaf(hash));
	const below = blocks.slice(0, -1).flatMap((block) => {
		const own = chosen.get(block);
		if (own === undefined) return [];
		return [{ blocks: [own], path: joinBytes(rangePath(summit.below, leaves, block.header.index)) }];
	});
	if (below.length === 0) return undefined;
	const certified = { blocks: [chosen.get(last) ?? bare(last.header)], certificate };
	return { certified, state: stateOf(page, wanted, true), below };
}
