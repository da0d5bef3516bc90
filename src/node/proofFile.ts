/**
 * A proof file: JSON with a head that a person can read, and parts in base64url, each deterministic CBOR. What the parts
 * say is in `proofFileParts`, what they prove in `proofFileCheck`.
 */
import * as v from "valibot";
import { fromBase64Url, toBase64Url } from "../primitives/base64.js";
import { fromHex, toHex } from "../primitives/bytes.js";
import { encode } from "../primitives/codec.js";
import { HASH_BYTES, taggedHash } from "../primitives/hash.js";
import { ok, type Result, refused } from "../primitives/result.js";

const FORMAT = "nabostrom-proof";
const VERSION = 1;
/** Many times what the longest chain of voter changes takes. */
export const MAX_PROOF_FILE_LENGTH = 4 * 1024 * 1024;
const CHECKSUM_BYTES = 8;
const hashFile = taggedHash("proof file");

export interface ProofFile {
	/** What it proves, in short: a line that follows from the parts. */
	readonly proves: string;
	/** Hash of the genesis block. */
	readonly gridId: Uint8Array;
	readonly genesis: Uint8Array;
	/** Ascending. */
	readonly voterChanges: readonly Uint8Array[];
	/** By certificate ascending. */
	readonly parts: readonly Uint8Array[];
}

export type ReadError =
	/** Not a proof file at all, or not as it was written. */
	| { code: "proof-unreadable" }
	| { code: "proof-other-version"; version: number }
	/** It is one, but something in it is not what it was when it was written. */
	| { code: "proof-damaged" };

/** The file's text. */
export function writeProofFile(file: ProofFile): string {
	const { proves, gridId, genesis, voterChanges, parts } = file;
	const fields = {
		format: FORMAT,
		version: VERSION,
		proves,
		gridId: toHex(gridId),
		genesis: toBase64Url(genesis),
		voterChanges: voterChanges.map(toBase64Url),
		parts: parts.map(toBase64Url),
		checksum: toHex(checksumOf(file)),
	};
	return `${JSON.stringify(fields, undefined, 1)}\n`;
}

/** Against accidents: who changes a file on purpose can make another one, and comes no further than the signatures. */
function checksumOf({ proves, gridId, genesis, voterChanges, parts }: ProofFile): Uint8Array {
	return hashFile(encode([VERSION, proves, gridId, genesis, voterChanges, parts])).subarray(0, CHECKSUM_BYTES);
}

const base64 = v.pipe(
	v.string(),
	v.transform(fromBase64Url),
	v.check((bytes) => bytes !== undefined),
	v.transform((bytes) => bytes ?? new Uint8Array()),
);
const hex = v.pipe(
	v.string(),
	v.transform((text) => {
		const bytes = fromHex(text);
		return bytes.ok ? bytes.value : undefined;
	}),
);
const fileShape = v.strictObject({
	format: v.literal(FORMAT),
	version: v.literal(VERSION),
	proves: v.string(),
	gridId: v.pipe(hex, v.instance(Uint8Array), v.length(HASH_BYTES)),
	genesis: base64,
	voterChanges: v.array(base64),
	parts: v.pipe(v.array(base64), v.minLength(1)),
	checksum: v.pipe(hex, v.instance(Uint8Array)),
});
const headShape = v.object({ format: v.literal(FORMAT), version: v.pipe(v.number(), v.safeInteger()) });

/** Reads a file's text. Only what would be written again as it stands is taken, blanks around it and line ends aside. */
export function readProofFile(text: string): Result<ProofFile, ReadError> {
	if (text.length > MAX_PROOF_FILE_LENGTH) return refused({ code: "proof-unreadable" });
	const trimmed = text.replaceAll("\r\n", "\n").trim();
	const parsed = parseJson(trimmed);
	const head = v.safeParse(headShape, parsed);
	if (head.success && head.output.version !== VERSION) {
		return refused({ code: "proof-other-version", version: head.output.version });
	}
	if (!head.success) return refused({ code: "proof-unreadable" });
	const shaped = v.safeParse(fileShape, parsed, { abortEarly: true });
	if (!shaped.success) return refused({ code: "proof-damaged" });
	const { proves, gridId, genesis, voterChanges, parts } = shaped.output;
	const file = { proves, gridId, genesis, voterChanges, parts };
	return writeProofFile(file).trim() === trimmed ? ok(file) : refused({ code: "proof-damaged" });
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		// The platform says by throwing that a text is no JSON.
		return undefined;
	}
}
