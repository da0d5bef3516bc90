/**
 * The operator's node keeps the list of voters as `voterPolicy` says. Whom the operator took off the list by hand stays
 * off it until the operator puts it on again: the chain itself says so, to each of the operator's devices.
 */
import { voterChangeOf } from "../../block/voters.js";
import { assert } from "../../primitives/assert.js";
import { CAUGHT_UP_BLOCKS, planVoters } from "../voterPolicy.js";
import { decodeAnchorRecord } from "../voterSteps.js";
import type { StreetContext } from "./context.js";
import type { OwnTransactions } from "./ownTransactions.js";
import type { Presence } from "./presence.js";

/** How often it is looked whether the list should change. */
const LOOK_MS = 5_000;

export class VoterKeeping {
	readonly #context: StreetContext;
	readonly #own: OwnTransactions;
	readonly #presence: Presence;
	/** Since when a device has kept up with the head, monotonic ms; by device index. */
	readonly #caughtUpSinceMs = new Map<number, number>();
	#nextLookMs = 0;
	/** The voters' last change that was looked at; none in this run yet. */
	#seenChange: number | undefined;

	constructor(context: StreetContext, own: OwnTransactions, presence: Presence) {
		this.#context = context;
		this.#own = own;
		this.#presence = presence;
	}

	/** Time passed: changes the list by one step, if one is due and nothing else is under way. */
	async tick(nowMs: number): Promise<void> {
		if (nowMs < this.#nextLookMs) return;
		this.#nextLookMs = nowMs + LOOK_MS;
		const { chain, isMetering, isOperator } = this.#context;
		// One device of the household does it: two would take turns.
		if (!isOperator || !isMetering) return;
		await this.onHead();
		this.#lookWhoKeepsUp(nowMs);
		if (this.#presence.leader === undefined) return;
		const step = planVoters({
			ledger: chain.head.ledger,
			excluded: this.#context.config.keptFromVoting,
			caughtUpMs: (device) => nowMs - (this.#caughtUpSinceMs.get(device) ?? nowMs),
		});
		if (step === undefined) return;
		const added = step.added.map((device) => ({ device, publicKey: this.#keyOf(device) }));
		await this.#own.keepVoters({ added, removed: step.removed });
	}

	/** The head moved: where it changed the voters, the operator's choice may have changed. */
	async onHead(): Promise<void> {
		const { chain, config, isOperator, storage } = this.#context;
		const { votersSinceIndex } = chain.head.ledger;
		if (!isOperator || votersSinceIndex === this.#seenChange) return;
		const steps = await storage.voterSteps(0);
		if (!steps.ok) return;
		this.#seenChange = votersSinceIndex;
		// The policy itself removes none but devices that are out of use, which never vote again anyway. A neighbourhood
		// that was founded again begins with what was known here before.
		const kept = new Set(config.keptFromVoting);
		for (const { record } of steps.value) {
			const step = decodeAnchorRecord(record);
			const change = step.ok ? voterChangeOf(step.value.block) : undefined;
			for (const device of change?.removed ?? []) kept.add(device);
			for (const { device } of change?.added ?? []) kept.delete(device);
		}
		const keptFromVoting = [...kept].sort((a, b) => a - b);
		if (keptFromVoting.join() !== config.keptFromVoting.join()) await this.#context.saveConfig({ keptFromVoting });
	}

	#keyOf(device: number): Uint8Array {
		const known = this.#context.chain.head.ledger.devices[device];
		assert(known !== undefined, "the policy names devices of the ledger");
		return known.publicKey;
	}

	#lookWhoKeepsUp(nowMs: number): void {
		const { chain } = this.#context;
		const headIndex = chain.head.block.index;
		for (const { index } of chain.head.ledger.devices) {
			const theirs = this.#presence.headOf(index);
			const keepsUp = theirs !== undefined && theirs >= headIndex - CAUGHT_UP_BLOCKS;
			if (!keepsUp) this.#caughtUpSinceMs.delete(index);
			else if (!this.#caughtUpSinceMs.has(index)) this.#caughtUpSinceMs.set(index, nowMs);
		}
	}
}
