import { beforeEach, describe, expect, it } from "vitest";
import { BLOCK_VERSION, type Block, blockHash, encodeBlock, transactionsRoot } from "../../../src/block/block.js";
import type { JoinTransaction } from "../../../src/block/kinds/members.js";
import type { ReadingTransaction } from "../../../src/block/kinds/metering.js";
import type { Transaction } from "../../../src/block/transaction.js";
import { sealTransaction } from "../../../src/node/outbox.js";
import { sealRecord } from "../../../src/node/records.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { ZERO_HASH } from "../../../src/primitives/hash.js";
import { House } from "../../long/chaos/house.js";
import { Watcher } from "../../long/chaos/watcher.js";

/** The chaos test's own eyes: what they would report if a page did what none may. */
const MINUTE = 29_000_000;
const signature = new Uint8Array(65);

let houses: [House, House, House];
let watcher: Watcher;

beforeEach(() => {
	const house = (n: number) => new House(`House ${n}`, `https://house${n}.test`, n);
	houses = [house(0), house(1), house(2)];
	watcher = new Watcher(houses, 2);
});

function join(name: string, at: number): JoinTransaction {
	const key = new Uint8Array(33).fill(2 + at);
	const signatures = { household: signature, device: signature, oneTime: undefined };
	return { kind: "join", name, householdKey: key, deviceKey: key, alwaysOn: true, invitation: undefined, signatures };
}

function reading(member: number, minute: number, importWh = 7): ReadingTransaction {
	return { kind: "reading", member, minute, importWh, exportWh: 0, quality: "simulated", signature };
}

function block(parent: Block | undefined, transactions: readonly Transaction[], term = 1): Block {
	const timestampMs = (MINUTE + 10) * 60_000 + (parent?.index ?? 0);
	return {
		version: BLOCK_VERSION,
		index: parent === undefined ? 0 : parent.index + 1,
		previousHash: parent === undefined ? ZERO_HASH : blockHash(parent),
		timestampMs,
		term,
		proposer: 0,
		transactionsRoot: transactionsRoot(transactions, timestampMs),
		stateRoot: ZERO_HASH,
		transactions: [...transactions],
	};
}

const genesis = block(
	undefined,
	[0, 1, 2].map((n) => join(`House ${n}`, n)),
);

/** A page shows these blocks next, and these readings in its outbox. */
function show(house: House, blocks: readonly Block[], outbox: readonly ReadingTransaction[] = []): void {
	const { head } = house;
	const stored = blocks.map((each) => ({ index: each.index, record: sealRecord(encodeBlock(each)) }));
	const newest = Math.max(head, blocks.at(-1)?.index ?? -1);
	watcher.take(house, { fromIndex: head + 1, head }, { blocks: stored, newest, outbox: outbox.map(sealTransaction) });
}

describe("whoever watches the street", () => {
	it("names both blocks where two pages differ at one index", () => {
		const [a, b] = houses;
		const [one, other] = [block(genesis, [], 1), block(genesis, [], 2)];
		show(a, [genesis, one]);
		show(b, [genesis]);
		watcher.throwIfViolated();
		show(b, [other]);
		expect(() => watcher.throwIfViolated()).toThrow(
			/two blocks at index 1: House 0 has .*term 1.* House 1 has .*term 2/,
		);
		expect(() => watcher.throwIfViolated()).toThrow(toHex(blockHash(other)));
	});

	it("sees a page whose chain went back, and one with a hole", () => {
		const [a, b] = houses;
		show(a, [genesis, block(genesis, [])]);
		const late = new Watcher(houses, 2);
		late.take(a, { fromIndex: 2, head: 1 }, { blocks: [], newest: 0, outbox: [] });
		expect(() => late.throwIfViolated()).toThrow("House 0 showed block 1, and now only 0");
		const record = sealRecord(encodeBlock(block(genesis, [])));
		watcher.take(b, { fromIndex: 0, head: -1 }, { blocks: [{ index: 1, record }], newest: 1, outbox: [] });
		expect(() => watcher.throwIfViolated()).toThrow("House 1 has block 1 where 0 should be");
	});

	it("calls a reading lost that an outbox held, until it is on the chain as it was signed", () => {
		const [a, b] = houses;
		show(a, [genesis], [reading(0, MINUTE), reading(0, MINUTE + 1)]);
		expect(watcher.lost()).toHaveLength(2);
		show(b, [genesis, block(genesis, [reading(0, MINUTE), reading(1, MINUTE)])]);
		expect(watcher.lost().map(({ minute }) => minute)).toEqual([MINUTE + 1]);
		expect(watcher.onChain(b).map(({ minute }) => minute)).toEqual([MINUTE]);
	});

	it("sees a household's minute that is on the chain twice", () => {
		const first = block(genesis, [reading(2, MINUTE)]);
		show(houses[0], [genesis, first, block(first, [reading(2, MINUTE, 8)])]);
		expect(() => watcher.throwIfViolated()).toThrow(`the reading 2/${MINUTE} (member/minute) is on the chain twice`);
	});

	it("dates a block by the page that makes the majority", () => {
		show(houses[0], [genesis, block(genesis, [])]);
		expect(watcher.majorityAboveMs(0)).toBeUndefined();
		show(houses[2], [genesis, block(genesis, [])]);
		expect(watcher.majorityAboveMs(0)).toBeLessThanOrEqual(Date.now());
		expect(watcher.newest).toBe(1);
	});
});
