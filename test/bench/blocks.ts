/** What executing a block of a hundred households costs, signatures aside: contracts settle, the interval is matched. */
import { performance } from "node:perf_hooks";
import { type Block, blockHash } from "../../src/block/block.js";
import type { Transaction, Unsigned } from "../../src/block/transaction.js";
import { transactionId } from "../../src/block/transaction.js";
import { executeBlock } from "../../src/contract/execute.js";
import { openGenesis } from "../../src/contract/genesis.js";
import type { Ledger } from "../../src/contract/ledger.js";
import { NO_RESULTS } from "../../src/contract/settlement.js";
import { snapshotOf } from "../../src/contract/snapshot.js";
import { assert } from "../../src/primitives/assert.js";
import { CENTRAL_EUROPEAN_TIME } from "../../src/primitives/localTime.js";
import { createVerifier } from "../../src/primitives/signature.js";
import { FIRST_MINUTE, FOUNDED_MS, genesisOf, NO_SIGNATURE, signedJoin } from "../support/ledger.js";
import type { Figure } from "./bench.js";

const HOUSEHOLDS = 100;
const CONTRACTS = 50;
const INTERVAL_MINUTES = 15;
const MS_PER_MINUTE = 60_000;
const INTERVALS = 6;

class BenchStreet {
	ledger: Ledger;
	#head: Pick<Block, "index">;
	#headHash: Uint8Array;
	readonly #nonces = new Map<number, number>();

	constructor() {
		const market = { choice: "uniform", intervalMinutes: INTERVAL_MINUTES, buysUnderContract: false } as const;
		const joins = Array.from({ length: HOUSEHOLDS }, (_, member) => signedJoin(member));
		const genesis = genesisOf(
			{ terms: { localTime: CENTRAL_EUROPEAN_TIME, market }, settlementGraceBlocks: 180 },
			joins,
		);
		const opened = openGenesis(genesis, createVerifier());
		assert(opened.ok, "the bench's genesis opens");
		this.ledger = opened.value;
		this.#head = genesis;
		this.#headHash = blockHash(genesis);
	}

	/** An act with the next nonce. Rules do not look at signatures. */
	act(unsigned: { [field: string]: unknown; kind: string; member: number }): {
		transaction: Transaction;
		id: Uint8Array;
	} {
		const nonce = (this.#nonces.get(unsigned.member) ?? 0) + 1;
		this.#nonces.set(unsigned.member, nonce);
		const expiryMinute = FIRST_MINUTE + 1_000_000;
		const transaction = { expiryMinute, ...unsigned, nonce, signature: NO_SIGNATURE } as unknown as Transaction;
		return { transaction, id: transactionId(transaction as Unsigned<Transaction>, this.ledger.gridId) };
	}

	/** Executes a block, and gives how long that took, ms. */
	block(timestampMs: number, transactions: readonly Transaction[]): number {
		const frame = { index: this.#head.index + 1, previousHash: this.#headHash, timestampMs };
		const begin = performance.now();
		const executed = executeBlock(this.ledger, frame, transactions);
		const elapsedMs = performance.now() - begin;
		assert(executed.ok, "the bench's block is in order");
		this.ledger = executed.value.ledger;
		this.#head = frame;
		this.#headHash = executed.value.stateRoot;
		return elapsedMs;
	}
}

/** Money, limits of their own for all, and contracts of the even ones with their neighbours. */
function tradingStreet(): BenchStreet {
	const street = new BenchStreet();
	const acts: Transaction[] = [];
	for (let member = 0; member < HOUSEHOLDS; member++) {
		const buy = street.act({ kind: "buy", member, amountMicroNok: 1_000_000_000 });
		const issued = { orderId: buy.id, amountMicroNok: 1_000_000_000, reference: "x" };
		acts.push(buy.transaction, street.act({ kind: "issue", member: 0, ...issued }).transaction);
		const limits = { buyBelowMicroNokPerWh: 1_000 + member, sellAboveMicroNokPerWh: 800 + member };
		acts.push(street.act({ kind: "limits", member, ...limits, paysMoreForLocal: false }).transaction);
	}
	for (let pair = 0; pair < CONTRACTS; pair++) {
		const period = { fromMinute: FIRST_MINUTE, untilMinute: FIRST_MINUTE + 100_000 };
		const terms = { priceMicroNokPerWh: 1_000, energyLimitWh: 0, noticeMinutes: 0, maxBuyers: 0, ...period };
		const offer = street.act({ kind: "offer", member: 2 * pair, buyer: 2 * pair + 1, schedule: undefined, ...terms });
		acts.push(offer.transaction, street.act({ kind: "accept", member: 2 * pair + 1, offerId: offer.id }).transaction);
	}
	street.block(FOUNDED_MS + 1, acts);
	return street;
}

/** All readings of a minute: sellers have more than their buyer needs, some buyers need more. */
function readingsOf(minute: number): Transaction[] {
	return Array.from({ length: HOUSEHOLDS }, (_, member): Transaction => {
		const isSeller = member % 2 === 0;
		const importWh = isSeller ? member % 5 : (7 * minute + member) % 60;
		const exportWh = isSeller ? (11 * minute + member) % 90 : 0;
		const reading = { member, minute, importWh, exportWh, quality: "measured", signature: NO_SIGNATURE } as const;
		return { kind: "reading", ...reading };
	});
}

function median(values: number[]): number {
	return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

export function blocks(): Figure[] {
	const street = tradingStreet();
	const quick: number[] = [];
	const matching: number[] = [];
	for (let minute = FIRST_MINUTE; minute < FIRST_MINUTE + INTERVALS * INTERVAL_MINUTES; minute++) {
		const elapsedMs = street.block((minute + 1) * MS_PER_MINUTE, readingsOf(minute));
		// The first of them warm the machine up.
		if (minute < FIRST_MINUTE + 2 * INTERVAL_MINUTES) continue;
		((minute + 1) % INTERVAL_MINUTES === 0 ? matching : quick).push(elapsedMs);
	}
	const bytes = snapshotOf(street.ledger, NO_RESULTS).leaves.reduce((sum, leaf) => sum + leaf.length, 0);
	const name = `block, ${HOUSEHOLDS} households, ${CONTRACTS} contracts`;
	return [
		{ name, value: median(quick), unit: "ms" },
		{
			name: `${name}, with the auction`,
			value: median(matching),
			unit: "ms",
			ratio: { value: median(matching) / median(quick), to: "without" },
		},
		{ name: `state, ${HOUSEHOLDS} households`, value: bytes / 1_000, unit: "kB" },
	];
}
