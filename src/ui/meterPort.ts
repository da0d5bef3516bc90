/** Choosing the meter's port: a browser shows its list of ports only on the page, and only after a click. */

import type { Result } from "../primitives/result.js";
import { type RequestPortError, requestPort, serialSupport } from "../serial/platformSerial.js";

export interface MeterPort {
	/** Whether this browser can read serial ports at all. */
	readonly supported: boolean;
	/** Asks the person for a port. */
	request(): Promise<Result<"granted", RequestPortError>>;
}

export function browserMeterPort(): MeterPort {
	return { supported: serialSupport() !== "none", request: requestPort };
}
