/** What a page's node says and what comes over its channels, with times: noted in the page from its beginning on. */
import type { Page } from "playwright-core";
import type { NodeInput } from "../../../src/node/protocol.js";
import type { View } from "../../../src/node/view.js";
import type { WorkerStart } from "../../../src/worker/start.js";

export interface Seen {
	/** `performance.now()` when the first channel opened. */
	firstPeerMs: number | undefined;
	/** Bytes of messages that came, on all channels. */
	receivedBytes: number;
	/** The node's views where its head or its stage was another than before, with the time of each. */
	heads: { atMs: number; stage: string; index: number; hash: string; stateRoot: string }[];
	/** When signatures in the background were last seen under way, and how many. */
	verifying: { firstMs: number; lastMs: number; all: number } | undefined;
	faults: string[];
	views: number;
	/** What the page asked its node for, and told it to do, by kind. */
	commands: Record<string, number>;
}

declare global {
	interface Window {
		seenOfNode: Seen;
	}
}

/** Must be called before the page opens the app. */
export async function watchNode(page: Page): Promise<void> {
	await page.addInitScript(watch);
}

export function seenOf(page: Page): Promise<Seen> {
	return page.evaluate(() => window.seenOfNode);
}

/** Runs in the page, by itself. */
function watch(): void {
	const seen: Seen = {
		firstPeerMs: undefined,
		receivedBytes: 0,
		heads: [],
		verifying: undefined,
		faults: [],
		views: 0,
		commands: {},
	};
	window.seenOfNode = seen;
	const follow = (channel: RTCDataChannel) => {
		channel.addEventListener("open", () => {
			seen.firstPeerMs ??= performance.now();
		});
		channel.addEventListener("message", ({ data }) => {
			seen.receivedBytes += data.byteLength;
		});
	};
	window.RTCPeerConnection = class extends RTCPeerConnection {
		constructor(configuration?: RTCConfiguration) {
			super(configuration);
			this.addEventListener("datachannel", ({ channel }) => follow(channel));
		}
		override createDataChannel(label: string, init?: RTCDataChannelInit): RTCDataChannel {
			const channel = super.createDataChannel(label, init);
			follow(channel);
			return channel;
		}
	};
	const onView = (view: View) => {
		seen.views++;
		const atMs = performance.now();
		const index =
			view.stage === "street" ? view.chain.headIndex : view.stage === "joining" ? view.haveIndex : undefined;
		const last = seen.heads.at(-1);
		if (index !== undefined && (last?.index !== index || last.stage !== view.stage)) {
			const { headHash: hash, stateRoot } = view.stage === "street" ? view.chain : { headHash: "", stateRoot: "" };
			seen.heads.push({ atMs, stage: view.stage, index, hash, stateRoot });
		}
		const progress = view.stage === "street" ? view.chain.verification : undefined;
		if (progress !== undefined) {
			seen.verifying = { firstMs: seen.verifying?.firstMs ?? atMs, lastMs: atMs, all: progress.all };
		}
	};
	window.Worker = class extends Worker {
		constructor(url: string | URL, options?: WorkerOptions) {
			super(url, options);
			this.addEventListener("message", ({ data }) => {
				if (data.type === "view") onView(data.view);
				if (data.type === "fault") seen.faults.push(data.fault.code);
			});
		}
		override postMessage(
			message: WorkerStart | NodeInput,
			options?: Transferable[] | StructuredSerializeOptions,
		): void {
			if (message.type === "command") {
				const { type } = message.command;
				seen.commands[type] = (seen.commands[type] ?? 0) + 1;
			}
			if (Array.isArray(options)) super.postMessage(message, options);
			else super.postMessage(message, options);
		}
	};
}
