/**
 * Reads the meter's port on the page where only WebUSB reaches it (Android): the polyfill is the page's. With Web Serial
 * the worker reads by itself, and its timers do not sleep when the page is hidden.
 */
import { createMeterFollower } from "../serial/meterFollower.js";
import { findSerial, serialSupport } from "../serial/platformSerial.js";
import type { NodePort } from "./nodePort.js";

export interface PageSerial {
	/** Closes the port for good: the node goes on in another tab, which reads it then. */
	stop(): void;
}

/** Reads for as long as the node says that its readings come from a serial port, until `stop`. */
export function connectPageSerial(port: NodePort): PageSerial {
	if (serialSupport() !== "web-usb") return { stop() {} };
	const follower = createMeterFollower(async () => {
		const serial = await findSerial();
		if (serial === undefined) return undefined;
		const { createSerialReader } = await import("../serial/webSerialPort.js");
		return createSerialReader({
			serial,
			onBytes: (bytes) => port.post({ type: "serialBytes", bytes }),
			onStatus: (status) => port.post({ type: "serialStatus", status }),
		});
	});
	port.listen((output) => follower.follow(output));
	return follower;
}
