/** Passwords, stretched in a worker that is started for each and ended after it. */
import type { NodeDependencies } from "../node/dependencies.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { StretchReply } from "./argon2.js";
import argon2Url from "./argon2.ts?worker&url";
import type { StretchRequest } from "./argon2id.js";
import { createTrustedUrl } from "./trustedUrl.js";

const trustedArgon2Url = createTrustedUrl("nabostrom-argon2", argon2Url);

const LONGEST_MS = 60_000;
const NOT_STRETCHED = refused({ code: "password-not-stretched" as const });

function startWorker(): Worker | undefined {
	try {
		return new Worker(trustedArgon2Url, { type: "module" });
	} catch {
		return undefined;
	}
}

export const stretchPassword: NodeDependencies["stretchPassword"] = (password, salt, parameters) =>
	new Promise((resolve) => {
		const worker = startWorker();
		if (worker === undefined) {
			resolve(NOT_STRETCHED);
			return;
		}
		const end = (result: Result<Uint8Array, { code: "password-not-stretched" }>) => {
			clearTimeout(timer);
			worker.terminate();
			resolve(result);
		};
		// A system that is short of memory may end a worker without a word.
		const timer = setTimeout(() => end(NOT_STRETCHED), LONGEST_MS);
		worker.addEventListener("message", ({ data: { key } }: MessageEvent<StretchReply>) =>
			end(key === undefined ? NOT_STRETCHED : ok(key)),
		);
		worker.addEventListener("error", () => end(NOT_STRETCHED));
		worker.addEventListener("messageerror", () => end(NOT_STRETCHED));
		worker.postMessage({ password, salt, parameters } satisfies StretchRequest);
	});
