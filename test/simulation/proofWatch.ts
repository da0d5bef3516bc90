/**
 * What has to hold of blocks that a device lets go of: everything of its household's in them can be proved, by what is
 * left on its disk, to somebody who knows the genesis and the voter changes.
 */
import type { Block } from "../../src/block/block.js";
import type { SettlementResults } from "../../src/contract/settlement.js";
import { openGenesisLink } from "../../src/node/loading.js";
import { verifyProof } from "../../src/node/proofCheck.js";
import { openRecord } from "../../src/node/records.js";
import { type ChainStorage, prunedRuns } from "../../src/node/storage.js";
import { decodeAnchorRecord } from "../../src/node/voterSteps.js";
import type { Result } from "../../src/primitives/result.js";
import type { Verifier } from "../../src/primitives/signature.js";
import type { Disk, Write } from "./disk.js";
import type { House } from "./house.js";
import { Violation, type World } from "./world.js";

const RULE = "what is let go of is proven";

/** Blocks of a disk, by index; the genesis, which stays, is not among them. */
interface Held {
	readonly blocks: Set<number>;
	headIndex: number;
	/** Those that were deleted because they were old, or lay below a checkpoint that was jumped to. */
	readonly pruned: Set<number>;
}

export class ProofWatch {
	readonly #world: World;
	readonly #held = new WeakMap<Disk, Held>();
	/** By block index, what each member has in it, in words. */
	readonly #own = new Map<number, readonly { member: number; what: string }[]>();

	constructor(world: World) {
		this.#world = world;
	}

	/** Something was written. */
	written({ disk }: House, { writing }: Write): void {
		if (!("chain" in writing)) return;
		const { prune, installCheckpoint, commit, install } = writing.change;
		const held = this.#held.get(disk) ?? { blocks: new Set<number>(), headIndex: 0, pruned: new Set<number>() };
		this.#held.set(disk, held);
		// In a storage's order: it jumps first, on what it has; then come new blocks; then old ones go.
		if (installCheckpoint !== undefined) {
			const { index, keepBlocks } = installCheckpoint;
			// Blocks that were damaged, and those above, could not be looked through.
			this.#letGo(
				held,
				[...held.blocks].filter((at) => at <= index && !keepBlocks.includes(at)),
				!disk.isDamaged,
			);
			held.headIndex = index;
		}
		const upToIndex = Math.max(commit?.upToIndex ?? 0, install?.upToIndex ?? 0);
		for (let index = held.headIndex + 1; index <= upToIndex; index++) held.blocks.add(index);
		held.headIndex = Math.max(held.headIndex, upToIndex);
		if (prune === undefined) return;
		const runs = prunedRuns(prune);
		const isIn = (at: number) => runs.some(([fromIndex, untilIndex]) => at >= fromIndex && at < untilIndex);
		this.#letGo(held, [...held.blocks].filter(isIn), true);
	}

	#letGo({ blocks, pruned }: Held, indices: readonly number[], isProven: boolean): void {
		for (const index of indices) {
			blocks.delete(index);
			if (isProven) pruned.add(index);
		}
		if (isProven) this.#world.count("blocks let go of", indices.length);
	}

	/** A block of the whole chain, executed. */
	executed({ index, transactions }: Block, { settled }: SettlementResults): void {
		const readings = transactions.flatMap((transaction) =>
			transaction.kind === "reading" ? [{ member: transaction.member, what: `reads ${transaction.minute}` }] : [],
		);
		const receipts = settled.flatMap(({ seller, minute, deliveries }) =>
			deliveries.flatMap(({ buyer, energyWh }) =>
				[seller, buyer].map((member) => ({ member, what: receiptOf(seller, buyer, minute, energyWh) })),
			),
		);
		this.#own.set(index, [...readings, ...receipts]);
	}

	/** Whether a house can prove what it has in the blocks that it let go of; the whole chain was executed before. */
	async check({ name, disk, street }: House, verifier: Verifier): Promise<void> {
		const pruned = this.#held.get(disk)?.pruned ?? new Set<number>();
		const member = street?.member;
		if (disk.isWithoutProofs || pruned.size === 0 || member === undefined) return;
		const proven = await this.#provenOn(name, disk, verifier);
		for (const index of pruned) {
			for (const own of this.#own.get(index) ?? []) {
				if (own.member !== member) continue;
				this.#world.count("proven of what was let go of");
				if (!proven.has(`${index}: ${own.what}`)) throw new Violation(RULE, `${name}: ${index}: ${own.what}`);
			}
		}
	}

	async #provenOn(name: string, disk: Disk, verifier: Verifier): Promise<Set<string>> {
		// Whoever opens a disk takes it from its node.
		const copy = await disk.copy(disk.journalLength);
		const storage = await must(copy.openChain(disk.chainName ?? ""));
		const { genesis, steps } = await knownForEver(storage, verifier);
		const proven = new Set<string>();
		for (let page = await must(storage.proofPageFrom(0)); page !== undefined; ) {
			const verified = verifyProof(page.record, genesis, steps, verifier);
			if (!verified.ok) throw new Violation(RULE, `${name}: the page to ${page.index}: ${verified.error.code}`);
			for (const { header, transactions, settled } of verified.value.blocks) {
				for (const transaction of transactions) {
					if (transaction.kind === "reading") proven.add(`${header.index}: reads ${transaction.minute}`);
				}
				for (const { seller, minute, deliveries } of settled) {
					for (const { buyer, energyWh } of deliveries) {
						proven.add(`${header.index}: ${receiptOf(seller, buyer, minute, energyWh)}`);
					}
				}
			}
			page = await must(storage.proofPageFrom(page.index + 1));
		}
		return proven;
	}
}

const receiptOf = (seller: number, buyer: number, minute: number, energyWh: number) =>
	`${seller} sells ${energyWh} Wh of ${minute} to ${buyer}`;

async function knownForEver(storage: ChainStorage, verifier: Verifier) {
	const [first] = await must(storage.readBlocks(0, 1));
	const content = first === undefined ? undefined : openRecord(first.record);
	const genesis = content?.ok === true ? openGenesisLink(content.value, verifier) : undefined;
	if (genesis === undefined) throw new Violation(RULE, "the genesis is gone");
	const steps = (await must(storage.voterSteps(0))).flatMap(({ record }) => {
		const step = decodeAnchorRecord(record);
		return step.ok ? [step.value] : [];
	});
	return { genesis: genesis.ledger, steps };
}

async function must<T>(work: Promise<Result<T, { code: string }>>): Promise<T> {
	const result = await work;
	if (!result.ok) throw new Violation(RULE, result.error.code);
	return result.value;
}
