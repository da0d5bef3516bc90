/**
 * Proofs of one's own, made while the blocks are executed: what a block settled, and what leads from it to the block's
 * state root, is known then and never again. Blocks are taken in in their order; those that hold anything of this
 * household stand in pages (`proofPage`), each ending in a certified block, which are written with every checkpoint and
 * when they grow large. After a start the blocks above the checkpoint are executed, and taken in, once more.
 */
import * as v from "valibot";
import type { Certificate } from "../block/certificate.js";
import { natural } from "../block/fieldShapes.js";
import type { Transaction } from "../block/transaction.js";
import { transactionId } from "../block/transaction.js";
import { proveTransactions } from "../block/transactionsProof.js";
import type { Contract, Ledger } from "../contract/ledger.js";
import { proveSettled } from "../contract/resultsProof.js";
import type { SettledMinute } from "../contract/settlement.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import type { Result } from "../primitives/result.js";
import type { Link } from "./chain.js";
import { encodeProofPage, encodeProvenBlock } from "./proofPage.js";
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
	readonly blocks: Uint8Array[];
	bytes: number;
	/** Blocks up to and including the last one that holds something of one's own. */
	ownBlocks: number;
	/** The first certificate at or above that block, and blocks up to and including the one it is for. */
	end: { readonly blocks: number; readonly certificate: Certificate } | undefined;
}

export class ProofKeeper {
	readonly #householdKey: Uint8Array;
	#member: number | undefined;
	#proven: Proven | undefined;
	/** First block that was looked through without a hole up to the last one. */
	#fromIndex: number | undefined;
	#last: { readonly index: number; isCertified: boolean } | undefined;
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
		this.#last = { index: block.index, isCertified: false };
		const member = this.#memberIn(link.ledger);
		const transactions =
			member === undefined ? undefined : proveTransactions(block, (each) => this.#isOwn(each, member, parent, link));
		const results =
			member === undefined ? undefined : proveSettled(link.ledger, link.results, (each) => isReceipt(each, member));
		const isOwn = transactions !== undefined || results !== undefined;
		if (!isOwn && this.#page === undefined) return;
		this.#page ??= {
			fromIndex: block.index,
			previousHash: block.previousHash,
			blocks: [],
			bytes: 0,
			ownBlocks: 0,
			end: undefined,
		};
		const page = this.#page;
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
		page.end ??= { blocks: page.blocks.length, certificate };
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

	/** Closes the page at its last certificate, if all that it holds of one's own lies below. */
	#close(): void {
		const page = this.#page;
		if (page?.end === undefined) return;
		const { fromIndex, previousHash } = page;
		const blocks = page.blocks.slice(0, page.end.blocks);
		const record = encodeProofPage(fromIndex, previousHash, blocks, page.end.certificate);
		this.#closed.push({ index: fromIndex + blocks.length - 1, record });
		this.#page = undefined;
	}

	#memberIn({ households }: Ledger): number | undefined {
		this.#member ??= households.find(({ publicKey }) => equalBytes(publicKey, this.#householdKey))?.index;
		return this.#member;
	}

	/** What this household has signed, and what others have signed about its money, its offers and its membership. */
	#isOwn(transaction: Transaction, member: number, parent: Ledger, link: Link): boolean {
		if ("member" in transaction && transaction.member === member) return true;
		switch (transaction.kind) {
			case "issue": {
				const order = parent.orders.get(toHex(transaction.orderId));
				return (order?.member ?? memberOfOrder(link, transaction.orderId)) === member;
			}
			case "payout":
				return parent.locks.get(toHex(transaction.lockId))?.member === member;
			case "suspend":
			case "remove":
			case "rebind":
			case "contest":
				return transaction.household === member;
			case "accept": {
				const made = link.ledger.contracts.slice(parent.contracts.length).filter(({ seller }) => seller === member);
				return made.length > 0 && isContractOf(made, transactionId(transaction, link.ledger.gridId));
			}
			case "join":
				return equalBytes(transaction.householdKey, this.#householdKey);
			default:
				return false;
		}
	}
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
