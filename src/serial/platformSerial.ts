/**
 * Where serial ports come from on this platform: Web Serial in desktop Chromium, page and worker; on Android WebUSB
 * through web-serial-polyfill, which knows CDC-ACM adapters only (not FTDI, CP210x, CH340, PL2303).
 */
import { ok, type Result, refused } from "../primitives/result.js";
import type { SerialLike } from "./webSerialPort.js";

/** The serial ports of this page or worker, or undefined if there is no way to them (older Firefox, Safari, plain http). */
export async function findSerial(): Promise<SerialLike | undefined> {
	const { serial, usb } = globalThis.navigator as PlatformNavigator;
	if (serial !== undefined) return serial;
	if (usb === undefined) return undefined;
	const polyfill = await loadPolyfill();
	return {
		getPorts: () => polyfill.getPorts(),
		// The polyfill is no EventTarget; the USB that it stands on is.
		addEventListener: (type, listener) => usb.addEventListener(type, listener),
		removeEventListener: (type, listener) => usb.removeEventListener(type, listener),
	};
}

/** Whether this platform reaches ports at all, and through what. */
export function serialSupport(): "web-serial" | "web-usb" | "none" {
	const { serial, usb } = globalThis.navigator as PlatformNavigator;
	if (serial !== undefined) return "web-serial";
	return usb === undefined ? "none" : "web-usb";
}

export type RequestPortError =
	/** This browser has neither Web Serial nor WebUSB, or the page is not a secure context. */
	| { code: "no-serial" }
	/** The person closed the dialog without choosing. */
	| { code: "no-port-chosen" }
	/** `name` is the platform's error name, such as SecurityError. */
	| { code: "port-refused"; name: string };

/**
 * Asks the person for a port. Only in a page, and only in the handler of a click. The grant holds for the origin, so
 * the worker finds the port with `getPorts`.
 */
export async function requestPort(): Promise<Result<"granted", RequestPortError>> {
	const { serial, usb } = globalThis.navigator as PlatformNavigator;
	if (serial === undefined && usb === undefined) return refused({ code: "no-serial" });
	try {
		const asked = serial ?? (await loadPolyfill());
		await asked.requestPort();
		return ok("granted");
	} catch (error) {
		const name = error instanceof Error ? error.name : "UnknownError";
		return name === "NotFoundError" ? refused({ code: "no-port-chosen" }) : refused({ code: "port-refused", name });
	}
}

/** `navigator` of page and worker alike; TypeScript's libraries know each of them in one place only. */
interface PlatformNavigator {
	serial?: SerialLike & { requestPort(): Promise<unknown> };
	usb?: {
		addEventListener(type: "connect", listener: () => void): void;
		removeEventListener(type: "connect", listener: () => void): void;
	};
}

async function loadPolyfill(): Promise<SerialLike & { requestPort(): Promise<unknown> }> {
	const { serial } = await import("web-serial-polyfill");
	return serial as SerialLike & { requestPort(): Promise<unknown> };
}
