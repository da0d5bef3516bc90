/**
 * What has to hold of the logs (thesis 2.3.3, Raft paper figure 3), looked at after everything that a node does. Only
 * what changed since is looked at.
 */
import { acknowledgementDigest, type Certificate } from "../../src/block/certificate.js";
import { type VoterSet, voterChangeOf } from "../../src/block/voters.js";
import { majorityOf } from "../../src/consensus/quorum.js";
import { hashAt, type LogBase, lastOf, type RaftState } from "../../src/consensus/state.js";
import type { Entry } from "../../src/message/message.js";
import type { Street } from "../../src/node/street.js";
import { toHex } from "../../src/primitives/bytes.js";
import type { Verifier } from "../../src/primitives/signature.js";
import type { House } from "./house.js";
import type { VoteWatch } from "./voteWatch.js";
import { Violation } from "./world.js";

/** What was last seen of a run. */
interface Seen {
	readonly run: number;
	term: number;
	role: string;
	baseIndex: number;
	voters: VoterSet;
	tailLength: number;
	lastHash: Uint8Array | undefined;
	lastSigned: Uint8Array | undefined;
}

/** A leader's log when it was elected. */
interface Election {
	readonly term: number;
	readonly device: number;
	readonly base: LogBase;
	readonly hashes: readonly string[];
}

interface Committed {
	readonly hash: string;
	/** Term of the certificate that committed it: of the block itself, or of a later one above it. */
	readonly term: number;
}

const BY_CERTIFICATE = "commits are by certificate";

export class RaftWatch {
	/** By index. */
	readonly committed = new Map<number, Committed>();
	highestCommitted = 0;
	readonly #seen = new Map<House, Seen>();
	readonly #leaders = new Map<number, Election>();
	/** Hash by index/term: the log matching property, since each hash covers everything before it. */
	readonly #hashes = new Map<string, string>();
	readonly #entriesSeen = new WeakSet<Entry>();
	/** What each device signed, by device/index/term. */
	readonly #signed = new Map<string, string>();
	readonly #verifier: Verifier;
	readonly #voteWatch: VoteWatch;

	constructor(verifier: Verifier, voteWatch: VoteWatch) {
		this.#verifier = verifier;
		this.#voteWatch = voteWatch;
	}

	/** Whether anything changed that matters. */
	stepped(house: House): boolean {
		const { street } = house;
		const raft = street?.raft;
		if (street === undefined || raft === undefined) return false;
		const before = this.#seen.get(house);
		const last = lastOf(raft);
		const isSame =
			before !== undefined &&
			before.run === house.run &&
			before.term === raft.term &&
			before.role === raft.role &&
			before.baseIndex === raft.base.index &&
			before.tailLength === raft.tail.length &&
			before.lastHash === last.hash &&
			before.lastSigned === raft.lastSigned?.hash;
		if (isSame) return false;
		const known = before?.run === house.run ? before : undefined;
		this.#checkEntries(house, raft);
		this.#checkLeader(house, raft, known);
		this.#checkSigned(house, raft);
		if (known === undefined || raft.base.index !== known.baseIndex) this.#checkCommit(house, street, raft, known);
		this.#seen.set(house, {
			run: house.run,
			term: raft.term,
			role: raft.role,
			baseIndex: raft.base.index,
			voters: raft.base.voters,
			tailLength: raft.tail.length,
			lastHash: last.hash,
			lastSigned: raft.lastSigned?.hash,
		});
		return true;
	}

	#checkEntries(house: House, raft: RaftState): void {
		for (let at = raft.tail.length - 1; at >= 0; at--) {
			const entry = raft.tail[at];
			if (entry === undefined || this.#entriesSeen.has(entry)) break;
			this.#entriesSeen.add(entry);
			const { index, term } = entry.block;
			this.#remember(this.#hashes, `${index}/${term}`, entry.hash, "log matching", house);
		}
		checkVoterChanges(house, raft);
	}

	#remember(known: Map<string, string>, key: string, hash: Uint8Array, rule: string, house: House): void {
		const hex = toHex(hash);
		const before = known.get(key);
		if (before === undefined) known.set(key, hex);
		else if (before !== hex) {
			throw new Violation(rule, `${house.name} has ${hex.slice(0, 8)} at ${key}, where ${before.slice(0, 8)} was`);
		}
	}

	/** Election safety, and leader append-only. */
	#checkLeader(house: House, raft: RaftState, before: Seen | undefined): void {
		if (before !== undefined && raft.term < before.term) {
			throw new Violation("the term never falls", `${house.name}: ${before.term}, then ${raft.term}`);
		}
		if (raft.role !== "leader") return;
		const election = this.#leaders.get(raft.term);
		if (election === undefined) {
			this.#voteWatch.elected(house, raft);
			const hashes = raft.tail.map((entry) => toHex(entry.hash));
			const elected = { term: raft.term, device: raft.self, base: raft.base, hashes };
			this.#leaders.set(raft.term, elected);
			for (const [index, { hash, term }] of this.committed) this.#checkComplete(elected, index, hash, term);
			return;
		}
		if (election.device !== raft.self) {
			throw new Violation("election safety", `devices ${election.device} and ${raft.self} lead term ${raft.term}`);
		}
		if (before?.role !== "leader" || before.term !== raft.term || before.lastHash === undefined) return;
		const index = before.baseIndex + before.tailLength;
		const now = index < raft.base.index ? undefined : hashAt(raft, index);
		const stays = index < raft.base.index || (now !== undefined && toHex(now) === toHex(before.lastHash));
		if (!stays) throw new Violation("leader append-only", `${house.name} lost its entry ${index} in term ${raft.term}`);
	}

	/** Leader completeness: a leader has everything that was committed in lower terms. */
	#checkComplete({ term: elected, device, base, hashes }: Election, index: number, hash: string, term: number): void {
		if (term >= elected || index < base.index) return;
		const own = index === base.index ? toHex(base.hash) : hashes[index - base.index - 1];
		if (own !== hash) {
			throw new Violation(
				"leader completeness",
				`device ${device} leads term ${elected} without block ${index}, committed in term ${term}`,
			);
		}
	}

	#checkSigned(house: House, raft: RaftState): void {
		const { lastSigned } = raft;
		if (lastSigned !== undefined) this.signed(house, raft.self, lastSigned);
	}

	/** A device's signature was seen. */
	signed(house: House, device: number, acknowledged: { index: number; term: number; hash: Uint8Array }): void {
		const { index, term, hash } = acknowledged;
		this.#remember(this.#signed, `${device}/${index}/${term}`, hash, "a key signs one hash per index and term", house);
	}

	// ── commits ──────────────────────────────────────────────────────────────────────────────────────────────────

	#checkCommit(house: House, street: Street, raft: RaftState, before: Seen | undefined): void {
		const { base, certificate } = raft;
		if (before !== undefined && base.index < before.baseIndex) {
			throw new Violation("commitIndex never falls", `${house.name}: ${before.baseIndex}, then ${base.index}`);
		}
		// The first look at a run may find a damaged certificate.
		if (base.index > 0 && certificate === undefined && before === undefined) return;
		if (base.index > 0) this.#checkCertificate(house, street, raft, certificate, before);
		const term = certificate?.term ?? 0;
		for (const { index, hash } of street.blocks) {
			if (index > base.index) continue;
			if (before !== undefined && index <= before.baseIndex) break;
			this.#commit(house, index, toHex(hash), term);
		}
		this.#commit(house, base.index, toHex(base.hash), term);
	}

	/** State-machine safety: what is committed at an index is the same everywhere, and for ever. */
	#commit(house: House, index: number, hash: string, term: number): void {
		const known = this.committed.get(index);
		if (known !== undefined) {
			if (known.hash === hash) return;
			throw new Violation(
				"state-machine safety",
				`${house.name} commits ${hash.slice(0, 8)} at ${index}, where ${known.hash.slice(0, 8)} was committed`,
			);
		}
		this.committed.set(index, { hash, term });
		this.highestCommitted = Math.max(this.highestCommitted, index);
		for (const election of this.#leaders.values()) this.#checkComplete(election, index, hash, term);
	}

	#checkCertificate(
		house: House,
		street: Street,
		raft: RaftState,
		certificate: Certificate | undefined,
		before: Seen | undefined,
	): void {
		const fail = (text: string) => new Violation(BY_CERTIFICATE, `${house.name}: ${text}`);
		const { base } = raft;
		if (certificate === undefined) throw fail(`block ${base.index} has none`);
		if (certificate.index !== base.index || toHex(certificate.hash) !== toHex(base.hash)) {
			throw fail(`block ${base.index} is committed by a certificate for ${certificate.index}`);
		}
		this.#checkMajorities(house, street, certificate, [base.voters]);
		// The covering rule: what committed a change has a majority of the old set as well, be it a certificate of the change
		// or of a block above it. (Who jumped to a checkpoint believes it by other means, and has no block in the list.)
		const isChanged = before !== undefined && base.votersSinceIndex > before.baseIndex;
		if (!isChanged || street.blocks[0]?.index !== base.index) return;
		const { votersCertificate } = raft;
		if (votersCertificate === undefined || votersCertificate.index < base.votersSinceIndex) {
			throw new Violation(BY_CERTIFICATE, `${house.name}: the voters' change ${base.votersSinceIndex} has none`);
		}
		this.#checkMajorities(house, street, votersCertificate, [before.voters, base.voters]);
	}

	#checkMajorities(house: House, street: Street, certificate: Certificate, sets: readonly VoterSet[]): void {
		const { ledger } = street.chain.head;
		const good = new Set<number>();
		for (const { voter, signature } of certificate.signatures) {
			const key = ledger.devices[voter]?.publicKey;
			const digest = acknowledgementDigest(street.gridId, certificate, voter);
			if (key !== undefined && this.#verifier.verify(signature, digest, key)) good.add(voter);
			this.signed(house, voter, certificate);
		}
		for (const voters of sets) {
			const count = voters.filter((voter) => good.has(voter)).length;
			if (count >= majorityOf(voters)) continue;
			const text = `${house.name}: block ${certificate.index} has ${count} of ${voters.length} signatures`;
			throw new Violation(BY_CERTIFICATE, text);
		}
	}
}

/**
 * Voter changes come one at a time: at most one in any log is uncommitted, and each lies on a block of its own term, so
 * that none of another term can be uncommitted anywhere (Ongaro 2015).
 */
function checkVoterChanges(house: House, raft: RaftState): void {
	let parentTerm = raft.base.term;
	let changes = 0;
	for (const { block } of raft.tail) {
		if (voterChangeOf(block) !== undefined) {
			changes += 1;
			if (changes > 1) throw new Violation("one voter change at a time", `${house.name} has ${changes}`);
			if (parentTerm !== block.term) {
				const text = `${house.name} has one of term ${block.term} on a block of term ${parentTerm}`;
				throw new Violation("a voter change lies on a block of its own term", text);
			}
		}
		parentTerm = block.term;
	}
}
