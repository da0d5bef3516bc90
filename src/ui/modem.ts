/** The page as a modem: carries frames between the node and the mesh, which exists only where there is WebRTC. */
import type { Mesh, MeshOptions } from "../network/mesh.js";
import type { NetworkSettings } from "../node/protocol.js";
import type { NodePort } from "./nodePort.js";

export type CreateMesh = (options: MeshOptions) => Mesh;

export interface Modem {
	/** The page was asleep for so long (0: nobody knows): what is connected may be dead. */
	wake(sleptMs: number): void;
	/** The computer is in another network. */
	move(): void;
	/** Signaling servers to be used beside those that the node names. */
	also(signalingUrls: readonly string[]): void;
	/** Leaves the mesh for good. */
	stop(): void;
}

/** WebRTC is loaded when a node first asks for a mesh: the welcome screen needs none. */
export async function loadMesh(): Promise<CreateMesh> {
	const { createMesh } = await import("../network/mesh.js");
	return createMesh;
}

/** Connects a node to the mesh that it asks for, until `stop`. */
export function connectModem(port: NodePort, load: () => Promise<CreateMesh> = loadMesh): Modem {
	let mesh: Mesh | undefined;
	let wanted: NetworkSettings | undefined;
	let furtherServers: readonly string[] = [];
	let stopped = false;

	async function join(): Promise<void> {
		const createMesh = await load();
		// While it was loading the node may have asked for another mesh, for none, or got one from an earlier call.
		if (wanted === undefined) return;
		const signalingUrls = [...new Set([...wanted.signalingUrls, ...furtherServers])];
		const settings = { ...wanted, signalingUrls };
		if (mesh !== undefined) return mesh.update(settings);
		mesh = createMesh({
			settings,
			onOpened: (opened) => port.post({ type: "peerOpened", ...opened }),
			onClosed: (channel) => port.post({ type: "peerClosed", channel }),
			onFrame: (channel, frame) => port.post({ type: "peerFrame", channel, frame }),
			onSignal: (draft) => port.post({ type: "signal", draft }),
			onSealed: (topic, sealed) => port.post({ type: "sealedSignal", topic, sealed }),
			onSignalingStatus: (status) => port.post({ type: "signalingStatus", ...status }),
		});
	}

	function leave(): void {
		wanted = undefined;
		mesh?.stop();
		mesh = undefined;
	}

	port.listen((output) => {
		if (stopped) return;
		if (output.type === "peerFrame") mesh?.send(output.channel, output.frame);
		else if (output.type === "closePeer") mesh?.close(output.channel, output.code);
		else if (output.type === "passOver") mesh?.passOver(output.channel);
		else if (output.type === "sealedSignal") mesh?.publish(output.topic, output.sealed);
		else if (output.type === "signal") mesh?.hear(output.signal);
		else if (output.type === "network" && output.network === undefined) leave();
		else if (output.type === "network") {
			wanted = output.network;
			void join();
		}
	});

	return {
		wake: (sleptMs) => mesh?.wake(sleptMs),
		move: () => mesh?.move(),
		also(signalingUrls) {
			furtherServers = signalingUrls;
			if (wanted !== undefined) void join();
		},
		stop() {
			stopped = true;
			leave();
		},
	};
}
