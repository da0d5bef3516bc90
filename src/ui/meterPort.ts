/** Choosing the meter's port: a browser shows its list of ports only on the page, and only after a click. */

import type { Result } from "../primitives/result.js";
import { type RequestPortError, requestPort, serialSupport } from "../serial/platformSerial.js";

export interface MeterPort {
	/** Whether this browser can read serial ports at all. */
	readonly supported: boolean;
	/** Whether ports are reached through WebUSB, which knows few adapters (Android). */
	readonly isWebUsb: boolean;
	/** Asks the person for a port. */
	request(): Promise<Result<"granted", RequestPortError>>;
}

export function browserMeterPort(): MeterPort {
	const support = serialSupport();
	return { supported: support !== "none", isWebUsb: support === "web-usb", request: requestPort };
}
