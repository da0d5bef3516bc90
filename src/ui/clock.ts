/** The chain's clock between two views: it runs `timeScale` times faster than the page's. */
import { createSubscriber } from "svelte/reactivity";

const everySecond = createSubscriber((update) => {
	const timer = setInterval(update, 1000);
	return () => clearInterval(timer);
});

/** The chain's time now, from the latest view and when it came. Reactive, once a second. */
export function chainNowMs(view: { chainMs: number; timeScale: number }, viewAtMs: number): number {
	everySecond();
	return view.chainMs + Math.max(0, Math.floor((performance.now() - viewAtMs) * view.timeScale));
}
