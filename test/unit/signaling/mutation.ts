/** Damage to what clients say to the signaling server: the same seed, the same damage. */
import { pick, type Random } from "../../support/xorshift.js";
import { clientFrame, OPCODE, rawUpgrade } from "./frames.js";

const SDP = `v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\na=fingerprint:sha-256 ${"AB:".repeat(31)}AB\r\n`;
const MESSAGES: readonly string[] = [
	{ type: "subscribe", topics: ["fuzz-1", "fuzz-2"] },
	{ type: "unsubscribe", topics: ["fuzz-1"] },
	{
		type: "publish",
		topic: "fuzz-1",
		data: { version: 1, from: "02ab", kind: "offer", data: { attempt: 1, sdp: SDP } },
	},
	{ type: "publish", topic: "fuzz-2", data: { a: [1, "é\u2028", null], b: { c: [true, -0.5] } } },
	{ type: "ping" },
].map((message) => JSON.stringify(message));

/** A text message that was good once. */
export function mutatedText(random: Random): string {
	const good = pick(MESSAGES, random);
	return pick(TEXT_DAMAGE, random)(good, random);
}

const TEXT_DAMAGE: readonly ((good: string, random: Random) => string)[] = [
	(good, random) => good.slice(0, random(good.length)),
	(good, random) => spliced(good, random, pick(PIECES, random), random(4)),
	(good, random) => spliced(good, random, String.fromCharCode(random(0x10000)), 1),
	(good, random) => good.replace(/"[^"]*"(?=[,\]}])/, pick(VALUES, random)),
	(good, random) => good.replace(/\[[^\]]*\]/, pick(VALUES, random)),
	(good, random) =>
		good.replace(/"(type|topics?|data)"/, pick(['"type"', '"__proto__"', '"constructor"', "1"], random)),
	(good, random) =>
		good.replace(/\}$/, `,${JSON.stringify(pick(["type", "topic", "data"], random))}:${pick(VALUES, random)}}`),
	(_good, random) => `{"type":"publish","topic":"fuzz-1","data":${nested(random(2_000), random)}}`,
	(good, random) => good + pick(MESSAGES, random),
	(good, random) => good.replace("fuzz", "f".repeat(random(1_000))),
];
const PIECES = ['"', "\\", "{", "}", "[", "]", ",", ":", "\u2028", "\\ud800", "1e400", "\0", "\\u", "//", "NaN"];
const VALUES = [
	"null",
	"true",
	"1e999",
	"-0",
	"9".repeat(400),
	"[]",
	"{}",
	'""',
	'{"length":1}',
	"[[[]]]",
	"[null]",
	"1E-999",
];

function spliced(text: string, random: Random, piece: string, dropped: number): string {
	const at = random(text.length);
	return text.slice(0, at) + piece + text.slice(at + dropped);
}

function nested(depth: number, random: Random): string {
	const [open, close] = random(2) === 0 ? ["[", "]"] : ['{"a":', "}"];
	return open.repeat(depth) + (random(4) === 0 ? "" : "1") + close.repeat(random(5) === 0 ? depth - 1 : depth);
}

/** Bytes after the upgrade: one message, of which the framing or the bytes are damaged. */
export function mutatedFrames(random: Random): Buffer {
	return pick(FRAME_DAMAGE, random)(Buffer.from(pick(MESSAGES, random)), random);
}

const FRAME_DAMAGE: readonly ((good: Buffer, random: Random) => Buffer)[] = [
	(good, random) => flipped(clientFrame(OPCODE.text, good), random),
	(good, random) => clientFrame(OPCODE.text, flipped(good, random)),
	(good, random) => cut(clientFrame(OPCODE.text, good), random),
	(good, random) => clientFrame(OPCODE.binary, flipped(good, random)),
	(good, random) => clientFrame(random(16), good.subarray(0, 1), { reserved: random(8) }),
	(good) => clientFrame(OPCODE.text, good, { isMasked: false }),
	(good, random) => clientFrame(OPCODE.text, good, { saidBytes: 1n << BigInt(random(64)) }),
	(_good, random) => clientFrame(OPCODE.text, pick(NOT_UTF_8, random)),
	(good, random) =>
		clientFrame(pick([OPCODE.ping, OPCODE.pong], random), good.subarray(0, 200), { isFinal: random(2) === 0 }),
	(_good, random) => clientFrame(OPCODE.close, pick(BAD_CLOSES, random)),
	(good, random) => inFragments(good, random),
	(good, random) => flipped(inFragments(good, random), random),
	(good, random) => clientFrame(OPCODE.text, Buffer.concat(Array.from({ length: random(200) }, () => good))),
];
const NOT_UTF_8 = [
	[0xff, 0xfe],
	[0xc0, 0xaf],
	[0xed, 0xa0, 0x80],
	[0xf4, 0x90, 0x80, 0x80],
	[0x22, 0xe2, 0x82],
].map((bytes) => Uint8Array.from(bytes));
const BAD_CLOSES = [[3], [0, 0], [0x03, 0xed], [0xff, 0xff], [0x03, 0xe8, 0xff]].map((bytes) => Uint8Array.from(bytes));

/** One to four bits. */
function flipped(bytes: Buffer, random: Random): Buffer {
	const damaged = Buffer.from(bytes);
	for (let bits = 1 + random(4); bits > 0; bits--) {
		const at = random(damaged.length);
		damaged[at] = (damaged[at] ?? 0) ^ (1 << random(8));
	}
	return damaged;
}

const cut = (bytes: Buffer, random: Random): Buffer => bytes.subarray(0, random(bytes.length));

/** In up to a hundred frames, some of them empty, with pings between them and sometimes one that does not belong there. */
function inFragments(good: Buffer, random: Random): Buffer {
	const frames: Buffer[] = [];
	const count = 1 + random(random(4) === 0 ? 100 : 8);
	for (let i = 0; i < count; i++) {
		const part = good.subarray((i * good.length) / count, ((i + 1) * good.length) / count);
		const opcode = i === 0 || random(40) === 0 ? OPCODE.text : OPCODE.continuation;
		frames.push(clientFrame(opcode, part, { isFinal: i === count - 1 }));
		if (random(6) === 0) frames.push(clientFrame(OPCODE.ping, part.subarray(0, 10)));
	}
	return Buffer.concat(frames);
}

/** Bytes that are no frames at all, some with an HTTP request in them. */
export function garbage(random: Random): Buffer {
	const bytes = Buffer.from(Array.from({ length: 1 + random(600) }, () => random(256)));
	return random(5) === 0 ? Buffer.concat([Buffer.from(rawUpgrade()), bytes]) : bytes;
}

/** A request that may or may not become a WebSocket. */
export function mutatedUpgrade(random: Random): Buffer {
	const good = Buffer.from(rawUpgrade());
	return pick(UPGRADE_DAMAGE, random)(good, random);
}

const UPGRADE_DAMAGE: readonly ((good: Buffer, random: Random) => Buffer)[] = [
	(good, random) => Buffer.concat([cut(good, random), garbage(random)]),
	(good, random) => cut(good, random),
	flipped,
	(good, random) => withoutLine(good, 1 + random(5)),
	(good, random) => replacedLine(good, random, pick(BAD_LINES, random)),
	(good, random) => Buffer.from(good.toString().replace("GET", pick(["POST", "CONNECT", "BREW", "", "get"], random))),
	(good, random) =>
		Buffer.from(good.toString().replace("/ ", pick(["/%ff ", "/../x ", "* ", "//// ", "http://x/ "], random))),
	(_good, random) => garbage(random),
];
const BAD_LINES = [
	"Sec-WebSocket-Version: 99",
	"Sec-WebSocket-Key: short",
	"Sec-WebSocket-Extensions: permessage-deflate; \u0001",
	"Sec-WebSocket-Protocol: ,,",
	"Upgrade: h2c",
	"Content-Length: -1",
	"Transfer-Encoding: chunked, chunked",
	"Expect: the unexpected",
	`X: ${"y".repeat(20_000)}`,
	": no name",
	"Host: a\r\nHost: b",
];

const withoutLine = (bytes: Buffer, line: number) =>
	Buffer.from(
		bytes
			.toString()
			.split("\r\n")
			.filter((_, at) => at !== line)
			.join("\r\n"),
	);

const replacedLine = (bytes: Buffer, random: Random, by: string) => {
	const at = 1 + random(5);
	return Buffer.from(
		bytes
			.toString()
			.split("\r\n")
			.map((line, index) => (index === at ? by : line))
			.join("\r\n"),
	);
};
