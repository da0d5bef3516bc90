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
import { latin1 } from "../primitives/text.js";
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
	/** Once its exclamation mark is here. */
	let body: Body | undefined;
	/** Bytes of an encrypted telegram that are still to come. */
	let skipBytes = 0;
	const habits: Habits = { sendsChecks: false, lastCodes: undefined, codes: new Map() };

	const dropped = (reason: DropReason, bytes: number): DroppedEvent => ({ kind: "dropped", reason, bytes });

	const reportNoise = (events: MeterEvent[]) => {
		if (noiseBytes > 0) events.push(dropped("noise", noiseBytes));
		noiseBytes = 0;
	};

	const restart = () => {
		length = 0;
		isIdentified = false;
		body = undefined;
	};

	const finish = (events: MeterEvent[], { end }: Body, check: Check) => {
		// An echo of the request for a readout is nobody's telegram.
		if (buffer[1] === QUESTION_MARK) noiseBytes += length;
		else events.push(readTelegram(buffer.subarray(0, length), end, check, habits));
		restart();
	};

	/** No more of it comes. */
	const cutOff = (events: MeterEvent[]) => {
		if (body === undefined) events.push(dropped("cut-off", length));
		else finish(events, body, cutOffCheck(buffer, length, body));
		restart();
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
		// The check of mode C may be a slash as well as anything.
		const isCheck = body?.stx !== undefined && buffer[length - 1] === ETX;
		if (byte === SLASH && !isCheck) {
			cutOff(events);
			buffer[0] = byte;
			length = 1;
			return;
		}
		buffer[length++] = byte;
		if (body === undefined) {
			if (byte === EXCLAMATION) body = bodyUntil(buffer, length - 1);
		} else {
			const check = completeCheck(buffer, length, body);
			if (check !== undefined) {
				finish(events, body, check);
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

	/** Takes as much of a telegram's lines as there is at once; where what follows begins. */
	const takeLines = (bytes: Uint8Array, from: number): number => {
		if (!isIdentified || body !== undefined || skipBytes > 0) return from;
		const most = Math.min(bytes.length, from + MAX_TELEGRAM_BYTES - 1 - length);
		let until = from;
		while (until < most && bytes[until] !== EXCLAMATION && bytes[until] !== SLASH) until += 1;
		buffer.set(bytes.subarray(from, until), length);
		length += until - from;
		return until;
	};

	return {
		push(bytes) {
			const events: MeterEvent[] = [];
			for (let at = 0; at < bytes.length; at++) {
				at = takeLines(bytes, at);
				const byte = bytes[at];
				if (byte !== undefined) push(byte, events);
			}
			return events;
		},
		end() {
			const events: MeterEvent[] = [];
			if (length > 0 && buffer[0] === SLASH) cutOff(events);
			else noiseBytes += length;
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

/** From the slash to the exclamation mark. */
interface Body {
	/** Where the exclamation mark lies. */
	end: number;
	/** Where the ␂ of mode C lies. */
	stx: number | undefined;
}

function bodyUntil(buffer: Uint8Array, end: number): Body {
	const stx = buffer.subarray(0, end).indexOf(STX);
	return { end, stx: stx === -1 ? undefined : stx };
}

/** The check after the exclamation mark, once all of it is here: to be asked after each byte. */
function completeCheck(buffer: Uint8Array, length: number, { end, stx }: Body): Check | undefined {
	const from = end + 1;
	const tailBytes = length - from;
	const last = buffer[length - 1] ?? 0;
	if (stx !== undefined) {
		if (tailBytes > 1 && buffer[length - 2] === ETX) {
			return { kind: "bcc", value: last, fromIndex: stx + 1, untilIndex: length - 1 };
		}
		return last !== ETX && tailBytes >= MODE_C_TAIL_BYTES ? { kind: "bad" } : undefined;
	}
	if (last === CR || last === LF) return checkOf(buffer, from, length - 1);
	const isWhole = tailBytes === CRC_DIGITS || hexDigit(last) === undefined;
	return isWhole ? checkOf(buffer, from, length) : undefined;
}

/** Where no more comes. A readout is not whole without its check. */
function cutOffCheck(buffer: Uint8Array, length: number, { end, stx }: Body): Check {
	return stx === undefined ? checkOf(buffer, end + 1, length) : { kind: "bad" };
}

/** What stands between the exclamation mark and the line's end. */
function checkOf(buffer: Uint8Array, from: number, until: number): Check {
	if (until === from) return { kind: "none" };
	let value = 0;
	for (let at = from; at < until; at++) {
		const digit = hexDigit(buffer[at] ?? 0);
		if (digit === undefined) return { kind: "bad" };
		value = value * 16 + digit;
	}
	return until - from === CRC_DIGITS ? { kind: "crc", value } : { kind: "bad" };
}

function hexDigit(byte: number): number | undefined {
	if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
	const letter = byte | 0x20;
	return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : undefined;
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

/** A-B:C.D.E*F, of which a reduced code of IEC 62056-21 has C.D.E or C.D. */
const CODE = /^(?:(\d{1,3})-(\d{1,3}):)?([0-9A-FLP]{1,3}\.[0-9A-F]{1,3}(?:\.\d{1,3})?)(?:[*&.](\d{1,3}))?$/;
/** After the code; and on a line of its own: the gas meter of DSMR 3. */
const VALUES = /^(?:\([^()]*\))+$/;
const NUMBER = /^([+-]?)(\d{1,12})(?:\.(\d{1,9}))?(?:\*?([A-Za-z]+))?$/;
/** F of a current value. Others are of past billing periods. */
const CURRENT = [undefined, "255", "0", "00"];
/** More than any meter sends. */
const MAX_CODES = 256;
const ROW_END = /[\r\n]+/;

interface Code {
	/** A-B:C.D.E; without A-B where the line has none. */
	code: string;
	/** C.D.E of electricity, of now. */
	quantity: string | undefined;
	/** With F, as mode D has it. */
	isFull: boolean;
}

interface Line {
	of: Code;
	value: string;
}

/** What is known of this meter from its telegrams so far. */
interface Habits {
	sendsChecks: boolean;
	/** The quantities of the last telegram without a check. */
	lastCodes: string | undefined;
	/** What its lines begin with, read once: they are the same in each telegram. Undefined: it is no code. */
	codes: Map<string, Code | undefined>;
}

function readTelegram(bytes: Uint8Array, bodyEnd: number, check: Check, habits: Habits): MeterEvent {
	const dropped = (reason: DropReason): DroppedEvent => ({ kind: "dropped", reason, bytes: bytes.length });
	if (!isGood(check, bytes, bodyEnd)) return dropped("bad-frame-checksum");
	const text = latin1.decode(bytes.subarray(1, bodyEnd)).replaceAll(STX_TEXT, "\n");
	const [identification = "", ...rows] = text.split(ROW_END);
	const lines: Line[] = [];
	let isShaped = true;
	for (const padded of rows) {
		const row = padded.trim();
		const line = readLine(row, habits.codes);
		if (line !== undefined) lines.push(line);
		else if (!VALUES.test(row) && row !== "") isShaped = false;
	}
	if (check.kind === "none") {
		// It would have sent one: what is missing is not only the check.
		if (habits.sendsChecks || lines.some(({ of }) => of.code === "0-0:1.0.0")) return dropped("bad-frame-checksum");
		const codes = lines.flatMap(({ of }) => of.quantity ?? []);
		if (!isShaped || new Set(codes).size < codes.length) return dropped("bad-telegram");
		const before = habits.lastCodes;
		habits.lastCodes = codes.join();
		if (before !== undefined && before !== habits.lastCodes) return dropped("bad-telegram");
	}
	const telegram = telegramOf(identification, lines, check);
	if (telegram !== undefined && check.kind !== "none") habits.sendsChecks = true;
	return telegram ?? dropped("unknown-list");
}

function readLine(row: string, codes: Habits["codes"]): Line | undefined {
	const bracket = row.indexOf("(");
	if (bracket <= 0 || !VALUES.test(row.slice(bracket))) return undefined;
	const head = row.slice(0, bracket);
	let of = codes.get(head);
	if (of === undefined && !codes.has(head)) {
		of = readCode(head);
		if (codes.size === MAX_CODES) codes.clear();
		codes.set(head, of);
	}
	// The last bracket holds the value; what comes before it is when it was measured.
	return of === undefined ? undefined : { of, value: row.slice(row.lastIndexOf("(") + 1, -1) };
}

function readCode(head: string): Code | undefined {
	const [, a, b, short, f] = CODE.exec(head) ?? [];
	if (short === undefined) return undefined;
	const isElectricity = (a === undefined || a === "1") && CURRENT.includes(f);
	// A power may have two numbers, or 255 for the third.
	const [c, d, e = "0"] = short.split(".");
	const full = `${c}.${d}.${d === "7" && e === "255" ? "0" : e}`;
	return {
		code: a === undefined ? short : `${a}-${b}:${short}`,
		quantity: isElectricity && isQuantity(full) ? full : undefined,
		isFull: f !== undefined,
	};
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
	for (const { of, value } of lines) if (of.quantity !== undefined) addValue(quantities, of.quantity, value);
	const fields = quantities.fields();
	if (fields === undefined) return undefined;
	const meterId = lines.find(({ of }) => ID_CODES.includes(of.code))?.value.trim();
	const meterClock = clockOf(lines.find(({ of }) => of.code === "0-0:1.0.0")?.value ?? "");
	const isModeD = check.kind === "none" && lines.some(({ of }) => of.isFull);
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
	const number = NUMBER.exec(value);
	if (number === null) return;
	// By its index: this is done for each value of each telegram, and an iterator costs as much as the rest.
	const whole = number[2] ?? "";
	const fraction = number[3] ?? "";
	const isEnergy = quantity.includes(".8.");
	const unit = number[4]?.toLowerCase() ?? (isEnergy ? "kwh" : undefined);
	const isKilo = unit === (isEnergy ? "kwh" : "kw");
	if (!isKilo && unit !== (isEnergy ? "wh" : "w")) return;
	const magnitude = Number(whole + fraction);
	quantities.add(quantity, number[1] === "-" ? -magnitude : magnitude, (isKilo ? 3 : 0) - fraction.length);
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
