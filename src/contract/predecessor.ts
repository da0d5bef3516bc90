/**
 * The chain that a neighbourhood is founded again from, and what its state becomes. A `refound` carries the old chain's
 * last certified block with every leaf of its state: whoever reads it needs nothing else to know that a majority of the
 * old voters stood behind that state. Which of the old blocks is the last one, only those can say who were there: each
 * compares with what its own device holds before it confirms.
 */
import * as v from "valibot";
import { type BlockHeader, blockHash, headerFields, headerShape } from "../block/block.js";
import { type Certificate, certificateFields, certificateShape } from "../block/certificate.js";
import type { PredecessorState, RefoundTransaction } from "../block/kinds/founding.js";
import { EMPTY_RANGE } from "../block/merkle.js";
import type { VoterSet } from "../block/voters.js";
import { equalBytes } from "../primitives/bytes.js";
import { decode, encode } from "../primitives/codec.js";
import { ZERO_HASH } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { type ChunkError, checkManifest, manifestOf } from "./chunks.js";
import { type Device, type Household, isInUse, type Ledger } from "./ledger.js";
import { noticeAnew } from "./notices.js";
import { openSnapshot, type SnapshotError } from "./snapshot.js";
import { MAX_VOTERS, MIN_VOTERS } from "./voters.js";

export type PredecessorError =
	| ChunkError
	| SnapshotError
	| { code: "bad-predecessor"; what: "header" | "certificate" | "state" | "timestamp" }
	/** The old voters do not stand behind the block: `cause` says why. */
	| { code: "predecessor-not-certified"; index: number; cause: string }
	| { code: "unknown-member"; member: number }
	/** Not one and not at least three, or more than may vote, or not ascending. */
	| { code: "refounding-voters"; voters: number }
	| { code: "unknown-device"; device: number }
	| { code: "household-votes-already"; member: number };

/** How a majority is made sure of: `consensus/certificate`, of which the ledger's layer knows nothing. */
export type CertificateCheck = (
	certificate: Certificate,
	sets: readonly VoterSet[],
	keyOf: (voter: number) => Uint8Array | undefined,
	gridId: Uint8Array,
	verifier: Verifier,
) => Result<Certificate, { code: string }>;

/** The old chain at its last certified block. */
export interface OldChain {
	readonly ledger: Ledger;
	readonly header: BlockHeader;
	readonly hash: Uint8Array;
}

/** What a `refound` says of the old chain at a block: its own certificate, and the leaves of its state. */
export function predecessorState(
	{ gridId, genesisTimestampMs }: Pick<Ledger, "gridId" | "genesisTimestampMs">,
	header: BlockHeader,
	certificate: Certificate,
	leaves: readonly Uint8Array[],
): PredecessorState {
	return {
		gridId,
		genesisTimestampMs,
		header: encode(headerFields(header)),
		certificate: encode(certificateFields(certificate)),
		leaves,
	};
}

const MAX_HEADER_BYTES = 1_024;
const MAX_CERTIFICATE_BYTES = 16 * 1_024;

/**
 * Checks everything about a `refound` but its signature: that the block is certified by a majority of those who voted
 * after it, that the leaves are its state, that the state is of the chain that is named, and that its devices can vote.
 */
export function openPredecessor(
	refound: Omit<RefoundTransaction, "signature">,
	verifier: Verifier,
	checkCertificate: CertificateCheck,
): Result<OldChain, PredecessorError> {
	const { predecessor } = refound;
	const { gridId, genesisTimestampMs, leaves } = predecessor;
	const header = shaped(predecessor.header, MAX_HEADER_BYTES, headerShape);
	if (header === undefined) return refused({ code: "bad-predecessor", what: "header" });
	const certificate = shaped(predecessor.certificate, MAX_CERTIFICATE_BYTES, certificateShape);
	const hash = blockHash(header);
	const { index } = header;
	// A genesis has no certificate: where nothing was ever agreed upon there is nothing to go on from.
	if (certificate === undefined || index === 0 || certificate.index !== index || !equalBytes(certificate.hash, hash)) {
		return refused({ code: "bad-predecessor", what: "certificate" });
	}
	if (refound.timestampMs <= header.timestampMs) return refused({ code: "bad-predecessor", what: "timestamp" });
	const matches = checkManifest(manifestOf(leaves), header.stateRoot);
	if (!matches.ok) return matches;
	const { blockIntervalMs, settlementGraceBlocks, readingWindowBlocks, checkpointBlocks, timeScale } = refound;
	const pace = { blockIntervalMs, settlementGraceBlocks, readingWindowBlocks, checkpointBlocks, timeScale };
	const parameters = { name: refound.name, ...pace, salt: refound.salt, ...STATE_SAYS };
	const opened = openSnapshot({ gridId, parameters, genesisTimestampMs }, leaves);
	if (!opened.ok) return opened;
	const ledger = opened.value;
	if (ledger.index !== index || ledger.timestampMs !== header.timestampMs) {
		return refused({ code: "bad-predecessor", what: "state" });
	}
	const keyOf = (voter: number) => ledger.devices[voter]?.publicKey;
	const certified = checkCertificate(certificate, [ledger.voters], keyOf, gridId, verifier);
	if (!certified.ok) return refused({ code: "predecessor-not-certified", index, cause: certified.error.code });
	const proposer = ledger.households[refound.member];
	// It may have to be the operator.
	if (proposer === undefined || proposer.removal !== undefined) {
		return refused({ code: "unknown-member", member: refound.member });
	}
	const refusal = votersRefusal(ledger, refound.voters);
	return refusal === undefined ? ok({ ledger, header, hash }) : refused(refusal);
}

/** Overwritten by what the state says: these change by the rules. */
const STATE_SAYS = {
	moneyKind: "trial",
	retailMicroNokPerWh: 0,
	feedInMicroNokPerWh: 0,
	localFeeMicroNokPerWh: 0,
	terms: undefined,
} as const;

function shaped<T>(bytes: Uint8Array, limitBytes: number, shape: v.GenericSchema<unknown, T>): T | undefined {
	const value = decode(bytes, limitBytes);
	const read = value.ok ? v.safeParse(shape, value.value, { abortEarly: true }) : undefined;
	return read?.success === true ? read.output : undefined;
}

/** As at a founding: one voter, or three and more, of one household each. */
function votersRefusal(ledger: Ledger, voters: readonly number[]): PredecessorError | undefined {
	const isCount = voters.length === 1 || (voters.length >= MIN_VOTERS && voters.length <= MAX_VOTERS);
	const isAscending = voters.every((voter, at) => at === 0 || (voters[at - 1] ?? voter) < voter);
	if (!isCount || !isAscending) return { code: "refounding-voters", voters: voters.length };
	const households = new Set<number>();
	for (const voter of voters) {
		const device = ledger.devices[voter];
		const isOut = !isInUse(device) || ledger.households[device.household]?.removal !== undefined;
		if (isOut) return { code: "unknown-device", device: voter };
		if (households.has(device.household)) return { code: "household-votes-already", member: device.household };
		households.add(device.household);
	}
	return undefined;
}

/**
 * The first ledger of the new chain: the old one, with what belongs to the chain begun anew. Balances, contracts,
 * offers, orders, nonces, indices of members and devices, what was read, settled and counted go on as they are. So the
 * money is what it was; a minute that settled lies below its seller's cursor and never settles again; and one that did
 * not waits for its readings and its grace in the new chain, as after any time in which the chain stood still. What was
 * signed for the old chain is worth nothing here: its readings are signed anew, its invitations are void. Its grid id is
 * still zeros, since the genesis block's hash covers its root.
 */
export function refoundedLedger(
	{ ledger, header, hash }: OldChain,
	refound: Omit<RefoundTransaction, "signature">,
	proposal: Uint8Array,
	unconfirmed: readonly number[],
): Ledger {
	const { timestampMs, voters, salt } = refound;
	return {
		...ledger,
		gridId: ZERO_HASH,
		parameters: { ...ledger.parameters, salt },
		index: 0,
		timestampMs,
		genesisTimestampMs: timestampMs,
		devices: withoutIndices(ledger.devices),
		voters,
		votersSinceIndex: 0,
		countedTotal: 0,
		history: EMPTY_RANGE,
		households: withOperator(withNoticesAnew(ledger), refound.member, unconfirmed),
		usedInvitations: new Map(),
		predecessor: { gridId: refound.predecessor.gridId, index: header.index, hash, proposal, unconfirmed },
	};
}

/** What went out of use in the old chain is so from the new one's first block on. */
function withoutIndices(devices: readonly Device[]): readonly Device[] {
	return devices.map((device) => (isInUse(device) ? device : { ...device, revokedIndex: 0 }));
}

/** Who could not object while the chain stood still has all of the time to do so again: blocks are counted anew. */
function withNoticesAnew({ households, parameters }: Ledger): readonly Household[] {
	return households.map((household) => {
		const { notice } = household;
		if (notice === undefined) return household;
		return { ...household, notice: noticeAnew({ countedTotal: 0, parameters }, notice) };
	});
}

/**
 * Where no operator goes over, whoever proposed it becomes one as well: a neighbourhood needs somebody who invites and
 * lets devices vote, and as many households stand behind it as that role takes where the operator's key is lost.
 */
function withOperator(
	households: readonly Household[],
	proposer: number,
	unconfirmed: readonly number[],
): readonly Household[] {
	const isLed = households.some(({ index, operator, suspended }) => {
		return operator && suspended !== true && !unconfirmed.includes(index);
	});
	if (isLed) return households;
	return households.map((household) => {
		return household.index === proposer ? { ...household, operator: true, suspended: false } : household;
	});
}
