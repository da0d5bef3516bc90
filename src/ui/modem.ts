/** The page as a modem: carries frames between the node and the mesh, which exists only where there is WebRTC. */
import type { Mesh, MeshOptions } from "../network/mesh.js";
import type { NetworkSettings } from "../node/protocol.js";
import type { NodePort } from "./nodePort.js";

export interface Modem {
	/** Leaves the mesh for good. */
	stop(): void;
}

/** Connects a node to the mesh that it asks for, until `stop`. */
export function connectModem(port: NodePort, createMesh: (options: MeshOptions) => Mesh): Modem {
	let mesh: Mesh | undefined;
	let stopped = false;

	function join(settings: NetworkSettings): Mesh {
		return createMesh({
			settings,
			onOpened: (opened) => port.post({ type: "peerOpened", ...opened }),
			onClosed: (channel) => port.post({ type: "peerClosed", channel }),
			onFrame: (channel, frame) => port.post({ type: "peerFrame", channel, frame }),
			onSignalingStatus: (status) => port.post({ type: "signalingStatus", ...status }),
		});
	}

	function leave(): void {
		mesh?.stop();
		mesh = undefined;
	}

	port.listen((output) => {
		if (stopped) return;
		if (output.type === "peerFrame") mesh?.send(output.channel, output.frame);
		else if (output.type === "closePeer") mesh?.close(output.channel, output.code);
		else if (output.type === "network") {
			if (output.network === undefined) leave();
			else if (mesh === undefined) mesh = join(output.network);
			else mesh.update(output.network);
		}
	});

	return {
		stop() {
			stopped = true;
			leave();
		},
	};
}
