/** Devices that the neighbourhood does not know, or not yet: anybody who has a link can be as many as they like. */
import { describe, expect, it } from "vitest";
import { toFrames } from "../../../src/message/frames.js";
import { encodeMessage } from "../../../src/message/wire.js";
import type { NodeOutput } from "../../../src/node/protocol.js";
import { WaitingFrames } from "../../../src/node/waitingFrames.js";
import { encode } from "../../../src/primitives/codec.js";
import { taggedHash } from "../../../src/primitives/hash.js";
import { type Cluster, foundedStreet, invite } from "../../support/cluster.js";
import { StrangeDevice } from "../../support/strangeDevice.js";

const MAX_UNPROVEN = 64;
const MAX_GUESTS = 64;
const FINGERPRINT = new Uint8Array(32);

const hashSecret = taggedHash("test stranger");

interface Visited {
	cluster: Cluster;
	/** What house 0 said on strangers' channels since it was last asked. */
	taken: () => NodeOutput[];
	/** Channels that it closed, and why, in order. */
	closed: string[];
}

async function visited(): Promise<Visited> {
	let outputs: NodeOutput[] = [];
	const closed: string[] = [];
	const cluster = await foundedStreet(3, {
		onOutput: (output) => {
			const isStrangers = "channel" in output && output.channel?.startsWith("strange");
			if (isStrangers) outputs.push(output);
			if (isStrangers && output.type === "closePeer") closed.push(`${output.channel}: ${output.code}`);
		},
	});
	const taken = () => {
		const all = outputs;
		outputs = [];
		return all;
	};
	return { cluster, taken, closed };
}

function openChannel({ cluster }: Visited, channel: string): Promise<void> {
	return cluster.house(0).node.handle({
		...{ type: "peerOpened", channel, initiator: true },
		...{ localFingerprint: FINGERPRINT, remoteFingerprint: FINGERPRINT },
	});
}

describe("channels of strangers", () => {
	it("that have not proven who they are give way, the oldest first", async () => {
		const scene = await visited();
		for (let count = 1; count <= MAX_UNPROVEN + 2; count++) await openChannel(scene, `strange ${count}`);
		expect(scene.closed).toEqual(["strange 1: too-many-strangers", "strange 2: too-many-strangers"]);
		expect(scene.cluster.view(0)).toMatchObject({ refusals: { "too-many-strangers": 2 } });
		expect(scene.cluster.areConnected(0, 1)).toBe(true);
	});

	it("that have are so many: who was silent for longest gives way, and no member does", async () => {
		const scene = await visited();
		const { cluster, taken, closed } = scene;
		const node = { handle: cluster.house(0).node.handle.bind(cluster.house(0).node), taken };
		const { gridId } = cluster.street(0);
		const guests = Array.from(
			{ length: MAX_GUESTS + 1 },
			(_, at) => new StrangeDevice(node, hashSecret(Uint8Array.of(at)), gridId),
		);
		for (const [at, guest] of guests.slice(0, -1).entries()) {
			cluster.monotonicMs += 1;
			expect(await guest.open(`strange ${at}`)).toBeUndefined();
		}
		expect(closed).toEqual([]);
		const [frame = FINGERPRINT] = toFrames(encodeMessage({ type: "genesisRequest" }), 7);
		expect(await guests[0]?.say(frame)).toBeUndefined();
		expect(await guests.at(-1)?.open("strange and late")).toBeUndefined();
		expect(closed).toEqual(["strange 1#1: too-many-strangers"]);
		cluster.off(2);
		await cluster.on(2);
		await cluster.until(() => cluster.view(0).chain.neighboursOnline === 2, "a member comes back", 3_000);
		expect(closed).toHaveLength(1);
	});
});

describe("guests who wait for the genesis together", () => {
	it("seek others beside one another: none has anything to tell", async () => {
		const passedOver: string[] = [];
		const cluster = await foundedStreet(3, {
			onOutput: (output) => {
				if (output.type === "passOver") passedOver.push(output.channel.slice(0, 2));
			},
		});
		const guests = [3, 4];
		const links = [await invite(cluster), await invite(cluster)];
		for (const _ of guests) await cluster.add();
		cluster.cut([0, 1, 2], guests);
		for (const [at, guest] of guests.entries()) {
			const command = { type: "join" as const, link: links[at] ?? "", householdName: `Hus ${guest}` };
			await cluster.outcome(guest, { ...command, alwaysOn: false, signalingUrls: [] });
		}
		await cluster.until(() => cluster.areConnected(3, 4), "they meet");
		await cluster.run(8_000);
		expect(passedOver.toSorted()).toEqual(["3#", "4#"]);
		cluster.mend();
		await cluster.until(() => guests.every((at) => cluster.house(at).node.view().stage === "street"), "both are in");
		expect(passedOver).toHaveLength(2);
	});
});

describe("frames of a channel that has not proven who is behind it", () => {
	it("wait in so many, and so long, and no more", () => {
		const waiting = new WaitingFrames();
		for (let count = 0; count < 256; count++) expect(waiting.add("a", 100)).toBe(true);
		expect(waiting.add("a", 100)).toBe(false);
		waiting.taken("a", 100);
		expect(waiting.add("a", 100)).toBe(true);
		for (let count = 0; count < 16; count++) expect(waiting.add("b", 65_536)).toBe(true);
		expect(waiting.add("b", 1)).toBe(false);
	});

	it("wait no more from there on, and the channel is closed when its turn comes", async () => {
		const scene = await visited();
		const { node } = scene.cluster.house(0);
		// The first part of two, again and again.
		const frame = encode([1, 0, 2, new Uint8Array(100)]);
		const settled: number[] = [];
		const opening = openChannel(scene, "strange");
		const work = Array.from({ length: 300 }, (_, at) =>
			node.handle({ type: "peerFrame", channel: "strange", frame }).then(() => settled.push(at)),
		);
		await Promise.all([opening, ...work]);
		expect(settled.slice(0, 43)).toEqual(Array.from({ length: 43 }, (_, at) => 257 + at));
		expect(scene.closed).toEqual(["strange: flooding"]);
	});
});
