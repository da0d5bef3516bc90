import { describe, expect, it } from "vitest";
import { decodeBoots, encodeBoots, type KnownBoot } from "../../../src/node/bootsRecord.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";

const notVoting = (cluster: Cluster, at: number) => cluster.view(at).chain.notVoting;

async function bootsOf(cluster: Cluster, at: number): Promise<ReadonlyMap<string, KnownBoot>> {
	const { storage } = cluster.house(at);
	const chain = await storage.openChain([...storage.names][0] ?? "");
	const stored = chain.ok ? await chain.value.load() : chain;
	if (!stored.ok || stored.value.boots === undefined) throw new Error("starts are kept");
	const boots = decodeBoots(stored.value.boots);
	if (!boots.ok) throw new Error(boots.error.code);
	return boots.value;
}

describe("the newest start of each device", () => {
	it("outlives a power cut of the whole street: a device that comes back from an old image does not vote", async () => {
		const cluster = await foundedStreet(4);
		const restored = (cluster.leader() + 1) % 4;
		const image = await cluster.house(restored).storage.copy();
		// It starts once more, and lives on.
		cluster.off(restored);
		await cluster.on(restored);
		await cluster.run(5_000);
		const others = [0, 1, 2, 3].filter((at) => at !== restored);
		for (const at of [restored, ...others]) cluster.off(at);
		await cluster.add(image);
		for (const at of others) await cluster.on(at);
		const back = cluster.houses.length - 1;
		await cluster.until(() => notVoting(cluster, back) !== undefined, "it hears of its later life");
		expect(notVoting(cluster, back)).toBe("twin-device");
		const [witness = 0] = others;
		const height = cluster.height(witness);
		await cluster.until(() => cluster.height(witness) > height, "the others go on");
	});

	it("is told to nobody before it is written: where the disk was full, the next one has the same number", async () => {
		const cluster = await foundedStreet(3);
		const at = (cluster.leader() + 1) % 3;
		cluster.off(at);
		const { storage } = cluster.house(at);
		storage.isFull = true;
		await cluster.on(at);
		await cluster.run(5_000);
		cluster.off(at);
		storage.isFull = false;
		await cluster.on(at);
		await cluster.run(20_000, 500);
		expect(notVoting(cluster, at)).toBeUndefined();
		await cluster.until(() => cluster.height(at) === cluster.height(cluster.leader()), "it follows");
	});

	it("is written when it changes, once, and again only with the next one", async () => {
		const cluster = await foundedStreet(3);
		const written = () => cluster.house(0).storage.writesOf("boots").length;
		expect(written()).toBe(2);
		const boots = await bootsOf(cluster, 0);
		const keyOf = (at: number) => toHex(cluster.street(at).deviceKey);
		expect([...boots.keys()].sort()).toEqual([keyOf(1), keyOf(2)].sort());
		// The same start on a new channel is nothing new.
		cluster.isolate(1);
		await cluster.run(20_000, 500);
		cluster.mend();
		await cluster.settle();
		expect(written()).toBe(2);
		cluster.off(1);
		await cluster.on(1);
		await cluster.run(5_000);
		expect(written()).toBe(3);
		const [before, after] = [boots, await bootsOf(cluster, 0)].map((known) => known.get(keyOf(1))?.boot.bootCount ?? 0);
		expect(after).toBe((before ?? 0) + 1);
	});

	it("is a record that is read back as it was, and refused with one wrong bit", () => {
		const deviceKey = new Uint8Array(33).fill(2);
		const boot = { bootCount: 7, bootId: new Uint8Array(16).fill(1), signature: new Uint8Array(65).fill(3) };
		const record = encodeBoots([{ deviceKey, boot }]);
		expect(decodeBoots(record)).toEqual({ ok: true, value: new Map([[toHex(deviceKey), { deviceKey, boot }]]) });
		record[20] = (record[20] ?? 0) ^ 1;
		expect(decodeBoots(record)).toEqual({ ok: false, error: { code: "record-damaged" } });
	});
});
