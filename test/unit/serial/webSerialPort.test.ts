import { describe, expect, it } from "vitest";
import type { SerialStatus } from "../../../src/node/view.js";
import { createSerialReader, HAN_2400_8E1, HAN_2400_8N1, SILENCE_MS } from "../../../src/serial/webSerialPort.js";
import { FakePort, FakeSerial, FakeTimers, settle } from "./fakeSerial.js";

function setUp(...ports: FakePort[]) {
	const serial = new FakeSerial();
	serial.ports = ports;
	const timers = new FakeTimers();
	const bytes: number[] = [];
	const statuses: SerialStatus[] = [];
	const reader = createSerialReader({
		serial,
		timers,
		onBytes: (chunk) => bytes.push(...chunk),
		onStatus: (status) => statuses.push(status),
	});
	const states = () => statuses.map((status) => status.state);
	return { serial, timers, bytes, statuses, states, reader };
}

async function started(...ports: FakePort[]) {
	const all = setUp(...ports);
	all.reader.start();
	await settle();
	return all;
}

describe("a serial reader", () => {
	it("opens the granted port at 2400 8E1 with a large buffer, and hands on its bytes", async () => {
		const port = new FakePort();
		const { bytes, statuses } = await started(port);
		port.receive(0x7e, 0xa0);
		port.receive(0x27);
		await settle();
		expect(port.opens).toEqual([{ ...HAN_2400_8E1, bufferSize: 65_536 }]);
		expect(port.opens[0]).toMatchObject({ baudRate: 2_400, dataBits: 8, parity: "even", stopBits: 1 });
		expect(bytes).toEqual([0x7e, 0xa0, 0x27]);
		expect(statuses).toEqual([{ state: "opening" }, { state: "open", baudRate: 2_400 }]);
	});

	it("takes another line when it is told", async () => {
		const port = new FakePort();
		const serial = new FakeSerial();
		serial.ports = [port];
		createSerialReader({
			serial,
			onBytes: () => {},
			onStatus: () => {},
			line: HAN_2400_8N1,
			timers: new FakeTimers(),
		}).start();
		await settle();
		expect(port.opens).toMatchObject([{ parity: "none" }]);
	});

	it("waits for a port to be granted, without a word", async () => {
		const { serial, statuses, states, timers, reader } = await started();
		await timers.advance(20_000);
		expect(statuses).toEqual([]);
		serial.ports.push(new FakePort());
		reader.lookAgain();
		await settle();
		expect(states()).toEqual(["opening", "open"]);
	});

	it("finds a port in time where the platform does not tell of it", async () => {
		const { serial, states, timers } = await started();
		serial.ports.push(new FakePort());
		await timers.advance(5_000);
		expect(states()).toEqual(["opening", "open"]);
	});

	it.each(["BreakError", "FramingError", "ParityError", "BufferOverrunError"])(
		"goes on after a %s, and counts it",
		async (name) => {
			const port = new FakePort();
			const { bytes, states, reader } = await started(port);
			port.receive(1);
			await settle();
			await port.lineError(name);
			port.receive(2);
			await settle();
			await port.lineError(name);
			port.receive(3);
			await settle();
			expect(bytes).toEqual([1, 2, 3]);
			expect(reader.lineErrors).toEqual({ [name]: 2 });
			expect(states()).toEqual(["opening", "open"]);
			expect(port.opens).toHaveLength(1);
		},
	);

	it("does not spin when the line gives nothing but errors", async () => {
		const port = new FakePort();
		const { timers, reader } = await started(port);
		for (let i = 0; i < 50; i++) await port.lineError("ParityError");
		expect(reader.lineErrors.ParityError).toBe(8);
		await timers.advance(1_000);
		port.receive(1);
		await timers.advance(1_000);
		expect(port.isOpen).toBe(true);
	});

	it("says when the adapter is unplugged, and reads on when it is back", async () => {
		const port = new FakePort();
		const { serial, states, bytes, timers } = await started(port);
		serial.ports = [];
		await port.lose();
		expect(states()).toEqual(["opening", "open", "unplugged"]);
		await timers.advance(60_000);
		expect(states()).toHaveLength(3);
		const again = new FakePort();
		await serial.plug(again);
		again.receive(9);
		await settle();
		expect(states()).toEqual(["opening", "open", "unplugged", "opening", "open"]);
		expect(bytes).toEqual([9]);
	});

	it("leaves alone a port that is granted but not plugged in", async () => {
		const port = new FakePort();
		port.connected = false;
		const { states } = await started(port);
		expect(states()).toEqual([]);
	});

	it("closes a port that is silent for 30 s, and opens it again", async () => {
		const port = new FakePort();
		const { states, timers, bytes } = await started(port);
		await timers.advance(SILENCE_MS - 1);
		port.receive(1);
		await timers.advance(SILENCE_MS - 1);
		expect(states()).toEqual(["opening", "open"]);
		await timers.advance(1);
		expect(states()).toEqual(["opening", "open", "silent"]);
		expect(port.closes).toBe(1);
		await timers.advance(1_000);
		expect(states()).toEqual(["opening", "open", "silent", "opening", "open"]);
		port.receive(2);
		await settle();
		expect(bytes).toEqual([1, 2]);
	});

	it("backs off further each time that a port cannot be opened, and tells why", async () => {
		const port = new FakePort();
		port.openError = new DOMException("Failed to open serial port.", "NetworkError");
		const { statuses, timers } = await started(port);
		await timers.advance(120_000);
		const failures = statuses.filter((status) => status.state === "failed");
		// After 0, 1, 3, 7, 15, 31, 61, 91 s.
		expect(failures).toEqual(Array.from({ length: 8 }, () => ({ state: "failed", code: "NetworkError" })));
		port.openError = undefined;
		await timers.advance(30_000);
		expect(statuses.at(-1)).toEqual({ state: "open", baudRate: 2_400 });
	});

	it("goes on after the string errors of the WebUSB polyfill", async () => {
		const port = new FakePort();
		const { statuses, timers } = await started(port);
		await port.lose("USB error: stall");
		await timers.advance(1_000);
		await port.lose("NotFoundError: The device was disconnected.");
		expect(statuses).toEqual([
			{ state: "opening" },
			{ state: "open", baudRate: 2_400 },
			{ state: "failed", code: "UnknownError" },
			{ state: "opening" },
			{ state: "open", baudRate: 2_400 },
			{ state: "unplugged" },
		]);
	});

	it("tries the next of several ports when one says nothing, and stays with the one that speaks", async () => {
		const [modem, meter] = [new FakePort(), new FakePort()];
		const { timers } = await started(modem, meter);
		await timers.advance(SILENCE_MS + 1_000);
		expect([modem.isOpen, meter.isOpen]).toEqual([false, true]);
		meter.receive(1);
		await timers.advance(SILENCE_MS + 1_000);
		expect([modem.isOpen, meter.isOpen]).toEqual([false, true]);
		expect(meter.opens).toHaveLength(2);
	});

	it("is not held up by a close that never comes back", async () => {
		const port = new FakePort();
		port.closeHangs = true;
		const { states, timers } = await started(port);
		await timers.advance(SILENCE_MS + 10_000);
		expect(states()).toEqual(["opening", "open", "silent"]);
	});

	it("stops with the port closed and no timer left, wherever it is, and starts again", async () => {
		const port = new FakePort();
		const { states, timers, reader, serial, bytes } = await started(port);
		await reader.stop();
		expect(port.isOpen).toBe(false);
		expect(states().at(-1)).toBe("closed");
		expect(timers.count).toBe(0);
		expect(serial.listeners.size).toBe(0);

		serial.ports = [];
		reader.start();
		await settle();
		await reader.stop();
		expect(timers.count).toBe(0);

		serial.ports = [port];
		reader.start();
		reader.start();
		await settle();
		port.receive(5);
		await settle();
		expect(bytes).toEqual([5]);
		expect(port.opens).toHaveLength(2);
		await reader.stop();
		expect(port.isOpen).toBe(false);
	});
});
