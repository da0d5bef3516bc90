/** Genesis: block 0, with the founding parameters and everybody who was in the lobby. */
import { BLOCK_VERSION, type Block, type BlockHeader, blockHash, transactionsRoot } from "../block/block.js";
import type { FoundTransaction } from "../block/kinds/founding.js";
import type { JoinTransaction } from "../block/kinds/members.js";
import { EMPTY_RANGE } from "../block/merkle.js";
import type { Transaction } from "../block/transaction.js";
import { transactionId } from "../block/transaction.js";
import { equalBytes } from "../primitives/bytes.js";
import { ZERO_HASH } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import { foundingMarket } from "./automaticMarket.js";
import type { Draft, Ledger } from "./ledger.js";
import { applyJoin } from "./members.js";
import { monthToNet } from "./netting.js";
import type { Refusal } from "./refusal.js";
import { NO_RESULTS } from "./settlement.js";
import { isFoundingJoinSigned } from "./signers.js";
import { stateRoot } from "./stateRoot.js";
import { MAX_VOTERS, MIN_VOTERS } from "./voters.js";

export type GenesisError =
	| { code: "bad-genesis"; what: "header" | "transactions" | "founder-signature" | "member-signature" | "state-root" }
	| { code: "bad-founding-member"; at: number; cause: Refusal };

/** Writes the genesis block. The founder's `join` comes first. */
export function createGenesis(
	found: FoundTransaction,
	joins: readonly JoinTransaction[],
	timestampMs: number,
): Result<Block, GenesisError> {
	const executed = foundingLedger(found, joins, timestampMs);
	if (!executed.ok) return executed;
	return ok(firstBlock([found, ...joins], timestampMs, executed.value));
}

/** The block that stands before all others, and makes a ledger of its transactions. */
export function firstBlock(transactions: readonly Transaction[], timestampMs: number, ledger: Ledger): Block {
	return {
		version: BLOCK_VERSION,
		index: 0,
		previousHash: ZERO_HASH,
		timestampMs,
		term: 0,
		proposer: 0,
		transactionsRoot: transactionsRoot(transactions, timestampMs),
		stateRoot: stateRoot(ledger, NO_RESULTS),
		transactions,
	};
}

/** Checks a genesis block and makes the first ledger of it. */
export function openGenesis(block: Block, verifier: Verifier): Result<Ledger, GenesisError> {
	if (!isGenesisHeader(block)) return refused({ code: "bad-genesis", what: "header" });
	const [found, ...rest] = block.transactions;
	const joins = rest.filter((transaction) => transaction.kind === "join");
	const founder = joins[0];
	if (found?.kind !== "found" || founder === undefined || joins.length !== rest.length) {
		return refused({ code: "bad-genesis", what: "transactions" });
	}
	if (!verifier.verify(found.signature, transactionId(found, ZERO_HASH), founder.householdKey)) {
		return refused({ code: "bad-genesis", what: "founder-signature" });
	}
	if (!joins.every((join) => join.invitation === undefined && isFoundingJoinSigned(join, verifier))) {
		return refused({ code: "bad-genesis", what: "member-signature" });
	}
	const executed = foundingLedger(found, joins, block.timestampMs);
	if (!executed.ok) return executed;
	if (!equalBytes(stateRoot(executed.value, NO_RESULTS), block.stateRoot)) {
		return refused({ code: "bad-genesis", what: "state-root" });
	}
	return ok({ ...executed.value, gridId: blockHash(block) });
}

/** Whether a block can be the first of a chain. */
export function isGenesisHeader({ version, index, previousHash, term, proposer }: BlockHeader): boolean {
	return (
		version === BLOCK_VERSION && index === 0 && equalBytes(previousHash, ZERO_HASH) && term === 0 && proposer === 0
	);
}

/** The ledger after genesis; its grid id is still zeros, since the genesis block's hash covers the ledger's root. */
function foundingLedger(
	found: FoundTransaction,
	joins: readonly JoinTransaction[],
	timestampMs: number,
): Result<Ledger, GenesisError> {
	const { kind: _kind, signature: _signature, ...parameters } = found;
	const draft: Draft = {
		gridId: ZERO_HASH,
		parameters,
		index: 0,
		timestampMs,
		genesisTimestampMs: timestampMs,
		households: [],
		devices: [],
		voters: [],
		votersSinceIndex: 0,
		offers: new Map(),
		contracts: [],
		liveContracts: [],
		orders: new Map(),
		demands: new Map(),
		counted: [],
		countedTotal: 0,
		history: EMPTY_RANGE,
		usedInvitations: new Map(),
		locks: new Map(),
		corrections: new Map(),
		claims: new Map(),
		issuedMicroNok: 0,
		paidOutMicroNok: 0,
		bank: undefined,
		moneyProposal: undefined,
		nettedMonth: monthToNet(parameters, timestampMs),
		iceServers: undefined,
		operatorRecord: undefined,
		keyRotations: undefined,
		tariff: undefined,
		market: foundingMarket(parameters.terms?.market, timestampMs),
		predecessor: undefined,
	};
	for (const [at, join] of joins.entries()) {
		const cause = applyJoin(draft, join);
		if (cause !== undefined) return refused({ code: "bad-founding-member", at, cause });
	}
	const alwaysOn = draft.devices.filter((device) => device.alwaysOn).slice(0, MAX_VOTERS);
	draft.voters = alwaysOn.length < MIN_VOTERS ? [0] : alwaysOn.map((device) => device.index);
	return ok(draft);
}
