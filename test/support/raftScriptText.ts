/** Compact text for dialogues: blocks are index/term, with the voters that come (+) and go (-). */
import type { Certificate } from "../../src/block/certificate.js";
import { voterChangeOf } from "../../src/block/voters.js";
import { type Persist, type RaftEffect, type RaftState, votersOf } from "../../src/consensus/state.js";
import type { AppendEntriesMessage, AppendReplyMessage, Entry, RaftMessage } from "../../src/message/message.js";
import { toHex } from "../../src/primitives/bytes.js";
import { GENESIS } from "./raft.js";

/** Names of all blocks that were ever proposed: messages tell of the block below only by its hash. */
export class BlockNames {
	readonly #names = new Map([[toHex(GENESIS.hash), "0/0"]]);

	add(entry: Entry): void {
		this.#names.set(toHex(entry.hash), nameOf(entry));
	}

	of(hash: Uint8Array): string {
		return this.#names.get(toHex(hash)) ?? "?";
	}
}

export function nameOf({ block }: Entry): string {
	const change = voterChangeOf(block);
	const added = change?.added.map(({ device }) => `+${device}`) ?? [];
	const removed = change?.removed.map((device) => `-${device}`) ?? [];
	return `${block.index}/${block.term}${[...added, ...removed].join("")}`;
}

function certificateText({ index, term, signatures }: Certificate): string {
	return `${index}/${term} signed by ${signatures.map(({ voter }) => voter).join(" ")}`;
}

export function messageText(message: RaftMessage, names: BlockNames): string {
	switch (message.type) {
		case "preVote":
		case "requestVote": {
			const asked = message.type === "requestVote" && message.transfer ? " by the leader's wish" : "";
			return `${message.type} term ${message.term}, last ${message.lastIndex}/${message.lastTerm}${asked}`;
		}
		case "preVoteReply":
		case "voteReply":
			return `${message.type} term ${message.term} ${message.granted ? "yes" : "no"}`;
		case "timeoutNow":
			return `timeoutNow term ${message.term}`;
		case "appendEntries":
			return appendText(message, names);
		case "appendReply":
			return replyText(message);
	}
}

function appendText({ term, prevHash, entries, certificate }: AppendEntriesMessage, names: BlockNames): string {
	const blocks = entries.length === 0 ? "" : `: ${entries.map(nameOf).join(" ")}`;
	const proof = certificate === undefined ? "" : `, certificate ${certificateText(certificate)}`;
	return `append term ${term} on ${names.of(prevHash)}${blocks}${proof}`;
}

function replyText({ term, status, matchIndex, commitIndex, acknowledgement }: AppendReplyMessage): string {
	const seal = acknowledgement === undefined ? "" : ", signed";
	return `${status} ${matchIndex} term ${term}, commit ${commitIndex}${seal}`;
}

/** A write, by what it changes. */
export function writeText(write: Persist, before: Persist["votes"]): string {
	const { votes, truncateFrom, append, commit } = write;
	const signed = votes.lastSigned;
	const parts = [
		votes.term === before.term ? "" : `term ${votes.term}`,
		votes.votedFor === before.votedFor ? "" : `vote ${votes.votedFor ?? "none"}`,
		truncateFrom === undefined ? "" : `truncate from ${truncateFrom}`,
		append === undefined ? "" : `append ${nameOf(append)}`,
		signed === before.lastSigned || signed === undefined ? "" : `signature ${signed.index}/${signed.term}`,
		commit === undefined ? "" : `commit ${certificateText(commit.certificate)}`,
		votes.suspended === before.suspended ? "" : `suspended ${votes.suspended ?? "no more"}`,
	].filter((part) => part !== "");
	return `writes ${parts.length === 0 ? "the same votes" : parts.join(", ")}`;
}

/** What else happened; undefined for what is told by a write or a message. */
export function eventText(effect: RaftEffect): string | undefined {
	switch (effect.type) {
		case "becameLeader":
			return `leads term ${effect.term}`;
		case "becameFollower":
			return `steps down: ${effect.reason}`;
		case "truncated":
			return `hands back ${effect.blocks.map(({ index, term }) => `${index}/${term}`).join(" ")}`;
		case "behind":
			return `is behind: ${certificateText(effect.certificate)}`;
		case "misbehaved":
			return `blames ${effect.from}: ${effect.code}`;
		case "evidence":
			return `has evidence: ${effect.code}, ${certificateText(effect.certificate)}`;
		case "refusedBy":
			return `is refused by ${effect.from}`;
		case "persist":
		case "send":
		case "validate":
		case "commit":
			return undefined;
	}
}

export function statusText(state: RaftState): string {
	const { role, term, votedFor, leader, base, tail } = state;
	const led = leader === undefined || leader === state.self ? "" : ` of ${leader}`;
	const log = tail.length === 0 ? "" : `, tail ${tail.map(nameOf).join(" ")}`;
	const vote = votedFor === undefined ? "" : `, voted for ${votedFor}`;
	return `${role}${led}, term ${term}${vote}, certified ${base.index}/${base.term}${log}, voters ${votersOf(state).join(" ")}`;
}
