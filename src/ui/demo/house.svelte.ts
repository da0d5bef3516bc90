/** One house of the demo street: a real node in its own worker, which can be switched off and on. */
import { type CreateMesh, connectModem, type Modem } from "../modem.js";
import { createNodeClient, type NodeClient } from "../nodeClient.svelte.js";
import type { OwnedPort } from "../nodePort.js";
import type { DemoHousehold } from "./households.js";

export interface House {
	readonly index: number;
	readonly household: DemoHousehold;
	readonly client: NodeClient;
	/** Reactive. */
	readonly on: boolean;
	switchOn(): void;
	switchOff(): void;
}

/** What a house is connected to: the real workers and mesh, or a test's. */
export interface HouseParts {
	startNode(index: number): OwnedPort;
	loadMesh(): Promise<CreateMesh>;
}

/** A house that is switched on. Its client changes with every switching on; what it stored stays. */
export function createHouse(index: number, household: DemoHousehold, parts: HouseParts): House {
	let running = $state.raw<{ port: OwnedPort; modem: Modem }>();
	let client = $state.raw(start());

	function start(): NodeClient {
		const port = parts.startNode(index);
		running = { port, modem: connectModem(port, parts.loadMesh) };
		return createNodeClient(port);
	}

	return {
		index,
		household,
		get client() {
			return client;
		},
		get on() {
			return running !== undefined;
		},
		switchOn() {
			if (running !== undefined) return;
			client = start();
		},
		switchOff() {
			running?.modem.stop();
			running?.port.terminate();
			running = undefined;
			client.stop("house-off");
		},
	};
}
