/** Passwords, stretched in a worker that is started for each and ended after it. */
import type { NodeDependencies } from "../node/dependencies.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { StretchReply } from "./argon2.js";
import argon2Url from "./argon2.ts?worker&url";
import type { StretchRequest } from "./argon2id.js";
import { createTrustedUrl } from "./trustedUrl.js";

const trustedArgon2Url = createTrustedUrl("nabostrom-argon2", argon2Url);

export const stretchPassword: NodeDependencies["stretchPassword"] = (password, salt, parameters) =>
	new Promise((resolve) => {
		const worker = new Worker(trustedArgon2Url, { type: "module" });
		const end = (result: Result<Uint8Array, { code: "password-not-stretched" }>) => {
			worker.terminate();
			resolve(result);
		};
		worker.addEventListener("message", ({ data: { key } }: MessageEvent<StretchReply>) =>
			end(key === undefined ? refused({ code: "password-not-stretched" }) : ok(key)),
		);
		worker.addEventListener("error", () => end(refused({ code: "password-not-stretched" })));
		worker.postMessage({ password, salt, parameters } satisfies StretchRequest);
	});
