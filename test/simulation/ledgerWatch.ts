/**
 * What has to hold of money and energy: no money comes from nowhere, no household's minute settles twice, and ledgers
 * at one index have one state root. Each committed block is looked at once, and each node's head when it moves; at the
 * end the whole chain is executed again.
 */
import type { Block } from "../../src/block/block.js";
import { encodeBlock } from "../../src/block/block.js";
import { executeBlock } from "../../src/contract/execute.js";
import type { Ledger } from "../../src/contract/ledger.js";
import type { SettlementResults } from "../../src/contract/settlement.js";
import { stateRoot } from "../../src/contract/stateRoot.js";
import { openGenesisLink } from "../../src/node/loading.js";
import { idOf } from "../../src/node/mempool.js";
import type { Street } from "../../src/node/street.js";
import { equalBytes, toHex } from "../../src/primitives/bytes.js";
import type { Verifier } from "../../src/primitives/signature.js";
import type { House } from "./house.js";
import { Violation } from "./world.js";

/** One in so many heads of a node has its root computed anew; the others are bound by their block's hash. */
const ROOT_EVERY = 4;

export class LedgerWatch {
	#settled = new Settled();
	#nextIndex = 0;
	readonly #lastHead = new WeakMap<Street, number>();

	stepped(house: House): void {
		const { street } = house;
		if (street === undefined) return;
		const { head } = street.chain;
		const { index } = head.block;
		if (this.#lastHead.get(street) === index) return;
		this.#lastHead.set(street, index);
		if ((index + house.index) % ROOT_EVERY === 0 && index > 0) checkRoot(house, street);
		if (index < this.#nextIndex) return;
		this.#nextIndex = index + 1;
		checkMoney(house.name, head.ledger);
		this.#settled.add(house.name, head.results);
	}

	/**
	 * Executes a node's stored chain from its genesis on; gives the ids of all transactions in it. Undefined: the node
	 * began at a checkpoint, jumped to one, or let go of old blocks. `onBlock` sees each block above genesis.
	 */
	async checkChain(
		house: House,
		street: Street,
		verifier: Verifier,
		onBlock: (block: Block, results: SettlementResults) => void,
	): Promise<Set<string> | undefined> {
		const settled = new Settled();
		const ids = new Set<string>();
		let ledger: Ledger | undefined;
		let last: Block | undefined;
		for await (const block of street.storedBlocks()) {
			last = block;
			if (ledger === undefined) {
				ledger = openGenesisLink(encodeBlock(block), verifier)?.ledger;
				continue;
			}
			const executed = executeBlock(ledger, block, block.transactions);
			if (!executed.ok || !equalBytes(executed.value.stateRoot, block.stateRoot)) {
				throw new Violation("equal state roots", `${house.name}: block ${block.index} does not execute to its root`);
			}
			ledger = executed.value.ledger;
			settled.add(house.name, executed.value.results);
			onBlock(block, executed.value.results);
			checkMoney(house.name, ledger);
			for (const transaction of block.transactions) ids.add(idOf(transaction, street.gridId));
		}
		const { head } = street.chain;
		if (last?.index === 0 && head.block.index > 0) return undefined;
		if (last === undefined || last.index !== head.block.index || !equalBytes(last.stateRoot, head.block.stateRoot)) {
			throw new Violation(
				"what is stored is the chain",
				`${house.name}: ends at ${last?.index}, not ${head.block.index}`,
			);
		}
		checkRoot(house, street);
		return ids;
	}
}

/** Every household's minute, once. */
class Settled {
	readonly #sellers = new Set<string>();
	readonly #rests = new Set<string>();

	add(who: string, { settled, rests }: SettlementResults): void {
		for (const { seller, minute } of settled) once(this.#sellers, `${seller}/${minute}`, who, "sold");
		for (const { household, minute } of rests) once(this.#rests, `${household}/${minute}`, who, "settled");
	}
}

function once(known: Set<string>, key: string, who: string, what: string): void {
	if (known.has(key)) throw new Violation("no household-minute settles twice", `${who}: ${key} is ${what} again`);
	known.add(key);
}

function checkMoney(who: string, { households, issuedMicroNok, locks, paidOutMicroNok }: Ledger): void {
	let sumMicroNok = 0;
	let leftMicroNok = issuedMicroNok - paidOutMicroNok;
	for (const { balanceMicroNok, creditMicroNok } of households) {
		if (balanceMicroNok < 0) throw new Violation("money is conserved", `${who}: a balance of ${balanceMicroNok}`);
		sumMicroNok += balanceMicroNok;
		leftMicroNok += creditMicroNok;
	}
	for (const { amountMicroNok } of locks.values()) sumMicroNok += amountMicroNok;
	if (sumMicroNok !== leftMicroNok) {
		throw new Violation("money is conserved", `${who}: ${sumMicroNok} in balances and locks, ${leftMicroNok} left`);
	}
}

function checkRoot(house: House, street: Street): void {
	const { block, ledger, results } = street.chain.head;
	// Genesis has its grid id only afterwards; what a checkpoint's block settled is not known to who starts from it.
	if (block.index === 0 || street.blocks[0]?.index !== block.index) return;
	const root = stateRoot(ledger, results);
	if (equalBytes(root, block.stateRoot)) return;
	throw new Violation(
		"equal state roots",
		`${house.name} has ${toHex(root).slice(0, 8)} at ${block.index}, the block ${toHex(block.stateRoot).slice(0, 8)}`,
	);
}
