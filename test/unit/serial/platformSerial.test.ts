import { afterEach, describe, expect, it, vi } from "vitest";
import { findSerial, requestPort, serialSupport } from "../../../src/serial/platformSerial.js";

/** A CDC-ACM adapter as WebUSB shows it, and one of another make, which the polyfill cannot speak to. */
const adapter = (...classes: number[]) => ({
	configurations: [
		{
			interfaces: classes.map((interfaceClass) => ({
				alternates: [{ interfaceClass, endpoints: [{ direction: "in" }, { direction: "out" }] }],
			})),
		},
	],
});

afterEach(() => vi.unstubAllGlobals());

describe("the platform's serial ports", () => {
	it("are navigator.serial where it is", async () => {
		const serial = { getPorts: async () => [] };
		vi.stubGlobal("navigator", { serial, usb: {} });
		expect(await findSerial()).toBe(serial);
		expect(serialSupport()).toBe("web-serial");
	});

	it("are CDC-ACM adapters through WebUSB where it is not", async () => {
		const usb = new EventTarget();
		const getDevices = async () => [adapter(2, 10), adapter(255)];
		vi.stubGlobal("navigator", { usb: Object.assign(usb, { getDevices }) });
		expect(serialSupport()).toBe("web-usb");
		const serial = await findSerial();
		expect(await serial?.getPorts()).toHaveLength(1);
		let connects = 0;
		serial?.addEventListener?.("connect", () => {
			connects += 1;
		});
		usb.dispatchEvent(new Event("connect"));
		expect(connects).toBe(1);
	});

	it("are none in a browser without either", async () => {
		vi.stubGlobal("navigator", {});
		expect(await findSerial()).toBeUndefined();
		expect(serialSupport()).toBe("none");
		expect(await requestPort()).toEqual({ ok: false, error: { code: "no-serial" } });
	});
});

describe("asking for a port", () => {
	const answering = (answer: () => Promise<unknown>) => vi.stubGlobal("navigator", { serial: { requestPort: answer } });

	it("is granted by choosing one", async () => {
		answering(async () => ({}));
		expect(await requestPort()).toEqual({ ok: true, value: "granted" });
	});

	it("is refused by choosing none, which is no fault", async () => {
		answering(() => Promise.reject(new DOMException("No port selected by the user.", "NotFoundError")));
		expect(await requestPort()).toEqual({ ok: false, error: { code: "no-port-chosen" } });
	});

	it("says what else the platform refuses", async () => {
		answering(() => Promise.reject(new DOMException("Must be handling a user gesture.", "SecurityError")));
		expect(await requestPort()).toEqual({ ok: false, error: { code: "port-refused", name: "SecurityError" } });
	});

	it("asks through WebUSB where there is no Web Serial", async () => {
		let filters: unknown;
		const requestDevice = async (options: unknown) => {
			filters = options;
			return adapter(2, 10);
		};
		vi.stubGlobal("navigator", { usb: { requestDevice } });
		expect(await requestPort()).toEqual({ ok: true, value: "granted" });
		expect(filters).toEqual({ filters: [{ classCode: 2 }] });
	});
});
