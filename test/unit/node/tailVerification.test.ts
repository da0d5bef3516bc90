import { describe, expect, it } from "vitest";
import type { ReadingTransaction } from "../../../src/block/kinds/metering.js";
import { decodeUnverified } from "../../../src/node/unverified.js";
import { type Cluster, FIRST_MINUTE, foundedStreet, SHORT_DAYS } from "../../support/cluster.js";
import { keyedVerifier } from "../../support/keyedSignatures.js";
import { oneByOne } from "../../support/oneByOne.js";

const FOLLOWER = 3;
const MINUTES = 24;
/** The verifier of the house in question takes this long: eight verifications use up a tick. */
const VERIFICATION_MS = 5;
/** As it is meant to be: a minute a block. */
const SETTINGS = { ...SHORT_DAYS, founding: { ...SHORT_DAYS.founding, blockIntervalMs: 60_000 } };

/** A follower whose verifications are counted, and neighbours that believe every signature. */
interface Behind {
	cluster: Cluster;
	verified: () => number;
	/** Transactions that it has to fetch. */
	transactions: number;
}

function street(): { cluster: Promise<Cluster>; verified: () => number } {
	let verified = 0;
	let isFounded = false;
	const counting = oneByOne((signature, digest, publicKey) => {
		verified += 1;
		if (isFounded) own.monotonicMs += VERIFICATION_MS;
		return keyedVerifier.verify(signature, digest, publicKey);
	});
	const credulous = oneByOne(() => true);
	let own: Cluster;
	const cluster = foundedStreet(4, {
		settings: SETTINGS,
		// Members are sorted when the street is founded: until then nobody is told apart.
		verifierOf: (index) => (isFounded ? (index === FOLLOWER ? counting : credulous) : undefined),
	}).then(async (founded) => {
		own = founded;
		isFounded = true;
		for (const { index } of founded.houses) {
			founded.off(index);
			await founded.on(index);
		}
		await founded.settle();
		return founded;
	});
	return { cluster, verified: () => verified };
}

/** One house is off while the others make blocks full of readings. `meddle` is done on the way. */
async function behind(meddle: (cluster: Cluster) => Promise<void> = async () => {}): Promise<Behind> {
	const { cluster: founding, verified } = street();
	const cluster = await founding;
	cluster.off(FOLLOWER);
	const from = cluster.height(0) + 1;
	for (let minute = 1; minute <= MINUTES; minute++) {
		await cluster.nextMinute(500);
		// A block in which nobody signed anything is among them.
		if (minute === MINUTES - 2) continue;
		for (let at = 0; at < FOLLOWER; at++) await cluster.read(at, FIRST_MINUTE + minute, 10 + at);
		if (minute === MINUTES / 2) await meddle(cluster);
	}
	await cluster.nextMinute();
	await cluster.settle();
	let transactions = 0;
	for await (const block of cluster.street(0).storedBlocks()) {
		if (block.index >= from) transactions += block.transactions.length;
	}
	return { cluster, verified, transactions };
}

const isLevel = (cluster: Cluster) => cluster.height(FOLLOWER) >= cluster.height(0);
const verification = (cluster: Cluster) => cluster.view(FOLLOWER).chain.verification;

/** A reading that nobody signed reaches those who believe it. */
async function forge(cluster: Cluster): Promise<void> {
	const reading: ReadingTransaction = {
		kind: "reading",
		member: FOLLOWER,
		minute: FIRST_MINUTE + 3,
		importWh: 999,
		exportWh: 0,
		quality: "measured",
		signature: new Uint8Array(65),
	};
	const leader = cluster.leader();
	await cluster.say((leader + 1) % FOLLOWER, leader, { type: "transactions", transactions: [reading] });
}

describe("a tail of certified blocks", { timeout: 60_000 }, () => {
	it("is executed and followed at once, and verified afterwards, with its progress shown", async () => {
		const { cluster, verified, transactions } = await behind();
		expect(transactions).toBeGreaterThanOrEqual(3 * MINUTES - 6);
		const before = verified();
		await cluster.on(FOLLOWER);
		await cluster.until(() => isLevel(cluster), "the follower has the head");
		const atHead = verified() - before;
		expect(atHead).toBeLessThan(transactions / 2);
		expect(verification(cluster)).toEqual({ done: expect.any(Number), all: transactions });
		await cluster.until(() => verification(cluster) === undefined, "everything is verified");
		console.log(
			`follower ${transactions} transactions behind: head after ${atHead} verifications, all after ${verified() - before}`,
		);
		expect(verified() - before).toBeGreaterThanOrEqual(transactions);
		expect(cluster.house(FOLLOWER).faults).toEqual([]);
	});

	it("goes on being verified after a restart, where it was not finished", async () => {
		const { cluster, verified, transactions } = await behind();
		await cluster.on(FOLLOWER);
		await cluster.until(() => isLevel(cluster), "the follower has the head");
		expect(verification(cluster)?.done).toBeLessThan(transactions);
		cluster.off(FOLLOWER);
		const before = verified();
		await cluster.on(FOLLOWER);
		expect(verification(cluster)?.all).toBeGreaterThan(0);
		await cluster.until(() => verification(cluster) === undefined, "everything is verified");
		expect(verified() - before).toBeGreaterThan(transactions / 2);
		// And once it is finished, nothing is left for another start.
		cluster.off(FOLLOWER);
		await cluster.on(FOLLOWER);
		expect(verification(cluster)).toBeUndefined();
	});

	it("is verified once more where it cannot be read what is verified", async () => {
		const { cluster } = await behind();
		await cluster.on(FOLLOWER);
		await cluster.until(() => isLevel(cluster), "the follower has the head");
		await cluster.until(() => verification(cluster) === undefined, "everything is verified");
		cluster.off(FOLLOWER);
		const { storage } = cluster.house(FOLLOWER);
		const chain = await storage.openChain([...storage.names][0] ?? "");
		if (chain.ok) await chain.value.write({ unverified: Uint8Array.of(1, 2, 3) });
		await cluster.on(FOLLOWER);
		expect(cluster.house(FOLLOWER).faults).toEqual(["record-damaged"]);
		expect(verification(cluster)?.all).toBeGreaterThan(0);
		await cluster.until(() => verification(cluster) === undefined, "everything is verified");
		cluster.off(FOLLOWER);
		await cluster.on(FOLLOWER);
		expect(cluster.house(FOLLOWER).faults).toEqual(["record-damaged"]);
	});

	it("keeps no checkpoint above what is not verified, and the next one when all is", async () => {
		const { cluster } = await behind();
		await cluster.on(FOLLOWER);
		await cluster.until(() => isLevel(cluster), "the follower has the head");
		cluster.off(FOLLOWER);
		const halfway = await kept(cluster);
		expect(halfway.unverifiedFrom).toBeGreaterThan(0);
		expect(halfway.checkpoint).toBeLessThan(halfway.unverifiedFrom);
		await cluster.on(FOLLOWER);
		await cluster.until(() => verification(cluster) === undefined, "everything is verified");
		const height = cluster.height(FOLLOWER);
		await cluster.until(() => cluster.height(FOLLOWER) > height + 10, "a checkpoint later", 900_000, 500);
		cluster.off(FOLLOWER);
		expect((await kept(cluster)).checkpoint).toBeGreaterThan(halfway.unverifiedFrom);
	});
});

/** What lies in the database of the follower, which is off. */
async function kept(cluster: Cluster): Promise<{ unverifiedFrom: number; checkpoint: number }> {
	const { storage } = cluster.house(FOLLOWER);
	const chain = await storage.openChain([...storage.names][0] ?? "");
	if (!chain.ok) throw new Error("memory opens");
	const loaded = await chain.value.load();
	const record = loaded.ok ? loaded.value.unverified : undefined;
	const unverified = record === undefined ? undefined : decodeUnverified(record);
	const checkpoint = await chain.value.newestCheckpoint();
	return {
		unverifiedFrom: unverified?.ok === true ? unverified.value.fromIndex : 0,
		checkpoint: checkpoint.ok ? (checkpoint.value?.index ?? 0) : 0,
	};
}

describe("a signature in a certified block that does not check", { timeout: 60_000 }, () => {
	it("is found, said with its place, and remembered; the chain goes on", async () => {
		const { cluster } = await behind(forge);
		await cluster.on(FOLLOWER);
		await cluster.until(() => isLevel(cluster), "the follower has the head");
		await cluster.until(() => verification(cluster) === undefined, "everything is verified");
		const { chain, faults } = cluster.view(FOLLOWER);
		const [bad] = chain.badSignatures;
		expect(chain.badSignatures).toHaveLength(1);
		expect(faults).toEqual([{ fault: { code: "certified-bad-signature", ...bad }, count: 1 }]);
		for await (const block of cluster.street(FOLLOWER).storedBlocks()) {
			if (block.index !== bad?.index) continue;
			expect(block.transactions[bad.at]).toMatchObject({ kind: "reading", member: FOLLOWER, importWh: 999 });
		}
		const height = cluster.height(FOLLOWER);
		await cluster.nextMinute();
		await cluster.settle();
		expect(cluster.height(FOLLOWER)).toBeGreaterThan(height);
		cluster.off(FOLLOWER);
		await cluster.on(FOLLOWER);
		expect(cluster.view(FOLLOWER).chain.badSignatures).toEqual([bad]);
		expect(cluster.house(FOLLOWER).faults).toContain("certified-bad-signature");
	});
});
