/**
 * The browser's node: gives the one `Node` class its storage, clocks, keys and timer, and carries its inputs and outputs
 * over `postMessage`. The page is a modem and a screen; what is true is here.
 */
import { DEFAULT_NODE_SETTINGS, type NodeSettings } from "../node/dependencies.js";
import { Node } from "../node/node.js";
import type { NodeInput, NodeOutput } from "../node/protocol.js";
import { CENTRAL_EUROPEAN_TIME } from "../primitives/localTime.js";
import { createVerifier, publicKeyOf, sign } from "../primitives/signature.js";
import { createMeterFollower } from "../serial/meterFollower.js";
import { findSerial } from "../serial/platformSerial.js";
import { createSerialReader } from "../serial/webSerialPort.js";
import { IndexedDbStorage } from "../storage/indexedDb.js";
import type { ChainClock, WorkerStart } from "./start.js";
import { stretchPassword } from "./stretching.js";

const TICK_MS = 100;
/** Where a minute takes two seconds, five seconds of it are too short for signing and gossip: two thirds of a real second. */
const DEMO_READING_DELAY_MS = 20_000;

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.addEventListener("message", (event: MessageEvent<WorkerStart>) => start(event.data), { once: true });

function start({ databasePrefix, clock }: WorkerStart): void {
	const node = new Node({
		clocks: { chainMs: () => chainTime(clock), monotonicMs: () => Math.floor(performance.now()) },
		storage: new IndexedDbStorage(databasePrefix),
		signer: { publicKeyOf, sign },
		verifier: createVerifier(),
		randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
		stretchPassword,
		localTime: CENTRAL_EUROPEAN_TIME,
		emit: (output) => {
			scope.postMessage(output, transferOf(output));
			followMeterSource(output);
		},
		settings: settingsFor(clock),
	});

	/** A bug tripped an assertion: nothing after it can be trusted. The page shows it and offers to start again. */
	let isStopped = false;
	const stop = (error: unknown) => {
		clearInterval(timer);
		if (isStopped) return;
		isStopped = true;
		scope.postMessage({ type: "fault", fault: { code: "worker-failed", message: String(error) } } satisfies NodeOutput);
		console.error(error);
	};
	const handle = (input: NodeInput) => void node.handle(input).catch(stop);
	const timer = setInterval(() => handle({ type: "tick" }), TICK_MS);
	const followMeterSource = followMeter(handle);

	scope.addEventListener("message", (event: MessageEvent<NodeInput>) => handle(event.data));
	node.start().catch(stop);
	handle({ type: "tick" });
}

function chainTime({ realMs, chainMs, timeScale }: ChainClock): number {
	return chainMs + (Date.now() - realMs) * timeScale;
}

function settingsFor({ timeScale }: ChainClock): NodeSettings {
	if (timeScale === 1) return DEFAULT_NODE_SETTINGS;
	const { founding } = DEFAULT_NODE_SETTINGS;
	return { ...DEFAULT_NODE_SETTINGS, readingDelayMs: DEMO_READING_DELAY_MS, founding: { ...founding, timeScale } };
}

/** Frames are many and are nobody else's: they change hands instead of being copied. */
function transferOf(output: NodeOutput): Transferable[] {
	const isWhole = output.type === "peerFrame" && output.frame.byteLength === output.frame.buffer.byteLength;
	return isWhole ? [output.frame.buffer] : [];
}

/** Reads the meter's port here, where timers do not sleep, while the node says that its readings come from one. */
function followMeter(handle: (input: NodeInput) => void): (output: NodeOutput) => void {
	// Where the browser has Web Serial only on the page (or WebUSB), the page reads.
	if (!("serial" in navigator)) return () => {};
	const follower = createMeterFollower(async () => {
		const serial = await findSerial();
		if (serial === undefined) return undefined;
		return createSerialReader({
			serial,
			onBytes: (bytes) => handle({ type: "serialBytes", bytes }),
			onStatus: (status) => handle({ type: "serialStatus", status }),
		});
	});
	return (output) => follower.follow(output);
}
