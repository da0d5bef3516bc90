/** What one device of a large street, where not everybody is connected with everybody, can do to the others. */
import { describe, expect, it } from "vitest";
import { transactionId } from "../../../src/block/transaction.js";
import { decodeProposal, encodeProposal } from "../../../src/block/transactionCodec.js";
import type { Message, RefoundingMessage } from "../../../src/message/message.js";
import type { DeviceStatus } from "../../../src/node/street/presence.js";
import { householdSecretOf } from "../../../src/node/vault.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { ZERO_HASH } from "../../../src/primitives/hash.js";
import { ledgerOf, propose, refoundingOf, stateAt, TAKEN_BACK } from "../../support/brokenStreet.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";
import { keyedSign } from "../../support/keyedSignatures.js";
import { tamperMessages } from "../../support/wrongNeighbour.js";

const STEP_MS = 200;

interface Large {
	cluster: Cluster;
	voters: number[];
	observers: number[];
}

/** Sixteen houses, some of which vote: few enough for a test, and too many for channels to everybody. */
async function largeStreet(voting = 4): Promise<Large> {
	const cluster = await foundedStreet(16, { settings: { fullMeshDevices: 4 } }, voting);
	await cluster.run(60_000, STEP_MS);
	await cluster.act(0, { type: "buy", amountMicroNok: 1_000_000 });
	const voters = [...ledgerOf(cluster, 0).voters];
	const observers = cluster.houses.map(({ index }) => index).filter((at) => !voters.includes(at));
	return { cluster, voters, observers };
}

describe("a member that proposes again and again to found the neighbourhood again", () => {
	/** As its household signs it, so many milliseconds later. */
	function proposedLater({ cluster }: Large, at: number, message: RefoundingMessage, laterMs: number) {
		const decoded = decodeProposal(message.proposal);
		if (!decoded.ok) throw new Error("a proposal that was made here");
		const { signature, ...unsigned } = decoded.value;
		const later = { ...unsigned, timestampMs: unsigned.timestampMs + laterMs };
		const { seed } = cluster.street(at).config.keys.household;
		if (seed === undefined) throw new Error("without a password");
		const proposal = transactionId(later, ZERO_HASH);
		const signed = { ...later, signature: keyedSign(proposal, householdSecretOf(seed)) };
		return { id: toHex(proposal), message: { ...message, proposal: encodeProposal(signed), confirmations: [] } };
	}

	it("has the others hand on the first and the newest, and none in between", { timeout: 120_000 }, async () => {
		const large = await largeStreet();
		const { cluster, voters, observers } = large;
		for (const at of voters) cluster.off(at);
		await cluster.run(20_000, STEP_MS);
		const [proposer = 0, ...asked] = observers;
		let proposed: RefoundingMessage | undefined;
		let handedOn = 0;
		tamperMessages(cluster, (message, from) => {
			if (message.type !== "refounding") return message;
			if (from === proposer) proposed = message;
			else handedOn += 1;
			return message;
		});
		await propose(cluster, proposer);
		await cluster.until(() => asked.every((at) => stateAt(cluster, at) === "proposed"), "everybody is asked");
		const once = handedOn;
		expect(once).toBeGreaterThan(0);
		const neighbour = asked.find((at) => cluster.areConnected(proposer, at)) ?? 0;
		let newest = "";
		for (let count = 1; count <= 20; count++) {
			if (proposed === undefined) throw new Error("it was sent");
			const { id, message } = proposedLater(large, proposer, proposed, count);
			await cluster.say(proposer, neighbour, message);
			newest = id;
		}
		await cluster.until(
			() => asked.every((at) => refoundingOf(cluster, at).proposal === newest),
			"everybody is asked about the newest",
		);
		expect(handedOn).toBeLessThanOrEqual(2 * once);
	});

	it("is heard by everybody where it took its proposal back and proposed anew at once", {
		timeout: 120_000,
	}, async () => {
		const { cluster, voters, observers } = await largeStreet();
		for (const at of voters) cluster.off(at);
		await cluster.run(20_000, STEP_MS);
		const [proposer = 0, ...asked] = observers;
		await propose(cluster, proposer);
		await cluster.until(() => asked.every((at) => stateAt(cluster, at) === "proposed"), "everybody is asked");
		expect(await cluster.outcome(proposer, TAKEN_BACK)).toBe("ok");
		await cluster.until(() => stateAt(cluster, proposer) === "possible", "it begins anew");
		await propose(cluster, proposer);
		const { proposal } = refoundingOf(cluster, proposer);
		await cluster.until(() => asked.every((at) => refoundingOf(cluster, at).proposal === proposal), "all hear", 30_000);
	});

	it("is told a proposal once on a channel, however often it says hello", { timeout: 120_000 }, async () => {
		const { cluster, voters, observers } = await largeStreet();
		for (const at of voters) cluster.off(at);
		await cluster.run(20_000, STEP_MS);
		const [proposer = 0, ...asked] = observers;
		const hellos: Message[] = [];
		let told = 0;
		tamperMessages(cluster, (message, from) => {
			if (message.type === "hello") hellos.push(message);
			if (message.type === "refounding" && from === proposer) told += 1;
			return message;
		});
		await propose(cluster, proposer);
		const guest = asked.find((at) => !cluster.areConnected(proposer, at)) ?? 0;
		cluster.off(guest);
		await cluster.on(guest);
		await cluster.until(() => hellos.length > 0, "somebody says hello");
		const neighbour = asked.find((at) => cluster.areConnected(proposer, at)) ?? 0;
		told = 0;
		const [hello] = hellos;
		if (hello === undefined) throw new Error("there is one");
		for (let count = 0; count < 20; count++) await cluster.say(neighbour, proposer, hello);
		expect(told).toBeLessThanOrEqual(1);
	});
});

describe("a voter that says of others what is not so", () => {
	const status = (device: number): DeviceStatus & { device: number } => ({
		...{ device, headIndex: 1_000, term: 9 },
		role: "follower",
	});

	/** Whatever it says of its channels, it says this instead. */
	function lies({ cluster }: Large, liar: number, devices: readonly ReturnType<typeof status>[]): void {
		tamperMessages(cluster, (message, from) =>
			message.type === "neighbours" && from === liar ? { ...message, devices: [...devices] } : message,
		);
	}

	it("keeps nobody from founding the neighbourhood again, and makes no voters of who is away", {
		timeout: 120_000,
	}, async () => {
		const large = await largeStreet();
		const { cluster, voters, observers } = large;
		const [liar = 0, ...lost] = voters;
		lies(large, liar, voters.map(status));
		for (const at of lost) cluster.off(at);
		await cluster.run(20_000, STEP_MS);
		for (const at of observers) expect(stateAt(cluster, at)).toBe("possible");
		const proposer = observers.find((at) => cluster.areConnected(at, liar)) ?? 0;
		expect(cluster.street(proposer).refounding.plannedVoters.filter((voter) => lost.includes(voter))).toEqual([]);
		await propose(cluster, proposer);
	});

	it("is not believed any more, with another one, when both have said nothing of them for long", {
		timeout: 120_000,
	}, async () => {
		const { cluster, voters, observers } = await largeStreet(7);
		await cluster.run(5_000, STEP_MS);
		tamperMessages(cluster, (message) => (message.type === "neighbours" ? undefined : message));
		for (const at of voters.slice(2)) cluster.off(at);
		await cluster.run(20_000, STEP_MS);
		for (const at of observers) expect(cluster.street(at).refounding.hasMajority).toBe(false);
	});

	it("has nobody found it again while a majority is here", { timeout: 120_000 }, async () => {
		const large = await largeStreet(7);
		const { cluster, voters, observers } = large;
		const [liar = 0] = voters;
		lies(
			large,
			liar,
			voters.map((voter) => ({ ...status(voter), role: "observer" as const })),
		);
		await cluster.run(20_000, STEP_MS);
		for (const at of observers) expect(cluster.street(at).refounding.hasMajority).toBe(true);
	});
});

describe("a device that reaches only some that observe", () => {
	it("tells what waits there again until it is in a block", { timeout: 120_000 }, async () => {
		const { cluster, voters, observers } = await largeStreet();
		const [cutOff = 0] = observers;
		cluster.cut([cutOff], voters);
		await cluster.run(20_000, STEP_MS);
		expect(observers.some((at) => cluster.areConnected(cutOff, at))).toBe(true);
		expect(voters.some((at) => cluster.areConnected(cutOff, at))).toBe(false);
		let lost = 0;
		tamperMessages(cluster, (message, from) => {
			if (message.type !== "transactions" || from !== cutOff) return message;
			lost += 1;
			return undefined;
		});
		const reply = await cluster.command(cutOff, { type: "buy", amountMicroNok: 1 });
		if (!reply.ok || reply.value.type !== "signed") throw new Error("it is signed");
		const { id } = reply.value;
		await cluster.until(() => lost > 0, "it was told once, for nothing");
		cluster.tamper = undefined;
		await cluster.until(() => cluster.own(cutOff, id)?.state === "confirmed", "it is in a block", 30_000, STEP_MS);
	});
});
