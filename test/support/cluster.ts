/**
 * Real nodes with virtual clocks and a mesh in memory that can be cut, in one process. A house can be switched off at
 * any write and on again; what it had written is all that it keeps. Signatures are keyed hashes unless real ones are
 * asked for.
 */
import type { IceServer } from "../../src/block/iceServer.js";
import type { MoneyKind } from "../../src/block/kinds/founding.js";
import { toFrames } from "../../src/message/frames.js";
import type { Message } from "../../src/message/message.js";
import { encodeMessage } from "../../src/message/wire.js";
import { DEFAULT_NODE_SETTINGS, type NodeSettings } from "../../src/node/dependencies.js";
import { Node } from "../../src/node/node.js";
import type {
	Command,
	CommandError,
	NetworkSettings,
	NodeInput,
	NodeOutput,
	ReplyValue,
} from "../../src/node/protocol.js";
import type { ChainChange, ChainStorage, StorageError, StorageRoot } from "../../src/node/storage.js";
import type { Street } from "../../src/node/street.js";
import type { StreetView } from "../../src/node/view.js";
import { assert } from "../../src/primitives/assert.js";
import { equalBytes, toHex } from "../../src/primitives/bytes.js";
import { taggedHash } from "../../src/primitives/hash.js";
import { ok, type Result } from "../../src/primitives/result.js";
import { type BatchVerifier, createVerifier, publicKeyOf, sign } from "../../src/primitives/signature.js";
import { MS_PER_MINUTE } from "../../src/primitives/units.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { carryOut, interceptWrites, type Writing, type Written } from "./interceptedStorage.js";
import { keyedSigner, keyedVerifier } from "./keyedSignatures.js";

/** 20 February 2025, 05:20 UTC. */
export const FIRST_MINUTE = 29_000_000;
const STEP_MS = 100;
/** The mesh tries a closed channel again. */
const RECONNECT_MS = 1_000;
/** Who knows nobody yet connects to so many. */
const SOMEBODY = 6;
/** Where nobody hears what is shown, it is drawn so often only: to see that it can be. */
const LOOK_MS = 20_000;

const hashRandom = taggedHash("test random");
const hashPassword = taggedHash("test password");
const hashFingerprint = taggedHash("test fingerprint");

/** Counts writes, and switches its house off at one of them. */
export class FragileStorage implements StorageRoot {
	readonly #inner: StorageRoot;
	readonly #intercepted: StorageRoot;
	/** All that was ever written, in order. */
	readonly #journal: Writing[] = [];
	writes = 0;
	/** At which write the power goes, and whether that write still reaches the disk. */
	crash: { atWrite: number; isKept: boolean } | undefined;
	/** A disk that is full: nothing is written, and it says so. */
	isFull = false;
	/** A disk that has no room for these changes, and says so. */
	hasNoRoomFor: (change: ChainChange) => boolean = () => false;
	/** Another tab has opened it since. */
	isTaken = false;
	/** A browser that grants no further database: those that are there go on. */
	isClosedToNew = false;
	onCrash = () => {};

	constructor(inner: StorageRoot = new MemoryStorage()) {
		this.#inner = inner;
		this.#intercepted = interceptWrites(inner, (writing) => this.#write(writing));
	}

	/** Of the chains that were written to. */
	get names(): Set<string> {
		return new Set(this.#journal.flatMap((writing) => ("chain" in writing ? [writing.chain] : [])));
	}

	/** Which writes, counted from 1, changed something of a kind; as long as none was lost. */
	writesOf(kind: keyof ChainChange): number[] {
		return this.#journal.flatMap((writing, at) =>
			"chain" in writing && writing.change[kind] !== undefined ? [at + 1] : [],
		);
	}

	/** What backup software would make of it: the same profile, from here on apart. */
	async copy(): Promise<FragileStorage> {
		const copy = new FragileStorage();
		for (const writing of this.#journal) await copy.#keep(writing);
		return copy;
	}

	loadProfile(): Promise<Result<Uint8Array | undefined, StorageError>> {
		return this.#intercepted.loadProfile();
	}

	saveProfile(record: Uint8Array): Promise<Written> {
		return this.#intercepted.saveProfile(record);
	}

	async openChain(name: string): Promise<Result<ChainStorage, StorageError>> {
		if (this.isClosedToNew && !this.names.has(name)) {
			return { ok: false, error: { code: "storage-unavailable", reason: "QuotaExceededError" } };
		}
		return this.#intercepted.openChain(name);
	}

	#keep(writing: Writing): Promise<Written> {
		this.#journal.push(writing);
		return carryOut(this.#inner, writing);
	}

	async #write(writing: Writing): Promise<Written> {
		if (this.isFull || ("chain" in writing && this.hasNoRoomFor(writing.change)))
			return { ok: false, error: { code: "storage-write-failed", reason: "QuotaExceededError" } };
		if (this.isTaken) return { ok: false, error: { code: "storage-taken-over" } };
		this.writes += 1;
		if (this.crash?.atWrite !== this.writes) return this.#keep(writing);
		if (this.crash.isKept) await this.#keep(writing);
		this.onCrash();
		// Nobody is there any more to hear the answer.
		return new Promise(() => {});
	}
}

export interface House {
	/** In a street that was founded here: its member index, too. */
	index: number;
	readonly storage: FragileStorage;
	node: Node;
	isUp: boolean;
	/** Settles when the power goes. */
	died: Promise<void>;
	/** Which mesh it was last told to be in; undefined: none, or it is off. */
	network: NetworkSettings | undefined;
	faults: string[];
	/** Codes with which its channels were closed, by either side. */
	closed: string[];
	seed: string;
}

/** Settings of a street whose "day" is 50 s: a checkpoint every ten blocks, one of which comes every 5 s. */
export const SHORT_DAYS = {
	readingDelayMs: 500,
	founding: {
		blockIntervalMs: 5_000,
		settlementGraceBlocks: 180,
		readingWindowBlocks: 10_080,
		checkpointBlocks: 10,
		timeScale: 1,
	},
} satisfies Partial<NodeSettings>;

export interface ClusterOptions {
	/** Named at the founding. */
	iceServers?: IceServer[];
	/** Play money, unless it is said. */
	moneyKind?: MoneyKind;
	settings?: Partial<NodeSettings>;
	realSignatures?: boolean;
	/** What a house verifies with, by its place in `houses` when it was added; the default where this gives none. */
	verifierOf?: (index: number) => BatchVerifier | undefined;
	/** Hears all that every node says to its page. */
	onOutput?: (output: NodeOutput, house: number) => void;
	seed?: string;
}

interface Channel {
	house: House;
	name: string;
	other: Channel | undefined;
}

export class Cluster {
	readonly houses: House[] = [];
	chainMs = FIRST_MINUTE * MS_PER_MINUTE;
	monotonicMs = 0;
	/** Looks at every frame: what it gives is delivered instead. */
	tamper: ((from: number, to: number, frame: Uint8Array) => Uint8Array | undefined) | undefined;
	readonly #options: ClusterOptions;
	readonly #channels = new Map<string, Channel>();
	readonly #cuts = new Set<string>();
	readonly #notBeforeMs = new Map<string, number>();
	#queue: { house: House; node: Node; input: NodeInput }[] = [];
	readonly #replies = new Map<number, Result<ReplyValue, CommandError>>();
	#nextId = 1;

	constructor(options: ClusterOptions = {}) {
		this.#options = options;
	}

	// ── houses ───────────────────────────────────────────────────────────────────────────────────────────────────

	/** A house that nobody lives in yet; with another's storage it is that house's copy. */
	async add(storage = new FragileStorage()): Promise<House> {
		const index = this.houses.length;
		const house = {
			index,
			storage,
			faults: [],
			closed: [],
			seed: `${this.#options.seed ?? ""}/${index}`,
		} as unknown as House;
		this.houses.push(house);
		await this.on(index);
		return house;
	}

	house(at: number): House {
		const house = this.houses[at];
		assert(house !== undefined, `house ${at} exists`);
		return house;
	}

	/** Switches a house on: a new run of its node on what is stored. */
	async on(at: number): Promise<void> {
		const house = this.house(at);
		house.isUp = true;
		house.seed = `${house.seed}+`;
		house.node = this.#createNode(house);
		house.died = new Promise((resolve) => {
			house.storage.onCrash = () => {
				this.#powerOff(house);
				resolve();
			};
		});
		await Promise.race([house.node.start(), house.died]);
		await this.#deliver();
	}

	/** Pulls the plug. */
	off(at: number): void {
		this.house(at).storage.onCrash();
	}

	#powerOff(house: House): void {
		house.isUp = false;
		house.network = undefined;
		for (const channel of this.#channelsOf(house)) this.#close(channel, "off");
	}

	#createNode(house: House): Node {
		const { onOutput, settings, realSignatures, verifierOf } = this.#options;
		let drawn = 0;
		const node: Node = new Node({
			clocks: { chainMs: () => this.chainMs, monotonicMs: () => this.monotonicMs },
			storage: house.storage,
			signer: realSignatures === true ? { publicKeyOf, sign } : keyedSigner,
			verifier: verifierOf?.(house.index) ?? (realSignatures === true ? createVerifier() : keyedVerifier),
			randomBytes: (length) => {
				drawn += 1;
				return hashRandom(new TextEncoder().encode(`${house.seed}/${drawn}`)).slice(0, length);
			},
			// At once, and by a hash: what Argon2id makes of a password is the platform's.
			stretchPassword: (password, salt) => Promise.resolve(ok(hashPassword(salt, new TextEncoder().encode(password)))),
			localTime: { offsetMinutes: 0, summerTime: false },
			emit: (output) => {
				if (house.isUp && house.node === node) this.#onOutput(house, output);
			},
			// Few tests wait a day before money moves.
			settings: {
				...DEFAULT_NODE_SETTINGS,
				firstWeekMinutes: 0,
				...(onOutput === undefined ? { viewMs: LOOK_MS } : {}),
				...settings,
			},
		});
		return node;
	}

	#onOutput(house: House, output: NodeOutput): void {
		this.#options.onOutput?.(output, house.index);
		switch (output.type) {
			case "peerFrame": {
				const channel = this.#channels.get(output.channel);
				if (channel?.other !== undefined) this.#send(channel, channel.other, output.frame);
				break;
			}
			case "reply":
				this.#replies.set(output.id, output.result);
				break;
			case "fault":
				house.faults.push(output.fault.code);
				break;
			case "closePeer": {
				const channel = this.#channels.get(output.channel);
				if (channel !== undefined) this.#close(channel, output.code);
				break;
			}
			case "network":
				// Other topics, as every hour brings them, close nothing.
				if (output.network?.meshId !== house.network?.meshId) {
					for (const channel of this.#channelsOf(house)) this.#close(channel, "left");
				}
				house.network = output.network;
				break;
			case "view":
				break;
		}
	}

	// ── the mesh ─────────────────────────────────────────────────────────────────────────────────────────────────

	/** From now on nothing passes between these houses. */
	cut(a: readonly number[], b: readonly number[]): void {
		for (const x of a) for (const y of b) this.#cuts.add(pair(x, y));
	}

	mend(): void {
		this.#cuts.clear();
		this.#notBeforeMs.clear();
	}

	/** A house leaves everybody's reach, and stays on. */
	isolate(at: number): void {
		this.cut(
			[at],
			this.houses.map(({ index }) => index).filter((index) => index !== at),
		);
	}

	#channelsOf(house: House): Channel[] {
		return [...this.#channels.values()].filter((channel) => channel.house === house);
	}

	#send(from: Channel, to: Channel, frame: Uint8Array): void {
		if (this.#cuts.has(pair(from.house.index, to.house.index))) return;
		const { tamper } = this;
		const passed = tamper === undefined ? frame : tamper(from.house.index, to.house.index, frame);
		if (passed === undefined) return;
		this.#feed(to.house, { type: "peerFrame", channel: to.name, frame: passed });
	}

	areConnected(a: number, b: number): boolean {
		return this.#channelsOf(this.house(a)).some(({ other }) => other?.house.index === b);
	}

	/** A frame from nowhere, as a neighbour's page could send it. */
	inject(from: number, to: number, frame: Uint8Array): void {
		const channel = this.#channelsOf(this.house(to)).find(({ other }) => other?.house.index === from);
		assert(channel !== undefined, `there is a channel from ${from} to ${to}`);
		this.#feed(channel.house, { type: "peerFrame", channel: channel.name, frame });
	}

	async deliver(): Promise<void> {
		await this.#deliver();
	}

	/** A message that a neighbour's own node would not have sent; gives what the receiver makes of it. */
	async say(from: number, to: number, message: Message): Promise<void> {
		for (const frame of toFrames(encodeMessage(message), this.#nextId++)) this.inject(from, to, frame);
		await this.#deliver();
	}

	#feed(house: House, input: NodeInput): void {
		this.#queue.push({ house, node: house.node, input });
	}

	#close(channel: Channel, code: string): void {
		for (const end of [channel, channel.other]) {
			if (end === undefined || !this.#channels.delete(end.name)) continue;
			end.house.closed.push(code);
			if (end.house.isUp) this.#feed(end.house, { type: "peerClosed", channel: end.name });
		}
		const { other } = channel;
		if (other === undefined) return;
		this.#notBeforeMs.set(pair(channel.house.index, other.house.index), this.monotonicMs + RECONNECT_MS);
	}

	/** Houses that hear one another find one another. */
	#connect(): void {
		for (const a of this.houses) {
			for (const b of this.houses.slice(a.index + 1)) {
				const key = pair(a.index, b.index);
				const meet = a.isUp && b.isUp && hear(a, b) && !this.#cuts.has(key);
				if (!meet || !(this.#wants(a, b) || this.#wants(b, a)) || this.monotonicMs < (this.#notBeforeMs.get(key) ?? 0))
					continue;
				if (this.#channelsOf(a).some(({ other }) => other?.house === b)) continue;
				this.#open(a, b);
			}
		}
	}

	#wants({ network, index }: House, other: House): boolean {
		if (network === undefined || network.connectTo === "everybody") return true;
		if (network.connectTo === "somebody") return this.channelsOf(index) < SOMEBODY;
		return network.connectTo.includes(other.network?.deviceId ?? "");
	}

	/** How many others a house is connected with. */
	channelsOf(at: number): number {
		return this.#channelsOf(this.house(at)).length;
	}

	#open(a: House, b: House): void {
		const id = this.#nextId++;
		const [one, two]: Channel[] = [a, b].map((house) => ({ house, name: `${house.index}#${id}`, other: undefined }));
		assert(one !== undefined && two !== undefined, "a channel has two ends");
		one.other = two;
		two.other = one;
		for (const [end, initiator] of [
			[one, true],
			[two, false],
		] as const) {
			this.#channels.set(end.name, end);
			this.#feed(end.house, {
				type: "peerOpened",
				channel: end.name,
				localFingerprint: fingerprintOf(end.house),
				remoteFingerprint: fingerprintOf(end.other?.house ?? end.house),
				initiator,
			});
		}
	}

	async #deliver(): Promise<void> {
		for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
			const { house, node, input } = next;
			if (house.isUp && house.node === node) await Promise.race([node.handle(input), house.died]);
		}
	}

	// ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

	/** Time passes for everybody, and everything under way arrives. */
	async step(ms = STEP_MS): Promise<void> {
		this.chainMs += ms;
		this.monotonicMs += ms;
		this.#connect();
		for (const house of this.houses) if (house.isUp) this.#feed(house, { type: "tick" });
		await this.#deliver();
	}

	async run(ms: number, stepMs = STEP_MS): Promise<void> {
		for (let passed = 0; passed < ms; passed += stepMs) await this.step(stepMs);
	}

	async until(holds: () => boolean, what: string, limitMs = 120_000, stepMs = STEP_MS): Promise<void> {
		for (let passed = 0; !holds(); passed += stepMs) {
			if (passed > limitMs) throw new Error(`${what}, within ${limitMs} ms\n${this.#describe()}`);
			await this.step(stepMs);
		}
	}

	#describe(): string {
		const lines = this.houses.map(({ index, isUp, node, faults, closed }) => {
			const { raft, chain, outbox } = node.street ?? {};
			const where = `${raft?.role} term ${raft?.term} head ${chain?.head.block.index} tail ${raft?.tail.length}`;
			const refusals = JSON.stringify((node.view() as Partial<StreetView>).refusals ?? {});
			return `${index} ${isUp ? "on" : "off"} ${node.view().stage} ${where} outbox ${outbox?.size} ${faults} ${closed} ${refusals}`;
		});
		return lines.join("\n");
	}

	/** There is a leader, everything is certified, and everybody who is on and may have it has it. */
	isAtRest(): boolean {
		const streets = this.houses.filter(({ isUp }) => isUp).map(({ node }) => node.street);
		const leader = streets.find((street) => street?.raft?.role === "leader");
		if (leader?.raft === undefined || leader.raft.tail.length > 0 || leader.raft.base.term !== leader.raft.term)
			return false;
		const { hash } = leader.chain.head;
		const isWaitedFor = (street: Street) => leader.mayHaveAll(toHex(street.deviceKey));
		return streets.every(
			(street) => street !== undefined && (!isWaitedFor(street) || equalBytes(street.chain.head.hash, hash)),
		);
	}

	async settle(limitMs?: number): Promise<void> {
		await this.until(() => this.isAtRest(), "everybody who is on agrees", limitMs);
	}

	/** Goes on to so long after the next block interval begins. */
	async nextMinute(afterMs = 6_000): Promise<void> {
		const boundaryMs = (Math.floor((this.chainMs - afterMs) / MS_PER_MINUTE) + 1) * MS_PER_MINUTE + afterMs;
		while (this.chainMs < boundaryMs) await this.step(Math.min(500, boundaryMs - this.chainMs));
	}

	// ── what people do ───────────────────────────────────────────────────────────────────────────────────────────

	/** Has a node do something; answered at once or when its time comes. */
	async command(at: number, command: Command): Promise<Result<ReplyValue, CommandError>> {
		const id = this.ask(at, command);
		await this.#deliver();
		await this.until(() => this.#replies.has(id), `${command.type} is answered`);
		const reply = this.#replies.get(id);
		assert(reply !== undefined, "the answer is there");
		return reply;
	}

	/** Asks without waiting. */
	ask(at: number, command: Command): number {
		const id = this.#nextId++;
		this.#feed(this.house(at), { type: "command", id, command });
		return id;
	}

	reply(id: number): Result<ReplyValue, CommandError> | undefined {
		return this.#replies.get(id);
	}

	/** The code of a refusal, "ok" otherwise. */
	async outcome(at: number, command: Command): Promise<string> {
		const reply = await this.command(at, command);
		return reply.ok ? "ok" : reply.error.code;
	}

	/** An act, until it is in a committed block everywhere; gives its id. */
	async act(at: number, command: Command): Promise<string> {
		const reply = await this.command(at, command);
		if (!reply.ok || reply.value.type !== "signed") throw new Error(`${command.type}: ${JSON.stringify(reply)}`);
		const { id } = reply.value;
		await this.until(() => this.own(at, id)?.state === "confirmed", `${command.type} is confirmed`);
		await this.settle();
		return id;
	}

	/** What its page or worker tells a node. */
	async input(at: number, input: NodeInput): Promise<void> {
		this.#feed(this.house(at), input);
		await this.#deliver();
	}

	/** A meter's minutes reach their node. */
	async read(at: number, minute: number, importWh: number, exportWh = 0): Promise<void> {
		this.#feed(this.house(at), { type: "readings", readings: [{ minute, importWh, exportWh, quality: "measured" }] });
		await this.#deliver();
	}

	own(at: number, id: string) {
		return this.street(at)
			.outbox.shown()
			.find((own) => own.id === id);
	}

	street(at: number): Street {
		const { street } = this.house(at).node;
		assert(street !== undefined, `house ${at} is in a street`);
		return street;
	}

	view(at: number): StreetView {
		const view = this.house(at).node.view();
		assert(view.stage === "street", `house ${at} is in a street`);
		return view;
	}

	height(at: number): number {
		return this.street(at).chain.head.block.index;
	}

	leader(): number {
		const leader = this.houses.find(({ isUp, node }) => isUp && node.street?.raft?.role === "leader");
		assert(leader !== undefined, "somebody leads");
		return leader.index;
	}
}

const NEIGHBOURHOOD = {
	name: "Solbakken",
	retailMicroNokPerWh: 2_000,
	feedInMicroNokPerWh: 400,
	localFeeMicroNokPerWh: 0,
};

export const names = ["Hansen", "Olsen", "Berg", "Dahl", "Lie", "Moe", "Vik"];

/** Opens a lobby in house 0; gives its link. */
export async function openLobby(
	cluster: Cluster,
	{ iceServers = [], moneyKind = "trial" }: Pick<ClusterOptions, "iceServers" | "moneyKind"> = {},
): Promise<string> {
	const householdName = names[0] ?? "";
	const command = {
		type: "openLobby" as const,
		neighbourhood: { ...NEIGHBOURHOOD, moneyKind },
		householdName,
		alwaysOn: true,
	};
	assert((await cluster.command(0, { ...command, signalingUrls: [], iceServers })).ok, "a lobby opens");
	const view = cluster.house(0).node.view();
	assert(view.stage === "lobby", "the founder is in its lobby");
	return view.link;
}

export async function enterLobby(cluster: Cluster, at: number, link: string, alwaysOn = true): Promise<void> {
	const command = {
		type: "enterLobby" as const,
		link,
		householdName: names[at] ?? `Hus ${at}`,
		alwaysOn,
		signalingUrls: [],
	};
	assert((await cluster.command(at, command)).ok, "a guest comes in");
}

/**
 * A street that is founded through a lobby, with its first leader. All houses vote, or so many of them, the founder
 * among them (from three on), and the others' devices are phones.
 */
export async function foundedStreet(count: number, options: ClusterOptions = {}, voters = count): Promise<Cluster> {
	const cluster = new Cluster(options);
	for (let at = 0; at < count; at++) await cluster.add();
	const link = await openLobby(cluster, options);
	for (let at = 1; at < count; at++) await enterLobby(cluster, at, link, at < voters);
	const lobby = () => cluster.house(0).node.view();
	await cluster.until(() => {
		const view = lobby();
		return view.stage === "lobby" && view.members.length === count;
	}, "everybody is in the lobby");
	assert((await cluster.command(0, { type: "start" })).ok, "the founder starts");
	await cluster.settle();
	cluster.houses.sort((a, b) => (a.node.street?.member ?? 0) - (b.node.street?.member ?? 0));
	for (const [at, house] of cluster.houses.entries()) house.index = at;
	return cluster;
}

/** The operator's invitation. */
export async function invite(cluster: Cluster, operator = 0): Promise<string> {
	const reply = await cluster.command(operator, { type: "invite" });
	assert(reply.ok && reply.value.type === "link", "an operator invites");
	return reply.value.link;
}

/** Whether there is something that both listen to. */
function hear({ network: one }: House, other: House): boolean {
	const topics = other.network?.topics;
	return one !== undefined && topics !== undefined && one.topics.some((topic) => topics.includes(topic));
}

function pair(a: number, b: number): string {
	return a < b ? `${a}-${b}` : `${b}-${a}`;
}

function fingerprintOf(house: House): Uint8Array {
	return hashFingerprint(Uint8Array.of(house.index));
}
