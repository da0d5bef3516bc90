import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { beginBusy } from "../../../../src/ui/pwa/busy.svelte.js";
import { PageUpdate } from "../../../../src/ui/pwa/update.svelte.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Web Locks as far as busy tabs use them; other tabs hold `shared` ones. */
function fakeLocks() {
	let othersBusy = 0;
	const locks = {
		request: async (_name: string, options: LockOptions, act: (lock: object | null) => unknown) =>
			act(options.mode === "exclusive" && othersBusy > 0 ? null : {}),
	} as unknown as LockManager;
	return {
		locks,
		setOthersBusy(count: number) {
			othersBusy = count;
		},
	};
}

/** A registration whose workers are set by hand. */
class FakeRegistration extends EventTarget {
	active: object | null = {};
	waiting: { postMessage(message: string): void } | null = null;
	installing: EventTarget | null = null;
	readonly told: string[] = [];
	update = vi.fn(async () => {});

	/** A newer version has been found, and then fetched. */
	install(): void {
		const installing = new EventTarget();
		this.installing = installing;
		this.dispatchEvent(new Event("updatefound"));
		this.installing = null;
		this.waiting = { postMessage: (message) => this.told.push(message) };
		installing.dispatchEvent(new Event("statechange"));
	}
}

async function opened({ isControlled = true, isRefused = false } = {}) {
	const registration = new FakeRegistration();
	const container = Object.assign(new EventTarget(), { controller: isControlled ? ({} as ServiceWorker) : null });
	const reload = vi.fn();
	const { locks, setOthersBusy } = fakeLocks();
	const update = new PageUpdate({
		locks,
		container,
		reload,
		register: async () => {
			if (isRefused) throw new Error("no service workers in a private window");
			return registration as unknown as ServiceWorkerRegistration;
		},
	});
	await update.start();
	const takenOver = () => container.dispatchEvent(new Event("controllerchange"));
	return { registration, reload, update, setOthersBusy, takenOver };
}

const passMs = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("a newer version", () => {
	test("is ready when it has been fetched, and takes over when it is told to; then the page is loaded anew, once", async () => {
		const { registration, reload, update, takenOver } = await opened();
		expect(update.isReady).toBe(false);
		registration.install();
		expect([update.isReady, registration.told]).toEqual([true, []]);
		update.applyWhenIdle();
		await passMs(0);
		expect(registration.told).toEqual(["take over"]);
		takenOver();
		takenOver();
		expect(reload).toHaveBeenCalledTimes(1);
	});

	test("waits for a dialog in this tab, and for other tabs that are busy", async () => {
		const { registration, update, setOthersBusy } = await opened();
		registration.install();
		const end = beginBusy(undefined);
		setOthersBusy(1);
		update.applyWhenIdle();
		await passMs(5_000);
		end();
		await passMs(5_000);
		expect([update.isAwaited, registration.told]).toEqual([true, []]);
		setOthersBusy(0);
		await passMs(1_000);
		expect(registration.told).toEqual(["take over"]);
	});

	test("that comes later is taken by itself where nobody sits", async () => {
		const { registration, update } = await opened();
		update.applyWhenIdle();
		await passMs(1_000);
		registration.install();
		await passMs(0);
		expect(registration.told).toEqual(["take over"]);
	});

	test("is looked for every hour", async () => {
		const { registration } = await opened();
		await passMs(2 * 3_600_000);
		expect(registration.update).toHaveBeenCalledTimes(2);
	});

	test("is not the first one: the page goes on", async () => {
		const { registration, reload, update, takenOver } = await opened({ isControlled: false });
		registration.active = null;
		registration.install();
		expect(update.isReady).toBe(false);
		takenOver();
		expect(reload).not.toHaveBeenCalled();
		takenOver();
		expect(reload).toHaveBeenCalledTimes(1);
	});

	test("never comes where the browser refuses service workers", async () => {
		const { update } = await opened({ isRefused: true });
		update.applyWhenIdle();
		await passMs(5_000);
		expect(update.isReady).toBe(false);
	});
});
