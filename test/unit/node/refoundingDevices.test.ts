import { describe, expect, it } from "vitest";
import {
	brokenStreet,
	confirm,
	gridOf,
	ledgerOf,
	propose,
	refoundingOf,
	restore,
	stateAt,
	TAKEN_BACK,
} from "../../support/brokenStreet.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";

describe("another device of the household that proposed", () => {
	/** Four households of which one device voted, and is lost; household 1 has a phone, house 1, and a tablet, house 4. */
	async function streetOfTwoDevices(): Promise<Cluster> {
		const cluster = await foundedStreet(4, {}, 1);
		await restore(cluster, 1);
		await cluster.until(() => cluster.house(tablet).node.view().stage === "street", "the tablet is admitted");
		expect(await cluster.outcome(phone, { type: "admitAnew" })).toBe("ok");
		await cluster.until(() => cluster.house(phone).node.view().stage === "street", "the phone is admitted beside it");
		await cluster.settle();
		cluster.off(0);
		await cluster.run(12_000, 500);
		return cluster;
	}
	const [phone, second, third, tablet] = [1, 2, 3, 4];

	/** The phone proposes, and the second household says yes. */
	async function proposeAndConfirm(cluster: Cluster): Promise<void> {
		await propose(cluster, phone);
		await cluster.until(() => stateAt(cluster, second) === "proposed", "everybody is asked");
		expect(await confirm(cluster, second)).toBe("ok");
	}

	/** Everybody is over there in the one chain that the phone sealed. */
	async function expectOneChain(cluster: Cluster): Promise<void> {
		await cluster.until(() => ledgerOf(cluster, phone).predecessor !== undefined, "the phone seals");
		cluster.mend();
		const all = [phone, second, third, tablet];
		await cluster.until(() => all.every((at) => gridOf(cluster, at) === gridOf(cluster, phone)), "all go over");
		await cluster.settle();
	}

	it("neither takes the proposal back nor makes one: the first may be sealing where it cannot be heard", async () => {
		const cluster = await streetOfTwoDevices();
		await proposeAndConfirm(cluster);
		await cluster.until(() => stateAt(cluster, tablet) === "confirmed", "the tablet is bound with its household");
		cluster.cut([phone, third], [second, tablet]);
		expect(await confirm(cluster, third)).toBe("ok");
		for (const type of ["withdrawRefounding", "refound"] as const) {
			expect(await cluster.outcome(tablet, { type })).toBe("proposed-on-another-device");
		}
		expect([second, tablet].map((at) => stateAt(cluster, at))).toEqual(["confirmed", "confirmed"]);
		await expectOneChain(cluster);
	});

	it("releases nobody by a newer proposal, which it made because it did not know of the first", async () => {
		const cluster = await streetOfTwoDevices();
		cluster.isolate(tablet);
		await proposeAndConfirm(cluster);
		const { proposal } = refoundingOf(cluster, second);
		await cluster.until(() => !cluster.areConnected(second, tablet), "the tablet is away");
		await propose(cluster, tablet);
		cluster.mend();
		cluster.cut([phone, third], [second, tablet]);
		await cluster.until(() => cluster.areConnected(second, tablet), "the tablet is back");
		await cluster.until(() => cluster.view(second).refusals["refounding-open"] !== undefined, "its proposal is heard");
		await cluster.run(5_000);
		expect(refoundingOf(cluster, second)).toMatchObject({ state: "confirmed", proposal });
		expect(await confirm(cluster, third)).toBe("ok");
		await expectOneChain(cluster);
	});

	it("leaves it to the first to take the proposal back when the old chain goes on", async () => {
		const cluster = await streetOfTwoDevices();
		await propose(cluster, phone);
		await cluster.until(() => stateAt(cluster, tablet) === "confirmed", "the tablet is bound with its household");
		cluster.cut([phone], [0, second, third, tablet]);
		await cluster.on(0);
		const height = cluster.height(0);
		await cluster.until(() => cluster.height(tablet) > height, "the old chain goes on");
		expect(stateAt(cluster, tablet)).toBe("confirmed");
		cluster.mend();
		await cluster.until(() => [phone, tablet].every((at) => stateAt(cluster, at) === "none"), "both are released");
		await cluster.settle();
	});

	it("takes the proposal back where a person says that the first is lost for good, and everybody is released", async () => {
		const cluster = await streetOfTwoDevices();
		await proposeAndConfirm(cluster);
		await cluster.until(() => stateAt(cluster, tablet) === "confirmed", "the tablet is bound with its household");
		expect([phone, second, tablet].map((at) => refoundingOf(cluster, at).elsewhere)).toEqual([false, false, true]);
		cluster.off(phone);
		expect(await cluster.outcome(second, TAKEN_BACK)).toBe("not-your-proposal");
		for (const command of [TAKEN_BACK, { ...TAKEN_BACK, proposerIsLost: false }]) {
			expect(await cluster.outcome(tablet, command)).toBe("proposed-on-another-device");
		}
		expect(await cluster.outcome(tablet, { ...TAKEN_BACK, proposerIsLost: true })).toBe("ok");
		const here = [second, third, tablet];
		await cluster.until(() => here.every((at) => stateAt(cluster, at) === "possible"), "all are released");
		expect(here.map((at) => cluster.view(at).chain.notVoting)).toEqual([undefined, undefined, undefined]);
		// The neighbourhood is founded again after all: the three households that are here are enough of four.
		await propose(cluster, tablet);
		expect(refoundingOf(cluster, tablet).elsewhere).toBe(false);
		for (const at of [second, third]) {
			await cluster.until(() => stateAt(cluster, at) === "proposed", "everybody is asked anew");
			expect(await confirm(cluster, at)).toBe("ok");
		}
		const isOver = (at: number) => ledgerOf(cluster, at).predecessor !== undefined;
		await cluster.until(() => here.every(isOver), "all go over");
		// The lost one was not lost: it hears what became of its proposal, and follows.
		await cluster.on(phone);
		await cluster.until(() => gridOf(cluster, phone) === gridOf(cluster, tablet), "the phone goes over");
		await cluster.settle();
	});

	it("takes it back when the old chain has gone on and the first, which would do so by itself, is lost", async () => {
		const cluster = await streetOfTwoDevices();
		await proposeAndConfirm(cluster);
		await cluster.until(() => stateAt(cluster, tablet) === "confirmed", "the tablet is bound with its household");
		cluster.off(phone);
		await cluster.on(0);
		const height = cluster.height(0);
		await cluster.until(() => cluster.height(tablet) > height, "the old chain goes on");
		expect(stateAt(cluster, second)).toBe("confirmed");
		expect(await cluster.outcome(tablet, { ...TAKEN_BACK, proposerIsLost: true })).toBe("ok");
		await cluster.until(() => [second, tablet].every((at) => stateAt(cluster, at) === "none"), "both are released");
		await cluster.settle();
	});

	it("may have come by the restore link when the first was lost already, and is admitted nowhere", async () => {
		const { cluster, lost, left } = await brokenStreet();
		const [operator = 0, proposer = 0, first = 0] = left;
		await propose(cluster, proposer);
		await cluster.until(() => stateAt(cluster, first) === "proposed", "everybody is asked");
		expect(await confirm(cluster, first)).toBe("ok");
		cluster.off(proposer);
		const restored = await restore(cluster, proposer);
		await cluster.until(() => stateAt(cluster, restored) === "confirmed", "the new device hears of it");
		expect(cluster.house(restored).node.view().stage).toBe("joining");
		expect(refoundingOf(cluster, restored)).toMatchObject({ mine: true, elsewhere: true });
		expect(await cluster.outcome(restored, TAKEN_BACK)).toBe("proposed-on-another-device");
		expect(await cluster.outcome(restored, { ...TAKEN_BACK, proposerIsLost: true })).toBe("ok");
		await cluster.until(() => [operator, first].every((at) => stateAt(cluster, at) === "possible"), "released");
		// The old chain goes on when one of its voters is back, and lets the new device in.
		await cluster.on(lost[0] ?? 0);
		await cluster.until(() => cluster.house(restored).node.view().stage === "street", "the new device is admitted");
		await cluster.settle();
	});
});

describe("a proposer that is lost, with all that its household had", () => {
	it("does not bind the others for ever: each says so on its own device, and another proposal gets its yes", async () => {
		const cluster = await foundedStreet(7, {}, 1);
		const [voter = 0] = ledgerOf(cluster, 0).voters;
		const [proposer = 0, first = 0, second = 0, ...others] = [0, 1, 2, 3, 4, 5, 6].filter((at) => at !== voter);
		cluster.off(voter);
		await cluster.run(12_000, 500);
		await propose(cluster, proposer);
		const bound = [first, second];
		await cluster.until(() => bound.every((at) => stateAt(cluster, at) === "proposed"), "everybody is asked");
		for (const at of bound) expect(await confirm(cluster, at)).toBe("ok");
		cluster.off(proposer);
		// Who has not said yes waits for nobody.
		for (const at of [...bound, others[0] ?? 0])
			expect(await cluster.outcome(at, TAKEN_BACK)).toBe("not-your-proposal");
		const lost = { ...TAKEN_BACK, proposerIsLost: true };
		expect(await cluster.outcome(others[0] ?? 0, lost)).toBe("not-your-proposal");
		for (const at of bound) expect(await cluster.outcome(at, lost)).toBe("ok");
		await cluster.until(() => bound.every((at) => cluster.view(at).chain.notVoting === undefined), "they are free");
		// Also after a start, whatever the others still tell of it.
		cluster.off(first);
		await cluster.on(first);
		await cluster.run(5_000, 500);
		expect(bound.map((at) => stateAt(cluster, at))).toEqual(["possible", "possible"]);
		await propose(cluster, first);
		const left = [first, second, ...others];
		for (const at of left.slice(1)) {
			await cluster.until(() => refoundingOf(cluster, at).proposer === first, "the new proposal is here");
			expect(await confirm(cluster, at)).toBe("ok");
		}
		await cluster.until(() => left.every((at) => gridOf(cluster, at) === gridOf(cluster, first)), "all go over");
		expect(ledgerOf(cluster, first).predecessor).toBeDefined();
		// It was not lost: it hears what became of the neighbourhood, and its household is asked.
		await cluster.on(proposer);
		await cluster.until(() => stateAt(cluster, proposer) === "founded", "it hears of the new chain");
		// A link of the old chain leads nowhere any more, and says so.
		const late = await restore(cluster, voter);
		await cluster.until(() => {
			const view = cluster.house(late).node.view();
			return view.stage === "joining" && view.state === "elsewhere";
		}, "it is said that the link is old");
	});
});
