/** A port whose other end changes: the node moves between tabs, and the client and what it shows stay. */
import type { NodeOutput } from "../../node/protocol.js";
import type { NodePort } from "../nodePort.js";

export interface SwitchPort extends NodePort {
	/** From now on everything goes to this port and comes from it; what an earlier one still says is not heard. */
	connect(port: NodePort): void;
}

export function createSwitchPort(): SwitchPort {
	const listeners: ((output: NodeOutput) => void)[] = [];
	let current: NodePort | undefined;
	return {
		post: (input) => current?.post(input),
		listen: (listener) => listeners.push(listener),
		connect(port) {
			current = port;
			port.listen((output) => {
				if (current !== port) return;
				for (const listener of listeners) listener(output);
			});
		},
	};
}
