/** The page's beginning: language, the node of this origin in its worker or in another tab's, the screens. */
import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { PERSISTENT_PREFIX, REAL_CLOCK } from "../worker/start.js";
import { giveWayTo } from "./firstWords.js";
import { openLastView } from "./lastView.js";
import { fetchServerConfig } from "./links.js";
import { initLocale } from "./locale.svelte.js";
import { connectModem } from "./modem.js";
import { startWorker } from "./nodePort.js";
import { followPageLife } from "./pageLife.js";
import { connectPageSerial } from "./pageSerial.js";
import { followInstallation } from "./pwa/install.svelte.js";
import { askToKeep } from "./pwa/keeping.svelte.js";
import { startUpdates } from "./pwa/update.svelte.js";
import { type RunningNode, startSession } from "./session.svelte.js";
import { openTabChannel } from "./tabs/message.js";
import { initTheme } from "./theme.svelte.js";
import { loadTopCards } from "./topCards.svelte.js";

function startNode(): RunningNode {
	const worker = startWorker({ type: "start", databasePrefix: PERSISTENT_PREFIX, clock: REAL_CLOCK });
	const modem = connectModem(worker);
	// What the origin names now, whatever it named when this device came in.
	void fetchServerConfig().then(({ furtherServers }) => modem.also(furtherServers));
	const serial = connectPageSerial(worker);
	const terminate = () => {
		worker.terminate();
		modem.stop();
		serial.stop();
	};
	return {
		port: { ...worker, terminate },
		wake: (sleptMs) => modem.wake(sleptMs),
		move: () => modem.move(),
	};
}

initLocale();
initTheme();
// This file's address, as it is built, is another one whenever anything is that it leads to.
const last = openLastView(import.meta.url, () => performance.now());
// Its screens are fetched before anything else is done.
if (last.street !== undefined) {
	void import("./screens/Street.svelte").catch(() => {});
	void loadTopCards(last.street);
}
// Who has installed it wants to keep what it knows.
followInstallation(() => void askToKeep());
const target = document.getElementById("app");
if (target !== null) {
	const session = startSession({
		locks: navigator.locks,
		openChannel: openTabChannel,
		startNode,
		// Not `randomUUID`, which plain http does not have.
		tab: crypto.getRandomValues(new Uint32Array(4)).join("-"),
		nowMs: Date.now,
	});
	followPageLife(window, {
		freeze: () => session.freeze(),
		hide: (cached) => session.hide(cached),
		wake: (sleptMs) => session.wake(sleptMs),
		move: () => session.move(),
		reload: () => location.reload(),
	});
	mount(App, { target, props: { session, last } });
	giveWayTo(target);
	void import("./focusKeeping.js").then(({ keepFocus }) => keepFocus(document));
	if (document.readyState === "complete") startUpdates();
	else window.addEventListener("load", startUpdates, { once: true });
}
