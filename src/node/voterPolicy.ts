/**
 * Whom the operator's node lets vote by itself: devices that are always on and have caught up, one of each household, at
 * most 25. It never takes a voter away because it is silent: the quorum is not shrunk by a machine. Only a device goes that
 * its own household took out of use, or whose household moves out or has got another key.
 */
import { type Device, type Household, isInUse, type Ledger } from "../contract/ledger.js";
import { isLeaving } from "../contract/standing.js";
import { MAX_VOTERS, MIN_VOTERS } from "../contract/voters.js";

/** A device must have kept up for so long before it votes. */
export const CAUGHT_UP_MS = 30_000;
/** A block or two behind is the normal way of a block. */
export const CAUGHT_UP_BLOCKS = 2;

export interface VoterPolicyView {
	ledger: Pick<Ledger, "countedTotal" | "devices" | "voters"> & {
		readonly households: readonly Pick<Household, "notice" | "removal">[];
	};
	/** Devices that the operator took off the list by hand. */
	excluded: readonly number[];
	/** For how long a device has kept up with the head, ms; 0: it does not, or is not connected. */
	caughtUpMs(device: number): number;
}

export interface VoterStep {
	added: readonly number[];
	removed: readonly number[];
}

/** The next change, if one is due. */
export function planVoters(view: VoterPolicyView): VoterStep | undefined {
	const { voters } = view.ledger;
	const isUnused = (voter: number) => !isInUse(view.ledger.devices[voter]);
	// Who is out of use goes first: it is missing from the majority that has to stay without the others.
	const leaving = voters.find(isUnused) ?? voters.find((voter) => isLeaving(view.ledger, voter));
	if (leaving !== undefined && voters.length > 1) return { added: [], removed: [leaving] };
	const candidates = candidatesOf(view);
	// Two voters are worse than one, for both have to be there; but who votes alone and goes has to be replaced.
	const count = voters.length > 1 || (leaving !== undefined && candidates.length < MIN_VOTERS) ? 1 : 2;
	if (candidates.length < count || voters.length + count > MAX_VOTERS) return undefined;
	return { added: candidates.slice(0, count).map(({ index }) => index), removed: [] };
}

function candidatesOf({ ledger, excluded, caughtUpMs }: VoterPolicyView): Device[] {
	const represented = new Set(ledger.voters.map((voter) => ledger.devices[voter]?.household));
	return ledger.devices.filter((device) => {
		const { index, household, alwaysOn } = device;
		if (isLeaving(ledger, index) || !alwaysOn || excluded.includes(index) || represented.has(household)) return false;
		if (caughtUpMs(index) < CAUGHT_UP_MS) return false;
		represented.add(household);
		return true;
	});
}
