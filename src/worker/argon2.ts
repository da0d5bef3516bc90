/**
 * Argon2id in a worker of its own: it needs WebAssembly and 64 MiB, which go when it ends, and sees nothing but one password.
 */
import { type StretchRequest, stretch } from "./argon2id.js";

/** The answer; undefined: this device has not got the memory. */
export type StretchReply = { key: Uint8Array | undefined };

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.addEventListener("message", ({ data }: MessageEvent<StretchRequest>) => {
	void stretch(data).then((key) => scope.postMessage({ key } satisfies StretchReply));
});
