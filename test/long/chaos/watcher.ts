/**
 * Looks into every page's database all the time. Two pages with different blocks at one index, a page whose chain went
 * back, and a household-minute that is on the chain twice are violations, which end the run with both sides.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Block, blockHash, decodeBlock } from "../../../src/block/block.js";
import type { ReadingTransaction } from "../../../src/block/kinds/metering.js";
import { openTransaction } from "../../../src/node/outbox.js";
import { openRecord } from "../../../src/node/records.js";
import { equalBytes, toHex } from "../../../src/primitives/bytes.js";
import { ZERO_HASH } from "../../../src/primitives/hash.js";
import type { House } from "./house.js";
import { readStored, type Stored } from "./storedChain.js";

interface Seen {
	record: Uint8Array;
	hash: Uint8Array;
	block: Block;
	/** Who showed it first. */
	by: string;
}

const LOOK_MS = 500;
/** A page that does not answer for so long is too busy, or is being killed. */
const ANSWER_MS = 10_000;

export class Watcher {
	readonly #houses: readonly House[];
	readonly #quorum: number;
	readonly #chain: Seen[] = [];
	/** When a majority of the pages had a block of this index or above, by index. */
	readonly #onMajorityMs: number[] = [];
	/** Readings that an outbox held, by member and minute. */
	readonly #accepted = new Map<string, ReadingTransaction>();
	readonly #onChain = new Map<string, ReadingTransaction>();
	#violation: Error | undefined;
	#stopped = false;
	looks = 0;

	constructor(houses: readonly House[], quorum: number) {
		this.#houses = houses;
		this.#quorum = quorum;
	}

	/** Looks on until `stop`; from then on only blocks are looked at. */
	start(): void {
		for (const house of this.#houses) void this.#follow(house);
	}

	stop(): void {
		this.#stopped = true;
	}

	throwIfViolated(): void {
		if (this.#violation !== undefined) throw this.#violation;
	}

	/** Highest index that any page has shown. */
	get newest(): number {
		return this.#chain.length - 1;
	}

	/** When a majority had a block above an index; undefined: not yet. */
	majorityAboveMs(index: number): number | undefined {
		return this.#onMajorityMs[index + 1];
	}

	/** Who proposed the newest block; undefined while there is only the genesis. */
	get lastProposer(): House | undefined {
		const last = this.#chain.at(-1)?.block;
		return last === undefined || last.index === 0 ? undefined : this.houseOf(last.proposer);
	}

	/** The devices came with their households at the founding, one each. */
	houseOf(member: number): House | undefined {
		const joins = this.#chain[0]?.block.transactions.filter((transaction) => transaction.kind === "join") ?? [];
		return this.#houses.find(({ name }) => name === joins[member]?.name);
	}

	accepted(house: House): ReadingTransaction[] {
		return this.#of(house, this.#accepted);
	}

	onChain(house: House): ReadingTransaction[] {
		return this.#of(house, this.#onChain);
	}

	#of(house: House, readings: ReadonlyMap<string, ReadingTransaction>): ReadingTransaction[] {
		return [...readings.values()].filter(({ member }) => this.houseOf(member) === house);
	}

	/** Readings that an outbox held and that are not on the chain as they were signed. */
	lost(): ReadingTransaction[] {
		return [...this.#accepted].flatMap(([key, reading]) => {
			const there = this.#onChain.get(key);
			return there !== undefined && equalBytes(there.signature, reading.signature) ? [] : [reading];
		});
	}

	/** Looks once, from an index on (default: what is new). */
	async look(house: House, fromIndex = house.head + 1): Promise<void> {
		const { head } = house;
		const stored = await readStored(house.page, fromIndex);
		this.looks += 1;
		this.take(house, { fromIndex, head }, stored);
		this.throwIfViolated();
	}

	async #follow(house: House): Promise<void> {
		for (; !this.#stopped; await sleep(LOOK_MS)) {
			if (house.state !== "running") continue;
			// A page that is killed or frozen meanwhile does not answer. A violation is kept, and thrown to who asks.
			await Promise.race([this.look(house).catch(() => {}), sleep(ANSWER_MS, undefined, { ref: false })]);
		}
	}

	/** What a look found that was asked from an index on, when the house's head was known to be `head`: answers may come late. */
	take(
		house: House,
		{ fromIndex, head }: { fromIndex: number; head: number },
		{ blocks, newest, outbox }: Stored,
	): void {
		if (newest < head) this.#violated(`${house.name} showed block ${head}, and now only ${newest}`);
		for (const [at, { index, record }] of blocks.entries()) {
			if (index !== fromIndex + at)
				this.#violated(`${house.name} has block ${index} where ${fromIndex + at} should be`);
			this.#compare(house, index, record);
			house.head = Math.max(house.head, index);
		}
		for (const record of this.#stopped ? [] : outbox) {
			const transaction = openTransaction(record);
			if (transaction?.kind === "reading" && !this.#accepted.has(keyOf(transaction))) {
				this.#accepted.set(keyOf(transaction), transaction);
			}
		}
		const heads = this.#houses.map(({ head }) => head).sort((a, b) => b - a);
		const shared = heads[this.#quorum - 1] ?? -1;
		for (let index = this.#onMajorityMs.length; index <= shared; index++) this.#onMajorityMs.push(Date.now());
	}

	#compare(house: House, index: number, record: Uint8Array): void {
		const seen = this.#chain[index];
		if (seen === undefined) {
			this.#append(house, index, record);
			return;
		}
		if (equalBytes(seen.record, record)) return;
		const other = this.#open(index, record);
		this.#violated(
			`two blocks at index ${index}: ${seen.by} has ${describe(seen)}, ${house.name} has ${
				other === undefined ? `something that is no block: ${toHex(record)}` : describe(other)
			}`,
		);
	}

	#append(house: House, index: number, record: Uint8Array): void {
		const opened = index === this.#chain.length ? this.#open(index, record) : undefined;
		if (opened === undefined) {
			this.#violated(`${house.name} has something at index ${index} that is no next block: ${toHex(record)}`);
			return;
		}
		this.#chain.push({ ...opened, record, by: house.name });
		for (const transaction of opened.block.transactions) {
			if (transaction.kind !== "reading") continue;
			const key = keyOf(transaction);
			if (this.#onChain.has(key)) this.#violated(`the reading ${key} (member/minute) is on the chain twice`);
			this.#onChain.set(key, transaction);
		}
	}

	#open(index: number, record: Uint8Array): Pick<Seen, "block" | "hash"> | undefined {
		const previousHash = index === 0 ? ZERO_HASH : this.#chain[index - 1]?.hash;
		const content = openRecord(record);
		if (previousHash === undefined || !content.ok) return undefined;
		const block = decodeBlock(content.value, previousHash);
		return block.ok ? { block: block.value, hash: blockHash(block.value) } : undefined;
	}

	#violated(what: string): void {
		this.#violation ??= new Error(what);
	}
}

function keyOf({ member, minute }: ReadingTransaction): string {
	return `${member}/${minute}`;
}

function describe({ hash, block }: Pick<Seen, "block" | "hash">): string {
	const { term, proposer, timestampMs, transactions } = block;
	return `${toHex(hash)} (term ${term}, proposer ${proposer}, ${timestampMs} ms, ${transactions.length} transactions)`;
}
