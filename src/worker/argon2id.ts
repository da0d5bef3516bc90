/** What Argon2id (RFC 9106) makes of a password. */
import { argon2id } from "hash-wasm";
import type { StretchParameters } from "../node/vault.js";

export interface StretchRequest {
	password: string;
	salt: Uint8Array;
	parameters: StretchParameters;
}

const KEY_BYTES = 32;

/** 32 bytes; undefined: this device has not got the memory. */
export async function stretch({ password, salt, parameters }: StretchRequest): Promise<Uint8Array | undefined> {
	const { memoryKib, passes, lanes } = parameters;
	try {
		return await argon2id({
			password,
			salt,
			memorySize: memoryKib,
			iterations: passes,
			parallelism: lanes,
			hashLength: KEY_BYTES,
			outputType: "binary",
		});
	} catch {
		return undefined;
	}
}
