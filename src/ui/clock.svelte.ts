/** The chain's clock between two views: it runs `timeScale` times faster than the page's. */

let seconds = $state.raw(0);
let ticks = false;

/** The chain's time now, from the latest view and when it came. Reactive, once a second. */
export function chainNowMs(view: { chainMs: number; timeScale: number }, viewAtMs: number): number {
	watchSeconds();
	return view.chainMs + Math.max(0, Math.floor((performance.now() - viewAtMs) * view.timeScale));
}

/** Whoever reads here reads again in a second. It ticks on from the first reader: some screen always shows the time. */
function watchSeconds(): void {
	void seconds;
	if (ticks) return;
	ticks = true;
	setInterval(() => {
		seconds += 1;
	}, 1000);
}
