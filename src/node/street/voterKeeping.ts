/** The operator's node keeps the list of voters: by itself as `voterPolicy` says, and as the operator says by hand. */
import { toHex } from "../../primitives/bytes.js";
import type { Result } from "../../primitives/result.js";
import type { ActCommand } from "../acts.js";
import type { CommandError, ReplyValue } from "../protocol.js";
import { CAUGHT_UP_BLOCKS, planVoters } from "../voterPolicy.js";
import type { StreetContext } from "./context.js";
import type { Greeting } from "./greeting.js";
import type { OwnTransactions } from "./ownTransactions.js";
import type { RaftDriver } from "./raftDriver.js";

/** How often it is looked whether the list should change. */
const LOOK_MS = 5_000;

export class VoterKeeping {
	readonly #context: StreetContext;
	readonly #raft: RaftDriver;
	readonly #own: OwnTransactions;
	readonly #greeting: Greeting;
	/** Since when a device has kept up with the head, monotonic ms; by device index. */
	readonly #caughtUpSinceMs = new Map<number, number>();
	#nextLookMs = 0;

	constructor(context: StreetContext, raft: RaftDriver, own: OwnTransactions, greeting: Greeting) {
		this.#context = context;
		this.#raft = raft;
		this.#own = own;
		this.#greeting = greeting;
	}

	/** Time passed: changes the list by one step, if one is due and nothing else is under way. */
	async tick(nowMs: number): Promise<void> {
		if (nowMs < this.#nextLookMs) return;
		this.#nextLookMs = nowMs + LOOK_MS;
		const { chain, config, isOperator } = this.#context;
		if (!isOperator) return;
		this.#lookWhoKeepsUp(nowMs);
		if (this.#raft.state?.leader === undefined || !this.#own.mayAct) return;
		const step = planVoters({
			ledger: chain.head.ledger,
			excluded: config.keptFromVoting,
			caughtUpMs: (device) => nowMs - (this.#caughtUpSinceMs.get(device) ?? nowMs),
		});
		if (step !== undefined) await this.#own.act({ type: "voters", added: [...step.added], removed: [...step.removed] });
	}

	/** The operator's own choice, which stays until the operator chooses otherwise. */
	async byHand(command: Extract<ActCommand, { type: "voters" }>): Promise<Result<ReplyValue, CommandError>> {
		const done = await this.#own.act(command);
		if (!done.ok) return done;
		const kept = this.#context.config.keptFromVoting.filter((device) => !command.added.includes(device));
		await this.#context.saveConfig({ keptFromVoting: [...kept, ...command.removed] });
		return done;
	}

	#lookWhoKeepsUp(nowMs: number): void {
		const { chain, device: self, peers } = this.#context;
		const headIndex = chain.head.block.index;
		for (const { index, publicKey } of chain.head.ledger.devices) {
			const name = toHex(publicKey);
			const theirs = peers.toDevice(name) === undefined ? undefined : this.#greeting.statuses.get(name)?.headIndex;
			const keepsUp = index === self || (theirs !== undefined && theirs >= headIndex - CAUGHT_UP_BLOCKS);
			if (!keepsUp) this.#caughtUpSinceMs.delete(index);
			else if (!this.#caughtUpSinceMs.has(index)) this.#caughtUpSinceMs.set(index, nowMs);
		}
	}
}
