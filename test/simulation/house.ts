/**
 * A house: a real node with its own disk and its own two clocks. It takes one input at a time; while a write is under
 * way, while it is frozen, or while it is busy with something slow, what comes to it waits.
 */
import type { NodeSettings } from "../../src/node/dependencies.js";
import { DEFAULT_NODE_SETTINGS } from "../../src/node/dependencies.js";
import { Node } from "../../src/node/node.js";
import type { NetworkSettings, NodeInput, NodeOutput } from "../../src/node/protocol.js";
import type { Street } from "../../src/node/street.js";
import type { View } from "../../src/node/view.js";
import { taggedHash } from "../../src/primitives/hash.js";
import { refused } from "../../src/primitives/result.js";
import { createVerifier, publicKeyOf, sign } from "../../src/primitives/signature.js";
import { MS_PER_MINUTE } from "../../src/primitives/units.js";
import { keyedSigner, keyedVerifier } from "../support/keyedSignatures.js";
import type { Disk } from "./disk.js";

/** 20 February 2025, 05:20 UTC: the chain's time at the virtual time 0. */
export const FIRST_MINUTE = 29_000_000;
const PARTS_PER_MILLION = 1_000_000;

const hashRandom = taggedHash("simulated random");

/** Screens are drawn so often only, and thrown away: to see that they can be. */
const LOOK_EVERY = 20;

/** Nobody looks at its screens, unless asked to. */
class UnwatchedNode extends Node {
	#looks = 0;

	override view(): View {
		this.#looks += 1;
		return this.#looks % LOOK_EVERY === 1 ? super.view() : { stage: "welcome" };
	}

	look(): View {
		return super.view();
	}
}

export interface HouseEvents {
	output(house: House, output: NodeOutput): void;
	/** An input is finished. */
	finished(house: House, input: NodeInput | undefined): void;
	/** The node threw: a bug. */
	threw(house: House, error: unknown): void;
}

export class House {
	readonly index: number;
	readonly name: string;
	/** Whose device it is: that of another house, if it lives on a copy of its disk. */
	readonly original: House | undefined;
	disk: Disk;
	node: UnwatchedNode | undefined;
	/** How often it was switched on. */
	run = 0;
	isUp = false;
	/** Its disk was wiped; a new house has taken its place. */
	isGone = false;
	/** What it has been sent and has not looked at yet. */
	readonly inbox: NodeInput[] = [];
	hasTickWaiting = false;
	/** Which of its timers counts: each start, and each end of a freeze, sets it anew. */
	timer = 0;
	/** At work on an input, or waiting for its disk. */
	isBusy = false;
	/** Written, but the node is frozen and does not hear of it yet. */
	unheard: (() => void)[] = [];
	topic: string | undefined;
	/** Which mesh it was last told to be in. */
	network: NetworkSettings | undefined;
	/** The link that it joins by, if it does. */
	invitation: string | undefined;
	/** The link by which its household comes again, after an earlier device of it was given up. */
	restoreLink: string | undefined;

	// What is wrong with it.
	frozenUntilMs = 0;
	dropsWhileFrozen = false;
	busyUntilMs = 0;
	/** How long each input takes it. */
	slowMs = 0;
	isThrottled = false;
	clockOffsetMs = 0;
	driftPpm = 0;

	#startedMs = 0;
	#monotonicDriftPpm = 0;
	#drawn = 0;
	#wake: (() => void) | undefined;
	readonly #seed: string;
	readonly #settings: Partial<NodeSettings>;
	readonly #timeScale: number;
	readonly #realSignatures: boolean;
	readonly #events: HouseEvents;
	readonly #nowMs: () => number;

	constructor(
		index: number,
		disk: Disk,
		options: {
			seed: number;
			settings: Partial<NodeSettings>;
			realSignatures: boolean;
			original?: House;
			nowMs: () => number;
			events: HouseEvents;
		},
	) {
		this.index = index;
		this.original = options.original;
		this.name = options.original === undefined ? `${index}` : `${options.original.name}'`;
		this.disk = disk;
		this.#seed = `${options.seed}/${index}`;
		this.#settings = options.settings;
		this.#timeScale = options.settings.founding?.timeScale ?? 1;
		this.#realSignatures = options.realSignatures;
		this.#events = options.events;
		this.#nowMs = options.nowMs;
	}

	get street(): Street | undefined {
		return this.node?.street;
	}

	get isFrozen(): boolean {
		return this.frozenUntilMs > this.#nowMs();
	}

	/** Whether it could take an input now. */
	get isFree(): boolean {
		return this.isUp && !this.isBusy && !this.isFrozen && this.busyUntilMs <= this.#nowMs();
	}

	/** The wall clock, by which the chain goes: in most streets it runs faster, as in a demo. */
	get chainMs(): number {
		const nowMs = this.#nowMs();
		const driftMs = Math.floor((nowMs * this.driftPpm) / PARTS_PER_MILLION);
		return FIRST_MINUTE * MS_PER_MINUTE + (nowMs + driftMs) * this.#timeScale + this.clockOffsetMs;
	}

	/** Since the node was started; no clock runs exactly. */
	get monotonicMs(): number {
		const sinceMs = this.#nowMs() - this.#startedMs;
		return sinceMs + Math.floor((sinceMs * this.#monotonicDriftPpm) / PARTS_PER_MILLION);
	}

	/** Switches it on; settles when the node waits for its disk or has started. */
	start(monotonicDriftPpm: number): Promise<void> {
		this.run += 1;
		this.isUp = true;
		this.#startedMs = this.#nowMs();
		this.#monotonicDriftPpm = monotonicDriftPpm;
		this.#drawn = 0;
		const node = this.#createNode();
		this.node = node;
		return this.#work(() => node.start(), undefined);
	}

	/** Pulls the plug: whatever the node was at is gone. */
	stop(): void {
		this.isUp = false;
		this.node = undefined;
		this.isBusy = false;
		this.inbox.length = 0;
		this.hasTickWaiting = false;
		this.unheard = [];
		this.topic = undefined;
		this.network = undefined;
		this.busyUntilMs = 0;
		this.frozenUntilMs = 0;
		this.#wake?.();
	}

	/** Feeds an input; settles when the node waits for its disk or is finished. */
	feed(input: NodeInput): Promise<void> {
		const { node } = this;
		return node === undefined ? Promise.resolve() : this.#work(() => node.handle(input), input);
	}

	#work(begin: () => Promise<void>, input: NodeInput | undefined): Promise<void> {
		const { run } = this;
		this.isBusy = true;
		begin().then(
			() => {
				if (this.run !== run || !this.isUp) return;
				this.isBusy = false;
				this.#events.finished(this, input);
				this.#wake?.();
			},
			(error: unknown) => {
				if (this.run === run && this.isUp) this.#events.threw(this, error);
				this.#wake?.();
			},
		);
		return this.quiet();
	}

	/** Settles as soon as nothing goes on in the node without something from outside. */
	quiet(): Promise<void> {
		if (!this.isBusy || this.disk.underWay.length > 0) return Promise.resolve();
		return new Promise((resolve) => {
			this.#wake = () => {
				this.#wake = undefined;
				resolve();
			};
		});
	}

	/** The node began to wait for its disk. */
	isWriting(): void {
		this.#wake?.();
	}

	#createNode(): UnwatchedNode {
		const { run } = this;
		return new UnwatchedNode({
			clocks: { chainMs: () => this.chainMs, monotonicMs: () => this.monotonicMs },
			storage: this.disk,
			signer: this.#realSignatures ? { publicKeyOf, sign } : keyedSigner,
			verifier: this.#realSignatures ? createVerifier() : keyedVerifier,
			randomBytes: (length) => {
				this.#drawn += 1;
				return hashRandom(new TextEncoder().encode(`${this.#seed}/${run}/${this.#drawn}`)).slice(0, length);
			},
			// Its people have no passwords.
			stretchPassword: () => Promise.resolve(refused({ code: "password-not-stretched" })),
			localTime: { offsetMinutes: 0, summerTime: false },
			emit: (output) => {
				if (this.isUp && this.run === run) this.#events.output(this, output);
			},
			// Its people are in their first week all the time.
			settings: { ...DEFAULT_NODE_SETTINGS, firstWeekMinutes: 0, ...this.#settings },
		});
	}
}
