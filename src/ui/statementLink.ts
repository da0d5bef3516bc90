/**
 * What a printed statement carries in its QR code: which neighbourhood it is of, the block at which it was made, and whose
 * it is. It stands behind `#`, so no server hears it. It proves no figure: it says where the ones who have the chain can look.
 */
import { fromBase64Url, toBase64Url } from "../primitives/base64.js";
import { fromHex, toHex } from "../primitives/bytes.js";

/** Ids in hex. */
export interface StatementLink {
	readonly gridId: string;
	readonly blockIndex: number;
	readonly blockHash: string;
	readonly householdId: string;
}

const HASH_BYTES = 32;
const KEY_BYTES = 33;

/** The fragment, without `#`. */
export function statementFragment({ gridId, blockIndex, blockHash, householdId }: StatementLink): string {
	return `statement=${[base64Of(gridId), blockIndex, base64Of(blockHash), base64Of(householdId)].join(".")}`;
}

/** Undefined: it is none. */
export function readStatementFragment(fragment: string): StatementLink | undefined {
	const match = /^#?statement=([\w-]+)\.(\d{1,15})\.([\w-]+)\.([\w-]+)$/.exec(fragment);
	const [gridId, blockHash, householdId] = [match?.[1], match?.[3], match?.[4]].map((text) =>
		fromBase64Url(text ?? ""),
	);
	if (gridId?.length !== HASH_BYTES || blockHash?.length !== HASH_BYTES || householdId?.length !== KEY_BYTES) {
		return undefined;
	}
	const link = {
		gridId: toHex(gridId),
		blockIndex: Number(match?.[2]),
		blockHash: toHex(blockHash),
		householdId: toHex(householdId),
	};
	// One text for one link: nothing stands behind it.
	return statementFragment(link) === fragment.replace(/^#/, "") ? link : undefined;
}

function base64Of(hex: string): string {
	const bytes = fromHex(hex);
	return toBase64Url(bytes.ok ? bytes.value : new Uint8Array());
}
