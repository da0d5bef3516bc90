/** What the screens draw of founding the neighbourhood again. */

import { refoundersOf } from "../contract/confirmations.js";
import type { Ledger } from "../contract/ledger.js";
import { toHex } from "../primitives/bytes.js";
import { divideFloor } from "../primitives/units.js";
import type { Street } from "./street.js";
import type { PredecessorView, RefoundingView } from "./view.js";

/** Undefined: there is no reason to found anything again, and nobody wants to. */
export function refoundingView(street: Street): RefoundingView | undefined {
	const { refounding, member } = street;
	if (member === undefined) return undefined;
	const { founded, proposed, standsAside } = refounding;
	const { head } = street.chain;
	if (founded !== undefined) {
		const { ledger } = founded.link;
		const { predecessor } = ledger;
		const [refound] = founded.link.block.transactions;
		if (predecessor === undefined || refound?.kind !== "refound") return undefined;
		const unconfirmed = new Set(predecessor.unconfirmed);
		return viewOf(street, ledger, member, {
			state: "founded",
			proposal: toHex(predecessor.proposal),
			proposer: refound.member,
			block: { index: predecessor.index, hash: predecessor.hash, timestampMs: refound.timestampMs },
			voters: ledger.voters,
			confirmed: ledger.households.map(({ index }) => index).filter((index) => !unconfirmed.has(index)),
		});
	}
	if (proposed !== undefined) {
		const { refound, old, proposal } = proposed.open;
		return viewOf(street, old.ledger, member, {
			state: standsAside ? "confirmed" : "proposed",
			elsewhere: refounding.isProposedElsewhere,
			proposal: toHex(proposal),
			proposer: refound.member,
			block: { index: old.header.index, hash: old.hash, timestampMs: old.header.timestampMs },
			voters: refound.voters,
			confirmed: [...proposed.confirmed].sort((a, b) => a - b),
		});
	}
	const movesOut = head.ledger.households[member]?.removal !== undefined;
	if (refounding.hasMajority || movesOut) return undefined;
	return viewOf(street, head.ledger, member, {
		state: "possible",
		proposer: member,
		block: { index: head.block.index, hash: head.hash, timestampMs: head.block.timestampMs },
		voters: refounding.plannedVoters,
		confirmed: [],
	});
}

interface Shown {
	state: RefoundingView["state"];
	proposal?: string;
	proposer: number;
	elsewhere?: boolean;
	block: { index: number; hash: Uint8Array; timestampMs: number };
	voters: readonly number[];
	confirmed: number[];
}

function viewOf(street: Street, ledger: Ledger, member: number, shown: Shown): RefoundingView {
	const { block, voters, elsewhere = false, ...rest } = shown;
	const asked = refoundersOf(ledger);
	const live = ledger.liveContracts.map((index) => ledger.contracts[index]);
	return {
		...rest,
		mine: shown.proposer === member,
		elsewhere,
		blockIndex: block.index,
		blockHash: toHex(block.hash),
		blockTimestampMs: block.timestampMs,
		voters: voters.map((voter) => ledger.devices[voter]?.household ?? member),
		// More than two thirds.
		needed: divideFloor(asked.length * 2, 3) + 1,
		households: asked.length,
		counted: asked.filter(({ index }) => shown.confirmed.includes(index)).length,
		members: ledger.households.map(({ name }) => name),
		balanceMicroNok: ledger.households[member]?.balanceMicroNok ?? 0,
		ownContracts: live.filter((contract) => contract?.seller === member || contract?.buyer === member).length,
		contracts: live.length,
		majority: street.refounding.hasMajority,
		newOperator: !ledger.households.some(
			({ index, operator, suspended }) =>
				operator && suspended !== true && (index === shown.proposer || shown.confirmed.includes(index)),
		),
	};
}

/** Undefined: this is the neighbourhood's first chain. */
export function predecessorView({ predecessor, genesisTimestampMs }: Ledger): PredecessorView | undefined {
	if (predecessor === undefined) return undefined;
	const { gridId, index, hash, unconfirmed } = predecessor;
	return {
		gridId: toHex(gridId),
		blockIndex: index,
		blockHash: toHex(hash),
		timestampMs: genesisTimestampMs,
		unconfirmed: [...unconfirmed],
	};
}
