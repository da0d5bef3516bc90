/**
 * Real nodes in one process, joined by channels in memory. Its two clocks are its driver's: nothing depends on how fast
 * this machine is, so a run can be repeated to the byte.
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { DEFAULT_NODE_SETTINGS, type Signer } from "../node/dependencies.js";
import { Node } from "../node/node.js";
import type { Command, CommandError, NodeInput, NodeOutput, ReplyValue } from "../node/protocol.js";
import { assert } from "../primitives/assert.js";
import { taggedHash } from "../primitives/hash.js";
import { type Result, refused } from "../primitives/result.js";
import { type BatchVerifier, createVerifier, publicKeyOf, sign } from "../primitives/signature.js";
import { MemoryStorage } from "../storage/memory.js";

/** Monotonic time moves in such steps while there is no leader or a proposal is open. */
const STEP_MS = 50;
const MONOTONIC_MS_PER_MOVE = 500;
const MAX_STEPS_WITHOUT_LEADER = 100_000;
/** Nobody looks at its screens: they are drawn now and then, to see that they can be. */
const LOOK_MS = 60_000;

const hashFingerprint = taggedHash("fingerprint");

/** With what its nodes sign, and each of them verifies. */
export interface Signatures {
	readonly signer: Signer;
	readonly createVerifier: () => BatchVerifier;
}

const REAL_SIGNATURES: Signatures = { signer: { publicKeyOf, sign }, createVerifier };

export class VirtualStreet {
	readonly nodes: Node[] = [];
	chainMs: number;
	monotonicMs = 0;
	/** Signature checks by all nodes together. Nothing is shared between nodes. */
	verifications = 0;
	readonly faults: string[] = [];
	readonly #queue: { to: number; input: NodeInput }[] = [];
	readonly #channels = new Map<string, { to: number; channel: string }>();
	readonly #replies = new Map<number, Result<ReplyValue, CommandError>>();
	#nextCommand = 1;

	constructor(count: number, seed: string, chainMs: number, signatures: Signatures = REAL_SIGNATURES) {
		this.chainMs = chainMs;
		for (let at = 0; at < count; at++) this.nodes.push(this.#createNode(at, seed, signatures));
	}

	#createNode(at: number, seed: string, signatures: Signatures): Node {
		const verifier = signatures.createVerifier();
		let drawn = 0;
		return new Node({
			clocks: { chainMs: () => this.chainMs, monotonicMs: () => this.monotonicMs },
			storage: new MemoryStorage(),
			signer: signatures.signer,
			verifier: {
				verify: (signature, digest, publicKey) => {
					this.verifications += 1;
					return verifier.verify(signature, digest, publicKey);
				},
				findBad: (checks) => {
					this.verifications += checks.length;
					return verifier.findBad(checks);
				},
			},
			randomBytes: (length) => {
				drawn += 1;
				return hkdf(sha256, utf8ToBytes(`${seed}/${at}/${drawn}`), undefined, undefined, length);
			},
			// Its households have no passwords.
			stretchPassword: () => Promise.resolve(refused({ code: "password-not-stretched" })),
			localTime: { offsetMinutes: 0, summerTime: false },
			emit: (output) => this.#onOutput(at, output),
			settings: { ...DEFAULT_NODE_SETTINGS, firstWeekMinutes: 0, viewMs: LOOK_MS },
		});
	}

	/** Starts all nodes and opens a channel between every two of them. */
	async start(): Promise<void> {
		for (const node of this.nodes) await node.start();
		for (let a = 0; a < this.nodes.length; a++) {
			for (let b = a + 1; b < this.nodes.length; b++) this.#connect(a, b);
		}
		await this.settle();
	}

	#connect(a: number, b: number): void {
		const fingerprint = (at: number) => hashFingerprint(utf8ToBytes(String(at)));
		for (const [from, to] of [
			[a, b],
			[b, a],
		] as const) {
			this.#channels.set(`${from}>${to}`, { to, channel: `${to}>${from}` });
			this.#queue.push({
				to: from,
				input: {
					type: "peerOpened",
					channel: `${from}>${to}`,
					localFingerprint: fingerprint(from),
					remoteFingerprint: fingerprint(to),
					initiator: from < to,
				},
			});
		}
	}

	#onOutput(at: number, output: NodeOutput): void {
		switch (output.type) {
			case "peerFrame": {
				const other = this.#channels.get(output.channel);
				assert(other !== undefined, "a frame goes out on a channel that is open");
				this.#queue.push({ to: other.to, input: { type: "peerFrame", channel: other.channel, frame: output.frame } });
				break;
			}
			case "reply":
				this.#replies.set(output.id, output.result);
				break;
			case "fault":
				this.faults.push(`${at}: ${output.fault.code}`);
				break;
			case "closePeer":
				this.faults.push(`${at}: closed ${output.channel}: ${output.code}`);
				break;
			case "network":
			case "view":
				break;
		}
	}

	/** Delivers until nothing is under way, there is a leader, and nothing waits to be agreed on. */
	async settle(): Promise<void> {
		for (let steps = 0; ; steps++) {
			for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
				await this.node(next.to).handle(next.input);
			}
			// Its nodes are connected for good: one that closes a channel or fails makes every sum after it worthless.
			assert(this.faults.length === 0, `no node of a replay fails: ${this.faults[0]}`);
			if (this.#isAtRest()) return;
			assert(steps < MAX_STEPS_WITHOUT_LEADER, "connected nodes elect a leader and agree");
			this.monotonicMs += STEP_MS;
			await this.#tickAll();
		}
	}

	/** In a lobby nobody leads; in a street somebody does, its log is certified, and everybody has it. */
	#isAtRest(): boolean {
		const streets = this.nodes.flatMap(({ street }) => (street === undefined ? [] : [street]));
		if (streets.length < this.nodes.length) return streets.length === 0;
		const leader = streets.find(({ raft }) => raft?.role === "leader");
		if (leader?.raft === undefined || leader.raft.tail.length > 0 || leader.raft.doubtRound !== undefined) return false;
		const { index, term } = leader.raft.base;
		return term === leader.raft.term && streets.every(({ chain }) => chain.head.block.index === index);
	}

	async #tickAll(): Promise<void> {
		for (const node of this.nodes) await node.handle({ type: "tick" });
	}

	/** The chain's clock moves to a time; everybody notices, and what follows is carried out. */
	async moveTo(chainMs: number): Promise<void> {
		assert(chainMs >= this.chainMs, "the chain's clock does not go back");
		this.chainMs = chainMs;
		// Some of the other clock's time passes, too: what a node takes from a neighbour in a second is limited. Less than any
		// time-out, or each minute would be a new election.
		this.monotonicMs += MONOTONIC_MS_PER_MOVE;
		await this.#tickAll();
		await this.settle();
	}

	/** Has a node do what a person asks for, and waits for the answer. */
	async command(at: number, command: Command): Promise<Result<ReplyValue, CommandError>> {
		const id = this.#nextCommand++;
		await this.node(at).handle({ type: "command", id, command });
		await this.settle();
		for (let steps = 0; !this.#replies.has(id); steps++) {
			assert(steps < MAX_STEPS_WITHOUT_LEADER, "every command is answered");
			await this.moveTo(this.chainMs + STEP_MS);
		}
		const reply = this.#replies.get(id);
		this.#replies.delete(id);
		assert(reply !== undefined, "the answer is there");
		return reply;
	}

	/** Ticks until a transaction is in a committed block everywhere. */
	async confirm(at: number): Promise<void> {
		for (let steps = 0; (this.node(at).street?.outbox.size ?? 0) > 0; steps++) {
			assert(steps < MAX_STEPS_WITHOUT_LEADER, "what was signed is confirmed");
			await this.moveTo(this.chainMs + STEP_MS);
		}
	}

	node(at: number): Node {
		const node = this.nodes[at];
		assert(node !== undefined, `node ${at} exists`);
		return node;
	}
}
