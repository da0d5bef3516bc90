/** A serial platform without hardware: ports that are plugged, unplugged and made to fail, and timers driven by hand. */
import type { Timers } from "../../../src/serial/attempt.js";
import type { LineSettings, SerialLike, SerialPortLike } from "../../../src/serial/webSerialPort.js";

/** Lets everything that waits on promises alone happen. */
export async function settle(): Promise<void> {
	for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeTimers implements Timers {
	nowMs = 0;
	private pending = new Map<number, { atMs: number; callback: () => void }>();
	private next = 1;

	set(callback: () => void, delayMs: number): number {
		this.pending.set(this.next, { atMs: this.nowMs + delayMs, callback });
		return this.next++;
	}

	clear(timer: unknown): void {
		this.pending.delete(timer as number);
	}

	get count(): number {
		return this.pending.size;
	}

	/** Lets time pass, one timer after another, and what follows from each. */
	async advance(durationMs: number): Promise<void> {
		await settle();
		const untilMs = this.nowMs + durationMs;
		for (;;) {
			const due = [...this.pending]
				.filter(([, { atMs }]) => atMs <= untilMs)
				.sort(([, a], [, b]) => a.atMs - b.atMs)[0];
			if (due === undefined) break;
			const [timer, { atMs, callback }] = due;
			this.nowMs = atMs;
			this.pending.delete(timer);
			callback();
			await settle();
		}
		this.nowMs = untilMs;
	}
}

export class FakePort implements SerialPortLike {
	readable: ReadableStream<Uint8Array> | null = null;
	writable: WritableStream<Uint8Array> | null = null;
	/** What was written, by the speed at which the port was open. */
	written: { baudRate: number; text: string }[] = [];
	connected = true;
	opens: (LineSettings & { bufferSize: number })[] = [];
	closes = 0;
	/** What `open` rejects with. */
	openError: unknown;
	/** `close` never comes back. */
	closeHangs = false;
	private controller: ReadableStreamDefaultController<Uint8Array> | undefined;

	async open(options: LineSettings & { bufferSize: number }): Promise<void> {
		if (this.openError !== undefined) throw this.openError;
		if (this.readable !== null) throw new DOMException("already open", "InvalidStateError");
		this.opens.push(options);
		this.newStream();
		this.newWritable(options.baudRate);
	}

	async close(): Promise<void> {
		if (this.closeHangs) return new Promise(() => {});
		if (this.readable?.locked) throw new TypeError("locked");
		this.closes += 1;
		this.readable = null;
		this.writable = null;
	}

	get isOpen(): boolean {
		return this.readable !== null;
	}

	receive(...bytes: number[]): void {
		this.controller?.enqueue(Uint8Array.from(bytes));
	}

	/** A line error ends the stream; the next `readable` is a new one. */
	async lineError(name: string): Promise<void> {
		const { controller } = this;
		this.newStream();
		controller?.error(new DOMException("", name));
		await settle();
	}

	/** As Chromium does it: the stream fails, and there is none after it. */
	async lose(error: unknown = new DOMException("The device has been lost.", "NetworkError")): Promise<void> {
		const { controller } = this;
		this.readable = null;
		controller?.error(error);
		await settle();
	}

	/** As Web Serial has it: one that is closed makes place for another. */
	private newWritable(baudRate: number): void {
		this.writable = new WritableStream({
			write: (bytes) => {
				this.written.push({ baudRate, text: String.fromCharCode(...bytes) });
			},
			close: () => this.newWritable(baudRate),
		});
	}

	private newStream(): void {
		this.readable = new ReadableStream<Uint8Array>({
			start: (controller) => {
				this.controller = controller;
			},
		});
	}
}

export class FakeSerial implements SerialLike {
	ports: FakePort[] = [];
	listeners = new Set<() => void>();

	async getPorts(): Promise<FakePort[]> {
		return this.ports;
	}

	addEventListener(_: "connect", listener: () => void): void {
		this.listeners.add(listener);
	}

	removeEventListener(_: "connect", listener: () => void): void {
		this.listeners.delete(listener);
	}

	async plug(port: FakePort): Promise<void> {
		this.ports.push(port);
		for (const listener of this.listeners) listener();
		await settle();
	}
}
