/**
 * Reads a meter's port through Web Serial (https://wicg.github.io/serial) or what looks like it, for months on end:
 * line errors, silence and unplugged adapters are normal, and after each the reading goes on. Works in a page and in a
 * worker; a worker cannot ask for a port, so the page does that once (platformSerial.ts).
 */
import { ASKED_LINE, type LineName } from "../meter/lineNames.js";
import { SIGN_ON_BAUD_RATE, SIGN_ON_REQUEST, type SignOnAnswer, signOnAnswer } from "../meter/signOn.js";
import type { MeterDecoder } from "../meter/telegram.js";
import type { SerialStatus } from "../node/view.js";
import { joinBytes } from "../primitives/bytes.js";
import { attempt, errorCode, SYSTEM_TIMERS, type Timers } from "./attempt.js";
import { LineFinder, MEANINGLESS_MS, PROBE_MS } from "./lineFinder.js";

/** The part of `navigator.serial` that is used. */
export interface SerialLike {
	/** The ports that this origin has been granted. May return new objects each time (web-serial-polyfill does). */
	getPorts(): Promise<readonly SerialPortLike[]>;
	/** A granted port was plugged in. Absent where the platform does not tell. */
	addEventListener?(type: "connect", listener: () => void): void;
	removeEventListener?(type: "connect", listener: () => void): void;
}

/** The part of a `SerialPort` that is used. */
export interface SerialPortLike {
	/** Set while open. After a line error it is another stream (Web Serial §4.5). */
	readonly readable: ReadableStream<Uint8Array> | null;
	/** Set while open. Once it is closed, it is another stream. */
	readonly writable: WritableStream<Uint8Array> | null;
	/** false: granted, but not plugged in. */
	readonly connected?: boolean;
	open(options: LineSettings & { bufferSize: number }): Promise<void>;
	close(): Promise<void>;
}

export interface LineSettings {
	baudRate: number;
	dataBits: 7 | 8;
	parity: "none" | "even" | "odd";
	stopBits: 1 | 2;
}

/** Errors after which the port stays open and `readable` is a new stream. The bytes around them are damaged or lost. */
export type LineErrorCode = "BreakError" | "FramingError" | "ParityError" | "BufferOverrunError";

export interface SerialReader {
	/** Begins to read; does nothing if it reads already. `line`: as a person has set it; undefined: it is found out. */
	start(line?: LineName): void;
	/** Ends reading; resolves when the port is closed. */
	stop(): Promise<void>;
	/** A port may have been granted or plugged in: look now. The page calls it after asking for a port. */
	lookAgain(): void;
	/** How often each line error came since the reader was made. */
	readonly lineErrors: Readonly<Partial<Record<LineErrorCode, number>>>;
}

export const SILENCE_MS = 30_000;
/** A P1 telegram is longer than the default of 255 bytes, and a busy page may be late. */
const BUFFER_BYTES = 65_536;
const FIRST_BACK_OFF_MS = 1_000;
const LONGEST_BACK_OFF_MS = 30_000;
/** Not every platform tells when a port is granted or plugged in, so it is looked for again and again. */
const LOOK_AGAIN_MS = 5_000;
/** So many line errors without one byte between them: the wrong speed or parity, and no reason to spin. */
const LINE_ERRORS_IN_A_ROW = 8;
const LINE_ERROR_PAUSE_MS = 250;
/** A meter that is asked answers within 1.5 s; its answer takes a second more at 300 baud. */
export const ANSWER_MS = 5_000;
/** Its identification has 20 bytes or so, after an echo of the request. */
const MAX_ANSWER_BYTES = 256;
/** All its data at 300 baud. */
const DATA_MS = 60_000;
/** Between two readouts: what lies more than 30 s apart counts as a gap. */
export const ASK_AGAIN_MS = 10_000;

const LINE_ERRORS: readonly string[] = ["BreakError", "FramingError", "ParityError", "BufferOverrunError"];

export function createSerialReader(options: {
	serial: SerialLike;
	/** Bytes as they come, in chunks of any size. */
	onBytes: (bytes: Uint8Array) => void;
	onStatus: (status: SerialStatus) => void;
	timers?: Timers;
	/** What tells by which line the bytes mean something. */
	createDecoder?: () => MeterDecoder;
}): SerialReader {
	const { serial, onBytes, onStatus, timers = SYSTEM_TIMERS, createDecoder } = options;
	const lineErrors: Partial<Record<LineErrorCode, number>> = {};
	let isWanted = false;
	let isReading = false;
	/** Resolves when the loop has ended. */
	let running: Promise<void> | undefined;
	/** Ends whatever the loop waits for: a pause, a port, or a chunk. */
	let wake = () => {};
	/** Ends the reading of a line that says nothing. */
	let giveUp = () => {};
	let isOverdue = false;
	let meaning: unknown;
	let finder = new LineFinder(undefined, createDecoder);
	/** Which of several granted ports is tried: the next one after one that said nothing. */
	let turn = 0;
	/** Whether a meter that is asked is told to change its speed. */
	let changesSpeed = true;
	let backOffMs = FIRST_BACK_OFF_MS;
	let told: SerialStatus = { state: "closed" };

	const tell = (status: SerialStatus) => {
		const isSame =
			status.state === told.state && ("line" in status ? status.line : "") === ("line" in told ? told.line : "");
		if (isSame && status.state !== "failed") return;
		told = status;
		onStatus(status);
	};

	const lookAgain = () => {
		backOffMs = FIRST_BACK_OFF_MS;
		if (!isReading) wake();
	};

	const run = async () => {
		serial.addEventListener?.("connect", lookAgain);
		while (isWanted) {
			const port = await findPort(serial, turn);
			if (port === undefined) {
				if (told.state !== "closed") tell({ state: "unplugged" });
				await pause(LOOK_AGAIN_MS);
				continue;
			}
			const trouble = await readPort(port);
			if (!isWanted) break;
			const outcome = trouble.state === "unrecognized" ? finder.giveUp() : undefined;
			if (outcome === "again") continue;
			if (!finder.isRight) turn += 1;
			tell(outcome === undefined ? trouble : { state: outcome });
			await pause(backOffMs);
			backOffMs = Math.min(2 * backOffMs, LONGEST_BACK_OFF_MS);
		}
		serial.removeEventListener?.("connect", lookAgain);
		running = undefined;
		tell({ state: "closed" });
	};

	/** Resolves after a while, or at once when woken. */
	const pause = (delayMs: number) =>
		new Promise<void>((resolve) => {
			const timer = timers.set(resolve, delayMs);
			wake = () => {
				timers.clear(timer);
				resolve();
			};
			if (!isWanted) wake();
		});

	/** Reads a port by the finder's line until something is wrong; leaves it closed. */
	const readPort = async (port: SerialPortLike): Promise<SerialStatus> => {
		const { line } = finder;
		tell({ state: "opening", line });
		finder.begin();
		if (line === ASKED_LINE) return askAndRead(port);
		const trouble = await openAndRead(port, settingsOf(line), { withinMs: PROBE_MS });
		return trouble === "enough" ? { state: "closed" } : trouble;
	};

	/** A meter that does not speak by itself: it is asked, and asked again. */
	const askAndRead = async (port: SerialPortLike): Promise<SerialStatus> => {
		const settings = settingsOf(ASKED_LINE);
		while (isWanted) {
			let answer: SignOnAnswer | undefined;
			let heard: Uint8Array = new Uint8Array();
			const signedOn = await openAndRead(port, settings, {
				withinMs: ANSWER_MS,
				request: () => SIGN_ON_REQUEST,
				isEnough(bytes) {
					heard = joinBytes([heard, bytes.subarray(-MAX_ANSWER_BYTES)]).subarray(-MAX_ANSWER_BYTES);
					answer = signOnAnswer(heard);
					return answer !== undefined;
				},
				reply: () => (changesSpeed ? answer?.acknowledgement : undefined),
			});
			if (signedOn !== "enough" || answer === undefined) return signedOn === "enough" ? { state: "closed" } : signedOn;
			// Not answered, it sends its data as slowly as it was asked (IEC 62056-21 §6.4.5.2).
			const isPlain = answer.acknowledgement !== undefined && !changesSpeed;
			const baudRate = isPlain ? SIGN_ON_BAUD_RATE : answer.baudRate;
			const isEnough = (_: Uint8Array, hasMeaning: boolean) => hasMeaning;
			const read = await openAndRead(port, { ...settings, baudRate }, { withinMs: DATA_MS, isEnough });
			if (read !== "enough") {
				// Some adapters lose the meter's first bytes while they change their own speed.
				if (read.state === "silent" || read.state === "unrecognized") changesSpeed = !changesSpeed;
				return read;
			}
			await pause(ASK_AGAIN_MS);
		}
		return { state: "closed" };
	};

	/** Opens a port and reads it until there is enough, or something is wrong; leaves it closed. */
	const openAndRead = async (
		port: SerialPortLike,
		settings: LineSettings,
		talk: Conversation,
	): Promise<SerialStatus | "enough"> => {
		const opened = await attempt(port.open({ ...settings, bufferSize: BUFFER_BYTES }), timers);
		let outcome: SerialStatus | "enough";
		if (opened.ok) {
			isReading = true;
			await write(port, talk.request?.(), timers);
			expectMeaning(talk.withinMs);
			outcome = await readStreams(port, talk);
			timers.clear(meaning);
			if (outcome === "enough") await write(port, talk.reply?.(), timers);
			isReading = false;
		} else {
			outcome = { state: "failed", code: opened.code };
		}
		// Also after a failed `open`: one that came too late may have opened it after all.
		await attempt(port.close(), timers);
		return outcome;
	};

	/** A port has one stream after another: each line error ends one. */
	const readStreams = async (port: SerialPortLike, talk: Conversation): Promise<SerialStatus | "enough"> => {
		let errorsInARow = 0;
		while (port.readable !== null && isWanted) {
			const outcome = await readStream(port.readable, talk);
			if (outcome.end === "enough") return "enough";
			if (outcome.end === "stopped") return { state: "closed" };
			if (outcome.end === "silent") return { state: "silent" };
			if (outcome.end === "lost") return { state: "unplugged" };
			if (outcome.end === "failed") return { state: "failed", code: outcome.code };
			if (outcome.end === "unrecognized") return { state: "unrecognized" };
			errorsInARow = outcome.anyBytes ? 1 : errorsInARow + 1;
			lineErrors[outcome.code] = (lineErrors[outcome.code] ?? 0) + 1;
			if (errorsInARow >= LINE_ERRORS_IN_A_ROW) await pause(LINE_ERROR_PAUSE_MS);
		}
		return { state: "unplugged" };
	};

	const readStream = async (stream: ReadableStream<Uint8Array>, { isEnough }: Conversation): Promise<StreamEnd> => {
		const reader = stream.getReader();
		let anyBytes = false;
		try {
			for (;;) {
				const read = await nextChunk(reader);
				if (read.end !== "bytes") {
					// Only what the reader's end ends itself is cancelled; a stream with an error is over already.
					const isOpen = read.end === "silent" || read.end === "stopped" || read.end === "unrecognized";
					if (isOpen) await attempt(reader.cancel(), timers);
					return read.end === "line-error" ? { ...read, anyBytes } : read;
				}
				if (read.bytes.length > 0) {
					anyBytes = true;
					const hasMeaning = take(read.bytes);
					if (isEnough?.(read.bytes, hasMeaning) === true) {
						await attempt(reader.cancel(), timers);
						return { end: "enough" };
					}
				}
			}
		} finally {
			// The polyfill's `close` rejects while its stream is locked.
			reader.releaseLock();
		}
	};

	const take = (bytes: Uint8Array): boolean => {
		const { chunks, hasMeaning } = finder.take(bytes);
		for (const chunk of chunks) onBytes(chunk);
		if (!hasMeaning) return false;
		tell({ state: "open", line: finder.line });
		backOffMs = FIRST_BACK_OFF_MS;
		timers.clear(meaning);
		expectMeaning(MEANINGLESS_MS);
		return true;
	};

	const expectMeaning = (withinMs: number) => {
		isOverdue = false;
		meaning = timers.set(() => {
			// The reading may pause just now.
			isOverdue = true;
			giveUp();
		}, withinMs);
	};

	const nextChunk = (reader: ReadableStreamDefaultReader<Uint8Array>) =>
		new Promise<ChunkEnd>((resolve) => {
			const timer = timers.set(() => resolve({ end: "silent" }), SILENCE_MS);
			const settle = (end: ChunkEnd) => {
				timers.clear(timer);
				resolve(end);
			};
			wake = () => settle({ end: "stopped" });
			giveUp = () => settle({ end: "unrecognized" });
			reader.read().then(
				({ done, value }) => settle(done ? { end: "lost" } : { end: "bytes", bytes: value }),
				(error: unknown) => settle(endOf(error)),
			);
			if (!isWanted) wake();
			else if (isOverdue) giveUp();
		});

	return {
		lineErrors,
		lookAgain,
		start(line) {
			if (isWanted) return;
			isWanted = true;
			finder = new LineFinder(line, createDecoder);
			running ??= run();
		},
		async stop() {
			isWanted = false;
			wake();
			await running;
		},
	};
}

/** How a port that is open is used. */
interface Conversation {
	/** Something that means something, or enough, has to come so soon. */
	withinMs: number;
	/** What is written first. */
	request?: () => Uint8Array;
	/** Whether with these bytes there is enough; absent: never. */
	isEnough?: (bytes: Uint8Array, hasMeaning: boolean) => boolean;
	/** What is written when there is enough. */
	reply?: () => Uint8Array | undefined;
}

type StreamEnd =
	| { end: "enough" }
	| { end: "silent" }
	| { end: "unrecognized" }
	| { end: "stopped" }
	| { end: "lost" }
	| { end: "failed"; code: string }
	| { end: "line-error"; code: LineErrorCode; anyBytes: boolean };

type ChunkEnd =
	| { end: "bytes"; bytes: Uint8Array }
	| Exclude<StreamEnd, { end: "line-error" } | { end: "enough" }>
	| { end: "line-error"; code: LineErrorCode };

/** What "2400 8E1" says. */
function settingsOf(line: LineName): LineSettings {
	const [baudRate = "", [dataBits, parity, stopBits] = ""] = line.split(" ");
	return {
		baudRate: Number(baudRate),
		dataBits: dataBits === "7" ? 7 : 8,
		parity: parity === "E" ? "even" : "none",
		stopBits: stopBits === "2" ? 2 : 1,
	};
}

/** Writes to an open port, and waits until it has gone out: closing the port may drop what has not. */
async function write(port: SerialPortLike, bytes: Uint8Array | undefined, timers: Timers): Promise<void> {
	const writer = bytes === undefined ? undefined : port.writable?.getWriter();
	if (bytes === undefined || writer === undefined) return;
	await attempt(writer.write(bytes), timers);
	await attempt(writer.close(), timers);
	writer.releaseLock();
}

async function findPort(serial: SerialLike, turn: number): Promise<SerialPortLike | undefined> {
	try {
		const ports = (await serial.getPorts()).filter((port) => port.connected !== false);
		return ports[turn % ports.length];
	} catch {
		// A permissions policy or the polyfill may refuse; the same as no port.
		return undefined;
	}
}

function endOf(error: unknown): ChunkEnd {
	const code = errorCode(error);
	if (isLineError(code)) return { end: "line-error", code };
	// "The device has been lost" (Web Serial), or not there any more (WebUSB).
	return code === "NetworkError" || code === "NotFoundError" ? { end: "lost" } : { end: "failed", code };
}

function isLineError(code: string): code is LineErrorCode {
	return LINE_ERRORS.includes(code);
}
