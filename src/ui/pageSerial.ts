/**
 * Reads the meter's port on the page where only WebUSB reaches it (Android): the polyfill is the page's. With Web Serial
 * the worker reads by itself, and its timers do not sleep when the page is hidden.
 */
import type { NodeOutput } from "../node/protocol.js";
import { findSerial, serialSupport } from "../serial/platformSerial.js";
import { createSerialReader, type SerialReader } from "../serial/webSerialPort.js";
import type { NodePort } from "./nodePort.js";

export interface PageSerial {
	/** Closes the port for good: the node goes on in another tab, which reads it then. */
	stop(): void;
}

/** Reads for as long as the node says that its readings come from a serial port, until `stop`. */
export function connectPageSerial(port: NodePort): PageSerial {
	if (serialSupport() !== "web-usb") return { stop() {} };
	let stopped = false;
	let reader: Promise<SerialReader | undefined> | undefined;

	async function open(): Promise<SerialReader | undefined> {
		const serial = await findSerial();
		if (serial === undefined) return undefined;
		return createSerialReader({
			serial,
			onBytes: (bytes) => port.post({ type: "serialBytes", bytes }),
			onStatus: (status) => port.post({ type: "serialStatus", status }),
		});
	}

	async function follow(wanted: boolean): Promise<void> {
		reader ??= open();
		const opened = await reader;
		if (wanted) opened?.start();
		else await opened?.stop();
	}

	let reading = false;
	port.listen((output: NodeOutput) => {
		if (stopped || output.type !== "view") return;
		const wanted = output.view.stage === "street" && output.view.meter.source === "serial";
		if (wanted === reading) return;
		reading = wanted;
		void follow(wanted);
	});
	return {
		stop() {
			stopped = true;
			if (reading) void follow(false);
		},
	};
}
