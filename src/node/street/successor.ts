/**
 * What a device that does not vote any more hands to the one that takes its place in this browser: the household's key
 * and settings, the bank accounts that it knows, and whatever waits, so that no reading is lost. Readings are signed anew: those of the old device count
 * for nothing once the new one meters. Acts are the household's, and stay as they are.
 */
import type { Transaction } from "../../block/transaction.js";
import { ok, type Result } from "../../primitives/result.js";
import { sealTransaction } from "../outbox.js";
import { type ChainConfig, encodeConfig, type Keys } from "../records.js";
import type { ChainChange, StorageError } from "../storage.js";
import type { StreetContext } from "./context.js";

/** The first write of the new device's database; with the genesis, so that it is a guest of the street at once. */
export async function createSuccessor(
	context: StreetContext,
	keys: Keys,
	accounts: Pick<ChainChange, "accounts">,
): Promise<Result<ChainChange, StorageError>> {
	const genesis = await context.storage.readBlocks(0, 1);
	if (!genesis.ok) return genesis;
	const outboxPut = [...context.outbox.all()].map(({ id, transaction }) => ({
		id,
		transaction: sealTransaction(signedAnew(context, transaction, keys.deviceSecret)),
	}));
	return ok({
		config: encodeConfig(successorConfig(context, keys)),
		install: { blocks: genesis.value, upToIndex: 0, certificate: undefined },
		outboxPut: [...outboxPut, ...context.outbox.refusalRecords()],
		...accounts,
	});
}

function signedAnew(context: StreetContext, transaction: Transaction, deviceSecret: Uint8Array): Transaction {
	if (transaction.kind !== "reading") return transaction;
	return { ...transaction, signature: context.sign(transaction, deviceSecret) };
}

function successorConfig(context: StreetContext, keys: Keys): ChainConfig {
	const { chain, config, device, member, newestKey } = context;
	const { block, hash } = chain.head;
	return {
		...config,
		// Nobody knows the new device yet, and under an old key strangers are not heard for long.
		...newestKey,
		keys,
		bootCount: 0,
		invitationLink: undefined,
		// Nobody can lead the new device to a chain without the blocks that this one has seen certified.
		pin: { index: block.index, hash: hash.slice(0, 16) },
		admission: { member, replaces: device, beside: false },
	};
}
