import { describe, expect, it } from "vitest";
import type { DeviceTransaction } from "../../../src/block/kinds/members.js";
import type { ReadingTransaction } from "../../../src/block/kinds/metering.js";
import type { Unsigned } from "../../../src/block/transaction.js";
import { transactionId } from "../../../src/block/transaction.js";
import { isInUse } from "../../../src/contract/ledger.js";
import { decodeLink, encodeRestoreLink } from "../../../src/node/link.js";
import { householdSecretOf } from "../../../src/node/vault.js";
import { CAUGHT_UP_MS } from "../../../src/node/voterPolicy.js";
import { MS_PER_MINUTE } from "../../../src/primitives/units.js";
import { type Cluster, type FragileStorage, foundedStreet } from "../../support/cluster.js";
import { keyedSign } from "../../support/keyedSignatures.js";
import { seedOf } from "../../support/keys.js";

const stageOf = (cluster: Cluster, at: number) => cluster.house(at).node.view().stage;
const ledgerOf = (cluster: Cluster, at: number) => cluster.street(at).chain.head.ledger;
const notVoting = (cluster: Cluster, at: number) => cluster.view(at).chain.notVoting;
const inUse = (cluster: Cluster, member: number) =>
	ledgerOf(cluster, 0).devices.flatMap((device) =>
		device.household === member && isInUse(device) ? [device.index] : [],
	);

/** The next minute of a house's meter, which reaches its node as soon as it has ended. */
async function meterAMinute(cluster: Cluster, at: number, importWh: number): Promise<void> {
	await cluster.nextMinute(1_000);
	await cluster.read(at, Math.floor(cluster.chainMs / MS_PER_MINUTE) - 1, importWh);
}

/** Copies a house's storage while it is off, and switches it on again. */
async function copyOf(cluster: Cluster, at: number): Promise<FragileStorage> {
	cluster.off(at);
	const copy = await cluster.house(at).storage.copy();
	await cluster.on(at);
	await cluster.settle();
	return copy;
}

async function goOn(cluster: Cluster, at = cluster.leader()): Promise<void> {
	const height = cluster.height(at);
	await cluster.until(() => cluster.height(at) > height, "blocks go on");
}

/** Four houses that vote; the copy of a follower's storage, who is neither operator nor leader. */
async function streetWithCopy(): Promise<{ cluster: Cluster; original: number; copy: FragileStorage }> {
	const cluster = await foundedStreet(4);
	const original = [1, 2, 3].find((at) => at !== cluster.leader()) ?? 1;
	await meterAMinute(cluster, original, 1);
	return { cluster, original, copy: await copyOf(cluster, original) };
}

async function restoreLinkOf(cluster: Cluster, at: number): Promise<string> {
	const reply = await cluster.command(at, { type: "restoreLink" });
	if (!reply.ok || reply.value.type !== "link") throw new Error("a restore link");
	return reply.value.link;
}

const restore = (link: string) => ({ type: "restore" as const, link, alwaysOn: true, signalingUrls: [] });

const joiningOf = (cluster: Cluster, at: number) => {
	const view = cluster.house(at).node.view();
	return view.stage === "joining" ? (view.code ?? view.state) : view.stage;
};

describe("a device that is put back to what it was a block ago, without a start in between", () => {
	it("meets its own signature in what a neighbour shows, and stops voting", { timeout: 60_000 }, async () => {
		const cluster = await foundedStreet(4);
		const original = [1, 2, 3].find((at) => at !== cluster.leader()) ?? 1;
		const signed = () => {
			const { certificate } = cluster.street(0).raft ?? {};
			const { device } = cluster.street(original);
			return certificate?.signatures.some(({ voter }) => voter === device) === true;
		};
		const copy = await cluster.house(original).storage.copy();
		const height = cluster.height(0);
		await cluster.until(() => cluster.height(0) > height && signed(), "it signs a block");
		cluster.off(original);
		await cluster.add(copy);
		const again = 4;
		await cluster.until(() => notVoting(cluster, again) !== undefined, "it notices");
		expect(notVoting(cluster, again)).toBe("unknown-own-signature");
		await goOn(cluster);
	});
});

describe("two clones of a device", () => {
	it("both stop voting; one is admitted anew and votes again, the other learns that it is out of use, and no reading is lost", {
		timeout: 60_000,
	}, async () => {
		const { cluster, original, copy } = await streetWithCopy();
		await cluster.add(copy);
		const twin = 4;
		await cluster.until(() => [original, twin].every((at) => notVoting(cluster, at) !== undefined), "both notice");
		expect([notVoting(cluster, original), notVoting(cluster, twin)]).toEqual(["twin-device", "twin-device"]);
		expect(cluster.view(original).chain.outOfUse).toBe(true);
		// It is not counted as somebody whose vote could help.
		await cluster.until(() => cluster.view(0).chain.votersOnline === 3, "the others hear of it");
		// It goes on metering until somebody decides which of the two is the household's.
		await meterAMinute(cluster, original, 10);
		await goOn(cluster);

		// Cut off it signs one more reading, which nobody hears before it is admitted anew.
		cluster.isolate(original);
		await meterAMinute(cluster, original, 100);
		expect(await cluster.outcome(original, { type: "admitAnew" })).toBe("ok");
		expect(joiningOf(cluster, original)).toBe("searching");
		await meterAMinute(cluster, original, 1_000);
		expect(ledgerOf(cluster, 0).households[original]?.importWh).toBe(11);
		cluster.mend();
		await cluster.until(() => stageOf(cluster, original) === "street", "the new device is admitted");
		await cluster.settle();
		expect(inUse(cluster, original)).toEqual([4]);
		expect(ledgerOf(cluster, 0).households[original]?.meteringDevice).toBe(4);
		expect(cluster.view(original).chain).toMatchObject({ role: "observer" });
		expect(cluster.view(original).faults).toEqual([]);
		expect(cluster.view(original).devices).toMatchObject([{ device: 4, self: true, metering: true, voter: false }]);

		// The one that stayed on the old key hears of it from the chain, and does not meter any more.
		expect(notVoting(cluster, twin)).toBe("device-revoked");
		expect(cluster.house(twin).faults).toContain("device-revoked");
		await meterAMinute(cluster, twin, 5_000);
		await meterAMinute(cluster, original, 10_000);
		await cluster.until(() => cluster.street(original).outbox.size === 0, "all readings are in");
		expect(ledgerOf(cluster, 0).households[original]?.importWh).toBe(11_111);

		// The operator's node takes the old device off the list and lets the new one in.
		await cluster.until(() => ledgerOf(cluster, 0).voters.includes(4), "the new device votes", 4 * CAUGHT_UP_MS, 500);
		await cluster.settle();
		expect(ledgerOf(cluster, 0).voters).toEqual([0, 1, 2, 3, 4].filter((device) => device !== original));
		expect(notVoting(cluster, original)).toBeUndefined();
		// It really does: with one of the four away its vote is needed.
		cluster.off([1, 2, 3].find((at) => at !== original && at !== cluster.leader()) ?? 0);
		await goOn(cluster, original);
		await goOn(cluster, original);
	});

	it("both stop where one was started more often, too: the older one's word reaches it by the neighbours", async () => {
		const { cluster, original, copy } = await streetWithCopy();
		const twin = 4;
		// It starts twice before anybody hears of it.
		cluster.isolate(twin);
		await cluster.add(copy);
		cluster.off(twin);
		await cluster.on(twin);
		const bootOf = (at: number) => cluster.street(at).config.bootCount;
		expect(bootOf(twin)).toBeGreaterThan(bootOf(original));
		cluster.mend();
		await cluster.until(() => [original, twin].every((at) => notVoting(cluster, at) !== undefined), "both notice");
		expect([notVoting(cluster, original), notVoting(cluster, twin)]).toEqual(["twin-device", "twin-device"]);
		expect(cluster.house(twin).faults.filter((code) => code === "twin-device")).toHaveLength(1);
		await goOn(cluster);
	});

	it("are not made up by a neighbour: a start that the device's key did not sign stops nobody", async () => {
		const cluster = await foundedStreet(3);
		const { chain, config } = cluster.street(0);
		const { publicKey } = chain.head.ledger.devices[0] ?? { publicKey: new Uint8Array(33) };
		const bootId = new Uint8Array(16).fill(9);
		const bySelf = keyedSign(new Uint8Array(32), cluster.street(1).config.keys.deviceSecret);
		const forged = { bootCount: config.bootCount + 7, bootId, signature: bySelf };
		const hello = {
			type: "hello" as const,
			headIndex: 0,
			headHash: chain.head.hash,
			certificate: undefined,
			term: 0,
			chainMs: cluster.chainMs,
			boot: { bootCount: 1, bootId, signature: bySelf },
			meeting: undefined,
			peers: [publicKey],
		};
		await cluster.say(1, 0, { ...hello, knownBoot: forged });
		expect(notVoting(cluster, 0)).toBeUndefined();
		expect(cluster.house(0).faults).toEqual([]);
	});

	it("may both go on in turn: the second as one more device of the household", async () => {
		const { cluster, original, copy } = await streetWithCopy();
		await cluster.add(copy);
		await cluster.until(() => notVoting(cluster, 4) !== undefined, "the twin notices");
		await cluster.command(original, { type: "admitAnew" });
		await cluster.until(() => inUse(cluster, original).includes(4), "the first is admitted");
		await cluster.until(() => notVoting(cluster, 4) === "device-revoked", "the second is out of use");
		// What it was asked for after a restart is the same.
		cluster.off(4);
		await cluster.on(4);
		expect(notVoting(cluster, 4)).toBe("device-revoked");
		expect(await cluster.outcome(4, { type: "admitAnew" })).toBe("ok");
		await cluster.until(() => stageOf(cluster, 4) === "street", "the second is admitted");
		await cluster.settle();
		expect(inUse(cluster, original)).toEqual([4, 5]);
		// The household takes the one that it does not want out of use.
		await cluster.act(4, { type: "revoke", device: 4 });
		expect(notVoting(cluster, original)).toBe("device-revoked");
	});
});

describe("a stale backup", () => {
	it("that is restored is noticed, admitted anew, and loses no reading", async () => {
		const { cluster, original, copy } = await streetWithCopy();
		for (let at = 0; at < 3; at++) await meterAMinute(cluster, original, 10);
		await cluster.until(() => cluster.street(original).outbox.size === 0, "all readings are in");
		cluster.off(original);
		await cluster.add(copy);
		const restored = 4;
		await cluster.until(() => notVoting(cluster, restored) !== undefined, "it notices");
		expect(["unknown-own-signature", "twin-device"]).toContain(notVoting(cluster, restored));
		expect(await cluster.outcome(restored, { type: "admitAnew" })).toBe("ok");
		await cluster.until(() => stageOf(cluster, restored) === "street", "it is admitted");
		await meterAMinute(cluster, restored, 100);
		await cluster.until(() => cluster.street(restored).outbox.size === 0, "all readings are in");
		expect(inUse(cluster, original)).toEqual([4]);
		expect(ledgerOf(cluster, 0).households[original]?.importWh).toBe(131);
		await cluster.until(() => ledgerOf(cluster, 0).voters.includes(4), "it votes again", 4 * CAUGHT_UP_MS, 500);
	});
});

describe("a browser that lost everything", () => {
	it("goes on by the restore link: the same household, its balance, its readings", async () => {
		const cluster = await foundedStreet(4);
		const lost = [1, 2, 3].find((at) => at !== cluster.leader()) ?? 1;
		const link = await restoreLinkOf(cluster, lost);
		const orderId = await cluster.act(lost, { type: "buy", amountMicroNok: 5_000_000 });
		await cluster.act(0, { type: "issue", orderId, amountMicroNok: 5_000_000, reference: "1" });
		await meterAMinute(cluster, lost, 1);
		await cluster.until(() => cluster.street(lost).outbox.size === 0, "the reading is in");
		cluster.off(lost);
		await cluster.add();
		const fresh = 4;
		expect(await cluster.outcome(fresh, restore(link))).toBe("ok");
		expect(cluster.house(fresh).node.view()).toMatchObject({ stage: "joining", as: "restored" });
		await cluster.until(() => stageOf(cluster, fresh) === "street", "the household is back");
		await cluster.settle();
		expect(cluster.view(fresh).self).toMatchObject({ index: lost });
		expect(cluster.view(fresh).balance.balanceMicroNok).toBe(5_000_000);
		// The device that was lost is out of use: it was the only one.
		expect(inUse(cluster, lost)).toEqual([4]);
		await meterAMinute(cluster, fresh, 10);
		await cluster.until(() => cluster.street(fresh).outbox.size === 0, "the reading is in");
		expect(ledgerOf(cluster, 0).households[lost]?.importWh).toBe(11);
		await cluster.act(fresh, { type: "buy", amountMicroNok: 1 });
		await cluster.until(() => ledgerOf(cluster, 0).voters.includes(4), "it votes", 4 * CAUGHT_UP_MS, 500);
	});

	it("becomes one more device of a household that has several", async () => {
		const cluster = await foundedStreet(3);
		const link = await restoreLinkOf(cluster, 1);
		for (const at of [3, 4]) {
			cluster.off(at === 3 ? 1 : 3);
			await cluster.add();
			await cluster.command(at, restore(link));
			await cluster.until(() => stageOf(cluster, at) === "street", "a device is admitted");
			await cluster.on(at === 3 ? 1 : 3);
			if (at === 3) await cluster.until(() => notVoting(cluster, 1) === "device-revoked", "the first is out of use");
			if (at === 3) await cluster.command(1, { type: "admitAnew" });
			if (at === 3) await cluster.until(() => stageOf(cluster, 1) === "street", "the first is in use again");
		}
		await cluster.settle();
		expect(inUse(cluster, 1)).toEqual([3, 4, 5]);
		expect(ledgerOf(cluster, 0).households[1]?.meteringDevice).toBe(5);
	});

	it("is told when the household is not a member there, and can go back", async () => {
		const cluster = await foundedStreet(3);
		const decoded = decodeLink(await restoreLinkOf(cluster, 1));
		if (!decoded.ok || decoded.value.kind !== "restore") throw new Error("a restore link");
		const link = encodeRestoreLink({ ...decoded.value, household: { seed: new Uint8Array(32).fill(7) } });
		await cluster.add();
		await cluster.command(3, restore(link));
		await cluster.until(() => joiningOf(cluster, 3) === "unknown-household", "it is told why");
		expect(await cluster.outcome(3, { type: "abandon" })).toBe("ok");
		expect(stageOf(cluster, 3)).toBe("welcome");
	});

	it("takes a restore link for nothing else, and nothing else for a restore link", async () => {
		const cluster = await foundedStreet(3);
		const link = await restoreLinkOf(cluster, 1);
		await cluster.add();
		const join = { type: "join" as const, link, householdName: "Lie", alwaysOn: true, signalingUrls: [] };
		expect(await cluster.outcome(3, join)).toBe("link-unknown");
		expect(await cluster.outcome(3, restore("join=abc"))).toBe("link-damaged");
		expect(await cluster.outcome(3, restore(link.slice(0, -9)))).toBe("link-damaged");
		expect(await cluster.outcome(1, restore(link))).toBe("already-in-a-neighbourhood");
		expect(await cluster.outcome(1, { type: "admitAnew" })).toBe("device-in-use");
	});
});

describe("the only device that votes", () => {
	it("goes on voting beside a device that its household restores, and cannot be taken out of use", async () => {
		const cluster = await foundedStreet(2);
		expect(ledgerOf(cluster, 0).voters).toEqual([0]);
		const link = await restoreLinkOf(cluster, 0);
		await cluster.add();
		const tablet = 2;
		await cluster.command(tablet, restore(link));
		await cluster.until(() => stageOf(cluster, tablet) === "street", "the new device is admitted");
		await cluster.settle();
		expect(inUse(cluster, 0)).toEqual([0, 2]);
		expect(await cluster.outcome(tablet, { type: "revoke", device: 0 })).toBe("too-few-voters");
		await cluster.act(tablet, { type: "buy", amountMicroNok: 1 });
	});
});

describe("a device that is out of use", () => {
	it("cannot hand in readings, and what it had handed in leaves everybody's mempool", async () => {
		const { cluster, original, copy } = await streetWithCopy();
		await cluster.add(copy);
		await cluster.until(() => notVoting(cluster, 4) !== undefined, "the twin notices");
		// A reading that waits for its minute's block, signed by the old device.
		await cluster.nextMinute(1_000);
		const minute = Math.floor(cluster.chainMs / MS_PER_MINUTE) - 1;
		await cluster.read(4, minute, 7);
		const waiting = [...cluster.street(4).outbox.all()]
			.map(({ transaction }) => transaction)
			.filter((transaction) => transaction.kind === "reading" && transaction.minute === minute);
		expect(waiting).toHaveLength(1);
		expect(cluster.street(0).mempool.size).toBeGreaterThanOrEqual(1);
		await cluster.command(original, { type: "admitAnew" });
		await cluster.until(() => inUse(cluster, original).includes(4), "the new device is admitted", 4_000);
		expect(cluster.street(0).mempool.size).toBe(0);
		expect(ledgerOf(cluster, 0).households[original]?.importWh).toBeLessThan(7);
		const before = cluster.view(0).refusals["transaction-of-stranger"] ?? 0;
		await cluster.say(4, 0, { type: "transactions", transactions: waiting });
		expect(cluster.view(0).refusals["transaction-of-stranger"]).toBe(before + 1);
		expect(cluster.street(0).mempool.size).toBe(0);
	});
});

describe("a `device` transaction", () => {
	/** House 1's household admits some device; `change` spoils it. */
	async function admission(cluster: Cluster, change: Partial<DeviceTransaction> = {}, signer = 1) {
		const { gridId, config, chain } = cluster.street(signer);
		const deviceSecret = new Uint8Array(32).fill(9);
		const deviceKey = cluster.street(1).deviceKey.map((byte, at) => (at === 32 ? byte ^ 1 : byte));
		const unsigned: Unsigned<DeviceTransaction> = {
			kind: "device",
			member: 1,
			nonce: (chain.head.ledger.households[1]?.nonce ?? 0) + 1,
			deviceKey,
			alwaysOn: true,
			metering: true,
			replaces: 1,
			...change,
		};
		const digest = transactionId(unsigned, gridId);
		const signature = keyedSign(digest, householdSecretOf(seedOf(config.keys)));
		const transaction = { ...unsigned, signature, deviceSignature: keyedSign(digest, deviceSecret) };
		return { type: "transactions" as const, transactions: [transaction] };
	}

	/** A guest that nobody knows. */
	async function streetWithStranger(): Promise<Cluster> {
		const cluster = await foundedStreet(3);
		const decoded = decodeLink(await restoreLinkOf(cluster, 1));
		if (!decoded.ok || decoded.value.kind !== "restore") throw new Error("a restore link");
		await cluster.add();
		const link = encodeRestoreLink({ ...decoded.value, household: { seed: new Uint8Array(32).fill(7) } });
		await cluster.command(3, restore(link));
		await cluster.until(() => joiningOf(cluster, 3) === "unknown-household", "the stranger is there");
		return cluster;
	}

	it("of a stranger, or with another household's key, is refused", async () => {
		const cluster = await streetWithStranger();
		await cluster.say(3, 0, await admission(cluster, {}, 3));
		await cluster.say(3, 0, await admission(cluster, {}, 2));
		// The device itself has not signed.
		await cluster.say(3, 0, await admission(cluster));
		await cluster.say(3, 0, await admission(cluster, { member: 77 }));
		expect(cluster.view(0).refusals).toMatchObject({ "bad-signature": 3, "unknown-member": 1 });
		expect(cluster.street(0).mempool.size).toBe(0);
	});

	it("that is repeated after it is in a block is refused", async () => {
		const { cluster, original, copy } = await streetWithCopy();
		await cluster.add(copy);
		await cluster.until(() => notVoting(cluster, original) !== undefined, "it notices");
		await cluster.command(original, { type: "admitAnew" });
		await cluster.until(() => inUse(cluster, original).includes(4), "the new device is admitted");
		await cluster.settle();
		const found: DeviceTransaction[] = [];
		for await (const { transactions } of cluster.street(0).storedBlocks()) {
			for (const transaction of transactions) if (transaction.kind === "device") found.push(transaction);
		}
		expect(found).toHaveLength(1);
		await cluster.say(4, 0, { type: "transactions", transactions: found });
		expect(cluster.view(0).refusals).toMatchObject({ "nonce-used": 1 });
		const waiting = cluster.street(0).mempool.candidates(Number.MAX_SAFE_INTEGER);
		expect(waiting.map(({ kind }) => kind)).not.toContain("device");
	});

	it("of a reading's author alone makes the reading count", async () => {
		const cluster = await streetWithStranger();
		const reading: ReadingTransaction = {
			kind: "reading",
			member: 1,
			minute: 1,
			importWh: 1,
			exportWh: 0,
			quality: "measured",
			signature: new Uint8Array(65),
		};
		await cluster.say(3, 0, { type: "transactions", transactions: [reading] });
		expect(cluster.view(0).refusals).toMatchObject({ "transaction-of-stranger": 1 });
	});
});

describe("a house that loses its power on its way in as a new device", () => {
	it("at any write, made or not made, has lost no reading, and one device is admitted", {
		timeout: 120_000,
	}, async () => {
		let crashes = 0;
		for (let atWrite = 1; ; atWrite++) {
			let reached = false;
			for (const isKept of [true, false]) {
				const { cluster, original, copy } = await streetWithCopy();
				await cluster.add(copy);
				await cluster.until(() => notVoting(cluster, original) !== undefined, "it notices");
				cluster.off(4);
				// Signed by the old device, and heard by nobody.
				cluster.isolate(original);
				await meterAMinute(cluster, original, 10);
				cluster.mend();
				const { storage } = cluster.house(original);
				storage.crash = { atWrite: storage.writes + atWrite, isKept };
				cluster.ask(original, { type: "admitAnew" });
				await cluster.deliver();
				const isIn = () => stageOf(cluster, original) === "street" && cluster.street(original).outbox.size === 0;
				await cluster.until(() => !cluster.house(original).isUp || isIn(), "it crashes, or all is done");
				storage.crash = undefined;
				const what = `write ${atWrite}, ${isKept ? "made" : "not made"}`;
				if (!cluster.house(original).isUp) {
					reached = true;
					crashes += 1;
					await cluster.on(original);
				}
				const view = cluster.house(original).node.view();
				if (view.stage === "street" && view.chain.outOfUse === true) {
					expect([what, await cluster.outcome(original, { type: "admitAnew" })]).toEqual([what, "ok"]);
				}
				await cluster.until(() => stageOf(cluster, original) === "street", `${what}: it is admitted`);
				await meterAMinute(cluster, original, 100);
				await cluster.until(() => cluster.street(original).outbox.size === 0, `${what}: all readings are in`);
				await cluster.settle();
				expect([what, inUse(cluster, original)]).toEqual([what, [4]]);
				expect([what, ledgerOf(cluster, 0).devices.length]).toEqual([what, 5]);
				expect([what, ledgerOf(cluster, 0).households[original]?.importWh]).toEqual([what, 111]);
			}
			if (!reached) break;
		}
		expect(crashes).toBeGreaterThanOrEqual(8);
	});
});
