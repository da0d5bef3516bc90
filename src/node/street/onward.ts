/**
 * What a device takes along into the chain that its neighbourhood was founded again with: its keys and settings, its
 * minutes for the graphs, what its market was matched from, and whatever waits. Signatures hold for one chain only, so readings are signed anew, and so is
 * what the household had asked for; but who votes was decided with the founding.
 */
import { encodeBlock } from "../../block/block.js";
import type { Transaction } from "../../block/transaction.js";
import { transactionId } from "../../block/transaction.js";
import { hasMinute } from "../../contract/minuteRanges.js";
import type { Link } from "../chain.js";
import { idOf } from "../mempool.js";
import { refusalKeyOf, sealTransaction } from "../outbox.js";
import { encodeConfig, sealRecord } from "../records.js";
import type { ChainChange, StoredDay, StoredIntervals } from "../storage.js";
import type { StreetContext } from "./context.js";

/** The first write of the new chain's database. The old one stays as it is. */
export function createOnward(
	context: StreetContext,
	genesis: Link,
	days: readonly StoredDay[],
	intervals: readonly StoredIntervals[],
): ChainChange {
	const { config, outbox } = context;
	const outboxPut = [...outbox.all()].flatMap(({ id, transaction }) => {
		if (!goesAlong(transaction, genesis)) return [];
		const again = signedAnew(context, transaction, genesis.hash);
		if (again !== undefined) return [{ id: idOf(again, genesis.hash), transaction: sealTransaction(again) }];
		const refusal = outbox.refusalRecord(id, "locked-at-refounding");
		return refusal === undefined ? [] : [{ id: refusalKeyOf(id), transaction: refusal }];
	});
	return {
		config: encodeConfig({ ...config, bootCount: 0, lobbyId: undefined, invitationLink: undefined, pin: undefined }),
		install: {
			blocks: [{ index: 0, record: sealRecord(encodeBlock(genesis.block)) }],
			upToIndex: 0,
			certificate: undefined,
		},
		days,
		...(intervals.length === 0 ? {} : { intervals: { days: intervals, keepFromDay: 0 } }),
		outboxPut: [...outboxPut, ...outbox.refusalRecords()],
	};
}

function goesAlong(transaction: Transaction, { ledger }: Link): boolean {
	switch (transaction.kind) {
		case "reading":
			return !hasMinute(ledger.households[transaction.member]?.seen ?? [], transaction.minute);
		case "offer":
		case "withdraw":
		case "accept":
		case "end":
		case "buy":
		case "issue":
		case "payout":
		case "revoke":
		// What a household says about itself, and whom it wants as operator, must not be lost on the way.
		case "contest":
		case "appoint":
			return true;
		default:
			return false;
	}
}

/** Undefined: the household's key is locked. What it asked for then has to be asked for once more, and is shown so. */
function signedAnew(
	{ config, dependencies, household }: StreetContext,
	transaction: Transaction,
	gridId: Uint8Array,
): Transaction | undefined {
	const digest = transactionId(transaction, gridId);
	if (transaction.kind === "reading") {
		return { ...transaction, signature: dependencies.signer.sign(digest, config.keys.deviceSecret) };
	}
	return household.isLocked ? undefined : ({ ...transaction, signature: household.sign(digest) } as Transaction);
}
