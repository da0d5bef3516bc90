/**
 * What has to hold of votes, whoever cast them and on whatever disk they lay: a device votes once a term, a leader was
 * voted for by a majority (Raft paper §5.2), and a device that forgot its votes votes no more.
 */
import { majorityOf } from "../../src/consensus/quorum.js";
import { type RaftState, votersOf } from "../../src/consensus/state.js";
import type { House } from "./house.js";
import { peekType, readMessage, TYPE_NUMBERS } from "./wire.js";
import { Violation } from "./world.js";

export class VoteWatch {
	/** Candidates by voter, by term: every vote that ever reached a disk. */
	readonly #votes = new Map<number, Map<number, number>>();

	/** A device's disk holds these votes now. */
	written(house: House): void {
		const { votes } = house.disk;
		const voter = house.street?.raft?.self;
		if (votes?.votedFor === undefined || voter === undefined) return;
		const ofTerm = this.#votes.get(votes.term) ?? new Map<number, number>();
		this.#votes.set(votes.term, ofTerm);
		const before = ofTerm.get(voter);
		if (before !== undefined && before !== votes.votedFor) {
			throw new Violation(
				"a device votes once a term",
				`${house.name} votes for ${votes.votedFor} in term ${votes.term}, in which it voted for ${before}`,
			);
		}
		ofTerm.set(voter, votes.votedFor);
	}

	/** A device was seen to lead a term for the first time. */
	elected(house: House, raft: RaftState): void {
		const voters = votersOf(raft);
		const votes = this.#votes.get(raft.term);
		const count = voters.filter((voter) => votes?.get(voter) === raft.self).length;
		if (count >= majorityOf(voters)) return;
		throw new Violation(
			"a leader has a majority's votes",
			`${house.name} leads term ${raft.term} with ${count} of ${voters.length} votes`,
		);
	}

	/** A frame leaves. */
	sending(house: House, frame: Uint8Array): void {
		if (!house.disk.isWithoutVotes) return;
		const type = peekType(frame);
		const { voteReply, requestVote, appendReply } = TYPE_NUMBERS;
		if (type !== voteReply && type !== requestVote && type !== appendReply) return;
		const message = readMessage(frame);
		const promises =
			message?.type === "requestVote" ||
			(message?.type === "voteReply" && message.granted) ||
			(message?.type === "appendReply" && message.acknowledgement !== undefined);
		if (promises) {
			throw new Violation("who forgot its votes votes no more", `${house.name} sends a ${message.type}`);
		}
	}
}
