/** What is kept for ever of how a chain began and who came to vote: all that is checked later is checked from there. */
import type { Anchor } from "../block/anchor.js";
import { ok, type Result } from "../primitives/result.js";
import type { Verifier } from "../primitives/signature.js";
import type { Link } from "./chain.js";
import { openGenesisLink } from "./loading.js";
import { openRecord } from "./records.js";
import type { ChainStorage, StorageError } from "./storage.js";
import { decodeAnchorRecord } from "./voterSteps.js";

export interface Origin {
	readonly genesis: Link;
	/** All voter changes that can be read, ascending. */
	readonly changes: readonly Anchor[];
}

/** Reads it; undefined: the genesis is damaged. */
export async function readOrigin(
	storage: ChainStorage,
	verifier: Verifier,
): Promise<Result<Origin | undefined, StorageError>> {
	const first = await storage.readBlocks(0, 1);
	if (!first.ok) return first;
	const content = openRecord(first.value[0]?.record ?? new Uint8Array());
	const genesis = content.ok ? openGenesisLink(content.value, verifier) : undefined;
	const steps = await storage.voterSteps(0);
	if (!steps.ok) return steps;
	const changes = steps.value.flatMap(({ record }) => {
		const anchor = decodeAnchorRecord(record);
		return anchor.ok ? [anchor.value] : [];
	});
	return ok(genesis === undefined ? undefined : { genesis, changes });
}
