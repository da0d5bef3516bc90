/**
 * Reads the meter's port on the page where only WebUSB reaches it (Android): the polyfill is the page's. With Web Serial
 * the worker reads by itself, and its timers do not sleep when the page is hidden.
 */
import type { NodeOutput } from "../node/protocol.js";
import { findSerial, serialSupport } from "../serial/platformSerial.js";
import { createSerialReader, type SerialReader } from "../serial/webSerialPort.js";
import type { NodePort } from "./nodePort.js";

/** Reads for as long as the node says that its readings come from a serial port. */
export function connectPageSerial(port: NodePort): void {
	if (serialSupport() !== "web-usb") return;
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
		if (output.type !== "view") return;
		const wanted = output.view.stage === "street" && output.view.meter.source === "serial";
		if (wanted === reading) return;
		reading = wanted;
		void follow(wanted);
	});
}
