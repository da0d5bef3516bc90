/**
 * The words that index.html itself says to who is here for the first time: read before any code is there, and gone with the
 * first screen that the app shows.
 */
import { keepText } from "./keptText.js";

const KEY = "nabostrom/entered";

/** Takes them away when the app has a screen: until then it is not shown where they are (app.css). */
export function giveWayTo(app: HTMLElement): void {
	const hasScreen = () => app.querySelector("h1, [role=alert]") !== null;
	const takeAway = () => document.getElementById("first")?.remove();
	const watch = new MutationObserver(() => {
		if (!hasScreen()) return;
		watch.disconnect();
		takeAway();
	});
	watch.observe(app, { childList: true, subtree: true });
}

/** Whether somebody has a household here, or is on the way to one: `public/first-paint.js` says the words to nobody else. */
export function keepWhetherEntered(hasEntered: boolean): void {
	keepText(KEY, hasEntered ? "yes" : undefined);
}
