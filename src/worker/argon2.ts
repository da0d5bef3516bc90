/**
 * Argon2id in a worker of its own: it needs WebAssembly and 64 MiB, which go when it ends, and sees nothing but one password.
 */
import { argon2id } from "hash-wasm";
import type { StretchParameters } from "../node/vault.js";

/** What is asked. */
export interface StretchRequest {
	password: string;
	salt: Uint8Array;
	parameters: StretchParameters;
}

/** The answer; undefined: this device has not got the memory. */
export type StretchReply = { key: Uint8Array | undefined };

const KEY_BYTES = 32;

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.addEventListener("message", ({ data }: MessageEvent<StretchRequest>) => void answer(data));

async function answer(request: StretchRequest): Promise<void> {
	scope.postMessage({ key: await stretch(request) } satisfies StretchReply);
}

async function stretch({ password, salt, parameters }: StretchRequest): Promise<Uint8Array | undefined> {
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
