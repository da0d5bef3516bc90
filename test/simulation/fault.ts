/** What can go wrong. A fault is data: it is drawn beforehand, printed, and taken away when a failure is cut down. */
import type { PowerOffFate, WriteKind } from "./disk.js";

/** A moment that a fault waits for: the next write of this kind, by somebody of this role or by this house. */
export interface Boundary {
	write: WriteKind | "any";
	by: "leader" | "follower" | "anybody" | number;
}

export type Fault = { atMs: number } & (
	| { kind: "loss"; forMs: number; rate: number }
	/** Some frames come again, or come later than those after them, by at most so much. */
	| { kind: "duplication" | "reordering"; forMs: number; rate: number; lateMs: number }
	| { kind: "delay"; forMs: number; delayMs: number }
	/** Votes and acknowledgements come so late that their senders' other words overtake them. */
	| { kind: "late replies"; forMs: number; lateMs: number }
	/** Two groups: bit k of the mask says where house k is. */
	| { kind: "partition"; forMs: number; mask: number }
	/** Nothing comes to this house, or nothing comes from it. */
	| { kind: "one-way partition"; forMs: number; house: number; inbound: boolean }
	/** Two houses do not reach one another; everybody else reaches both. */
	| { kind: "non-transitive partition"; forMs: number; a: number; b: number }
	| { kind: "channels close"; house: number }
	/**
	 * At a write: it never reaches the disk, it does but nobody hears, it tears, or the power goes right after it. What
	 * `closes` is a page that goes by itself: it tells its node, which hands leadership over.
	 */
	| { kind: "crash"; boundary: Boundary; fate: PowerOffFate | "after"; downMs: number; closes: boolean }
	/** At a write, its house is cut off. */
	| { kind: "isolation"; boundary: Boundary; forMs: number }
	/**
	 * Leaders in turn (Raft paper, figure 8): at such a write of the leader it is cut off, at the next one of the next
	 * leader that one is, and the one before comes back, with what it has that others have not. At most so long each.
	 */
	| { kind: "leaders in turn"; writes: WriteKind[]; forMs: number }
	/** At a write, its house freezes; a node that is busy with it hears only afterwards that its page was about to. */
	| { kind: "freeze"; boundary: Boundary | undefined; house: number; forMs: number; drops: boolean; closes: boolean }
	/** These houses sleep. */
	| { kind: "night"; forMs: number; houses: number[]; closes: boolean }
	| { kind: "clock jump"; house: number; jumpMs: number; forMs: number }
	| { kind: "clock drift"; house: number; ppm: number }
	| { kind: "timer throttled"; house: number; forMs: number }
	| { kind: "slow validation"; house: number; forMs: number; inputMs: number }
	| { kind: "slow disk"; house: number; forMs: number; writeMs: number }
	/** All of its data is lost; the household joins again with a new identity. */
	| { kind: "storage wiped"; house: number; downMs: number }
	/** What was on its disk `ageMs` ago is put back. */
	| { kind: "backup restored"; house: number; ageMs: number; downMs: number }
	/** A copy of its disk comes to life beside it. */
	| { kind: "clone"; house: number; forMs: number }
	/** For the voters transaction: the set of voters is changed while other things go wrong. */
	| { kind: "voter change"; house: number }
	/**
	 * The operator takes a device off the voters' list; later its household comes again with a new one, by its restore
	 * link, which takes the old one's place.
	 */
	| { kind: "remove and rejoin"; house: number; awayMs: number }
);
