/** The demo street with everything real: workers, WebRTC, and the signaling server that this page came from. */
import { createMesh } from "../../network/mesh.js";
import { signalingUrl } from "../links.js";
import { startWorker } from "../nodePort.js";
import { DEMO_TIME_SCALE } from "./households.js";
import { deleteDemoDatabases, newDemoName } from "./storage.js";
import { type DemoProgress, type DemoStreet, startStreet } from "./street.js";

export async function startDemo(onProgress: (progress: DemoProgress) => void): Promise<DemoStreet> {
	await deleteDemoDatabases();
	const name = newDemoName();
	const street = startStreet(
		{
			startNode: (index) =>
				startWorker({ type: "start", storage: "demo", name: `${name}-${index}`, timeScale: DEMO_TIME_SCALE }),
			createMesh,
		},
		signalingUrl(location),
		onProgress,
	);
	return {
		houses: street.houses,
		stop() {
			street.stop();
			void deleteDemoDatabases();
		},
	};
}
