import { describe, expect, it } from "vitest";
import { LINE_NAMES } from "../../../src/meter/lineNames.js";
import type { MeterDecoder } from "../../../src/meter/telegram.js";
import type { SerialStatus } from "../../../src/node/view.js";
import { MEANINGLESS_MS, PROBE_MS } from "../../../src/serial/lineFinder.js";
import { ANSWER_MS, createSerialReader, SILENCE_MS } from "../../../src/serial/webSerialPort.js";
import { FakePort, FakeSerial, FakeTimers, settle } from "./fakeSerial.js";

/** Every byte below 100 is a telegram. */
const createDecoder = (): MeterDecoder => ({
	push: (bytes) => (bytes.some((byte) => byte < 100) ? [{ kind: "telegram", format: "p1" }] : []),
	end: () => [],
});

function setUp(...ports: FakePort[]) {
	const serial = new FakeSerial();
	serial.ports = ports;
	const timers = new FakeTimers();
	const bytes: number[] = [];
	const statuses: SerialStatus[] = [];
	const reader = createSerialReader({
		serial,
		timers,
		createDecoder,
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
	it("opens the granted port at 2400 8E1 with a large buffer, and hands on all that came once it means something", async () => {
		const port = new FakePort();
		const { bytes, statuses } = await started(port);
		port.receive(0xfe, 0xa0);
		await settle();
		expect(bytes).toEqual([]);
		port.receive(0x27);
		await settle();
		port.receive(0xff);
		await settle();
		expect(port.opens).toEqual([{ baudRate: 2_400, dataBits: 8, parity: "even", stopBits: 1, bufferSize: 65_536 }]);
		expect(bytes).toEqual([0xfe, 0xa0, 0x27, 0xff]);
		expect(statuses).toEqual([
			{ state: "opening", line: "2400 8E1" },
			{ state: "open", line: "2400 8E1" },
		]);
	});

	it("tries one line after another, eleven seconds each, until one brings something that means something", async () => {
		const port = new FakePort();
		const { timers, statuses, bytes } = await started(port);
		for (const [at, line] of LINE_NAMES.slice(0, 3).entries()) {
			expect(statuses.at(-1)).toEqual({ state: "opening", line });
			expect(port.opens).toHaveLength(at + 1);
			port.receive(0xf0);
			await timers.advance(PROBE_MS);
		}
		port.receive(7);
		await settle();
		expect(statuses.at(-1)).toEqual({ state: "open", line: LINE_NAMES[3] });
		expect(port.opens.at(-1)).toMatchObject({ baudRate: 9_600, dataBits: 8, parity: "none" });
		// What the wrong lines made of it is nobody's damage.
		expect(bytes).toEqual([7]);
	});

	it("says that what comes means nothing at any line, and begins anew", async () => {
		const port = new FakePort();
		const { timers, states } = await started(port);
		for (let passed = 0; passed < 5 * PROBE_MS + ANSWER_MS; passed += 1_000) {
			port.receive(0xf0);
			await timers.advance(1_000);
		}
		expect(states()).toEqual([...LINE_NAMES.map(() => "opening"), "unrecognized"]);
		await timers.advance(1_000);
		expect(states().at(-1)).toBe("opening");
		expect(port.opens.at(-1)).toMatchObject({ baudRate: 2_400, parity: "even" });
	});

	it("keeps to the line that a person has set", async () => {
		const port = new FakePort();
		const { reader, timers, states } = setUp(port);
		reader.start("9600 7E1");
		await timers.advance(PROBE_MS + 1_000);
		expect(states()).toEqual(["opening", "silent", "opening"]);
		for (const opened of port.opens) expect(opened).toMatchObject({ baudRate: 9_600, dataBits: 7, parity: "even" });
	});

	it("stays with the line that was right, until bytes come that mean nothing there for a minute", async () => {
		const port = new FakePort();
		const { timers, states } = await started(port);
		await timers.advance(PROBE_MS);
		port.receive(1);
		// Silent, as when the power is cut: the line is the same when it is back.
		await timers.advance(SILENCE_MS + 1_000);
		expect(port.opens.slice(1)).toMatchObject([{ baudRate: 115_200 }, { baudRate: 115_200 }]);
		port.receive(1);
		await settle();
		for (let passed = 0; passed < MEANINGLESS_MS; passed += 10_000) {
			port.receive(0xf0);
			await timers.advance(10_000);
		}
		// A long list may not have been whole in time: once more, and then the others.
		expect(states().at(-1)).toBe("opening");
		expect(port.opens.at(-1)).toMatchObject({ baudRate: 115_200 });
		port.receive(0xf0);
		await timers.advance(PROBE_MS);
		expect(port.opens.at(-1)).toMatchObject({ baudRate: 2_400, parity: "even" });
	});

	it("tries the next line though this one gives nothing but errors", async () => {
		const port = new FakePort();
		const { timers } = await started(port);
		for (let passed = 0; passed < PROBE_MS + 1_000; passed += 100) {
			await port.lineError("ParityError");
			await timers.advance(100);
		}
		expect(port.opens.at(-1)).toMatchObject({ baudRate: 115_200 });
	});

	it("waits for a port to be granted, without a word", async () => {
		const { serial, statuses, states, timers, reader } = await started();
		await timers.advance(20_000);
		expect(statuses).toEqual([]);
		serial.ports.push(new FakePort());
		reader.lookAgain();
		await settle();
		expect(states()).toEqual(["opening"]);
	});

	it("finds a port in time where the platform does not tell of it", async () => {
		const { serial, states, timers } = await started();
		serial.ports.push(new FakePort());
		await timers.advance(5_000);
		expect(states()).toEqual(["opening"]);
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
		port.receive(8);
		await settle();
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
		expect(bytes).toEqual([8, 9]);
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
		port.receive(1);
		await timers.advance(SILENCE_MS - 1);
		expect(states()).toEqual(["opening", "open"]);
		await timers.advance(1);
		expect(states()).toEqual(["opening", "open", "silent"]);
		expect(port.closes).toBe(1);
		await timers.advance(1_000);
		port.receive(2);
		await settle();
		expect(states()).toEqual(["opening", "open", "silent", "opening", "open"]);
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
		port.receive(1);
		await settle();
		expect(statuses.at(-1)).toMatchObject({ state: "open" });
	});

	it("goes on after the string errors of the WebUSB polyfill", async () => {
		const port = new FakePort();
		const { statuses, timers } = await started(port);
		await port.lose("USB error: stall");
		await timers.advance(1_000);
		await port.lose("NotFoundError: The device was disconnected.");
		expect(statuses).toEqual([
			{ state: "opening", line: "2400 8E1" },
			{ state: "failed", code: "UnknownError" },
			{ state: "opening", line: "2400 8E1" },
			{ state: "unplugged" },
		]);
	});

	it("tries the next of several ports when one says nothing, and stays with the one that speaks", async () => {
		const [modem, meter] = [new FakePort(), new FakePort()];
		const { timers } = await started(modem, meter);
		await timers.advance(LINE_NAMES.length * PROBE_MS + 1_000);
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
		port.receive(1);
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
