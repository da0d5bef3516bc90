/** Keeps the screen on as long as it is wanted: a browser lets go whenever the page was hidden, and when it likes. */

/** A battery that runs low, or a browser that may not: asked once more a while later. */
const RETRY_MS = 60_000;
const AGAIN_MS = 1_000;

/** The answer lets the screen go. */
export function keepScreenOn(
	page: EventTarget & { visibilityState: DocumentVisibilityState },
	wakeLock: Pick<WakeLock, "request"> | undefined,
): () => void {
	let held: WakeLockSentinel | undefined;
	let isAsking = false;
	let isOver = false;
	let retry: ReturnType<typeof setTimeout> | undefined;

	function askLater(ms: number): void {
		clearTimeout(retry);
		if (!isOver) retry = setTimeout(() => void ask(), ms);
	}

	async function ask(): Promise<void> {
		clearTimeout(retry);
		if (isOver || isAsking || held !== undefined || page.visibilityState !== "visible") return;
		isAsking = true;
		try {
			const sentinel = await wakeLock?.request("screen");
			held = sentinel;
			sentinel?.addEventListener("release", () => {
				if (held !== sentinel) return;
				held = undefined;
				askLater(AGAIN_MS);
			});
			if (isOver) void sentinel?.release();
		} catch {
			askLater(RETRY_MS);
		} finally {
			isAsking = false;
		}
	}

	const onVisibility = () => void ask();
	page.addEventListener("visibilitychange", onVisibility);
	void ask();
	return () => {
		isOver = true;
		clearTimeout(retry);
		page.removeEventListener("visibilitychange", onVisibility);
		void held?.release();
	};
}
