import { describe, expect, it } from "vitest";
import type { NodeOutput } from "../../../src/node/protocol.js";
import { householdSecretOf } from "../../../src/node/vault.js";
import { brokenStreet, confirm, gridOf, propose, restore } from "../../support/brokenStreet.js";
import { type Cluster, foundedStreet, invite } from "../../support/cluster.js";
import { seedOf } from "../../support/keys.js";
import { flattened, formsOf } from "../../support/secretSearch.js";

/** What every node has said to its page: text and bytes, with the type of the output; no repetitions. */
function listen(): { onOutput: (output: NodeOutput) => void; said: Map<string, NodeOutput["type"]> } {
	const said = new Map<string, NodeOutput["type"]>();
	return { said, onOutput: (output) => said.set(flattened(output), output.type) };
}

/** The keys of the houses that are in a street. */
function secretsOf(cluster: Cluster): Uint8Array[] {
	return cluster.houses.flatMap(({ node }) => {
		const keys = node.street?.config.keys;
		return keys === undefined ? [] : [seedOf(keys), householdSecretOf(seedOf(keys)), keys.deviceSecret];
	});
}

/** What was said with one of these secrets in it. */
function leaks(said: ReadonlyMap<string, string>, secrets: Iterable<Uint8Array>): string[] {
	const forms = new Set([...secrets].flatMap(formsOf));
	return [...said.keys()].filter((text) => [...forms].some((form) => text.includes(form)));
}

describe("what a node says to its page", () => {
	it("holds no key from the lobby to the neighbourhood founded again, with an invitation and a way back", {
		timeout: 120_000,
	}, async () => {
		const { said, onOutput } = listen();
		const { cluster, left, lost } = await brokenStreet({ onOutput });
		const secrets = new Set(secretsOf(cluster));
		await invite(cluster);
		const oldGrid = gridOf(cluster, 0);
		await propose(cluster);
		await cluster.run(2_000, 500);
		for (const at of left.slice(1)) expect(await confirm(cluster, at)).toBe("ok");
		await restore(cluster, lost[0] ?? 0);
		await cluster.until(() => gridOf(cluster, 0) !== oldGrid && cluster.height(0) > 0, "the new chain goes on");
		await cluster.run(10_000, 500);
		for (const secret of secretsOf(cluster)) secrets.add(secret);
		expect(new Set(said.values())).toEqual(new Set(["peerFrame", "closePeer", "network", "reply", "view"]));
		expect(leaks(said, secrets)).toEqual([]);
	});

	it("holds a household's key in the restore link alone, which a person asks for, and no key where it has led back", async () => {
		const { said, onOutput } = listen();
		const cluster = await foundedStreet(2, { onOutput, realSignatures: true });
		expect(leaks(said, secretsOf(cluster))).toEqual([]);
		const reply = await cluster.command(1, { type: "restoreLink" });
		const seed = seedOf(cluster.street(1).config.keys);
		expect(leaks(said, [seed])).toHaveLength(1);
		const link = reply.ok && reply.value.type === "link" ? reply.value.link : "";
		expect(leaks(said, secretsOf(cluster))[0]).toContain(link);

		cluster.off(1);
		const { index: restored } = await cluster.add();
		expect(await cluster.outcome(restored, { type: "restore", link, alwaysOn: false, signalingUrls: [] })).toBe("ok");
		await cluster.until(() => cluster.house(restored).node.view().stage === "street", "the household is back");
		await cluster.settle();
		expect(seedOf(cluster.street(restored).config.keys)).toEqual(seed);
		expect(leaks(said, secretsOf(cluster))).toHaveLength(1);
	});
});

describe("the search", () => {
	const secret = Uint8Array.from({ length: 32 }, (_, at) => (at * 73 + 151) % 256);
	const bytes = Buffer.from(secret);
	const whole = Uint8Array.of(1, 2, ...secret, 3);

	it.each<[string, unknown]>([
		["bytes", { deep: [secret] }],
		["a buffer", secret.buffer],
		["a part of a buffer that is sent whole", whole.subarray(0, 1)],
		["a list of numbers", [[...secret]]],
		["half of it", secret.subarray(16)],
		["hex in a sentence", `the key ${bytes.toString("hex")}`],
		["large hex", bytes.toString("hex").toUpperCase()],
		["base64", bytes.toString("base64")],
		["base64url after other bytes", Buffer.from(whole).toString("base64url")],
		["base64 after one byte", Buffer.from(whole.subarray(1)).toString("base64")],
		["a number", { key: BigInt(`0x${bytes.toString("hex")}`) }],
		["a name of a field", new Map([[bytes.toString("hex"), 1]])],
	])("finds a secret as %s", (_form, value) => {
		const text = flattened({ type: "view", value });
		expect(formsOf(secret).some((form) => text.includes(form))).toBe(true);
	});

	it("finds none where there is none", () => {
		const other = secret.slice().reverse();
		const text = flattened({ other, hex: bytes.subarray(0, 15).toString("hex") });
		expect(formsOf(secret).some((form) => text.includes(form))).toBe(false);
	});
});
