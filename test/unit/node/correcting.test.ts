import { beforeAll, describe, expect, it } from "vitest";
import { verifyProofFile } from "../../../src/node/proofFileCheck.js";
import { type Cluster, foundedStreet, SHORT_DAYS } from "../../support/cluster.js";
import { keyedVerifier } from "../../support/keyedSignatures.js";

const NOK = 1_000_000;
const MS_PER_MINUTE = 60_000;

/** Blocks of 5 s, of which four end a minute's grace. */
const settings = { ...SHORT_DAYS, founding: { ...SHORT_DAYS.founding, settlementGraceBlocks: 3 } };

async function give(cluster: Cluster, at: number, amountMicroNok: number): Promise<void> {
	const orderId = await cluster.act(at, { type: "buy", amountMicroNok });
	await cluster.act(0, { type: "issue", orderId, amountMicroNok, reference: "KID" });
}

/** A street of three in which minutes have settled; the first of them. */
async function settledStreet(): Promise<{ cluster: Cluster; minute: number }> {
	const cluster = await foundedStreet(3, { settings });
	const minute = Math.floor(cluster.chainMs / MS_PER_MINUTE);
	await cluster.nextMinute(30_000);
	await cluster.nextMinute(30_000);
	return { cluster, minute };
}

const said = (minute: number) =>
	({
		type: "correct",
		counterparty: 2,
		fromMinute: minute,
		untilMinute: minute + 1,
		reason: "wrongRegister",
		energyWh: 40,
		amountMicroNok: 3 * NOK,
		isPayer: true,
	}) as const;

const movementsOf = (cluster: Cluster, at: number) =>
	cluster.view(at).balance.movements.filter(({ type }) => type.startsWith("correction"));

describe("a correction in a street of nodes", () => {
	let cluster: Cluster;
	let minute = 0;
	let id = "";

	beforeAll(async () => {
		({ cluster, minute } = await settledStreet());
		await give(cluster, 1, NOK);
		id = await cluster.act(1, said(minute));
	});

	it("waits at both and at the operator until the neighbour has agreed, and moves nothing", () => {
		for (const at of [1, 2]) expect(cluster.view(at).corrections.open).toMatchObject([{ id, member: 1, payer: 1 }]);
		expect(cluster.view(0).corrections.open).toEqual([]);
		expect(cluster.view(0).operator?.corrections.open).toMatchObject([{ id, amountMicroNok: 3 * NOK }]);
		expect([1, 2].map((at) => cluster.view(at).balance.balanceMicroNok)).toEqual([NOK, 0]);
	});

	it("moves what there is, leaves the rest a claim, and stands in both statements as it is paid", async () => {
		await cluster.act(2, { type: "answer", correctionId: id, isAgreed: true });
		expect(movementsOf(cluster, 1)).toMatchObject([{ type: "correctionPaid", amountMicroNok: NOK, other: 2, id }]);
		expect(movementsOf(cluster, 2)).toMatchObject([{ type: "correctionReceived", amountMicroNok: NOK, other: 1, id }]);
		const claim = { id, debtor: 1, creditor: 2, amountMicroNok: 2 * NOK };
		for (const at of [1, 2]) expect(cluster.view(at).corrections.claims).toMatchObject([claim]);
		await give(cluster, 1, 5 * NOK);
		for (const at of [1, 2]) {
			const amounts = [{ amountMicroNok: 2 * NOK }, { amountMicroNok: NOK }];
			expect(movementsOf(cluster, at)).toMatchObject(amounts);
			expect(cluster.view(at).corrections).toMatchObject({ claims: [], ended: [{ id, outcome: "agreed" }] });
		}
		expect([1, 2].map((at) => cluster.view(at).balance.balanceMicroNok)).toEqual([3 * NOK, 3 * NOK]);
		expect(movementsOf(cluster, 0)).toEqual([]);
	});

	it("is proven to anybody with both signatures, by either of the two", async () => {
		// The block in which it was paid may only be certified with a later one.
		await cluster.nextMinute();
		for (const at of [1, 2]) {
			const reply = await cluster.command(at, { type: "proofFile", id });
			if (!reply.ok || reply.value.type !== "proofFile") throw new Error(JSON.stringify(reply));
			const proven = verifyProofFile(reply.value.text, keyedVerifier);
			if (!proven.ok) throw new Error(proven.error.code);
			const signed = proven.value.blocks.flatMap(({ transactions }) =>
				transactions.map(({ transaction }) => [transaction.kind, "member" in transaction && transaction.member]),
			);
			expect(signed).toEqual([
				["correct", 1],
				["answer", 2],
			]);
		}
	});

	it("stays in the statement over a start from a checkpoint", async () => {
		const [before, ended] = [movementsOf(cluster, 2), cluster.view(2).corrections.ended];
		cluster.off(2);
		await cluster.on(2);
		await cluster.settle();
		expect(movementsOf(cluster, 2)).toEqual(before);
		expect(cluster.view(2).corrections.ended).toEqual(ended);
	});
});

describe("a dispute in a street of nodes", () => {
	it("is seen by both and by the operator until it is taken back, and then stands among what has ended", async () => {
		const { cluster, minute } = await settledStreet();
		await give(cluster, 1, 5 * NOK);
		const id = await cluster.act(1, said(minute));
		await cluster.act(2, { type: "answer", correctionId: id, isAgreed: false, note: "Feil minutt" });
		for (const at of [1, 2]) expect(cluster.view(at).corrections.open).toMatchObject([{ id, declined: "Feil minutt" }]);
		expect(cluster.view(0).operator?.corrections.open).toMatchObject([{ id, declined: "Feil minutt" }]);
		expect(await cluster.outcome(0, { type: "answer", correctionId: id, isAgreed: false })).toBe("unknown-correction");
		await cluster.act(1, { type: "answer", correctionId: id, isAgreed: false });
		for (const at of [1, 2]) {
			const { open, ended } = cluster.view(at).corrections;
			expect([open, movementsOf(cluster, at)]).toEqual([[], []]);
			expect(ended).toMatchObject([{ id, outcome: "takenBack", declined: "Feil minutt", amountMicroNok: 3 * NOK }]);
		}
		expect(cluster.view(1).balance.balanceMicroNok).toBe(5 * NOK);
	});
});

describe("readings that settle nothing", () => {
	it("are counted, by the minutes one after the other, for their household and the operator, also over a start", async () => {
		const { cluster, minute } = await settledStreet();
		await cluster.nextMinute(30_000);
		for (const back of [0, 1]) await cluster.read(2, minute + back, 10 + back, 5);
		const ended = Math.floor(cluster.view(2).chainMs / MS_PER_MINUTE);
		await cluster.nextMinute(1_000);
		await cluster.read(2, ended, 7);
		const typed = { minute: ended, importWh: 3, exportWh: 0, quality: "typed" as const };
		await cluster.input(1, { type: "readings", readings: [typed] });
		await cluster.until(() => cluster.street(2).outbox.size + cluster.street(1).outbox.size === 0, "all is in");
		await cluster.settle();
		const late = { reason: "late", fromMinute: minute, untilMinute: minute + 2, importWh: 21, exportWh: 10 };
		const own = { unsettled: [late], unsettledMinutes: { late: 2, typed: 0 } };
		expect(cluster.view(2).corrections).toMatchObject(own);
		const typedRun = { reason: "typed", fromMinute: ended, untilMinute: ended + 1, importWh: 3, exportWh: 0 };
		expect(cluster.view(1).corrections.unsettled).toEqual([typedRun]);
		const counts = cluster.view(0).operator?.nodes.map(({ member, unsettledMinutes }) => [member, unsettledMinutes]);
		expect(counts).toEqual([
			[0, { late: 0, typed: 0 }],
			[1, { late: 0, typed: 1 }],
			[2, { late: 2, typed: 0 }],
		]);
		// A checkpoint comes every ten blocks.
		await cluster.nextMinute();
		cluster.off(2);
		await cluster.on(2);
		await cluster.settle();
		expect(cluster.view(2).corrections).toMatchObject(own);
	});
});
