/**
 * Proofs of one's own, made while the blocks are executed: what a block settled, and what leads from it to the block's
 * state root, is known then and never again. Blocks are taken in in their order; those that hold anything of this
 * household stand in pages (`proofPage`), each ending in a certified block, which are written with every checkpoint and
 * when they grow large. After a start the blocks above the checkpoint are executed, and taken in, once more.
 */
import * as v from "valibot";
import type { Certificate } from "../block/certificate.js";
import { natural } from "../block/fieldShapes.js";
import type { MountainRange } from "../block/merkle.js";
import type { Transaction } from "../block/transaction.js";
import { transactionId } from "../block/transaction.js";
import { proveTransactions } from "../block/transactionsProof.js";
import type { Contract, Ledger } from "../contract/ledger.js";
import { proveResults } from "../contract/resultsProof.js";
import type { SettledMinute } from "../contract/settlement.js";
import { proveState } from "../contract/stateProof.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import type { Result } from "../primitives/result.js";
import type { Link } from "./chain.js";
import { encodeProofPage, encodeProvenBlock, type Summit } from "./proofPage.js";
import { decodeRecord, encodeRecord, type RecordError } from "./records.js";
import { memberOfOrder } from "./statement.js";
import type { ChainChange, StoredProofPage } from "./storage.js";

/** A page of so many bytes is closed at its next certified block. */
const PAGE_BYTES = 256 * 1024;
/** So many blocks in a row with nothing of one's own take more room than another certificate: the page ends before them. */
const MAX_BLANKS = 16;

/** The blocks [fromIndex, untilIndex) were looked through: what of them is one's own stands in written pages. */
export interface Proven {
	readonly fromIndex: number;
	readonly untilIndex: number;
}

/** A page that is not closed. */
interface OpenPage {
	readonly fromIndex: number;
	readonly previousHash: Uint8Array;
	/** The range of the blocks below. */
	readonly below: MountainRange;
	readonly blocks: Uint8Array[];
	bytes: number;
	/** Blocks up to and including the last one that holds something of one's own. */
	ownBlocks: number;
	/** Whose keys have signed what is in it, and under which contracts its deliveries were made: by their indices. */
	readonly concerned: {
		readonly households: Set<number>;
		readonly devices: Set<number>;
		readonly contracts: Set<number>;
	};
	/** The first certificate at or above the last own block, and blocks up to and including `link`, which it is for. */
	end: { readonly blocks: number; readonly certificate: Certificate; readonly link: Link } | undefined;
}

export class ProofKeeper {
	readonly #householdKey: Uint8Array;
	#member: number | undefined;
	#proven: Proven | undefined;
	/** First block that was looked through without a hole up to the last one. */
	#fromIndex: number | undefined;
	#last: { readonly index: number; isCertified: boolean; readonly link?: Link } | undefined;
	#page: OpenPage | undefined;
	readonly #closed: StoredProofPage[] = [];

	/** `proven`: what earlier runs have written; undefined: nothing yet. */
	constructor(householdKey: Uint8Array, proven: Proven | undefined) {
		this.#householdKey = householdKey;
		this.#proven = proven;
	}

	/** What is written, and what it is written of; undefined: nothing yet. */
	get proven(): Proven | undefined {
		return this.#proven;
	}

	/** Takes in a committed block; `parent` is the ledger before it. */
	add(parent: Ledger, link: Link): void {
		const { block } = link;
		// Genesis stays on every device.
		if (block.index === 0 || block.index < (this.#proven?.untilIndex ?? 0)) return;
		if (block.index !== (this.#last?.index ?? Number.NaN) + 1) this.#begin(block.index);
		this.#last = { index: block.index, isCertified: false, link };
		if (this.#page !== undefined && haveOtherKeys(this.#page, parent, link.ledger)) this.#close();
		const member = this.#memberIn(link.ledger);
		const transactions = proveTransactions(block, (each) => this.#isOwn(each, member, parent, link));
		const results =
			member === undefined
				? undefined
				: proveResults(link.ledger, link.results, {
						settled: (minute) => isReceipt(minute, member),
						share: ({ household }) => household === member,
					});
		const isOwn = transactions !== undefined || results !== undefined;
		if (!isOwn && this.#page === undefined) return;
		this.#page ??= {
			fromIndex: block.index,
			previousHash: block.previousHash,
			below: link.ledger.history,
			blocks: [],
			bytes: 0,
			ownBlocks: 0,
			concerned: { households: new Set(), devices: new Set(), contracts: new Set() },
			end: undefined,
		};
		const page = this.#page;
		for (const [, transaction] of transactions?.transactions ?? []) note(page, transaction, parent, link);
		for (const [, { deliveries }] of results?.settled ?? []) {
			for (const { contract, buyer } of deliveries) {
				const { seller } = link.ledger.contracts[contract] ?? {};
				if (buyer === member || seller === member) page.concerned.contracts.add(contract);
			}
		}
		if (member !== undefined) page.concerned.households.add(member);
		const bytes = encodeProvenBlock(block, transactions, results);
		page.bytes += bytes.length;
		page.blocks.push(bytes);
		if (!isOwn) return;
		page.ownBlocks = page.blocks.length;
		page.end = undefined;
	}

	/** The block that was taken in last is certified by itself. */
	certified(certificate: Certificate): void {
		if (this.#last?.index !== certificate.index) return;
		this.#last.isCertified = true;
		const page = this.#page;
		if (page === undefined) return;
		const { link } = this.#last;
		if (link !== undefined) page.end ??= { blocks: page.blocks.length, certificate, link };
		if (page.end === undefined) return;
		const blanks = page.blocks.length - page.end.blocks;
		if (page.bytes >= PAGE_BYTES || blanks >= MAX_BLANKS) this.#close();
	}

	/**
	 * What the next write has to keep. With a checkpoint (`isDue`) all of it: what lies below is not executed again.
	 */
	take(isDue: boolean): Pick<ChainChange, "proofs"> {
		if (isDue) this.#close();
		if (this.#fromIndex === undefined || (this.#closed.length === 0 && !isDue)) return {};
		const lookedUntil = this.#last?.isCertified === true ? this.#last.index + 1 : this.#proven?.untilIndex;
		const untilIndex = this.#page?.fromIndex ?? lookedUntil;
		if (untilIndex === undefined) return {};
		this.#proven = { fromIndex: this.#fromIndex, untilIndex };
		return { proofs: { pages: this.#closed.splice(0), proven: encodeProven(this.#proven) } };
	}

	/**
	 * The head is about to jump: gives what is to be written with it. The blocks in between never come here, and those
	 * below are gone.
	 */
	jump(index: number): Pick<ChainChange, "proofs"> {
		this.#close();
		this.#begin(index + 1);
		this.#proven = { fromIndex: index + 1, untilIndex: index + 1 };
		this.#last = { index, isCertified: true };
		return { proofs: { pages: this.#closed.splice(0), proven: encodeProven(this.#proven) } };
	}

	/** Goes on where earlier runs stopped, or begins anew above blocks that nobody looked through. */
	#begin(index: number): void {
		this.#page = undefined;
		this.#fromIndex = index === this.#proven?.untilIndex ? this.#proven.fromIndex : index;
	}

	/** Pages that are not written yet, ascending: what is proven, but for what waits for its certificate. */
	unwritten(): StoredProofPage[] {
		const open = this.#page === undefined ? undefined : storedPage(this.#page);
		return open === undefined ? [...this.#closed] : [...this.#closed, open];
	}

	/** Closes the page at its last certificate, if all that it holds of one's own lies below. */
	#close(): void {
		const stored = this.#page === undefined ? undefined : storedPage(this.#page);
		if (stored === undefined) return;
		this.#closed.push(stored);
		this.#page = undefined;
	}

	#memberIn({ households }: Ledger): number | undefined {
		this.#member ??= households.find(({ publicKey }) => equalBytes(publicKey, this.#householdKey))?.index;
		return this.#member;
	}

	/**
	 * What this household has signed, and what others have signed about its money, its offers and its membership. Offers
	 * that it can accept as well: they are one half of a contract, and whether it comes to one is known later. `member`
	 * undefined: it is no member yet.
	 */
	#isOwn(transaction: Transaction, member: number | undefined, parent: Ledger, link: Link): boolean {
		if (transaction.kind === "offer" && transaction.buyer === undefined) return true;
		if (member === undefined) return false;
		if ("member" in transaction && transaction.member === member) return true;
		switch (transaction.kind) {
			case "issue":
				return memberOfOrder(parent, link, transaction.orderId) === member;
			case "payout":
				return parent.locks.get(toHex(transaction.lockId))?.member === member;
			case "correct":
				return transaction.counterparty === member;
			case "answer":
				return concerns(transaction.correctionId, member, parent, link);
			case "credit":
			case "suspend":
			case "remove":
			case "rebind":
			case "contest":
				return transaction.household === member;
			case "accept": {
				const made = link.ledger.contracts.slice(parent.contracts.length).filter(({ seller }) => seller === member);
				return made.length > 0 && isContractOf(made, transactionId(transaction, link.ledger.gridId));
			}
			case "offer":
				return transaction.buyer === member;
			case "join":
				return equalBytes(transaction.householdKey, this.#householdKey);
			default:
				return false;
		}
	}
}

/** Whether a correction is between this household and another. It may stand in the block of its answer. */
function concerns(correctionId: Uint8Array, member: number, parent: Ledger, { block, ledger }: Link): boolean {
	const proposed = block.transactions.find(
		(each) => each.kind === "correct" && equalBytes(transactionId(each, ledger.gridId), correctionId),
	);
	const correction = parent.corrections.get(toHex(correctionId)) ?? proposed;
	if (correction === undefined || !("counterparty" in correction)) return false;
	return correction.member === member || correction.counterparty === member;
}

/** Remembers whose key and which contract a page has to prove besides. `parent`: the ledger before the block. */
function note({ concerned }: OpenPage, transaction: Transaction, parent: Ledger, { ledger }: Link): void {
	if ("member" in transaction) concerned.households.add(transaction.member);
	switch (transaction.kind) {
		case "reading": {
			// A block's signatures are checked by the state before it: who metered then has signed.
			const { meteringDevice } = parent.households[transaction.member] ?? {};
			if (meteringDevice !== undefined) concerned.devices.add(meteringDevice);
			break;
		}
		case "voters":
			if (transaction.device !== undefined) concerned.devices.add(transaction.device);
			break;
		case "join":
			if (transaction.invitation !== undefined) concerned.households.add(transaction.invitation.operator);
			break;
		case "accept": {
			const id = transactionId(transaction, ledger.gridId);
			const made = ledger.contracts.slice(parent.contracts.length).find((contract) => equalBytes(contract.id, id));
			if (made === undefined) break;
			concerned.contracts.add(made.index);
			concerned.households.add(made.seller).add(made.buyer);
			break;
		}
	}
}

/** Whether a block gave one of those whose signatures are in a page another key: it proves the newest keys only. */
function haveOtherKeys({ concerned }: OpenPage, parent: Ledger, ledger: Ledger): boolean {
	return [...concerned.households].some((member) => {
		return parent.households[member]?.publicKey !== ledger.households[member]?.publicKey;
	});
}

/** A page up to its last certificate; undefined: it has none at or above all that it holds of one's own. */
function storedPage({ fromIndex, previousHash, below, blocks, concerned, end }: OpenPage): StoredProofPage | undefined {
	if (end === undefined) return undefined;
	const { certificate, link } = end;
	const { ledger } = link;
	// The ledger stands for its globals, which say who votes.
	const wanted = new Set<object>([ledger.history, ledger]);
	for (const [list, indices] of [
		[ledger.households, concerned.households],
		[ledger.devices, concerned.devices],
		[ledger.contracts, concerned.contracts],
	] as const) {
		for (const index of indices) {
			const part = list[index];
			if (part !== undefined) wanted.add(part);
		}
	}
	const summit: Summit = { below, state: proveState(ledger, link.results, wanted) };
	const record = encodeProofPage(fromIndex, previousHash, blocks.slice(0, end.blocks), certificate, summit);
	return { index: fromIndex + end.blocks - 1, record };
}

function isContractOf(contracts: readonly Contract[], id: Uint8Array): boolean {
	return contracts.some((contract) => equalBytes(contract.id, id));
}

/** Energy and money went to the household, or from it. */
function isReceipt({ seller, deliveries }: SettledMinute, member: number): boolean {
	return deliveries.some(({ buyer }) => buyer === member || seller === member);
}

const provenShape = v.pipe(
	v.strictTuple([natural, natural]),
	v.transform(([fromIndex, untilIndex]): Proven => ({ fromIndex, untilIndex })),
);

function encodeProven({ fromIndex, untilIndex }: Proven): Uint8Array {
	return encodeRecord([fromIndex, untilIndex]);
}

/** What was written of it, to begin with. */
export function decodeProven(record: Uint8Array): Result<Proven, RecordError> {
	return decodeRecord(record, provenShape);
}
