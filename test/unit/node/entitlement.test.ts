import { describe, expect, it } from "vitest";
import type { Device } from "../../../src/contract/ledger.js";
import type { HouseholdProofMessage, Message } from "../../../src/message/message.js";
import { Conduct } from "../../../src/node/conduct.js";
import { idOf, Mempool } from "../../../src/node/mempool.js";
import { householdProofDigest } from "../../../src/node/newcomer.js";
import { ALL, Entitlement } from "../../../src/node/street/entitlement.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { createVerifier, publicKeyOf, sign } from "../../../src/primitives/signature.js";
import { brokenStreet, confirm, propose, stateAt } from "../../support/brokenStreet.js";
import { type Cluster, foundedStreet, invite } from "../../support/cluster.js";
import { secretOf, signedInvitation, signedJoin, TestNeighbourhood } from "../../support/ledger.js";
import { tamperMessages } from "../../support/wrongNeighbour.js";

const headOf = (cluster: Cluster, at: number) => cluster.street(at).chain.head.block.index;
/** Who is here, how high the chain is, and that there is nothing more. */
const HARMLESS: readonly Message["type"][] = ["handshake", "proof", "hello", "status", "turnedAway", "blocks", "twin"];
const SIGNALING = { alwaysOn: false, signalingUrls: [] };

function joining(cluster: Cluster, at: number): string | undefined {
	const view = cluster.house(at).node.view();
	return view.stage === "joining" ? (view.code ?? view.state) : view.stage;
}

async function wayBackLink(cluster: Cluster, at: number): Promise<string> {
	const link = await cluster.command(at, { type: "wayBackLink" });
	if (!link.ok || link.value.type !== "link") throw new Error("any member gives the link");
	return link.value.link;
}

/** Blocks go on, with readings and an act in them. */
async function goOn(cluster: Cluster, minutes: number): Promise<void> {
	const before = headOf(cluster, 0);
	await cluster.command(0, { type: "meterSource", source: "simulated", seed: 1, profile: "consumer" });
	for (let minute = 0; minute < minutes; minute++) await cluster.nextMinute();
	await cluster.act(1, { type: "buy", amountMicroNok: 1_000_000 });
	expect(headOf(cluster, 0)).toBeGreaterThan(before);
}

describe("who comes by a link and shows nothing", () => {
	it("gets the first block, and nothing of what any household did", async () => {
		const cluster = await foundedStreet(3);
		await goOn(cluster, 2);
		const link = await wayBackLink(cluster, 1);
		const { index: at } = await cluster.add();
		const restore = { type: "restore" as const, link, newKey: true, newPassword: "tre små fugler", ...SIGNALING };
		expect(await cluster.outcome(at, restore)).toBe("ok");
		await cluster.until(() => joining(cluster, at) === "unknown-household", "it is told");
		// An order that nobody takes up is told again to everybody.
		cluster.off(cluster.leader());
		cluster.ask(1, { type: "buy", amountMicroNok: 7 });
		await cluster.run(60_000, 1_000);
		expect(cluster.houses[at]?.closed).not.toContain("flooding");
		expect(headOf(cluster, at)).toBe(0);
		expect(cluster.street(at).mempool.size).toBe(0);
	});

	it("gets nothing by an invitation that another household used", async () => {
		const cluster = await foundedStreet(3);
		const link = await invite(cluster);
		for (const name of ["Lie", "Vik"]) {
			const { index } = await cluster.add();
			await cluster.command(index, { type: "join", link, householdName: name, ...SIGNALING });
			if (name === "Lie") await cluster.until(() => joining(cluster, index) === "street", "the first is in");
		}
		await goOn(cluster, 1);
		await cluster.until(() => joining(cluster, 4) === "invitation-used", "the second is told");
		expect(headOf(cluster, 4)).toBe(0);
	});
});

describe("a device that goes out of use", () => {
	it("gets the block that says so, and none after it, also if it was away then", async () => {
		for (const wasAway of [false, true]) {
			const cluster = await foundedStreet(4);
			const link = await cluster.command(3, { type: "restoreLink" });
			if (!link.ok || link.value.type !== "link") throw new Error("a restore link");
			if (wasAway) cluster.off(3);
			const { index: at } = await cluster.add();
			await cluster.command(at, { type: "restore", link: link.value.link, ...SIGNALING });
			await cluster.until(() => joining(cluster, at) === "street", "the new device is in");
			const revokedIndex = cluster.street(0).chain.head.ledger.devices[3]?.revokedIndex;
			await goOn(cluster, 3);
			if (wasAway) await cluster.on(3);
			await cluster.until(() => cluster.view(3).chain.outOfUse === true, "the old one knows");
			await cluster.run(30_000, 1_000);
			expect(cluster.view(3).chain.notVoting).toBe("device-revoked");
			expect(cluster.house(3).faults).toContain("device-revoked");
			expect(headOf(cluster, 3)).toBe(revokedIndex);
			expect(headOf(cluster, at)).toBe(headOf(cluster, 0));
		}
	});
});

describe("what is said on a channel", () => {
	it("to a device that is out of use has no block in it, and no transaction", async () => {
		for (const restarts of [false, true]) {
			const cluster = await foundedStreet(4);
			const link = await cluster.command(3, { type: "restoreLink" });
			if (!link.ok || link.value.type !== "link") throw new Error("a restore link");
			const { index: at } = await cluster.add();
			await cluster.command(at, { type: "restore", link: link.value.link, ...SIGNALING });
			await cluster.until(() => joining(cluster, at) === "street", "the new device is in");
			await cluster.settle();
			const said: Message["type"][] = [];
			tamperMessages(cluster, (message, _from, to) => {
				if (to === 3) said.push(message.type);
				return message;
			});
			if (restarts) {
				cluster.off(3);
				await cluster.on(3);
			}
			await goOn(cluster, 2);
			cluster.ask(1, { type: "buy", amountMicroNok: 7 });
			await cluster.run(20_000, 1_000);
			expect(cluster.areConnected(0, 3)).toBe(true);
			expect(new Set(said)).toEqual(new Set([...said].filter((type) => HARMLESS.includes(type))));
			expect(said).toContain("status");
		}
	});

	it("by a stranger puts no device out of use", async () => {
		const cluster = await foundedStreet(3);
		const link = await wayBackLink(cluster, 1);
		const { index: at } = await cluster.add();
		const restore = { type: "restore" as const, link, newKey: true, newPassword: "tre små fugler", ...SIGNALING };
		await cluster.command(at, restore);
		await cluster.until(() => joining(cluster, at) === "unknown-household", "it is told");
		await cluster.say(at, 1, { type: "turnedAway", code: "device-revoked" });
		expect(cluster.view(1).chain.outOfUse).toBeUndefined();
		expect(cluster.view(1).refusals["unasked-answer"]).toBe(1);
	});

	it("by who stands aside for a chain founded again is for the street alone", { timeout: 120_000 }, async () => {
		const { cluster, left } = await brokenStreet();
		const [first = 0, second = 1] = left;
		const { index: at } = await cluster.add();
		const link = await wayBackLink(cluster, second);
		const restore = { type: "restore" as const, link, newKey: true, newPassword: "tre små fugler", ...SIGNALING };
		await cluster.command(at, restore);
		await cluster.until(() => joining(cluster, at) === "unknown-household", "the stranger is told");
		await propose(cluster);
		await cluster.until(() => stateAt(cluster, second) === "proposed", "it is asked");
		expect(await confirm(cluster, second)).toBe("ok");
		const said: [number, Message["type"]][] = [];
		tamperMessages(cluster, (message, from, to) => {
			if (to === at) said.push([from, message.type]);
			return message;
		});
		for (const each of [first, second]) {
			await cluster.command(each, { type: "meterSource", source: "simulated", seed: 1, profile: "consumer" });
		}
		await cluster.run(150_000, 1_000);
		expect(cluster.street(second).outbox.size).toBeGreaterThan(0);
		expect(said.filter(([, type]) => !HARMLESS.includes(type))).toEqual([]);
	});
});

describe("a key of which an operator has given notice", () => {
	it("gets the chain until somebody objects, and nothing after that", async () => {
		const cluster = await foundedStreet(3);
		const { index: at } = await cluster.add();
		const link = await wayBackLink(cluster, 1);
		const restore = { type: "restore" as const, link, newKey: true, newPassword: "tre små fugler", ...SIGNALING };
		await cluster.command(at, restore);
		const claim = () => {
			const view = cluster.house(at).node.view();
			return view.stage === "joining" ? view.claim : undefined;
		};
		await cluster.until(() => claim() !== undefined, "it asks");
		await cluster.act(0, { type: "rebind", household: 2, claim: claim()?.text ?? "" });
		await cluster.until(() => claim()?.notice !== undefined, "it hears of the notice");
		await cluster.act(2, { type: "contest", household: 2 });
		const before = headOf(cluster, 0);
		await goOn(cluster, 1);
		expect(claim()?.notice).toBeUndefined();
		expect(headOf(cluster, at)).toBeLessThan(before);
	});
});

describe("what a device shows", () => {
	const secret = (fill: number) => new Uint8Array(32).fill(fill);
	const street = new TestNeighbourhood(3);
	const { gridId, households } = street.ledger;
	const clocks = { chainMs: () => 0, monotonicMs: () => 0 };
	const DEVICE = publicKeyOf(secret(1));
	const mempool = new Mempool();

	function entitlement(known: (device: string) => Device | undefined = () => undefined): Entitlement {
		const dependencies = { clocks, verifier: createVerifier() };
		const peers = { conduct: new Conduct() };
		const chain = { head: { ledger: street.ledger } } as never;
		return new Entitlement({ chain, dependencies, gridId, mempool, peers, knownDevice: known } as never);
	}

	const from = (deviceKey: Uint8Array) => ({ device: toHex(deviceKey), received: { deviceKey } }) as never;

	function proofOf(householdSecret: Uint8Array, deviceKey: Uint8Array): HouseholdProofMessage {
		const signature = sign(householdProofDigest(deviceKey, gridId), householdSecret);
		return { type: "householdProof", householdKey: publicKeyOf(householdSecret), signature };
	}

	it("lets it in by a member's key that signed for this device, in this neighbourhood", () => {
		const member = secretOf("household 1");
		expect(publicKeyOf(member)).toEqual(households[1]?.publicKey);
		const good = proofOf(member, DEVICE);
		const other = publicKeyOf(secret(2));
		const foreign = sign(householdProofDigest(DEVICE, new Uint8Array(32)), member);
		const cases: [HouseholdProofMessage, Uint8Array, number][] = [
			[good, DEVICE, ALL],
			[good, other, -1],
			[{ ...good, signature: foreign }, DEVICE, -1],
			[{ ...good, signature: good.signature.with(9, 1) }, DEVICE, -1],
			[proofOf(secret(9), DEVICE), DEVICE, -1],
		];
		for (const [proof, device, upToIndex] of cases) {
			const door = entitlement();
			door.onHouseholdProof(from(device), proof);
			expect(door.upToIndex(toHex(device))).toBe(upToIndex);
		}
	});

	it("is what it is told about, and no others' words", () => {
		const DEVICE = signedJoin(3).deviceKey;
		const door = entitlement();
		const device = toHex(DEVICE);
		expect(door.refusalFor(device)).toBe("not-a-member");
		door.onHouseholdProof(from(DEVICE), proofOf(secret(9), DEVICE));
		expect(door.refusalFor(device)).toBe("unknown-household");
		const join = signedJoin(3, gridId, {}, signedInvitation(gridId));
		door.onJoin("somebody", join, { code: "invitation-used" });
		expect(door.refusalFor(device)).toBe("unknown-household");
		door.onJoin(device, join, { code: "invitation-used" });
		expect([door.refusalFor(device), door.upToIndex(device)]).toEqual(["invitation-used", -1]);
		mempool.add(idOf(join, gridId), join);
		door.onJoin("somebody", join, undefined);
		expect(door.hasAll(device)).toBe(false);
		door.onJoin(device, join, undefined);
		expect(door.hasAll(device)).toBe(true);
		// Another household used the same invitation.
		mempool.remove(idOf(join, gridId));
		expect([door.hasAll(device), door.refusalFor(device)]).toEqual([false, "not-a-member"]);
	});

	it("is nothing for a device that was out of use when the chain was founded again: its first block holds the state", () => {
		const [device] = street.ledger.devices;
		if (device === undefined) throw new Error("there is one");
		for (const [revokedIndex, upToIndex] of [
			[undefined, ALL],
			[5, 5],
			[0, -1],
		] as const) {
			const door = entitlement(() => ({ ...device, revokedIndex }));
			expect(door.upToIndex(toHex(device.publicKey))).toBe(upToIndex);
		}
	});

	it("counts on the channel on which it was shown", () => {
		const door = entitlement();
		door.onHouseholdProof(from(DEVICE), proofOf(secretOf("household 1"), DEVICE));
		expect(door.hasAll(toHex(DEVICE))).toBe(true);
		door.onGone(toHex(DEVICE));
		expect(door.hasAll(toHex(DEVICE))).toBe(false);
	});
});
