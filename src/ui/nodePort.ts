/** The wire between a page and one node, and the worker that stands behind it. */
import type { NodeInput, NodeOutput } from "../node/protocol.js";
import workerUrl from "../worker/main.ts?worker&url";
import type { WorkerStart } from "../worker/start.js";
import { createTrustedUrl } from "../worker/trustedUrl.js";

export interface NodePort {
	post(input: NodeInput): void;
	/** May be called several times; every listener gets every output. */
	listen(listener: (output: NodeOutput) => void): void;
}

/** A port that can be switched off, together with the node behind it. */
export interface OwnedPort extends NodePort {
	terminate(): void;
}

const trustedWorkerUrl = createTrustedUrl("nabostrom-worker", workerUrl);

/** Starts a node in a worker of its own. A worker that crashes says so with the fault `worker-failed`. */
export function startWorker(start: WorkerStart): OwnedPort {
	const worker = new Worker(trustedWorkerUrl, { type: "module" });
	worker.postMessage(start);
	return {
		post: (input) => worker.postMessage(input),
		listen: (listener) => {
			worker.addEventListener("message", (event: MessageEvent<NodeOutput>) => listener(event.data));
			worker.addEventListener("error", (event) =>
				listener({ type: "fault", fault: { code: "worker-failed", message: event.message } }),
			);
		},
		terminate: () => worker.terminate(),
	};
}
