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

export class ProofWatch {
	readonly #world: World;
	/** Indices of the blocks that were deleted from a disk because they were old. */
	readonly #pruned = new WeakMap<Disk, number[]>();
	/** By block index, what each member has in it, in words. */
	readonly #own = new Map<number, readonly { member: number; what: string }[]>();

	constructor(world: World) {
		this.#world = world;
	}

	/** Something was written. */
	written({ disk }: House, { writing }: Write): void {
		const prune = "chain" in writing ? writing.change.prune : undefined;
		if (prune === undefined) return;
		const indices = prunedRuns(prune).flatMap(([fromIndex, untilIndex]) =>
			Array.from({ length: untilIndex - fromIndex }, (_, at) => fromIndex + at),
		);
		this.#pruned.set(disk, [...(this.#pruned.get(disk) ?? []), ...indices]);
		this.#world.count("blocks let go of", indices.length);
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
		const pruned = this.#pruned.get(disk) ?? [];
		const member = street?.member;
		if (pruned.length === 0 || member === undefined) return;
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
