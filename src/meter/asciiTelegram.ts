/**
 * Telegrams of text: P1 (DSMR, ESMR, eMUCS, and Sweden's and Norway's of the same kind) and IEC 62056-21, mode D (sent by
 * itself) and mode C (data readout on request).
 *
 *     /XXX5 identification ␍␊ ␍␊ lines ␍␊ !CCCC ␍␊       P1: CRC-16/ARC from / to !, four hex digits (DSMR 4 §6.2)
 *     /XXX5 identification ␍␊ ␍␊ lines ␍␊ ! ␍␊           DSMR 2.2 and 3, mode D: no check but the shape
 *     /XXX5 identification ␍␊ ␂ lines ␍␊ ! ␍␊ ␃ BCC      mode C: exclusive or of all after ␂ to ␃
 *
 * A line is an OBIS code and values in brackets. The next telegram is found at any slash. Where there is no check, each
 * line has to have that shape, once, and the same quantities come as in the telegram before; and who stamps its telegrams
 * (DSMR 4 and later) or has sent a check before always sends one.
 */
import { crc16Arc } from "./crc16.js";
import { isQuantity, Quantities } from "./quantities.js";
import type { DroppedEvent, DropReason, MeterDecoder, MeterEvent, TelegramEvent } from "./telegram.js";

const SLASH = 0x2f;
const EXCLAMATION = 0x21;
const QUESTION_MARK = 0x3f;
const MIN_IDENTIFICATION = 4;
const STX = 0x02;
const STX_TEXT = String.fromCharCode(STX);
const ETX = 0x03;
const CR = 0x0d;
const LF = 0x0a;
const CRC_DIGITS = 4;
/** The longest of P1 is some 2 kB. */
const MAX_TELEGRAM_BYTES = 8_192;
/** After the exclamation mark of mode C: ␍ ␊ ␃ and its check. */
const MODE_C_TAIL_BYTES = 4;
/** An encrypted P1 telegram (Luxembourg, Austria): general-glo-ciphering with a system title of eight bytes. */
const ENCRYPTED_START = [0xdb, 0x08];
const SYSTEM_TITLE_BYTES = 8;
const LONG_LENGTH = 0x82;
const ENCRYPTED_HEADER_BYTES = ENCRYPTED_START.length + SYSTEM_TITLE_BYTES + 3;
const NOISE_REPORT_BYTES = 256;

/** Makes a decoder that has seen nothing yet. */
export function createAsciiDecoder(): MeterDecoder {
	const buffer = new Uint8Array(MAX_TELEGRAM_BYTES);
	let length = 0;
	let noiseBytes = 0;
	/** The identification, up to its line's end, is text. */
	let isIdentified = false;
	/** Where the exclamation mark lies, once it is here. */
	let bodyEnd: number | undefined;
	/** Bytes of an encrypted telegram that are still to come. */
	let skipBytes = 0;
	const habits: Habits = { sendsChecks: false, lastCodes: undefined };

	const dropped = (reason: DropReason, bytes: number): DroppedEvent => ({ kind: "dropped", reason, bytes });

	const reportNoise = (events: MeterEvent[]) => {
		if (noiseBytes > 0) events.push(dropped("noise", noiseBytes));
		noiseBytes = 0;
	};

	const restart = () => {
		length = 0;
		isIdentified = false;
		bodyEnd = undefined;
	};

	const finish = (events: MeterEvent[], check: Check) => {
		const whole = buffer.slice(0, length);
		const end = bodyEnd ?? 0;
		restart();
		// An echo of the request for a readout is nobody's telegram.
		if (whole[1] === QUESTION_MARK) {
			noiseBytes += whole.length;
			return;
		}
		events.push(readTelegram(whole, end, check, habits));
	};

	/** Between telegrams: a slash begins one, and an encrypted one has a header of its own. */
	const hunt = (byte: number, events: MeterEvent[]) => {
		if (byte === SLASH && length === 0) {
			reportNoise(events);
			buffer[length++] = byte;
			return;
		}
		buffer[length++] = byte;
		const header = encryptedLength(buffer, length);
		if (header === "incomplete") return;
		if (header !== "none") {
			skipBytes = header;
			reportNoise(events);
			events.push(dropped("encrypted", length + skipBytes));
			length = 0;
			return;
		}
		const [first = 0, ...rest] = buffer.subarray(0, length);
		length = 0;
		// The line's end after a telegram is no noise.
		if (first !== CR && first !== LF) noiseBytes += 1;
		if (noiseBytes >= NOISE_REPORT_BYTES) reportNoise(events);
		for (const each of rest) push(each, events);
	};

	const collect = (byte: number, events: MeterEvent[]) => {
		if (!isIdentified && !isPrintable(byte)) {
			const isEnd = byte === CR || byte === LF;
			isIdentified = isEnd && (length > MIN_IDENTIFICATION || buffer[1] === QUESTION_MARK);
			if (!isIdentified) {
				// The slash was only some byte.
				noiseBytes += length;
				restart();
				hunt(byte, events);
				return;
			}
		}
		if (byte === SLASH && !isCheckOfModeC(buffer, length, bodyEnd)) {
			if (bodyEnd === undefined) events.push(dropped("cut-off", length));
			else finish(events, cutOffCheck(buffer, length, bodyEnd));
			restart();
			buffer[0] = byte;
			length = 1;
			return;
		}
		buffer[length++] = byte;
		if (bodyEnd === undefined) {
			if (byte === EXCLAMATION) bodyEnd = length - 1;
		} else {
			const check = completeCheck(buffer, length, bodyEnd);
			if (check !== undefined) {
				finish(events, check);
				return;
			}
		}
		if (length === MAX_TELEGRAM_BYTES) {
			events.push(dropped("cut-off", length));
			restart();
		}
	};

	const push = (byte: number, events: MeterEvent[]) => {
		if (skipBytes > 0) skipBytes -= 1;
		else if (length > 0 && buffer[0] === SLASH) collect(byte, events);
		else hunt(byte, events);
	};

	/** Takes as much of a telegram's lines as there is at once; how many bytes that was. */
	const takeLines = (bytes: Uint8Array): number => {
		if (!isIdentified || bodyEnd !== undefined || skipBytes > 0) return 0;
		const room = MAX_TELEGRAM_BYTES - 1 - length;
		const special = bytes.findIndex((byte, at) => byte === EXCLAMATION || byte === SLASH || at === room);
		const lines = special === -1 ? bytes : bytes.subarray(0, special);
		buffer.set(lines, length);
		length += lines.length;
		return lines.length;
	};

	return {
		push(bytes) {
			const events: MeterEvent[] = [];
			for (let at = 0; at < bytes.length; at++) {
				at += takeLines(bytes.subarray(at));
				const byte = bytes[at];
				if (byte !== undefined) push(byte, events);
			}
			return events;
		},
		end() {
			const events: MeterEvent[] = [];
			if (length > 0 && buffer[0] === SLASH) {
				if (bodyEnd === undefined) events.push(dropped("cut-off", length));
				else finish(events, cutOffCheck(buffer, length, bodyEnd));
			} else {
				noiseBytes += length;
			}
			restart();
			skipBytes = 0;
			reportNoise(events);
			return events;
		},
	};
}

function isPrintable(byte: number): boolean {
	return byte >= 0x20 && byte < 0x7f;
}

/** How much follows the header of an encrypted telegram; "none": this is no such header. */
function encryptedLength(buffer: Uint8Array, length: number): number | "incomplete" | "none" {
	const isStart = ENCRYPTED_START.every((expected, at) => at >= length || buffer[at] === expected);
	const isLong = length < ENCRYPTED_HEADER_BYTES - 2 || buffer[ENCRYPTED_HEADER_BYTES - 3] === LONG_LENGTH;
	if (!isStart || !isLong) return "none";
	if (length < ENCRYPTED_HEADER_BYTES) return "incomplete";
	const bytes = ((buffer[length - 2] ?? 0) << 8) | (buffer[length - 1] ?? 0);
	return bytes <= MAX_TELEGRAM_BYTES ? bytes : "none";
}

// ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────

type Check =
	| { kind: "none" }
	| { kind: "crc"; value: number }
	/** From the byte after ␂ on. */
	| { kind: "bcc"; value: number; fromIndex: number; untilIndex: number }
	/** Something else stands where it should be. */
	| { kind: "bad" };

/** Whether the byte that comes is a check of mode C, which may be a slash as well as anything. */
function isCheckOfModeC(buffer: Uint8Array, length: number, bodyEnd: number | undefined): boolean {
	return bodyEnd !== undefined && buffer[length - 1] === ETX && buffer.subarray(0, bodyEnd).includes(STX);
}

/** The check after the exclamation mark, once all of it is here. */
function completeCheck(buffer: Uint8Array, length: number, bodyEnd: number): Check | undefined {
	const tail = buffer.subarray(bodyEnd + 1, length);
	const stx = buffer.subarray(0, bodyEnd).indexOf(STX);
	if (stx >= 0) {
		const etx = tail.indexOf(ETX);
		if (etx < 0) return tail.length >= MODE_C_TAIL_BYTES ? { kind: "bad" } : undefined;
		if (etx === tail.length - 1) return undefined;
		return { kind: "bcc", value: tail[etx + 1] ?? 0, fromIndex: stx + 1, untilIndex: bodyEnd + 1 + etx + 1 };
	}
	const last = tail.at(-1) ?? 0;
	if (last === CR || last === LF) return checkOf(tail.subarray(0, -1));
	return tail.length === CRC_DIGITS || hexValue(tail) === undefined ? checkOf(tail) : undefined;
}

/** Where no more comes. A readout is not whole without its check. */
function cutOffCheck(buffer: Uint8Array, length: number, bodyEnd: number): Check {
	return buffer.subarray(0, bodyEnd).includes(STX) ? { kind: "bad" } : checkOf(buffer.subarray(bodyEnd + 1, length));
}

/** What stands between the exclamation mark and the line's end. */
function checkOf(tail: Uint8Array): Check {
	if (tail.length === 0) return { kind: "none" };
	const value = hexValue(tail);
	return value === undefined || tail.length !== CRC_DIGITS ? { kind: "bad" } : { kind: "crc", value };
}

function hexValue(digits: Uint8Array): number | undefined {
	const text = String.fromCharCode(...digits);
	return /^[0-9A-Fa-f]{1,4}$/.test(text) ? Number.parseInt(text, 16) : undefined;
}

function isGood(check: Check, bytes: Uint8Array, bodyEnd: number): boolean {
	switch (check.kind) {
		case "none":
			return true;
		case "crc":
			return crc16Arc(bytes, 0, bodyEnd + 1) === check.value;
		case "bcc":
			return bytes.subarray(check.fromIndex, check.untilIndex).reduce((sum, byte) => sum ^ byte, 0) === check.value;
		case "bad":
			return false;
	}
}

// ── contents ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** A-B:C.D.E*F, of which a reduced code of IEC 62056-21 has C.D.E or C.D, and its values. */
const LINE =
	/^(?:(\d{1,3})-(\d{1,3}):)?([0-9A-FLP]{1,3}\.[0-9A-F]{1,3}(?:\.\d{1,3})?)(?:[*&.](\d{1,3}))?((?:\([^()]*\))+)$/;
/** A value on a line of its own: the gas meter of DSMR 3. */
const CONTINUATION = /^(?:\([^()]*\))+$/;
const NUMBER = /^([+-]?)(\d{1,12})(?:\.(\d{1,9}))?(?:\*?([A-Za-z]+))?$/;
/** F of a current value. Others are of past billing periods. */
const CURRENT = [undefined, "255", "0", "00"];

interface Line {
	/** A-B:C.D.E; without A-B where the line has none. */
	code: string;
	/** C.D.E of electricity, of now. */
	quantity: string | undefined;
	/** With F, as mode D has it. */
	isFull: boolean;
	value: string;
}

/** What is known of this meter from its telegrams so far. */
interface Habits {
	sendsChecks: boolean;
	/** The quantities of the last telegram without a check. */
	lastCodes: string | undefined;
}

function readTelegram(bytes: Uint8Array, bodyEnd: number, check: Check, habits: Habits): MeterEvent {
	const dropped = (reason: DropReason): DroppedEvent => ({ kind: "dropped", reason, bytes: bytes.length });
	if (!isGood(check, bytes, bodyEnd)) return dropped("bad-frame-checksum");
	const [identification = "", ...rows] = String.fromCharCode(...bytes.subarray(1, bodyEnd))
		.replaceAll(STX_TEXT, "\n")
		.split(/[\r\n]+/)
		.filter((row, at) => at === 0 || row !== "");
	const lines = rows.map((row) => readLine(row.trim()));
	const isStamped = lines.some((line) => line?.code === "0-0:1.0.0");
	if (check.kind === "none") {
		// It would have sent one: what is missing is not only the check.
		if (habits.sendsChecks || isStamped) return dropped("bad-frame-checksum");
		const codes = lines.flatMap((line) => line?.quantity ?? []);
		const isShaped = lines.every((line, at) => line !== undefined || CONTINUATION.test((rows[at] ?? "").trim()));
		if (!isShaped || new Set(codes).size < codes.length) return dropped("bad-telegram");
		const before = habits.lastCodes;
		habits.lastCodes = codes.join();
		if (before !== undefined && before !== habits.lastCodes) return dropped("bad-telegram");
	}
	const telegram = telegramOf(
		identification,
		lines.filter((line) => line !== undefined),
		check,
	);
	if (telegram !== undefined && check.kind !== "none") habits.sendsChecks = true;
	return telegram ?? dropped("unknown-list");
}

function readLine(row: string): Line | undefined {
	const [, a, b, short, f, values] = LINE.exec(row) ?? [];
	if (short === undefined || values === undefined) return undefined;
	const code = a === undefined ? short : `${a}-${b}:${short}`;
	const isElectricity = (a === undefined || a === "1") && CURRENT.includes(f);
	// A power may have two numbers, or 255 for the third.
	const [c, d, e = "0"] = short.split(".");
	const full = `${c}.${d}.${d === "7" && e === "255" ? "0" : e}`;
	// The last bracket holds the value; what comes before it is when it was measured.
	const value = values.slice(values.lastIndexOf("(") + 1, -1);
	return { code, quantity: isElectricity && isQuantity(full) ? full : undefined, isFull: f !== undefined, value };
}

const ID_CODES = [
	"0-0:96.1.1",
	"0-0:96.1.0",
	"0-0:42.0.0",
	"0-0:96.1.255",
	"1-0:96.1.0",
	"1-0:0.0.0",
	"0.0.0",
	"C.1.0",
];

function telegramOf(identification: string, lines: readonly Line[], check: Check): TelegramEvent | undefined {
	const quantities = new Quantities();
	for (const { quantity, value } of lines) if (quantity !== undefined) addValue(quantities, quantity, value);
	const fields = quantities.fields();
	if (fields === undefined) return undefined;
	const textOf = (...codes: string[]) => lines.find(({ code }) => codes.includes(code))?.value;
	const meterId = textOf(...ID_CODES)?.trim();
	const meterClock = clockOf(textOf("0-0:1.0.0") ?? "");
	const isModeD = check.kind === "none" && lines.some(({ isFull }) => isFull);
	return {
		kind: "telegram",
		format: check.kind === "bcc" || isModeD ? "d0" : "p1",
		...fields,
		...(meterId === undefined || meterId === "" ? {} : { meterId: plainId(meterId) }),
		meterType: identification,
		...(meterClock === undefined ? {} : { meterClock }),
	};
}

/** A unit may be absent: then a register is in kWh (IEC 62056-21); a power without one is in nobody knows what. */
function addValue(quantities: Quantities, quantity: string, value: string): void {
	const [, sign, whole, fraction = "", unit] = NUMBER.exec(value) ?? [];
	if (whole === undefined) return;
	const isEnergy = quantity.includes(".8.");
	const [base, kilo] = isEnergy ? ["wh", "kwh"] : ["w", "kw"];
	const named = unit?.toLowerCase() ?? (isEnergy ? "kwh" : undefined);
	if (named !== base && named !== kilo) return;
	const magnitude = Number(whole + fraction);
	quantities.add(quantity, sign === "-" ? -magnitude : magnitude, (named === kilo ? 3 : 0) - fraction.length);
}

/** DSMR sends texts as their bytes in hex. */
function plainId(id: string): string {
	const bytes = /^(?:[0-9A-Fa-f]{2}){8,}$/.test(id) ? (id.match(/../g) ?? []) : [];
	const text = String.fromCharCode(...bytes.map((byte) => Number.parseInt(byte, 16)));
	return /^[0-9A-Za-z]+$/.test(text) ? text : id;
}

/** YYMMDDhhmmss and S or W for summer or winter: local time. */
function clockOf(stamp: string): string | undefined {
	const [, yy, mo, dd, hh, mi, ss] = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)[SW]?$/.exec(stamp) ?? [];
	const limits: [string | undefined, number, number][] = [
		[mo, 1, 12],
		[dd, 1, 31],
		[hh, 0, 23],
		[mi, 0, 59],
		[ss, 0, 59],
	];
	const isTime = limits.every(([text, least, most]) => Number(text) >= least && Number(text) <= most);
	return isTime ? `20${yy}-${mo}-${dd}T${hh}:${mi}:${ss}` : undefined;
}
