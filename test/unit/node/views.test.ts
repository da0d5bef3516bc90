import { describe, expect, it } from "vitest";
import { FrameAssembler } from "../../../src/message/frames.js";
import { decodeMessage } from "../../../src/message/wire.js";
import type { StreetView, View } from "../../../src/node/view.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";

/** What a node says to its screens at the most so long after something of it has changed. */
const SHOWN_MS = 1_500;
const PAYOUT = { holder: "Kari Nordmann", number: "SE4550000000058398257466" };

interface Watched {
	readonly cluster: Cluster;
	/** By house: the views that it was told to draw. */
	readonly drawn: Map<number, View[]>;
	/** What stands on a house's screens. */
	shown(house: number): StreetView;
}

function isAccountsKept(frame: Uint8Array): boolean {
	const whole = new FrameAssembler().push(frame);
	const message = whole.ok && whole.value !== undefined ? decodeMessage(whole.value) : undefined;
	return message?.ok === true && message.value.type === "accountsKept";
}

/** A street whose households have no meters, in the middle of a minute: nothing happens but what the test does. */
async function watchedStreet(count: number): Promise<Watched> {
	const drawn = new Map<number, View[]>();
	const cluster = await foundedStreet(count, {
		moneyKind: "prepaid",
		onOutput: (output, house) => {
			if (output.type === "view") drawn.set(house, [...(drawn.get(house) ?? []), output.view]);
		},
	});
	await cluster.nextMinute(20_000);
	return {
		cluster,
		drawn,
		shown: (house) => {
			const view = drawn.get(house)?.at(-1);
			if (view?.stage !== "street") throw new Error(`house ${house} shows ${view?.stage}`);
			return view;
		},
	};
}

describe("what a node tells its screens", () => {
	it("is nothing while nothing of it changes", async () => {
		const { cluster, drawn } = await watchedStreet(3);
		drawn.clear();
		await cluster.run(30_000);
		expect([...drawn.values()].flat()).toEqual([]);
	});

	it("is said once more when a minute has begun", async () => {
		const { cluster, drawn } = await watchedStreet(3);
		drawn.clear();
		await cluster.nextMinute(SHOWN_MS);
		for (const house of [0, 1, 2]) expect(drawn.get(house)?.length).toBeGreaterThan(0);
	});

	it("is what a neighbour's message has changed, within the minute", async () => {
		const { cluster, shown } = await watchedStreet(2);
		const late: Uint8Array[] = [];
		cluster.tamper = (from, _to, frame) => {
			if (from !== 0 || !isAccountsKept(frame)) return frame;
			late.push(frame);
			return undefined;
		};
		expect(await cluster.outcome(1, { type: "account", account: PAYOUT })).toBe("ok");
		await cluster.run(SHOWN_MS);
		expect(shown(1).accounts?.own).toMatchObject({ isHeld: false });
		for (const frame of late) cluster.inject(0, 1, frame);
		await cluster.run(SHOWN_MS);
		expect(shown(1).accounts?.own).toMatchObject({ isHeld: true });
	});

	it("is who leads, though no block tells of it", async () => {
		const { cluster, shown } = await watchedStreet(3);
		const leader = cluster.houses.findIndex(({ node }) => node.street?.raft?.role === "leader");
		const [one, other] = [0, 1, 2].filter((house) => house !== leader) as [number, number];
		const before = shown(one).chain;
		cluster.isolate(leader);
		await cluster.until(() => cluster.view(one).chain.term > before.term, "another one leads");
		await cluster.run(SHOWN_MS);
		for (const house of [one, other]) expect(shown(house).chain).toEqual(cluster.view(house).chain);
		expect(shown(leader).chain).toEqual(cluster.view(leader).chain);
	});

	it("is since when nobody is in reach or leads, from a start on, until both are there", async () => {
		const { cluster, shown } = await watchedStreet(2);
		expect(shown(1).chain.outOfTouchSinceMs).toBeUndefined();
		cluster.isolate(1);
		await cluster.until(() => cluster.view(1).chain.neighboursOnline === 0, "nobody is there");
		await cluster.run(SHOWN_MS);
		const sinceMs = shown(1).chain.outOfTouchSinceMs;
		expect(sinceMs).toBeGreaterThan(cluster.chainMs - 3 * SHOWN_MS);
		await cluster.run(10_000);
		expect(shown(1).chain.outOfTouchSinceMs).toBe(sinceMs);
		cluster.mend();
		await cluster.settle();
		await cluster.run(SHOWN_MS);
		expect(shown(1).chain.outOfTouchSinceMs).toBeUndefined();
	});
});
