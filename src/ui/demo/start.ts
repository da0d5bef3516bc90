/** The demo street with everything real: workers, WebRTC, and the signaling server that this page came from. */
import type { ChainClock } from "../../worker/start.js";
import { signalingUrl } from "../links.js";
import { loadMesh } from "../modem.js";
import { startWorker } from "../nodePort.js";
import { DEMO_TIME_SCALE } from "./households.js";
import { deleteDemoDatabases, takeDemoName } from "./storage.js";
import { type DemoProgress, type DemoStreet, startStreet } from "./street.js";

/** A day in June begins at nine in the morning, so that there is sun to sell. */
const DEMO_BEGINS_MS = Date.UTC(2026, 5, 16, 7, 0);

export async function startDemo(onProgress: (progress: DemoProgress) => void): Promise<DemoStreet> {
	await deleteDemoDatabases();
	const name = takeDemoName();
	// One clock for all houses, also for one that is switched off and on again.
	const clock: ChainClock = { realMs: Date.now(), chainMs: DEMO_BEGINS_MS, timeScale: DEMO_TIME_SCALE };
	const street = startStreet(
		{
			startNode: (index) => startWorker({ type: "start", databasePrefix: `${name.prefix}${index}/`, clock }),
			loadMesh,
		},
		signalingUrl(location),
		onProgress,
	);
	return {
		houses: street.houses,
		stop() {
			street.stop();
			name.release();
			void deleteDemoDatabases(name);
		},
	};
}
