/**
 * A long chain made the short way: blocks are executed one after the other without a consensus, and kept as one node
 * would have kept them. What is kept, from the last checkpoint on, has a signed reading of every household in every
 * block, and so have the six hours before it, unsigned; before that there are ten minutes of readings a day. What is not
 * kept has the signature of nobody and no transactions root, since nothing ever looks at it again.
 */
import { BLOCK_VERSION, type Block, blockHash, encodeBlock, transactionsRoot } from "../../src/block/block.js";
import { acknowledgementDigest, type Certificate } from "../../src/block/certificate.js";
import type { FoundingParameters } from "../../src/block/kinds/founding.js";
import type { ActTransaction, Transaction, Unsigned } from "../../src/block/transaction.js";
import { transactionId } from "../../src/block/transaction.js";
import type { VoterSet } from "../../src/block/voters.js";
import { makeCertificate } from "../../src/consensus/certificate.js";
import { chunkLeaves, manifestOf } from "../../src/contract/chunks.js";
import { executeBlock } from "../../src/contract/execute.js";
import { createGenesis, openGenesis } from "../../src/contract/genesis.js";
import type { Ledger } from "../../src/contract/ledger.js";
import { snapshotOf } from "../../src/contract/snapshot.js";
import { encodeCheckpointBlock } from "../../src/node/checkpoints.js";
import { encodeCertificateRecord, sealRecord } from "../../src/node/records.js";
import { CERTIFICATE_SPACING, type CheckpointRecords, KEPT_CHECKPOINTS } from "../../src/node/storage.js";
import { encodeAnchorRecord } from "../../src/node/voterSteps.js";
import { assert } from "../../src/primitives/assert.js";
import { ZERO_HASH } from "../../src/primitives/hash.js";
import { createVerifier, sign } from "../../src/primitives/signature.js";
import { MS_PER_MINUTE } from "../../src/primitives/units.js";
import { NO_SIGNATURE, secretOf, signedFound, signedJoin } from "./ledger.js";

export const DAY_BLOCKS = 1_440;
const PARAMETERS: Partial<FoundingParameters> = {
	moneyKind: "prepaid",
	settlementGraceBlocks: 180,
	readingWindowBlocks: 7 * DAY_BLOCKS,
	checkpointBlocks: DAY_BLOCKS,
};
/** Blocks below the kept ones that are full of readings too: twice the grace, so that settlement goes as it always does. */
const FULL_BELOW = 360;
/** Readings of one day before that. */
const SPARSE_MINUTES = 10;
/** So many households sell, each to one of the others. */
export const CONTRACTS = 6;
/** One of the contracts is made in the beginning and lasts so long, the others are made so long before the end. */
const FIRST_CONTRACT_DAYS = 30;
const LAST_CONTRACTS_DAYS = 5;
const TERM = 1;
/** On which day which device comes among the voters (+) or goes (−); at the end the founder's alone votes again. */
const VOTER_STEPS: readonly (readonly [share: number, added: readonly number[], removed: readonly number[]])[] = [
	[0.1, [1, 2], []],
	[0.2, [3], []],
	[0.3, [4], []],
	[0.5, [], [3]],
	[0.7, [5], []],
	[0.8, [], [5]],
	[0.85, [], [4]],
	[0.9, [], [2]],
	[0.95, [], [1]],
];

/** The stores of a serving node's database, but for its config and votes. Keys as in `storage/indexedDbSchema`. */
export interface StoredStores {
	blockchain: [number, Uint8Array][];
	positions: [string, number][];
	certificates: [number, { record: Uint8Array; isAlwaysKept: boolean }][];
	checkpoints: [number, CheckpointRecords & { derived?: Uint8Array }][];
	checkpointChunks: [[number, number], Uint8Array][];
	voterSteps: [number, Uint8Array][];
}

export interface LongChainOptions {
	households: number;
	/** Whole checkpoint intervals. */
	days: number;
	/** Blocks above the last checkpoint: kept, and signed. */
	tailBlocks: number;
	/** Blocks between two checkpoints, which divide a day's; absent: a day's, as earlier versions kept them. */
	checkpointSpacing?: number;
	/** The last block's minute has just ended then. */
	endMs: number;
	log(text: string): void;
}

export class LongChain {
	readonly stores: StoredStores = {
		blockchain: [],
		positions: [],
		certificates: [],
		checkpoints: [],
		checkpointChunks: [],
		voterSteps: [],
	};
	/** Readings that are kept, and signed. */
	signedReadings = 0;
	readings = 0;
	readonly #options: LongChainOptions;
	readonly #fromMinute: number;
	readonly #signedFrom: number;
	#ledger: Ledger;
	#head: Block;
	#hash: Uint8Array;

	constructor(options: LongChainOptions) {
		this.#options = options;
		const { households, days, tailBlocks, endMs } = options;
		this.#signedFrom = days * DAY_BLOCKS;
		this.#fromMinute = Math.floor(endMs / MS_PER_MINUTE) - this.#signedFrom - tailBlocks;
		const joins = Array.from({ length: households }, (_, member) =>
			signedJoin(member, ZERO_HASH, { alwaysOn: member === 0 }),
		);
		const genesis = createGenesis(signedFound(PARAMETERS), joins, this.#fromMinute * MS_PER_MINUTE);
		assert(genesis.ok, "the genesis is in order");
		const ledger = openGenesis(genesis.value, createVerifier());
		assert(ledger.ok, "the genesis opens");
		this.#ledger = ledger.value;
		this.#head = genesis.value;
		this.#hash = blockHash(genesis.value);
		this.stores.blockchain.push([0, sealRecord(encodeBlock(genesis.value))]);
	}

	get gridId(): Uint8Array {
		return this.#ledger.gridId;
	}

	get head(): { index: number; hash: Uint8Array; ledger: Ledger } {
		return { index: this.#head.index, hash: this.#hash, ledger: this.#ledger };
	}

	/** Makes all blocks: minutes of computing, in which the test runner is let speak now and then. */
	async grow(): Promise<void> {
		const { days, tailBlocks, log } = this.#options;
		const untilIndex = days * DAY_BLOCKS + tailBlocks;
		const steps = new Map(VOTER_STEPS.map(([share, ...step]) => [Math.floor(share * days * DAY_BLOCKS), step]));
		for (let index = 1; index <= untilIndex; index++) {
			const step = steps.get(index);
			const acts = step === undefined ? this.#actsOf(index) : [this.#voters(...step)];
			this.#append([...acts, ...this.#readingsOf(index)]);
			if (index % (30 * DAY_BLOCKS) === 0) log(`${index} of ${untilIndex} blocks`);
			if (index % DAY_BLOCKS === 0) await new Promise((resolve) => setImmediate(resolve));
		}
		this.#keepCertificate(this.#certificate([this.#ledger.voters]), false);
		this.stores.positions.push(["blocksFrom", this.#signedFrom]);
	}

	#append(transactions: readonly Transaction[]): void {
		const parent = this.#ledger;
		const index = this.#head.index + 1;
		const timestampMs = (this.#fromMinute + index) * MS_PER_MINUTE;
		const frame = { index, previousHash: this.#hash, timestampMs };
		const executed = executeBlock(parent, frame, transactions);
		if (!executed.ok) throw new Error(`block ${index}: ${JSON.stringify(executed.error)}`);
		const { ledger, stateRoot, results } = executed.value;
		const changesVoters = ledger.votersSinceIndex === index;
		const { checkpointSpacing = DAY_BLOCKS } = this.#options;
		const isCheckpoint = index % checkpointSpacing === 0 && index > this.#signedFrom - 2 * checkpointSpacing;
		const isKept = changesVoters || isCheckpoint || index >= this.#signedFrom;
		const root = isKept ? transactionsRoot(transactions, timestampMs) : ZERO_HASH;
		const block: Block = {
			version: BLOCK_VERSION,
			...frame,
			term: TERM,
			proposer: 0,
			transactionsRoot: root,
			stateRoot,
			transactions,
		};
		this.#ledger = ledger;
		this.#head = block;
		this.#hash = blockHash(block);
		if (changesVoters) this.#keepStep([parent.voters, ledger.voters]);
		if (isCheckpoint) this.#keepCheckpoint(snapshotOf(ledger, results).leaves);
		if (index < this.#signedFrom) return;
		this.stores.blockchain.push([index, sealRecord(encodeBlock(block))]);
		if ((index + 1) % CERTIFICATE_SPACING === 0) this.#keepCertificate(this.#certificate([ledger.voters]), false);
	}

	// ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────

	/** The head's certificate, by the voters' own keys. */
	#certificate(sets: readonly VoterSet[]): Certificate {
		const acknowledged = { index: this.#head.index, term: TERM, hash: this.#hash };
		const voters = [...new Set(sets.flat())];
		const acknowledgements = new Map(
			voters.map((voter) => [
				voter,
				sign(acknowledgementDigest(this.gridId, acknowledged, voter), secretOf(`device ${voter}`)),
			]),
		);
		const certificate = makeCertificate(acknowledged, acknowledgements, sets);
		assert(certificate !== undefined, "all voters signed");
		return certificate;
	}

	#keepCertificate(certificate: Certificate, isAlwaysKept: boolean): void {
		if (this.stores.certificates.at(-1)?.[0] === certificate.index) return;
		this.stores.certificates.push([certificate.index, { record: encodeCertificateRecord(certificate), isAlwaysKept }]);
	}

	#keepStep(sets: readonly VoterSet[]): void {
		const certificate = this.#certificate(sets);
		const anchor = { block: this.#head, hash: this.#hash, above: [], certificate };
		this.stores.voterSteps.push([this.#head.index, encodeAnchorRecord(anchor)]);
		this.#keepCertificate(certificate, true);
	}

	/** As many as a device keeps. */
	#keepCheckpoint(leaves: readonly Uint8Array[]): void {
		const { index } = this.#head;
		const certificate = encodeCertificateRecord(this.#certificate([this.#ledger.voters]));
		const manifest = sealRecord(manifestOf(leaves));
		this.stores.checkpoints.push([index, { block: encodeCheckpointBlock(this.#head), certificate, manifest }]);
		for (const [number, chunk] of chunkLeaves(leaves).entries()) {
			this.stores.checkpointChunks.push([[index, number], sealRecord(chunk)]);
		}
		const old = this.stores.checkpoints.splice(0, this.stores.checkpoints.length - KEPT_CHECKPOINTS);
		const isOld = (at: number) => old.some(([gone]) => gone === at);
		this.stores.checkpointChunks = this.stores.checkpointChunks.filter(([[at]]) => !isOld(at));
	}

	// ── what people do ───────────────────────────────────────────────────────────────────────────────────────────

	#readingsOf(index: number): Transaction[] {
		const isFull = index > this.#signedFrom - FULL_BELOW || index % DAY_BLOCKS < SPARSE_MINUTES;
		if (!isFull) return [];
		const minute = this.#fromMinute + index - 1;
		return this.#ledger.households.map(({ index: member }) => {
			const exportWh = member < CONTRACTS ? 20 + ((minute + member) % 30) : 0;
			const importWh = exportWh > 0 ? 0 : 5 + ((minute * 7 + member) % 25);
			const reading = { kind: "reading" as const, member, minute, importWh, exportWh, quality: "measured" as const };
			this.readings += 1;
			if (index < this.#signedFrom) return { ...reading, signature: NO_SIGNATURE };
			this.signedReadings += 1;
			return { ...reading, signature: sign(transactionId(reading, this.gridId), secretOf(`device ${member}`)) };
		});
	}

	#act<T extends ActTransaction>(unsigned: Unsigned<T>): T {
		const signature = sign(transactionId(unsigned as Unsigned<Transaction>, this.gridId), this.#secretOf(unsigned));
		return { ...unsigned, signature } as unknown as T;
	}

	#secretOf({ member }: { member: number }): Uint8Array {
		return secretOf(`household ${member}`);
	}

	#nonce(member: number, ahead = 0): number {
		return (this.#ledger.households[member]?.nonce ?? 0) + 1 + ahead;
	}

	#voters(added: readonly number[], removed: readonly number[]): Transaction {
		const keyed = added.map((device) => {
			const publicKey = this.#ledger.devices[device]?.publicKey;
			assert(publicKey !== undefined, "a voter's device exists");
			return { device, publicKey };
		});
		return this.#act({ kind: "voters", member: 0, nonce: this.#nonce(0), added: keyed, removed, device: undefined });
	}

	#actsOf(index: number): Transaction[] {
		if (index === 2) return this.#orders();
		if (index === 3) return this.#trade(0, FIRST_CONTRACT_DAYS);
		if (index !== Math.max(4, this.#signedFrom - LAST_CONTRACTS_DAYS * DAY_BLOCKS + 1)) return [];
		return Array.from({ length: CONTRACTS - 1 }, (_, at) => this.#trade(at + 1, 2 * LAST_CONTRACTS_DAYS)).flat();
	}

	/** Every buyer orders tokens, and gets them. */
	#orders(): Transaction[] {
		const expiryMinute = this.#fromMinute + DAY_BLOCKS;
		const amountMicroNok = 5_000_000_000;
		return Array.from({ length: CONTRACTS }, (_, at) => {
			const member = CONTRACTS + at;
			const buy = this.#act({ kind: "buy", member, nonce: this.#nonce(member), amountMicroNok, expiryMinute });
			const orderId = transactionId(buy, this.gridId);
			const nonce = this.#nonce(0, at);
			const money = { amountMicroNok, reference: `KID ${at}`, expiryMinute };
			return [buy, this.#act({ kind: "issue", member: 0, nonce, orderId, ...money })];
		}).flat();
	}

	/** A seller sells to its one buyer for so many days from now on. */
	#trade(seller: number, days: number): Transaction[] {
		const buyer = CONTRACTS + seller;
		const minute = this.#fromMinute + this.#head.index;
		const [fromMinute, untilMinute, expiryMinute] = [minute + 10, minute + days * DAY_BLOCKS, minute + DAY_BLOCKS];
		const terms = { priceMicroNokPerWh: 1_000, fromMinute, untilMinute, energyLimitWh: 0, noticeMinutes: 0 };
		const parties = { member: seller, nonce: this.#nonce(seller), buyer, maxBuyers: 0, schedule: undefined };
		const offer = this.#act({ kind: "offer", ...parties, ...terms });
		const offerId = transactionId(offer, this.gridId);
		return [offer, this.#act({ kind: "accept", member: buyer, nonce: this.#nonce(buyer), offerId, expiryMinute })];
	}
}
