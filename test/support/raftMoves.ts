/** What may happen next in a world, within the scope: every move, and the world after it. */
import type { VoterSet } from "../../src/block/voters.js";
import { mayVote } from "../../src/consensus/election.js";
import { mayPropose } from "../../src/consensus/replication.js";
import { isVoter, lastOf, type RaftState, votersOf } from "../../src/consensus/state.js";
import type { Entry } from "../../src/message/message.js";
import { entryOn, GENESIS, type VoterChange } from "./raft.js";
import { type Action, Deed, type DeedOptions } from "./raftDeed.js";
import { emptyDisk } from "./raftDisk.js";
import type { Keys } from "./raftKeys.js";
import { type Bounds, type Core, NOTHING_LEFT } from "./raftScope.js";
import { type Budget, boot, type Device, type Letter, NOW_MS, type World } from "./raftWorld.js";

export class Moves {
	readonly #bounds: Bounds;
	readonly #core: Core;
	readonly #keys: Keys;
	readonly #genesis: VoterSet;
	readonly #everybody: readonly number[];
	readonly #entries = new Map<string, Entry>();
	/** The move that is being made. */
	label = "";

	constructor(bounds: Bounds, core: Core, keys: Keys) {
		this.#bounds = bounds;
		this.#core = core;
		this.#keys = keys;
		this.#genesis = Array.from({ length: bounds.voters }, (_, at) => at);
		this.#everybody = Array.from({ length: bounds.voters + (bounds.observers ?? 0) }, (_, at) => at);
	}

	// ── the beginning ────────────────────────────────────────────────────────────────────────────────────────────

	start(): World {
		const disk = emptyDisk({ ...GENESIS, voters: this.#genesis });
		const devices = this.#everybody.map((self): Device => {
			const device = boot(self, disk, this.#everybody);
			return { ...device, key: this.#keys.device(device) };
		});
		const { voters, observers, settled, choices, slowWrites, allowsEarlyWord, breadthFirst, maxStates, ...left } =
			this.#bounds;
		const budget = { ...NOTHING_LEFT, ...left };
		const world = { devices, network: [], left: budget, leaders: new Map(), certified: [] };
		return settled === true ? { ...this.#settle(world), network: [], left: budget } : world;
	}

	/** Device 0 leads and has certified a block, and all have heard of it. */
	#settle(world: World): World {
		let settled = this.#do(world, 0, (deed) => this.#stand(deed, 0), { slowWrites: false });
		for (let turn = 0; turn < 2; turn++) {
			for (let letter = settled.network[0]; letter !== undefined; letter = settled.network[0]) {
				const next = letter;
				settled = this.#do(settled, next.to, (deed) => deed.deliver(next), { slowWrites: false });
			}
			if (turn === 0) settled = this.#do(settled, 0, (deed) => this.#propose(deed, 0), { slowWrites: false });
		}
		return settled;
	}

	#do(world: World, at: number, act: (deed: Deed) => void, how: Partial<DeedOptions> = {}): World {
		const { slowWrites = false, allowsEarlyWord = false } = this.#bounds;
		const options = { slowWrites, allowsEarlyWord, crashAfter: undefined, ...how };
		const deed = new Deed(world, this.#core, this.#keys, this.#genesis, at, options);
		act(deed);
		return deed.finish();
	}

	// ── what may happen next ─────────────────────────────────────────────────────────────────────────────────────

	*next(world: World): Generator<World, undefined> {
		for (const letter of world.network) yield* this.#arrivals(world, letter);
		for (const at of this.#everybody) {
			for (const action of this.#actionsAt(world, at)) yield* this.#outcomes(world, at, action);
		}
		return undefined;
	}

	*#arrivals(world: World, letter: Letter): Generator<World, undefined> {
		if (world.devices[letter.to]?.isUp !== true) return undefined;
		const { message } = letter;
		const label = `${letter.from}->${letter.to} ${this.#keys.message(message)}`;
		yield* this.#outcomes(world, letter.to, { label, act: (deed) => deed.deliver(letter) });
		return undefined;
	}

	/** It goes well; or the device crashes after the first, second … of the writes that it would have made. */
	*#outcomes(world: World, at: number, { label, act, costs }: Action): Generator<World, undefined> {
		const left = costs === undefined ? world.left : { ...world.left, [costs]: world.left[costs] - 1 };
		const paid = { ...world, left };
		this.label = label;
		let writes = 0;
		yield this.#do(paid, at, (deed) => {
			act(deed);
			writes = deed.settledWrites;
		});
		if (left.crashes === 0 || this.#bounds.slowWrites === true) return undefined;
		const crashing = { ...paid, left: { ...left, crashes: left.crashes - 1 } };
		for (let after = 0; after < writes; after++) {
			this.label = `${label}, and ${at} crashes after ${after} writes`;
			yield this.#do(crashing, at, act, { crashAfter: after });
		}
		return undefined;
	}

	#actionsAt({ devices, left, leaders }: World, at: number): Action[] {
		const device = devices[at] as Device;
		if (!device.isUp) return [{ label: `${at} starts again`, act: (deed) => deed.restart(this.#everybody) }];
		const { state, writes } = device;
		const actions: Action[] = [];
		if (writes.length > 0) actions.push({ label: `${at} has written`, act: (deed) => deed.settleNext() });
		if (left.crashes > 0) actions.push({ label: `${at} crashes`, act: (deed) => deed.crash(), costs: "crashes" });
		// All voters are alike at first: let device 0 be the first to stand.
		const isTurn = leaders.size > 0 || state.term > 0 || at === 0;
		if (left.elections > 0 && isTurn && isVoter(state) && mayVote(state)) {
			actions.push({ label: `${at} stands`, act: (deed) => this.#stand(deed, at), costs: "elections" });
		}
		if (state.role === "leader") actions.push(...this.#leaderActions(state, left));
		if (left.fetches > 0 && writes.length === 0) {
			for (const { state: other, disk } of devices) {
				if (disk.base.index <= state.base.index) continue;
				const label = `${at} fetches up to ${disk.base.index} from ${other.self}`;
				actions.push({ label, act: (deed) => deed.fetch(disk), costs: "fetches" });
			}
		}
		return actions;
	}

	#leaderActions(state: RaftState, left: Budget): Action[] {
		const { self } = state;
		const actions: Action[] = [];
		if (left.proposals > 0 && mayPropose(state)) {
			actions.push({ label: `${self} proposes`, act: (deed) => this.#propose(deed, self), costs: "proposals" });
		}
		if (left.changes > 0 && this.#core.mayChangeVoters(state)) {
			for (const voters of this.#bounds.choices ?? []) {
				if (!isPossible(state, voters)) continue;
				const label = `${self} proposes ${JSON.stringify(voters)}`;
				actions.push({ label, act: (deed) => this.#propose(deed, self, voters), costs: "changes" });
			}
		}
		if (left.transfers > 0) {
			const act = (deed: Deed) => deed.feed(self, { type: "transferLeadership" });
			actions.push({ label: `${self} hands over`, act, costs: "transfers" });
		}
		if (left.heartbeats > 0) {
			actions.push({ label: `${self} sends a heartbeat`, act: (deed) => deed.heartbeat(), costs: "heartbeats" });
		}
		return actions;
	}

	/** The election time-out passes; a leader has lost its majority by then. */
	#stand(deed: Deed, at: number): void {
		const { state } = deed.device(at);
		const tick = (): void => deed.feed(at, { type: "tick", monotonicMs: NOW_MS, chainMs: state.chainMs });
		if (state.role === "leader") {
			for (const progress of state.progress.values()) progress.lastHeardMs = 0;
			tick();
		}
		state.electionDeadlineMs = NOW_MS;
		tick();
		for (const from of votersOf(state)) {
			if (state.role !== "preCandidate") break;
			const { chainMs, term } = state;
			const message = { type: "preVoteReply", term: term + 1, granted: true, chainMs } as const;
			deed.feed(at, { type: "message", from, message });
		}
	}

	#propose(deed: Deed, at: number, voters?: VoterChange): void {
		const { state } = deed.device(at);
		const parent = lastOf(state);
		const key = `${this.#keys.hash(parent.hash)}/${state.term}/${JSON.stringify(voters)}`;
		let entry = this.#entries.get(key);
		if (entry === undefined) {
			entry = entryOn(parent, state.term, { proposer: at, ...(voters === undefined ? {} : { voters }) });
			this.#entries.set(key, entry);
		}
		deed.feed(at, { type: "propose", entry });
	}
}

/** Whether the ledger would allow the step. Nobody removes itself. */
function isPossible(state: RaftState, { added = [], removed = [] }: VoterChange): boolean {
	const voters = votersOf(state);
	const isNew = added.every((voter) => !voters.includes(voter));
	return isNew && removed.every((voter) => voters.includes(voter) && voter !== state.self);
}
