/** What must hold in every world: the Raft paper's figure 3, and what certificates and voter changes add to it. */
import type { Certificate } from "../../src/block/certificate.js";
import { type VoterSet, voterChangeOf, votersAfter } from "../../src/block/voters.js";
import { hasMajority } from "../../src/consensus/quorum.js";
import { hashAt, type LogBase, type Persist, type RaftState } from "../../src/consensus/state.js";
import type { Entry } from "../../src/message/message.js";
import { equalBytes } from "../../src/primitives/bytes.js";
import type { Disk } from "./raftDisk.js";
import type { Device, Sent } from "./raftWorld.js";

/** A property does not hold. */
export class Violation extends Error {}

function must(holds: boolean, what: string): void {
	if (!holds) throw new Violation(what);
}

/** Election safety: a term has one leader. Leader completeness: it has all that was certified in earlier terms. */
export function checkLeader(state: RaftState, leaders: ReadonlyMap<number, number>, certified: readonly Entry[]): void {
	const { self, term, base } = state;
	const known = leaders.get(term);
	must(known === undefined || known === self, `election safety: ${known} and ${self} lead term ${term}`);
	for (const { block, hash } of certified) {
		if (block.term >= term || block.index < base.index) continue;
		const own = hashAt(state, block.index);
		const has = own !== undefined && equalBytes(own, hash);
		must(has, `leader completeness: ${self} leads term ${term} without certified block ${block.index}`);
	}
}

/** State machine safety: an index is certified once. Gives all certified blocks, with these. */
export function checkCertified(certified: readonly Entry[], entries: readonly Entry[]): readonly Entry[] {
	let all = certified;
	for (const entry of entries) {
		const { index } = entry.block;
		const known = all[index - 1];
		must(known === undefined || equalBytes(known.hash, entry.hash), `state machine safety: two blocks at ${index}`);
		must(index <= all.length + 1, `block ${index} is certified above a hole`);
		if (known === undefined) all = [...all, entry];
	}
	return all;
}

/** The covering rule, by the certified history: a majority of every set in force since `belowIndex`, two at most. */
export function checkCovered(
	{ index, signatures }: Certificate,
	belowIndex: number,
	certified: readonly Entry[],
	genesis: VoterSet,
): void {
	let voters = genesis;
	const sets = new Set<VoterSet>();
	for (let at = 0; at <= index; at++) {
		const entry = certified[at - 1];
		if (entry !== undefined) voters = votersAfter(voters, entry.block);
		if (at >= belowIndex) sets.add(voters);
	}
	const signers = signatures.map(({ voter }) => voter);
	must(new Set(signers).size === signers.length, `certificate ${index} counts a signer twice`);
	must(sets.size <= 2, `certificate ${index} spans ${sets.size} voter sets`);
	for (const set of sets) {
		must(
			hasMajority(set, (voter) => signers.includes(voter)),
			`certificate ${index}, signed by ${signers}, has no majority of ${set}`,
		);
	}
}

/** One log: linked, its terms never fall and never exceed the own; one uncommitted voter change at most. */
export function checkLog({ state }: Device): void {
	let below: Pick<LogBase, "index" | "hash" | "term"> = state.base;
	for (const { block, hash } of state.tail) {
		const fits = block.index === below.index + 1 && equalBytes(block.previousHash, below.hash);
		must(fits, `${state.self}'s block ${block.index} does not stand on the one before it`);
		must(block.term >= below.term, `the terms in ${state.self}'s log fall at ${block.index}`);
		below = { index: block.index, hash, term: block.term };
	}
	must(below.term <= state.term, `${state.self}'s log is of term ${below.term}, itself of ${state.term}`);
	const changes = state.tail.filter(({ block }) => voterChangeOf(block) !== undefined).length;
	must(changes <= 1, `${state.self} holds ${changes} uncommitted voter changes`);
}

/** Log matching: index and term name one block. What lies below is the same by the hash in it. */
export function checkLogsMatch(devices: readonly Device[], changed: Device): void {
	for (const { state } of devices) {
		for (const { block, hash } of changed.state.tail) {
			const other = state.tail[block.index - state.base.index - 1];
			if (other === undefined || other.block.term !== block.term) continue;
			must(equalBytes(other.hash, hash), `log matching: two blocks of index ${block.index}, term ${block.term}`);
		}
	}
}

/** What survives a crash only grows: term, the vote of a term, the certified part. Nothing is signed twice. */
export function checkWrite(self: number, disk: Disk, { votes, truncateFrom, append, commit }: Persist): void {
	const { term, votedFor, lastSigned } = disk.votes;
	must(votes.term >= term, `${self}'s term falls`);
	must(votes.term > term || votedFor === undefined || votes.votedFor === votedFor, `${self} changes its vote`);
	must(truncateFrom === undefined || truncateFrom > disk.base.index, `${self} truncates what is certified`);
	const next = (disk.tail.at(-1)?.block.index ?? disk.base.index) + 1;
	must(append === undefined || append.block.index === next, `${self} writes a block above a hole`);
	must(commit === undefined || commit.certificate.index > disk.base.index, `${self}'s certified part does not grow`);
	const signed = votes.lastSigned;
	if (lastSigned === undefined || signed === undefined) return;
	const isSame = signed.term === lastSigned.term && signed.index === lastSigned.index;
	must(!isSame || equalBytes(signed.hash, lastSigned.hash), `${self} signs two blocks of one index and term`);
	must(signed.term >= lastSigned.term, `${self} forgets what it signed`);
}

/** What is said was written: a vote, a signature with its block. */
export function checkSaid({ state, disk }: Device, { to, message }: Sent): void {
	const { self } = state;
	const { votes, base, tail } = disk;
	if (message.type === "voteReply" && message.granted) {
		const isWritten = votes.term > message.term || (votes.term === message.term && votes.votedFor === to);
		must(isWritten, `${self} says its vote for ${to} in term ${message.term} before it is written`);
	}
	if (message.type === "requestVote") {
		must(votes.term >= message.term, `${self} stands in term ${message.term} before that is written`);
	}
	if (message.type === "appendReply" && message.acknowledgement !== undefined) {
		const { matchIndex, acknowledgement, term } = message;
		const isStored = matchIndex <= base.index || tail.some(({ hash }) => equalBytes(hash, acknowledgement.hash));
		const { lastSigned } = votes;
		const isKnown = lastSigned !== undefined && (lastSigned.term > term || lastSigned.index >= matchIndex);
		must(isStored && isKnown, `${self} acknowledges block ${matchIndex} before it is written`);
	}
}
