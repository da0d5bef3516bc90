/**
 * Some pure cores with disks and a bad network, driven by one seed. After every step the properties of the Raft paper's
 * figure 3 are checked; a failure names the seed. Only what was written survives a crash; a message that depends on a
 * write leaves after it. Voters come and go meanwhile, and leaders hand over.
 */
import type { Acknowledged, Certificate } from "../../src/block/certificate.js";
import { type VoterSet, voterChangeOf, votersAfter } from "../../src/block/voters.js";
import { hasMajority } from "../../src/consensus/quorum.js";
import { createRaft, step } from "../../src/consensus/raft.js";
import { mayChangeVoters, mayPropose } from "../../src/consensus/replication.js";
import {
	hashAt,
	type LogBase,
	lastOf,
	type Persist,
	type RaftEffect,
	type RaftInput,
	type RaftState,
} from "../../src/consensus/state.js";
import type { Entry, RaftMessage } from "../../src/message/message.js";
import { toHex } from "../../src/primitives/bytes.js";
import { baseAt, entryOn, GENESIS, isFairlySigned, START_MS, signed, type VoterChange } from "./raft.js";

interface Disk {
	votes: Persist["votes"];
	proposed: Entry[];
	blockchain: Entry[];
	certificate: Certificate | undefined;
	votersCertificate: Certificate | undefined;
}

interface Member {
	readonly index: number;
	state: RaftState;
	disk: Disk;
	isUp: boolean;
	/** Writes under way, oldest first, and what waits for them. */
	writes: Persist[];
	held: { to: number; message: RaftMessage; afterSeq: number }[];
	settledSeq: number;
	inputs: RaftInput[];
}

export class RaftCluster {
	readonly trace: string[] = [];
	readonly #seed: number;
	readonly #members: Member[] = [];
	/** Who votes at genesis. */
	readonly #voters: VoterSet;
	#network: { from: number; to: number; message: RaftMessage }[] = [];
	readonly #cut = new Set<string>();
	#nowMs = 0;
	#random: number;

	// What ever happened, for the properties.
	readonly #leaders = new Map<number, number>();
	readonly #entries = new Map<string, string>();
	readonly #committed: { hash: string; term: number; voters: VoterSet }[];
	readonly #signed = new Map<string, string>();
	readonly #votes = new Map<string, number>();

	constructor(seed: number) {
		this.#seed = seed;
		this.#random = Math.imul(seed, 0x9e3779b1);
		const voters = [1, 3, 4, 5][this.#below(4)] ?? 3;
		this.#voters = Array.from({ length: voters }, (_, at) => at);
		this.#committed = [{ hash: toHex(GENESIS.hash), term: 0, voters: this.#voters }];
		// Up to two more that only observe, until they are made voters.
		const observers = voters === 1 ? 2 + this.#below(2) : this.#below(3);
		for (let index = 0; index < voters + observers; index++) {
			const votes = { term: 0, votedFor: undefined, lastSigned: undefined, suspended: undefined };
			const disk: Disk = {
				votes,
				proposed: [],
				blockchain: [],
				certificate: undefined,
				votersCertificate: undefined,
			};
			this.#members.push(this.#boot(index, disk));
		}
		for (const member of this.#members) this.#greet(member);
	}

	get committedCount(): number {
		return this.#committed.length - 1;
	}

	/** How many committed blocks changed the voters. */
	get committedChanges(): number {
		return this.#committed.filter(({ voters }, at) => at > 0 && voters !== this.#committed[at - 1]?.voters).length;
	}

	#next(): number {
		this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) | 0;
		return (this.#random >>> 0) / 4_294_967_296;
	}

	#below(limit: number): number {
		return Math.floor(this.#next() * limit);
	}

	#happens(probability: number): boolean {
		return this.#next() < probability;
	}

	#must(holds: boolean, what: string): void {
		if (holds) return;
		throw new Error(`seed ${this.#seed}: ${what}\n${this.trace.slice(-60).join("\n")}`);
	}

	#boot(index: number, disk: Disk): Member {
		const { votes, certificate, votersCertificate, proposed } = disk;
		const base = this.#baseOf(disk);
		const restart = { self: index, ...votes, base, certificate, votersCertificate, tail: [...proposed] };
		const clocks = { monotonicMs: this.#nowMs, chainMs: START_MS + this.#nowMs };
		const state = createRaft(restart, clocks, this.#below(1_000_000));
		return { index, state, disk, isUp: true, writes: [], held: [], settledSeq: 0, inputs: [] };
	}

	#baseOf({ blockchain }: Disk): LogBase {
		return blockchain.reduce((below, entry) => baseAt(entry, below), { ...GENESIS, voters: this.#voters });
	}

	#greet(member: Member): void {
		for (const other of this.#members) {
			if (other === member || !other.isUp || this.#cut.has(`${other.index}>${member.index}`)) continue;
			if (this.#cut.has(`${member.index}>${other.index}`)) continue;
			this.#feed(member, { type: "greeted", from: other.index });
			this.#feed(other, { type: "greeted", from: member.index });
		}
	}

	// ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

	/** Faults of every kind for so many steps. */
	storm(steps: number): void {
		for (let i = 0; i < steps; i++) {
			this.#work(0.85, 0.9);
			if (this.#happens(0.02)) this.#crash(this.#pick());
			if (this.#happens(0.08))
				for (const member of this.#members) if (!member.isUp && this.#happens(0.5)) this.#restart(member);
			if (this.#happens(0.02)) this.#partition();
			if (this.#happens(0.06)) this.#mend();
		}
	}

	/** Everything works again: a quorum commits, and everybody has it. */
	heal(): void {
		this.#mend();
		for (const member of this.#members) if (!member.isUp) this.#restart(member);
		const before = this.committedCount;
		for (let i = 0; i < 3_000; i++) {
			this.#work(1, 1);
			const heads = new Set(this.#members.map(({ state }) => state.base.index));
			if (this.committedCount > before && heads.size === 1) return;
		}
		this.#must(
			false,
			`no progress after healing: ${this.#members.map(({ state }) => `${state.role} ${state.base.index}`)}`,
		);
	}

	#pick(): Member {
		return this.#members[this.#below(this.#members.length)] as Member;
	}

	/** A moment: some writes settle, some messages arrive, time passes. */
	#work(arrives: number, settles: number): void {
		this.#nowMs += 20 + this.#below(200);
		for (const member of this.#members) {
			if (!member.isUp) continue;
			while (member.writes.length > 0 && this.#happens(settles)) this.#settle(member);
			this.#feed(member, { type: "tick", monotonicMs: this.#nowMs, chainMs: START_MS + this.#nowMs });
			if (mayPropose(member.state) && this.#happens(0.7)) this.#propose(member);
			if (member.state.role === "leader" && this.#happens(0.01)) this.#handOver(member);
			// Neighbours say where their chains end: also a leader may learn that others have a certificate it lost.
			if (this.#happens(0.02)) {
				for (const input of this.#catchUp(member, this.#below(this.#members.length))) this.#feed(member, input);
			}
		}
		for (let count = this.#network.length; count > 0; count--) {
			const [sent] = this.#network.splice(arrives === 1 ? 0 : this.#below(this.#network.length), 1);
			if (sent === undefined) break;
			const { from, to, message } = sent;
			const member = this.#members[to];
			if (member?.isUp !== true || this.#cut.has(`${from}>${to}`)) continue;
			if (!this.#happens(arrives)) {
				// Lost, or late.
				if (this.#happens(0.5)) this.#network.push(sent);
				continue;
			}
			if (arrives < 1 && this.#happens(0.05)) this.#network.push(sent);
			this.#feed(member, { type: "message", from, message });
		}
	}

	#propose(member: Member): void {
		const { state } = member;
		const parent = lastOf(state);
		const timestampMs = Math.max(parent.timestampMs + 1, state.chainMs);
		const variant = this.#below(250);
		const voters = mayChangeVoters(state) && this.#happens(0.2) ? this.#changeAt(member) : undefined;
		const options = { timestampMs, variant, proposer: member.index, ...(voters === undefined ? {} : { voters }) };
		const entry = entryOn(parent, state.term, options);
		if (voters !== undefined) this.trace.push(`${this.#nowMs} ${member.index} proposes ${JSON.stringify(voters)}`);
		this.#feed(member, { type: "propose", entry });
	}

	/** A step that the ledger would allow: one voter more or less, from one to three; nobody removes itself. */
	#changeAt({ index, state }: Member): VoterChange | undefined {
		const { voters } = state.base;
		const others = this.#members.map((member) => member.index).filter((each) => !voters.includes(each));
		const take = (from: number[]) => from.splice(this.#below(from.length), 1);
		if (voters.length === 1) return others.length < 2 ? undefined : { added: [...take(others), ...take(others)] };
		const removable = voters.filter((each) => each !== index);
		if (others.length === 0 || this.#happens(0.4)) return { removed: take(removable) };
		return { added: take(others) };
	}

	#handOver(member: Member): void {
		this.trace.push(`${this.#nowMs} ${member.index} hands over`);
		this.#feed(member, { type: "transferLeadership" });
	}

	#feed(member: Member, first: RaftInput): void {
		member.inputs.push(first);
		for (let input = member.inputs.shift(); input !== undefined; input = member.inputs.shift()) {
			for (const effect of step(member.state, input)) this.#carryOut(member, effect);
			const changes = member.state.tail.filter(({ block }) => voterChangeOf(block) !== undefined).length;
			this.#must(changes <= 1, `${member.index} holds ${changes} uncommitted voter changes`);
		}
	}

	#carryOut(member: Member, effect: RaftEffect): void {
		const { index, state } = member;
		switch (effect.type) {
			case "persist":
				member.writes.push(effect.persist);
				if (effect.persist.append !== undefined) this.#checkAppended(effect.persist.append);
				break;
			case "send": {
				const message = signed(index, effect);
				const afterSeq = effect.afterSeq ?? 0;
				if (afterSeq > member.settledSeq) member.held.push({ to: effect.to, message, afterSeq });
				else this.#send(member, effect.to, message);
				break;
			}
			case "validate":
				member.inputs.push({ type: "validated", hash: effect.entry.hash, result: { valid: true } });
				break;
			case "commit":
				this.trace.push(
					`${this.#nowMs} ${index} commits to ${effect.certificate.index} of term ${effect.certificate.term}`,
				);
				for (const entry of effect.entries) this.#checkCommitted(entry);
				this.#checkCertificate(effect.certificate, effect.certificate.index - effect.entries.length);
				break;
			case "becameLeader":
				this.trace.push(`${this.#nowMs} ${index} leads term ${effect.term}`);
				this.#checkLeader(member, effect.term);
				break;
			case "behind":
				if (this.#happens(0.5)) member.inputs.push(...this.#catchUp(member, effect.from));
				break;
			case "evidence":
			case "misbehaved":
				this.#must(false, `${effect.code} at ${index}`);
				break;
			case "truncated":
				this.#must(effect.fromIndex > state.base.index, "nothing committed is truncated");
				break;
			case "becameFollower":
			case "refusedBy":
				break;
		}
	}

	/** It leaves: only now is a vote given or a block signed. What a crash kept back was never said. */
	#send(member: Member, to: number, message: RaftMessage): void {
		if (message.type === "voteReply" && message.granted) this.#checkVote(member.index, message.term, to);
		if (message.type === "appendReply" && message.acknowledgement !== undefined) {
			const { matchIndex: index, term, acknowledgement } = message;
			this.#checkSigned(member.index, { index, term, hash: acknowledgement.hash });
		}
		if (to === member.index) member.inputs.push({ type: "message", from: to, message });
		else this.#network.push({ from: member.index, to, message });
	}

	/** The oldest write is on the disk: what waited for it leaves. */
	#settle(member: Member): void {
		const write = member.writes.shift();
		if (write === undefined) return;
		applyTo(member.disk, write);
		member.settledSeq = write.seq;
		const ready = member.held.filter(({ afterSeq }) => afterSeq <= write.seq);
		member.held = member.held.filter(({ afterSeq }) => afterSeq > write.seq);
		for (const { to, message } of ready) this.#send(member, to, message);
		const [own] = member.inputs.splice(0, 1);
		if (own !== undefined) this.#feed(member, own);
	}

	/** Fetches certified blocks: another's disk serves them. */
	#catchUp(member: Member, from: number): RaftInput[] {
		const other = this.#members[from];
		if (other?.isUp !== true || other === member || this.#cut.has(`${from}>${member.index}`)) return [];
		const { blockchain, certificate, votersCertificate } = other.disk;
		if (certificate === undefined || certificate.index <= member.state.base.index) return [];
		while (member.writes.length > 0) this.#settle(member);
		const { disk } = member;
		if (certificate.index <= disk.blockchain.length) return [];
		disk.blockchain = blockchain.slice(0, certificate.index);
		disk.proposed = disk.proposed.filter(({ block }) => block.index > certificate.index);
		disk.certificate = certificate;
		disk.votersCertificate = votersCertificate;
		for (const entry of disk.blockchain) this.#checkCommitted(entry);
		return [{ type: "installed", base: this.#baseOf(disk), certificate, votersCertificate }];
	}

	#crash(member: Member): void {
		if (!member.isUp) return;
		this.trace.push(`${this.#nowMs} ${member.index} crashes with ${member.writes.length} writes under way`);
		// Of the writes under way the first ones may have made it.
		while (member.writes.length > 0 && this.#happens(0.5)) applyTo(member.disk, member.writes.shift() as Persist);
		member.isUp = false;
		for (const other of this.#members) if (other.isUp) this.#feed(other, { type: "gone", from: member.index });
	}

	#restart(member: Member): void {
		this.trace.push(`${this.#nowMs} ${member.index} restarts`);
		const booted = this.#boot(member.index, member.disk);
		this.#members[member.index] = booted;
		this.#greet(booted);
	}

	/** One-way and non-transitive cuts, too. */
	#partition(): void {
		for (const a of this.#members) {
			for (const b of this.#members) if (a !== b && this.#happens(0.35)) this.#cut.add(`${a.index}>${b.index}`);
		}
		this.trace.push(`${this.#nowMs} cut ${[...this.#cut].join(" ")}`);
	}

	#mend(): void {
		if (this.#cut.size === 0) return;
		this.#cut.clear();
		for (const member of this.#members) if (member.isUp) this.#greet(member);
	}

	// ── the properties ───────────────────────────────────────────────────────────────────────────────────────────

	/** Election safety: at most one leader in a term. Leader completeness: it has all that was committed before. */
	#checkLeader({ index, state }: Member, term: number): void {
		const known = this.#leaders.get(term);
		this.#must(known === undefined || known === index, `${known} and ${index} lead term ${term}`);
		this.#leaders.set(term, index);
		for (const [at, block] of this.#committed.entries()) {
			if (block.term >= term || at < state.base.index) continue;
			const own = hashAt(state, at);
			this.#must(own !== undefined && toHex(own) === block.hash, `the leader of ${term} lacks committed block ${at}`);
		}
	}

	/** Log matching: index and term name one block; by the hash in it all blocks below are the same. */
	#checkAppended({ block, hash }: Entry): void {
		const key = `${block.index}/${block.term}`;
		const known = this.#entries.get(key);
		this.#must(known === undefined || known === toHex(hash), `two blocks of index/term ${key}`);
		this.#entries.set(key, toHex(hash));
	}

	/** State machine safety: what was committed at an index never changes. */
	#checkCommitted({ block, hash }: Entry): void {
		const known = this.#committed[block.index];
		this.#must(known === undefined || known.hash === toHex(hash), `block ${block.index} was committed twice`);
		const below = this.#committed[block.index - 1];
		this.#must(below !== undefined, "blocks are committed without holes");
		const voters = votersAfter(below?.voters ?? [], block);
		this.#committed[block.index] ??= { hash: toHex(hash), term: block.term, voters };
	}

	/** The covering rule, by the committed history: a majority of every set in force since the last certified block. */
	#checkCertificate(certificate: Certificate, certifiedIndex: number): void {
		const signers = certificate.signatures.map(({ voter }) => voter);
		const sets = new Set(this.#committed.slice(certifiedIndex, certificate.index + 1).map(({ voters }) => voters));
		const covers = [...sets].every((voters) => hasMajority(voters, (voter) => signers.includes(voter)));
		const known = signers.every((signer) => [...sets].some((voters) => voters.includes(signer)));
		const isGood = covers && known && sets.size <= 2 && isFairlySigned(certificate);
		this.#must(isGood, `the certificate of ${certificate.index}, signed by ${signers}, covers its voters`);
	}

	#checkSigned(voter: number, { index, term, hash }: Acknowledged): void {
		const key = `${voter}/${index}/${term}`;
		const known = this.#signed.get(key);
		this.#must(
			known === undefined || known === toHex(hash),
			`${voter} signs two blocks of index ${index}, term ${term}`,
		);
		this.#signed.set(key, toHex(hash));
	}

	#checkVote(voter: number, term: number, candidate: number): void {
		const key = `${voter}/${term}`;
		const known = this.#votes.get(key);
		this.#must(known === undefined || known === candidate, `${voter} votes twice in term ${term}`);
		this.#votes.set(key, candidate);
	}
}

function applyTo(disk: Disk, { votes, truncateFrom, append, commit }: Persist): void {
	disk.votes = votes;
	if (truncateFrom !== undefined) disk.proposed = disk.proposed.filter(({ block }) => block.index < truncateFrom);
	if (append !== undefined)
		disk.proposed = [...disk.proposed.filter(({ block }) => block.index < append.block.index), append];
	if (commit === undefined) return;
	const { certificate, changesVoters } = commit;
	disk.blockchain = [...disk.blockchain, ...disk.proposed.filter(({ block }) => block.index <= certificate.index)];
	disk.proposed = disk.proposed.filter(({ block }) => block.index > certificate.index);
	disk.certificate = certificate;
	if (changesVoters) disk.votersCertificate = certificate;
}
