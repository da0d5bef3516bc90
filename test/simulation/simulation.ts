/** One life of one street: founded, stormed at, mended, and looked at in the end. */
import { majorityOf } from "../../src/consensus/quorum.js";
import { isVoter, votersOf } from "../../src/consensus/state.js";
import type { Street } from "../../src/node/street.js";
import { equalBytes } from "../../src/primitives/bytes.js";
import { createVerifier, type Verifier } from "../../src/primitives/signature.js";
import { keyedVerifier } from "../support/keyedSignatures.js";
import { Faults } from "./faults.js";
import { found, inviteLater } from "./founding.js";
import type { House } from "./house.js";
import { LedgerWatch } from "./ledgerWatch.js";
import { People } from "./people.js";
import { type Plan, timeScaleOf } from "./plan.js";
import { PromiseWatch } from "./promiseWatch.js";
import { ProofWatch } from "./proofWatch.js";
import { RaftWatch } from "./raftWatch.js";
import { TwinWatch } from "./twinWatch.js";
import { VoteWatch } from "./voteWatch.js";
import { type Observer, Violation, World } from "./world.js";

/** WebRTC notices what is lost, and everybody shakes hands again. */
const RECONNECT_LIMIT_MS = 60_000;
/** Five election time-outs. */
const COMMIT_LIMIT_MS = 5 * 5_000;
const CONVERGE_LIMIT_MS = 5 * 60_000;

export interface Outcome {
	readonly seed: number;
	readonly hash: string;
	/** How much time passed on the chain's clock while somebody was awake. */
	readonly virtualMs: number;
	readonly counts: Readonly<Record<string, number>>;
	readonly blocks: number;
	readonly violation: { readonly rule: string; readonly text: string } | undefined;
	/** The last events, for a reader. */
	readonly lines: readonly string[];
}

/** Events that an outcome shows of a run that failed. */
const SHOWN_EVENTS = 150;

export async function simulate(plan: Plan): Promise<Outcome> {
	const simulation = new Simulation(plan);
	let violation: Outcome["violation"];
	try {
		await simulation.run();
	} catch (error) {
		if (!(error instanceof Violation)) throw error;
		violation = { rule: error.rule, text: error.message };
		simulation.world.tell(undefined, "VIOLATION", error.message);
	}
	return simulation.outcome(violation);
}

class Simulation implements Observer {
	readonly world: World;
	readonly #verifier: Verifier;
	readonly #raftWatch: RaftWatch;
	readonly #promiseWatch: PromiseWatch;
	readonly #voteWatch = new VoteWatch();
	readonly #ledgerWatch = new LedgerWatch();
	readonly #proofWatch: ProofWatch;
	readonly #twinWatch: TwinWatch;
	readonly #people: People;
	readonly #faults: Faults;
	#sleptMs = 0;
	/** Two devices have one key, or one forgot what it promised: then only that it is noticed can be asked for. */
	#hasTwin = false;
	/** The operator's device, which keeps everything, lost its blocks: later on nobody may have them all. */
	#hasLostKeeper = false;

	constructor(plan: Plan) {
		this.world = new World(plan);
		this.#verifier = plan.realSignatures ? createVerifier() : keyedVerifier;
		this.#raftWatch = new RaftWatch(this.#verifier, this.#voteWatch);
		this.#promiseWatch = new PromiseWatch(this.#raftWatch);
		this.#proofWatch = new ProofWatch(this.world);
		this.#twinWatch = new TwinWatch(this.world);
		this.#people = new People(this.world);
		this.#faults = new Faults(this.world, {
			onTwin: (house, twin) => {
				this.#hasTwin = true;
				this.#people.excuse(house);
				if (twin !== undefined) this.#people.excuse(twin);
				this.#twinWatch.expect(house, twin);
			},
			onWiped: (house) => {
				this.#people.excuse(house);
				this.#onLost(house);
			},
			onDamaged: (house) => this.#onLost(house),
		});
		this.world.observers.push(this.#faults, this, this.#people, this.#twinWatch);
	}

	#onLost({ index }: House): void {
		if (index === 0) this.#hasLostKeeper = true;
	}

	outcome(violation: Outcome["violation"]): Outcome {
		const { plan, trace, nowMs, counts } = this.world;
		return {
			seed: plan.seed,
			hash: trace.hash,
			virtualMs: (nowMs - this.#sleptMs) * timeScaleOf(plan),
			counts: { ...counts, "readings handed in": this.#people.readings, "acts signed": this.#people.acts },
			blocks: this.#raftWatch.highestCommitted,
			violation,
			lines: violation === undefined ? [] : trace.lines(SHOWN_EVENTS),
		};
	}

	async run(): Promise<void> {
		const { world } = this;
		const { plan } = world;
		await found(world);
		this.#people.begin();
		this.#faults.begin(plan.faults);
		const beginMs = world.nowMs;
		for (const atMs of plan.joinAtMs) await inviteLater(world, beginMs + atMs, () => false);
		for (let leftMs = plan.stormMs; leftMs > 0; leftMs = plan.stormMs - (world.nowMs - beginMs - this.#sleptMs)) {
			const asleepUntilMs = Math.min(...world.houses.map((house) => (house.isGone ? Infinity : house.frozenUntilMs)));
			const untilMs = Math.max(world.nowMs + Math.min(leftMs, 10_000), asleepUntilMs);
			this.#sleptMs += Math.max(0, asleepUntilMs - world.nowMs - 10_000);
			await world.run(untilMs);
		}
		await this.#end();
	}

	async #end(): Promise<void> {
		const { world } = this;
		this.#people.end();
		await this.#faults.heal();
		await this.#must("a quorum connects", RECONNECT_LIMIT_MS, () => this.#isConnected());
		const highest = Math.max(...this.#living().map(({ street }) => street?.chain.head.block.index ?? 0));
		await this.#people.askOnce();
		await this.#must("a connected quorum commits within five election timeouts", COMMIT_LIMIT_MS, () =>
			this.#hasCommittingLeader(highest),
		);
		await this.#must("all nodes converge", CONVERGE_LIMIT_MS + this.#aheadMs(), () => this.#isAtRest());
		await this.#twinWatch.check();
		const ids = await this.#executeWholeChain();
		if (ids !== undefined) this.#people.check(ids);
		if (!this.#hasTwin) await this.#checkProofs();
		this.world.tell(undefined, "the end", `${world.houses[0]?.street?.chain.head.block.index} blocks`);
	}

	/** A majority's clocks were wrong, and stamped the chain ahead: readings wait until the right ones have reached it. */
	#aheadMs(): number {
		const ahead = this.#living().map(
			({ chainMs, street }) => (street?.chain.head.block.timestampMs ?? chainMs) - chainMs,
		);
		return Math.max(0, ...ahead) / timeScaleOf(this.world.plan);
	}

	async #checkProofs(): Promise<void> {
		for (const house of this.#living()) await this.#proofWatch.check(house, this.#verifier);
	}

	/**
	 * Somebody has the chain from its genesis on; gives the ids of all transactions in it. Undefined: the operator has lost
	 * it, and the others have let go of old blocks.
	 */
	async #executeWholeChain(): Promise<Set<string> | undefined> {
		for (const house of this.#living()) {
			const { street } = house;
			const ids = street === undefined ? undefined : await this.#executeChainOf(house, street);
			if (ids !== undefined) return ids;
		}
		if (!this.#hasLostKeeper) throw new Violation("what is stored is the chain", "nobody has all of it");
		this.world.count("nobody has the whole chain");
		return undefined;
	}

	#executeChainOf(house: House, street: Street): Promise<Set<string> | undefined> {
		return this.#ledgerWatch.checkChain(house, street, this.#verifier, (block, results) =>
			this.#proofWatch.executed(block, results),
		);
	}

	async #must(rule: string, limitMs: number, holds: () => boolean): Promise<void> {
		const { world } = this;
		if (!(await world.run(world.nowMs + limitMs, holds, 500))) throw new Violation(rule, this.#describe());
	}

	#describe(): string {
		return `within its time\n${this.world.houses
			.map((house) => {
				const { raft, chain, outbox } = house.street ?? {};
				const state = house.isGone ? "gone" : house.isUp ? "on" : "off";
				const stage = house.node?.look().stage;
				return `${house.name} ${state} ${stage} ${raft?.role} term ${raft?.term} head ${chain?.head.block.index} tail ${raft?.tail.length} outbox ${outbox?.size} peers ${raft?.peers.size} ${raft?.suspended ?? ""}`;
			})
			.join("\n")}`;
	}

	#living(): House[] {
		return this.world.houses.filter((house) => !house.isGone && house.original === undefined);
	}

	/** Enough voters that may vote have greeted one another. */
	#isConnected(): boolean {
		const voting = this.#living().flatMap(({ street }) => {
			const { raft } = street ?? {};
			return raft !== undefined && isVoter(raft) && raft.suspended === undefined ? [raft] : [];
		});
		const [first] = voting;
		if (first === undefined) return false;
		const indices = voting.map(({ self }) => self);
		const needed = majorityOf(votersOf(first));
		return (
			voting.length >= needed && voting.every(({ self, peers }) => indices.every((at) => at === self || peers.has(at)))
		);
	}

	/** Somebody leads, and a block of its term is certified above the one that was the highest. */
	#hasCommittingLeader(highest: number): boolean {
		return this.#living().some(({ street }) => {
			const { raft } = street ?? {};
			return raft?.role === "leader" && raft.base.term === raft.term && raft.base.index > highest;
		});
	}

	/** Everybody has the same certified chain, and nothing waits. */
	#isAtRest(): boolean {
		const living = this.#living();
		const head = living[0]?.street?.chain.head;
		if (head === undefined) return false;
		return living.every(({ street, isBusy }) => {
			if (street?.raft === undefined || isBusy || street.outbox.size > 0 || street.raft.tail.length > 0) return false;
			return equalBytes(street.chain.head.hash, head.hash);
		});
	}

	// ── looking on ───────────────────────────────────────────────────────────────────────────────────────────────

	stepped(house: House): void {
		if (this.#hasTwin) return;
		this.#promiseWatch.stepped(house);
		if (this.#raftWatch.stepped(house)) this.#tellState(house);
		this.#ledgerWatch.stepped(house);
	}

	readonly #told = new WeakMap<House, string>();

	/** Whoever reads the trace wants to know who leads and how far everybody is. */
	#tellState(house: House): void {
		const { raft } = house.street ?? {};
		if (raft === undefined) return;
		const text = `term ${raft.term}, ${raft.role}, committed ${raft.base.index}, log to ${raft.base.index + raft.tail.length}`;
		if (this.#told.get(house) === text) return;
		this.#told.set(house, text);
		this.world.tell(house, "is at", text);
	}

	written(house: House, write: Parameters<Observer["written"]>[1]): void {
		this.#proofWatch.written(house, write);
		if (this.#hasTwin) return;
		this.#voteWatch.written(house);
		this.#promiseWatch.written(house, write);
	}

	sending(house: House, to: House, frame: Uint8Array): void {
		if (this.#hasTwin) return;
		this.#voteWatch.sending(house, frame);
		this.#promiseWatch.sending(house, to, frame);
	}

	writing(): void {}
	finished(): void {}
}
