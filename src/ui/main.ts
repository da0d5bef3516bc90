/** The page's beginning: language, the node of this origin in its worker, the screens. */
import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { PERSISTENT_PREFIX, REAL_CLOCK } from "../worker/start.js";
import { initLocale } from "./locale.js";
import { connectModem } from "./modem.js";
import { createNodeClient, type NodeClient } from "./nodeClient.js";
import { startWorker } from "./nodePort.js";
import { connectPageSerial } from "./pageSerial.js";
import { startSession } from "./session.js";

function startNode(): NodeClient {
	const port = startWorker({ type: "start", databasePrefix: PERSISTENT_PREFIX, clock: REAL_CLOCK });
	connectModem(port);
	connectPageSerial(port);
	// Without it the browser may throw the chain away when storage is short; a refusal changes nothing.
	void navigator.storage?.persist?.();
	return createNodeClient(port);
}

initLocale();
const target = document.getElementById("app");
if (target !== null) mount(App, { target, props: { session: startSession(navigator.locks, startNode) } });
