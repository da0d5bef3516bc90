/**
 * A proposal to found the neighbourhood again, as this device makes one of its committed head; and whether another's
 * goes on from what this device holds.
 */
import type { Certificate } from "../block/certificate.js";
import type { RefoundTransaction } from "../block/kinds/founding.js";
import type { Unsigned } from "../block/transaction.js";
import { type Device, isInUse, type Ledger } from "../contract/ledger.js";
import { predecessorState } from "../contract/predecessor.js";
import { snapshotOf } from "../contract/snapshot.js";
import { MAX_VOTERS, MIN_VOTERS } from "../contract/voters.js";
import { equalBytes } from "../primitives/bytes.js";
import type { Link } from "./chain.js";
import { headerOf } from "./voterSteps.js";

/**
 * Who would vote: devices that are always on and can be reached now, one of each household that stays; with fewer than three of
 * them, this device alone, or the first that can be reached where the chain does not know this one. Ascending; none:
 * nobody could.
 */
export function plannedVoters(
	{ devices, households }: Pick<Ledger, "devices" | "households">,
	self: number | undefined,
	isReached: (device: number) => boolean,
): number[] {
	const reached = devices.filter(
		(device) =>
			isInUse(device) &&
			households[device.household]?.removal === undefined &&
			(device.index === self || isReached(device.index)),
	);
	const represented = new Set<number>();
	const always = reached.filter(({ alwaysOn, household }) => {
		if (!alwaysOn || represented.has(household)) return false;
		represented.add(household);
		return true;
	});
	if (always.length >= MIN_VOTERS) return always.slice(0, MAX_VOTERS).map(({ index }) => index);
	const alone: Device | undefined = reached.find(({ index }) => index === self) ?? always[0] ?? reached[0];
	return alone === undefined ? [] : [alone.index];
}

/** The proposal that goes on from a committed head, which its own certificate covers. */
export function plannedRefounding(
	{ block, ledger, results, resultsRoot }: Link,
	certificate: Certificate,
	choice: Pick<RefoundTransaction, "member" | "voters" | "timestampMs" | "salt">,
): Unsigned<RefoundTransaction> {
	const [root, ...state] = snapshotOf(ledger, results).leaves;
	const leaves = [resultsRoot ?? root ?? new Uint8Array(), ...state];
	const { name, blockIntervalMs, settlementGraceBlocks, readingWindowBlocks, checkpointBlocks, timeScale } =
		ledger.parameters;
	return {
		kind: "refound",
		name,
		blockIntervalMs,
		settlementGraceBlocks,
		readingWindowBlocks,
		checkpointBlocks,
		timeScale,
		...choice,
		predecessor: predecessorState(ledger, headerOf(block), certificate, leaves),
	};
}

export type PastError =
	/** Of another neighbourhood, or one that was founded on something else. */
	| { code: "refounding-of-another" }
	/** This device holds a certified block above the one that is said to be the last. */
	| { code: "refounding-below-certified"; index: number; haveIndex: number }
	/** At that height this device holds another certified block. */
	| { code: "refounding-other-block"; index: number };

/** Whether a `refound` goes on from this device's own chain, and from no block below its committed head. */
export function pastRefusal(
	refound: RefoundTransaction,
	last: { readonly index: number; readonly hash: Uint8Array },
	{ block, hash, ledger }: Link,
	gridId: Uint8Array,
): PastError | undefined {
	const { parameters } = ledger;
	const isSame =
		equalBytes(refound.predecessor.gridId, gridId) &&
		refound.name === parameters.name &&
		refound.blockIntervalMs === parameters.blockIntervalMs &&
		refound.settlementGraceBlocks === parameters.settlementGraceBlocks &&
		refound.readingWindowBlocks === parameters.readingWindowBlocks &&
		refound.checkpointBlocks === parameters.checkpointBlocks &&
		refound.timeScale === parameters.timeScale;
	if (!isSame) return { code: "refounding-of-another" };
	const { index } = last;
	if (index < block.index) return { code: "refounding-below-certified", index, haveIndex: block.index };
	if (index === block.index && !equalBytes(last.hash, hash)) return { code: "refounding-other-block", index };
	return undefined;
}
