/** A neighbour says something wrong, or what it says is changed on its way: it is refused, and changes nothing. */
import { expect } from "vitest";
import { type Block, blockHash } from "../../src/block/block.js";
import { type Acknowledged, acknowledgementDigest, type Certificate } from "../../src/block/certificate.js";
import { FrameAssembler, toFrames } from "../../src/message/frames.js";
import type { AppendEntriesMessage, AppendReplyMessage, Message } from "../../src/message/message.js";
import { decodeMessage, encodeMessage } from "../../src/message/wire.js";
import { type Cluster, foundedStreet } from "./cluster.js";
import { keyedSign } from "./keyedSignatures.js";

export interface Scene {
	cluster: Cluster;
	leader: number;
	/** Who is told something wrong, by `other`, or by the leader. */
	victim: number;
	other: number;
}

export async function street(): Promise<Scene> {
	const cluster = await foundedStreet(4);
	const leader = cluster.leader();
	const [victim = 0, other = 0] = cluster.houses.map(({ index }) => index).filter((at) => at !== leader);
	return { cluster, leader, victim, other };
}

export const refusals = ({ cluster, victim }: Scene) => cluster.view(victim).refusals;
const stateOf = ({ cluster, victim }: Scene) => {
	const { chain, raft, mempool } = cluster.street(victim);
	const { term, role, base, votes, acknowledgements, ahead } = raft ?? {};
	const counted = [votes?.size, acknowledgements?.size, ahead?.index];
	return [blockHash(chain.last.block), term, role, base?.index, counted, mempool.size];
};

/** Something wrong arrives: it is refused with its code, counted, and has changed nothing; the street goes on. */
export async function expectRefused(
	scene: Scene,
	code: string,
	closes: boolean,
	work: () => Promise<void>,
): Promise<void> {
	const { cluster, victim } = scene;
	const before = stateOf(scene);
	const count = refusals(scene)[code] ?? 0;
	await work();
	expect(refusals(scene)[code]).toBe(count + 1);
	expect(cluster.house(victim).closed).toEqual(closes ? [code] : []);
	expect(stateOf(scene)).toEqual(before);
	const height = cluster.height(victim);
	await cluster.until(() => cluster.height(victim) > height, "the street goes on");
	await cluster.settle();
}

/** An empty message of a leader that has that head. */
export const heartbeat = (head: { block: Block; hash: Uint8Array }): AppendEntriesMessage => ({
	type: "appendEntries",
	term: 1,
	round: 1,
	prevIndex: head.block.index,
	prevHash: head.hash,
	entries: [],
	certificate: undefined,
});

/** A voter's, or another device's, acknowledgement of a block, signed as it should be, or over another digest. */
export function acknowledge(
	cluster: Cluster,
	from: number,
	{ index, term, hash }: Acknowledged,
	digest = acknowledgementDigest(cluster.street(from).gridId, { index, term, hash }, from),
): AppendReplyMessage {
	const { config } = cluster.street(from);
	return {
		type: "appendReply",
		term,
		round: 1,
		status: "match",
		matchIndex: index,
		commitIndex: 0,
		chainMs: cluster.chainMs,
		acknowledgement: { hash, signature: keyedSign(digest, config.keys.deviceSecret) },
		refusedIds: [],
	};
}

/** A certificate by these voters' own keys. */
export function signedBy(cluster: Cluster, place: Acknowledged, voters: readonly number[]): Certificate {
	const signatures = voters.map((voter) => {
		const signature = acknowledge(cluster, voter, place).acknowledgement?.signature ?? new Uint8Array(65);
		return { voter, signature };
	});
	return { ...place, signatures };
}

/** Looks at whole messages on their way; what is given back is sent instead, undefined: lost. */
export function tamperMessages(
	cluster: Cluster,
	change: (message: Message, from: number, to: number) => Message | undefined,
): void {
	const assemblers = new Map<string, FrameAssembler>();
	let number = 1_000_000;
	cluster.tamper = (from, to, frame) => {
		const key = `${from}>${to}`;
		const assembler = assemblers.get(key) ?? new FrameAssembler();
		assemblers.set(key, assembler);
		const whole = assembler.push(frame);
		if (!whole.ok || whole.value === undefined) return frame;
		const message = decodeMessage(whole.value);
		if (!message.ok) return frame;
		const changed = change(message.value, from, to);
		if (changed === message.value) return frame;
		if (changed === undefined) return undefined;
		const [only, ...more] = toFrames(encodeMessage(changed), number++);
		if (only === undefined || more.length > 0) throw new Error("one frame");
		return only;
	};
}
