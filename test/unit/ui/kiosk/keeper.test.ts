import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { NodeInput, NodeOutput } from "../../../../src/node/protocol.js";
import type { StreetView } from "../../../../src/node/view.js";
import { type KeeperParts, keeperState, startKeeper } from "../../../../src/ui/kiosk/keeper.svelte.js";
import { nightlySecond } from "../../../../src/ui/kiosk/restarting.js";
import { readRecord } from "../../../../src/ui/kiosk/restartLog.js";
import { createNodeClient } from "../../../../src/ui/nodeClient.svelte.js";
import { stubLocalStorage } from "../../../support/localStorage.js";
import { street } from "../../../ui-preview/views.js";

const MINUTE = 60_000;

beforeEach(() => {
	stubLocalStorage();
	vi.useFakeTimers();
	// 02:00 in Oslo, in an hour in which nothing is due.
	vi.setSystemTime(Date.UTC(2026, 10, 27, 1));
});

afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

/** A page with a node that answers as long as it is well, and a keeper. */
function openPage(given: Partial<KeeperParts> = {}) {
	const listeners: ((output: NodeOutput) => void)[] = [];
	const node = { isWell: true, view: street(0) as StreetView };
	const send = (output: NodeOutput) => {
		for (const listener of listeners) listener(output);
	};
	const client = createNodeClient({
		post(input: NodeInput) {
			if (!node.isWell || input.type !== "command") return;
			send({ type: "reply", id: input.id, result: { ok: true, value: { type: "done" } } });
			send({ type: "view", view: node.view });
		},
		listen: (listener) => listeners.push(listener),
	});
	const reload = vi.fn();
	const takeOver = vi.fn();
	const stop = startKeeper({
		client,
		isElsewhere: () => false,
		isAsleep: () => false,
		takeOver,
		reload,
		canLoad: async () => true,
		update: () => ({ isReady: false, applyWhenIdle() {} }),
		monotonicMs: () => performance.now(),
		nowMs: () => Date.now(),
		...given,
	});
	return { node, send, reload, takeOver, stop };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("the keeper of a kiosk", () => {
	test("does nothing while the node answers", async () => {
		const { reload, stop } = openPage();
		await pass(30 * MINUTE);
		expect([reload.mock.calls.length, keeperState()]).toEqual([0, {}]);
		stop();
		expect(readRecord().isShown).toBe(false);
	});

	test("loads the page anew half a minute after the node's last word, and the next page says why", async () => {
		const { node, reload } = openPage();
		await pass(MINUTE);
		node.isWell = false;
		await pass(30_000);
		expect(reload).not.toHaveBeenCalled();
		await pass(5_000);
		expect(reload).toHaveBeenCalledOnce();
		// It goes when the browser has time for it.
		await pass(MINUTE);
		expect(reload).toHaveBeenCalledOnce();
		openPage();
		expect(keeperState().restart).toMatchObject({ reason: "silent" });
		expect(readRecord().attempts).toBe(1);
	});

	test("loads it anew at once where the node says that it stopped; the second time after a minute, the third after two", async () => {
		const lived: number[] = [];
		for (let page = 0; page < 3; page++) {
			const begunMs = Date.now();
			const { send, reload } = openPage({ isElsewhere: () => true });
			send({ type: "fault", fault: { code: "worker-failed", message: "" } });
			while (reload.mock.calls.length === 0) await pass(5_000);
			lived.push(Date.now() - begunMs);
			expect(keeperState().trouble).toBe("failed");
		}
		expect(lived).toEqual([5_000, MINUTE, 2 * MINUTE]);
		expect(readRecord().restarts.map(({ reason }) => reason)).toEqual(["failed", "failed"]);
	});

	test("keeps a page that could not be loaded, until it can be", async () => {
		let isThere = false;
		const { node, reload } = openPage({ canLoad: async () => isThere });
		node.isWell = false;
		await pass(5 * MINUTE);
		expect([reload.mock.calls.length, keeperState().trouble]).toEqual([0, "silent"]);
		isThere = true;
		await pass(5_000);
		expect(reload).toHaveBeenCalledOnce();
	});

	test("takes the node over from a tab that is asleep, since nobody is there to decide it", async () => {
		let isAsleep = false;
		const { reload, takeOver } = openPage({ isElsewhere: () => true, isAsleep: () => isAsleep });
		await pass(MINUTE);
		isAsleep = true;
		await pass(35_000);
		expect([takeOver.mock.calls.length, reload.mock.calls.length]).toEqual([1, 0]);
	});

	test("lets a newer version take over, once, as soon as the street can spare it, or after a day", async () => {
		const update = { isReady: false, applyWhenIdle: vi.fn() };
		const { node } = openPage({ update: () => update });
		const online = (votersOnline: number) => {
			node.view = { ...node.view, chain: { ...node.view.chain, voters: 3, votersOnline } };
		};
		online(1);
		await pass(2 * MINUTE);
		update.isReady = true;
		await pass(10 * MINUTE);
		expect(update.applyWhenIdle).not.toHaveBeenCalled();
		online(3);
		await pass(10 * MINUTE);
		expect(update.applyWhenIdle).toHaveBeenCalledOnce();
		openPage();
		expect(keeperState().restart?.reason).toBe("update");
		const alone = { isReady: false, applyWhenIdle: vi.fn() };
		const page = openPage({ update: () => alone });
		page.node.view = { ...page.node.view, chain: { ...page.node.view.chain, voters: 1, votersOnline: 1 } };
		await pass(MINUTE);
		alone.isReady = true;
		await pass(23 * 60 * MINUTE);
		expect(alone.applyWhenIdle).not.toHaveBeenCalled();
		await pass(61 * MINUTE);
		expect(alone.applyWhenIdle).toHaveBeenCalledOnce();
	});

	test("loads the page anew at night, where the street can spare it, and says so", async () => {
		const page = openPage();
		const spare = (votersOnline: number) => {
			page.node.view = { ...page.node.view, chain: { ...page.node.view.chain, voters: 3, votersOnline } };
		};
		spare(1);
		await pass(2 * 60 * MINUTE);
		expect(page.reload).not.toHaveBeenCalled();
		page.stop();
		vi.setSystemTime(Date.UTC(2026, 10, 28, 1));
		const next = openPage();
		next.node.view = { ...next.node.view, chain: { ...next.node.view.chain, voters: 3, votersOnline: 3 } };
		while (next.reload.mock.calls.length === 0) await pass(5_000);
		openPage();
		const dueMs = Date.UTC(2026, 10, 28, 2) + nightlySecond(next.node.view.self.deviceId) * 1000;
		expect(keeperState().restart?.reason).toBe("nightly");
		expect(Math.abs((keeperState().restart?.atMs ?? 0) - dueMs)).toBeLessThanOrEqual(5_000);
		expect(readRecord().attempts).toBe(0);
	});
});
