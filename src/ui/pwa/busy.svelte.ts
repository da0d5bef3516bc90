/**
 * What must not be cut off by loading the page anew: a dialog that is open, a command that is on its way. Each tab that has
 * such a thing shares a Web Lock, so that every other tab can tell.
 */
const LOCK_NAME = "nabostrom/busy";

let reasons = 0;
let busy = $state.raw(false);
let done: (() => void) | undefined;

/** Whether this tab is. Reactive. */
export function isBusy(): boolean {
	return busy;
}

/** From now on this tab is busy, until what is returned is called. */
export function beginBusy(locks: LockManager | undefined = globalThis.navigator?.locks): () => void {
	reasons += 1;
	busy = true;
	if (reasons === 1 && locks !== undefined) {
		const ended = new Promise<void>((resolve) => {
			done = resolve;
		});
		// Nobody waits in line for the lock, so it is had at once; without it this tab is busy all the same.
		locks.request(LOCK_NAME, { mode: "shared" }, () => ended).catch(() => {});
	}
	let isOver = false;
	return () => {
		if (isOver) return;
		isOver = true;
		reasons -= 1;
		if (reasons > 0) return;
		busy = false;
		done?.();
		done = undefined;
	};
}

/** Does it if no tab is busy, and keeps all from it for as long as it takes; false: one is. */
export async function ifNobodyIsBusy(locks: LockManager, act: () => Promise<void>): Promise<boolean> {
	if (reasons > 0) return false;
	return locks.request(LOCK_NAME, { mode: "exclusive", ifAvailable: true }, async (lock) => {
		if (lock === null || reasons > 0) return false;
		await act();
		return true;
	});
}
