/**
 * What peers say to one another (thesis 5.7). One union, named as in the Raft paper where it is Raft's; `wire.ts` turns
 * it into bytes.
 */

import type { Anchor } from "../block/anchor.js";
import type { Block, BlockHeader } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import type { DoubleSignature } from "../block/evidence.js";
import type { ConfirmTransaction } from "../block/kinds/founding.js";
import type { JoinTransaction } from "../block/kinds/members.js";
import type { StatedAccount } from "../block/statedAccount.js";
import type { Transaction } from "../block/transaction.js";

/** First frame on every channel, from both sides. */
export interface HandshakeMessage {
	type: "handshake";
	/** Version of this wire. */
	version: number;
	/** Hash that names what is talked about: the grid id, or a lobby's id. */
	context: Uint8Array;
	/** The sender's device key (33 bytes). */
	deviceKey: Uint8Array;
	/** 32 fresh random bytes. */
	nonce: Uint8Array;
}

/** Second frame: the device's signature over both handshakes and both DTLS fingerprints. */
export interface ProofMessage {
	type: "proof";
	signature: Uint8Array;
}

/** A start of a device. */
export interface Boot {
	bootCount: number;
	/** 16 random bytes of this start. */
	bootId: Uint8Array;
	/** The device's. */
	signature: Uint8Array;
}

/** A device that the chain does not know shows whose it is: nobody gets anything of the chain by a link alone. */
export interface HouseholdProofMessage {
	type: "householdProof";
	/** Compressed secp256k1 point, 33 bytes. */
	householdKey: Uint8Array;
	/** By that key, over the grid id and the sender's device key. */
	signature: Uint8Array;
}

/** A start of a device was shown a newer one of the same key: they are two. */
export interface Meeting {
	bootId: Uint8Array;
	metBootId: Uint8Array;
	/** The device's. */
	signature: Uint8Array;
}

/** Handed to the neighbour that showed the newer start, for the newer one to hear of it. */
export interface TwinMessage {
	type: "twin";
	meeting: Meeting;
}

/** Voters that signed two blocks for one place, found by somebody: the signatures convict them by themselves. */
export interface EvidenceMessage {
	type: "evidence";
	doubleSignatures: readonly DoubleSignature[];
}

/** After the proof: where the sender stands, and whom it is connected to (thesis 5.3). */
export interface HelloMessage {
	type: "hello";
	headIndex: number;
	headHash: Uint8Array;
	certificate: Certificate | undefined;
	term: number;
	chainMs: number;
	/** This start of the sender. */
	boot: Boot;
	/** The receiver's newest start that the sender knows. */
	knownBoot: Boot | undefined;
	/** An older start of the receiver's key lived on beside a newer one, which this concerns. */
	meeting: Meeting | undefined;
	/** Device keys that the sender is connected to. */
	peers: readonly Uint8Array[];
}

export type NodeRole = "leader" | "follower" | "candidate" | "observer";

/** Every two seconds, so that a lost peer is noticed, and at every change of head. */
export interface StatusMessage {
	type: "status";
	headIndex: number;
	headHash: Uint8Array;
	term: number;
	role: NodeRole;
}

/** In a street where not everybody is connected with everybody: with whom the sender is, and what these say of themselves. */
export interface NeighboursMessage {
	type: "neighbours";
	/** Device indices. */
	devices: readonly { device: number; headIndex: number; term: number; role: NodeRole }[];
}

// ── Raft ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Asks whether an election would be won, without disturbing anybody (Raft thesis §9.6). */
export interface PreVoteMessage {
	type: "preVote";
	/** The term that the sender would stand in. */
	term: number;
	lastTerm: number;
	lastIndex: number;
}

export interface PreVoteReplyMessage {
	type: "preVoteReply";
	term: number;
	granted: boolean;
	/** The answerer's clock: a candidate stands only if its own agrees. */
	chainMs: number;
}

export interface RequestVoteMessage {
	type: "requestVote";
	term: number;
	lastTerm: number;
	lastIndex: number;
	/** The leader asked for this election itself: it is no disturbance (Raft thesis §4.2.3). */
	transfer: boolean;
}

/** The leader hands over: its successor stands at once (Raft thesis §3.10). */
export interface TimeoutNowMessage {
	type: "timeoutNow";
	term: number;
}

export interface VoteReplyMessage {
	type: "voteReply";
	term: number;
	granted: boolean;
}

/** A block in the log, with the hash that its sender says it has. */
export interface Entry {
	readonly hash: Uint8Array;
	readonly block: Block;
	/** The block as stored and sent: the same for the disk and every neighbour. */
	readonly encoded: Uint8Array;
}

export interface AppendEntriesMessage {
	type: "appendEntries";
	term: number;
	/** Number of the leader's round, echoed in the reply. */
	round: number;
	prevIndex: number;
	prevHash: Uint8Array;
	entries: readonly Entry[];
	/** Newest certificate, where the receiver may not have it. */
	certificate: Certificate | undefined;
}

export interface AppendReplyMessage {
	type: "appendReply";
	term: number;
	round: number;
	/** match: the logs agree up to matchIndex. behind: prev is not in the log. refused: the block at matchIndex + 1 is invalid. */
	status: "match" | "behind" | "refused";
	matchIndex: number;
	/** The answerer's newest certified block. */
	commitIndex: number;
	chainMs: number;
	/** Signed acknowledgement of the block at matchIndex, where its term is current. */
	acknowledgement: { hash: Uint8Array; signature: Uint8Array } | undefined;
	/** status refused: ids of the transactions that the answerer's ledger refuses. */
	refusedIds: readonly Uint8Array[];
}

export type RaftMessage =
	| PreVoteMessage
	| PreVoteReplyMessage
	| RequestVoteMessage
	| VoteReplyMessage
	| TimeoutNowMessage
	| AppendEntriesMessage
	| AppendReplyMessage;

// ── transactions and catching up ─────────────────────────────────────────────────────────────────────────────────

/** Signed transactions that wait for a block. */
export interface TransactionsMessage {
	type: "transactions";
	transactions: readonly Transaction[];
}

export interface BlocksRequestMessage {
	type: "blocksRequest";
	fromIndex: number;
}

/** Committed blocks in order, as stored. The certificate is for the last block of the run that they belong to. */
export interface BlocksMessage {
	type: "blocks";
	fromIndex: number;
	blocks: readonly Uint8Array[];
	certificate: Certificate | undefined;
}

/** Asks for the newest checkpoint above an index, and for the voter changes that lead to it. */
export interface CheckpointRequestMessage {
	type: "checkpointRequest";
	/** The asker's head. */
	haveIndex: number;
}

/** A certified checkpoint, without its state: that follows in chunks. */
export interface CheckpointMessage {
	type: "checkpoint";
	/** Voter changes above the asker's head, ascending: all up to the checkpoint, or the first ones. */
	steps: readonly Anchor[];
	/** Absent: there is none above the asker's head, or more steps come first. */
	checkpoint: { anchor: Anchor; manifest: Uint8Array } | undefined;
}

export interface ChunkRequestMessage {
	type: "chunkRequest";
	/** Index of the checkpoint. */
	index: number;
	number: number;
}

export interface ChunkMessage {
	type: "chunk";
	index: number;
	number: number;
	/** Empty: this checkpoint is not here any more, or has not so many chunks. */
	bytes: Uint8Array;
}

/** What was asked for is not for the asker; `code`: why. */
export interface TurnedAwayMessage {
	type: "turnedAway";
	code: string;
}

/** Asks for the headers of blocks from an index on. */
export interface HeadersRequestMessage {
	type: "headersRequest";
	fromIndex: number;
}

/** Headers in order; none: the blocks are not here any more. */
export interface HeadersMessage {
	type: "headers";
	headers: readonly BlockHeader[];
}

// ── founding ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** A guest's signed wish to be a founding member. */
export interface LobbyJoinMessage {
	type: "lobbyJoin";
	join: JoinTransaction;
}

/** From the founder: who is there. */
export interface LobbyStateMessage {
	type: "lobbyState";
	neighbourhood: string;
	members: readonly { name: string; alwaysOn: boolean; deviceKey: Uint8Array }[];
}

/** The genesis block as stored: from the founder to everybody in the lobby, and to who joins by invitation. */
export interface GenesisMessage {
	type: "genesis";
	block: Uint8Array;
}

export interface GenesisRequestMessage {
	type: "genesisRequest";
	/** Absent: both speak of the same chain, and the channel is proven. */
	crossing?: Crossing;
}

/** From a device that still stands in the chain before: what a channel between two chains lets it prove of itself. */
export interface Crossing {
	/** By the device, over both handshakes and both DTLS fingerprints. */
	signature: Uint8Array;
	/** Whose it is, as in `householdProof` for the chain before; undefined: a device that the chain knows shows nothing. */
	household: Pick<HouseholdProofMessage, "householdKey" | "signature"> | undefined;
}

// ── founding again ───────────────────────────────────────────────────────────────────────────────────────────────

/** A proposal to found the neighbourhood again, with what is known of who confirmed it. */
export interface RefoundingMessage {
	type: "refounding";
	/** The `refound` by itself, encoded. */
	proposal: Uint8Array;
	confirmations: readonly ConfirmTransaction[];
}

/** Households that confirmed a proposal. */
export interface ConfirmationsMessage {
	type: "confirmations";
	confirmations: readonly ConfirmTransaction[];
}

/** Its proposer takes a proposal back: it will never be sealed. */
export interface WithdrawalMessage {
	type: "withdrawal";
	proposal: Uint8Array;
	/** By the proposer's household. */
	signature: Uint8Array;
}

// ── bank accounts ────────────────────────────────────────────────────────────────────────────────────────────────

/** Households' words about their bank accounts, each to whom it concerns. */
export interface AccountsMessage {
	type: "accounts";
	accounts: readonly StatedAccount[];
}

/** Of the words that the receiver may hear, those that the sender keeps: all of them, by their ids. */
export interface AccountsKeptMessage {
	type: "accountsKept";
	ids: readonly Uint8Array[];
	/** Whether the receiver is to say the same: the sender has not heard it on this channel. */
	asks: boolean;
}

export type Message =
	| HandshakeMessage
	| ProofMessage
	| HelloMessage
	| HouseholdProofMessage
	| TwinMessage
	| EvidenceMessage
	| StatusMessage
	| NeighboursMessage
	| RaftMessage
	| TransactionsMessage
	| BlocksRequestMessage
	| BlocksMessage
	| CheckpointRequestMessage
	| CheckpointMessage
	| ChunkRequestMessage
	| HeadersRequestMessage
	| HeadersMessage
	| ChunkMessage
	| TurnedAwayMessage
	| LobbyJoinMessage
	| LobbyStateMessage
	| GenesisMessage
	| GenesisRequestMessage
	| RefoundingMessage
	| ConfirmationsMessage
	| WithdrawalMessage
	| AccountsMessage
	| AccountsKeptMessage;
