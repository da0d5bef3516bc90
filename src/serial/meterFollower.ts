/** Has the port read while, and as, the node says that its readings come from one. */
import type { LineName } from "../meter/lineNames.js";
import type { NodeOutput } from "../node/protocol.js";
import type { SerialReader } from "./webSerialPort.js";

export interface MeterFollower {
	follow(output: NodeOutput): void;
	/** Closes the port for good. */
	stop(): void;
}

/** `openReader` is called once, when a port is wanted for the first time; undefined: there is no way to one here. */
export function createMeterFollower(openReader: () => Promise<SerialReader | undefined>): MeterFollower {
	let isStopped = false;
	let wanted: { line: LineName | undefined } | undefined;
	let reader: Promise<SerialReader | undefined> | undefined;
	/** One after another: a port is closed before it is opened by another line. */
	let steps = Promise.resolve();

	const change = (next: typeof wanted) => {
		if (wanted === undefined && next === undefined) return;
		if (wanted !== undefined && next !== undefined && wanted.line === next.line) return;
		wanted = next;
		reader ??= openReader();
		const opened = reader;
		steps = steps
			.then(async () => {
				const port = await opened;
				await port?.stop();
				if (next !== undefined) port?.start(next.line);
			})
			.catch(() => {
				// The way to the ports could not be loaded: the next change tries again.
				reader = undefined;
				wanted = undefined;
			});
	};
	return {
		follow(output) {
			if (isStopped || output.type !== "view") return;
			const { view } = output;
			const isSerial = view.stage === "street" && view.meter.source === "serial";
			change(isSerial ? { line: view.meter.line } : undefined);
		},
		stop() {
			isStopped = true;
			change(undefined);
		},
	};
}
