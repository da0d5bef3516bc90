import { describe, expect, it } from "vitest";
import type { SerialStatus } from "../../../src/node/view.js";
import { ANSWER_MS, ASK_AGAIN_MS, createSerialReader, SILENCE_MS } from "../../../src/serial/webSerialPort.js";
import { FakePort, FakeSerial, FakeTimers, settle } from "./fakeSerial.js";

const REQUEST = { baudRate: 300, text: "/?!\r\n" };
const LINES = "1-0:1.8.0*255(0012345.678*kWh)\r\n1-0:2.8.0*255(0000009.876*kWh)\r\n!\r\n";
const bytesOf = (text: string) => Array.from(text, (character) => character.charCodeAt(0));

/** ␂, the lines, ␃ and the exclusive or of all after ␂. */
function readout(lines = LINES): number[] {
	const checked = [...bytesOf(lines), 0x03];
	return [0x02, ...checked, checked.reduce((sum, byte) => sum ^ byte, 0)];
}

async function asked(line: "300 7E1" | undefined = "300 7E1") {
	const port = new FakePort();
	const serial = new FakeSerial();
	serial.ports = [port];
	const timers = new FakeTimers();
	let text = "";
	const statuses: SerialStatus[] = [];
	const reader = createSerialReader({
		serial,
		timers,
		onBytes: (bytes) => {
			text += String.fromCharCode(...bytes);
		},
		onStatus: (status) => statuses.push(status),
	});
	reader.start(line);
	await settle();
	const says = async (...bytes: number[]) => {
		port.receive(...bytes);
		await settle();
	};
	return { port, timers, reader, statuses, says, heard: () => text };
}

describe("a meter that has to be asked", () => {
	it("is asked at 300 baud, told to go on at the speed that it offers, and asked again", async () => {
		const { port, timers, says, statuses, heard } = await asked();
		expect(port.opens.at(-1)).toMatchObject({ baudRate: 300, dataBits: 7, parity: "even" });
		expect(port.written).toEqual([REQUEST]);
		// Heads of infrared light hear themselves.
		await says(...bytesOf("/?!\r\n"));
		await says(...bytesOf("/ISk5MT1"));
		expect(port.written).toHaveLength(1);
		await says(...bytesOf("74\r\n"));
		expect(port.written.at(-1)).toEqual({ baudRate: 300, text: "\u0006050\r\n" });
		expect(port.opens.at(-1)).toMatchObject({ baudRate: 9_600, dataBits: 7, parity: "even" });
		await says(...readout().slice(0, 20));
		await says(...readout().slice(20));
		expect(statuses.at(-1)).toEqual({ state: "open", line: "300 7E1" });
		expect(heard()).toContain("/ISk5MT174\r\n\u00021-0:1.8.0*255(0012345.678*kWh)");
		expect(port.isOpen).toBe(false);
		await timers.advance(ASK_AGAIN_MS);
		expect(port.opens.at(-1)).toMatchObject({ baudRate: 300 });
		expect(port.written.slice(2)).toEqual([REQUEST]);
		await says(...bytesOf("/ISk5MT174\r\n"));
		await says(...readout());
		expect(heard().split("1.8.0")).toHaveLength(3);
		expect(statuses.map(({ state }) => state)).toEqual(["opening", "open"]);
	});

	it("sends its data by itself at the speed of mode B, and at 300 baud in mode A", async () => {
		for (const [identification, baudRate] of [
			["/ABBEmeter", 9_600],
			["/ABB meter", 300],
		] as const) {
			const { port, says, statuses } = await asked();
			await says(...bytesOf(`${identification}\r\n`));
			expect(port.written).toEqual([REQUEST]);
			expect(port.opens.at(-1)).toMatchObject({ baudRate });
			await says(...readout());
			expect(statuses.at(-1)).toMatchObject({ state: "open" });
		}
	});

	it("is let speak at 300 baud where nothing comes at the speed that it offers", async () => {
		const { port, timers, says, statuses, heard } = await asked();
		await says(...bytesOf("/ISk5MT174\r\n"));
		await timers.advance(SILENCE_MS);
		expect(statuses.at(-1)).toEqual({ state: "silent" });
		await timers.advance(1_000);
		expect(port.written.at(-1)).toEqual(REQUEST);
		await says(...bytesOf("/ISk5MT174\r\n"));
		expect(port.written.at(-1)).toEqual(REQUEST);
		expect(port.opens.at(-1)).toMatchObject({ baudRate: 300 });
		await says(...readout());
		expect(statuses.at(-1)).toMatchObject({ state: "open" });
		expect(heard()).toContain("1.8.0");
	});

	it("is not there, if nobody answers in time", async () => {
		const { timers, statuses, port, reader } = await asked();
		await timers.advance(ANSWER_MS);
		expect(statuses.at(-1)).toEqual({ state: "silent" });
		await reader.stop();
		expect(port.isOpen).toBe(false);
		expect(timers.count).toBe(0);
	});

	it("is found as the last of all lines, and let go when it is told to stop between two readouts", async () => {
		const { port, timers, says, statuses, reader } = await asked(undefined);
		for (let passed = 0; port.written.length === 0 && passed < 120; passed++) await timers.advance(1_000);
		await says(...bytesOf("/ISk5MT174\r\n"));
		await says(...readout());
		expect(statuses.at(-1)).toEqual({ state: "open", line: "300 7E1" });
		await reader.stop();
		expect(statuses.at(-1)).toEqual({ state: "closed" });
		expect(timers.count).toBe(0);
	});
});
