import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockHash, encodeBlock } from "../../../src/block/block.js";
import { certificateFields } from "../../../src/block/certificate.js";
import { encodeTransaction } from "../../../src/block/transactionCodec.js";
import type { Message } from "../../../src/message/message.js";
import { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES } from "../../../src/message/wire.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { type CborValue, encode } from "../../../src/primitives/codec.js";
import { block, certificate, join, reading } from "../../support/arbitraries.js";
import { MESSAGES } from "../../support/messageArbitraries.js";

const TYPES = Object.keys(MESSAGES) as Message["type"][];
const anyMessage: fc.Arbitrary<Message> = fc.oneof(...Object.values(MESSAGES));

function codeOf(wire: CborValue): string {
	const decoded = decodeMessage(encode(wire));
	return decoded.ok ? "accepted" : decoded.error.code;
}

const HASH = new Uint8Array(32);
const KEY = new Uint8Array(33);
const SIGNATURE = new Uint8Array(65);
const CERTIFICATE = [1, 1, HASH, [[0, SIGNATURE]]];
const BOOT = [1, new Uint8Array(16), SIGNATURE];
const MEETING = [new Uint8Array(16), new Uint8Array(16), SIGNATURE];
const DOUBLE_SIGNATURE = [0, 5, 1, [HASH, SIGNATURE], [HASH, SIGNATURE]];
const STATED = [3, 1_000, [["Kari Nordmann", "12345678903"]], SIGNATURE];
/** The types by their number on the wire, each with good fields. */
const GOOD: readonly (readonly [Message["type"], CborValue[]])[] = [
	["handshake", [0, 1, HASH, KEY, HASH]],
	["proof", [1, SIGNATURE]],
	["hello", [2, 5, HASH, CERTIFICATE, 1, 1_000, BOOT, BOOT, MEETING, [KEY]]],
	["status", [3, 5, HASH, 1, 0]],
	["preVote", [4, 1, 1, 5]],
	["preVoteReply", [5, 1, 1, 1_000]],
	["requestVote", [6, 1, 1, 5, 0]],
	["voteReply", [7, 1, 0]],
	["appendEntries", [8, 1, 1, 5, HASH, [], []]],
	["appendReply", [9, 1, 1, 0, 5, 5, 1_000, [HASH, SIGNATURE], [HASH]]],
	["transactions", [10, []]],
	["blocksRequest", [11, 5]],
	["blocks", [12, 5, [HASH], []]],
	["lobbyJoin", [13, encodeTransaction(fc.sample(join, { seed: 1, numRuns: 1 })[0] ?? fail("a join"))]],
	["lobbyState", [14, "Solbakken", [["Hus", 1, KEY]]]],
	["genesis", [15, HASH]],
	["genesisRequest", [16]],
	["timeoutNow", [17, 1]],
	["checkpointRequest", [18, 5]],
	["checkpoint", [19, [], []]],
	["chunkRequest", [20, 5, 0]],
	["chunk", [21, 5, 0, HASH]],
	["headersRequest", [22, 5]],
	["headers", [23, [[1, 5, HASH, 1_000, 1, 0, HASH, HASH]]]],
	["twin", [24, MEETING]],
	["evidence", [25, [DOUBLE_SIGNATURE]]],
	["refounding", [26, HASH, [[3, HASH, SIGNATURE]]]],
	["confirmations", [27, [[3, HASH, SIGNATURE]]]],
	["withdrawal", [28, HASH, SIGNATURE]],
	["neighbours", [29, [[3, 5, 1, 0]]]],
	["householdProof", [30, KEY, SIGNATURE]],
	["turnedAway", [31, "not-a-member"]],
	["accounts", [32, [STATED, [5, 2_000, [], SIGNATURE]]]],
	["accountsKept", [33, [HASH], 1]],
];

function fail(what: string): never {
	throw new Error(what);
}

const goodOf = (type: Message["type"]) => GOOD.find(([each]) => each === type)?.[1] ?? fail(type);
const changed = (type: Message["type"], at: number, value: CborValue) =>
	goodOf(type).map((field, index) => (index === at ? value : field));

describe("a message", () => {
	it.each(TYPES)("%s comes back from its bytes", (type) => {
		fc.assert(
			fc.property<[Message]>(MESSAGES[type], (message) => {
				expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: message });
			}),
			{ numRuns: 50 },
		);
	});

	it.each(GOOD)("%s has the written shape, and no other number of fields", (type, wire) => {
		expect(codeOf(wire)).toBe("accepted");
		expect(decodeMessage(encode([...wire, 0]))).toEqual({ ok: false, error: { code: "bad-message-shape", type } });
		if (wire.length > 1) expect(codeOf(wire.slice(0, -1))).toBe("bad-message-shape");
	});

	it.each<[string, Message["type"], number, CborValue]>([
		["a context of 31 bytes", "handshake", 2, HASH.subarray(1)],
		["a device key of 32 bytes", "handshake", 3, HASH],
		["a nonce of 33 bytes", "handshake", 4, KEY],
		["a negative version", "handshake", 1, -1],
		["a proof of 64 bytes", "proof", 1, SIGNATURE.subarray(1)],
		["a negative head", "hello", 1, -1],
		["a certificate that nobody signed", "hello", 3, [1, 1, HASH, []]],
		["a certificate that one voter signed twice", "hello", 3, [1, 1, HASH, [...Array(2)].map(() => [0, SIGNATURE])]],
		["a boot id of 15 bytes", "hello", 6, [1, new Uint8Array(15), SIGNATURE]],
		["half a known boot", "hello", 7, [1]],
		["a meeting that nobody signed", "hello", 8, MEETING.slice(0, 2)],
		["evidence of one signature", "evidence", 1, [DOUBLE_SIGNATURE.slice(0, 4)]],
		["more evidence than there can be", "evidence", 1, Array.from({ length: 101 }, () => DOUBLE_SIGNATURE)],
		["a peer that is no key", "hello", 9, [HASH]],
		["more than 1,000 peers", "hello", 9, Array.from({ length: 1_001 }, () => KEY)],
		["an unknown role", "status", 4, 4],
		["a neighbour in an unknown role", "neighbours", 1, [[3, 5, 1, 4]]],
		["more than 1,000 neighbours", "neighbours", 1, Array.from({ length: 1_001 }, () => [3, 5, 1, 0])],
		["a negative term", "preVote", 1, -1],
		["granted as 2", "preVoteReply", 2, 2],
		["a negative last index", "requestVote", 3, -1],
		["transfer as 2", "requestVote", 4, 2],
		["a negative term", "timeoutNow", 1, -1],
		["granted as text", "voteReply", 2, "yes"],
		["a previous hash of 33 bytes", "appendEntries", 4, KEY],
		["an entry without its hash", "appendEntries", 5, [[HASH]]],
		["an unknown status", "appendReply", 3, 3],
		["an acknowledgement without signature", "appendReply", 7, [HASH]],
		["more than 100 refused ids", "appendReply", 8, Array.from({ length: 101 }, () => HASH)],
		["more than 500 transactions", "transactions", 1, Array.from({ length: 501 }, () => HASH)],
		["a transaction that is no bytes", "transactions", 1, [1]],
		["a negative index", "blocksRequest", 1, -1],
		["more than 1,000 blocks", "blocks", 2, Array.from({ length: 1_001 }, () => new Uint8Array())],
		["a neighbourhood of two lines", "lobbyState", 1, "Sol\nbakken"],
		["a member whose name is empty", "lobbyState", 2, [["", 1, KEY]]],
		["more than 64 members", "lobbyState", 2, Array.from({ length: 65 }, () => ["Hus", 1, KEY])],
		["a genesis that is text", "genesis", 1, "x"],
		["no account at all", "accounts", 1, []],
		["more than 100 accounts", "accounts", 1, Array.from({ length: 101 }, () => STATED)],
		["an account with a wrong check digit", "accounts", 1, [[3, 1_000, [["Kari", "12345678904"]], SIGNATURE]]],
		["an account as it is read", "accounts", 1, [[3, 1_000, [["Kari", "1234 56 78903"]], SIGNATURE]]],
		["an account of nobody", "accounts", 1, [[3, 1_000, [["", "12345678903"]], SIGNATURE]]],
		["a holder of two lines", "accounts", 1, [[3, 1_000, [["Kari\nOla", "12345678903"]], SIGNATURE]]],
		["a holder of 71 letters", "accounts", 1, [[3, 1_000, [["K".repeat(71), "12345678903"]], SIGNATURE]]],
		[
			"two accounts of one household",
			"accounts",
			1,
			[
				[
					3,
					1_000,
					[
						["A", "12345678903"],
						["A", "12345678903"],
					],
					SIGNATURE,
				],
			],
		],
		["an account of household 1,000", "accounts", 1, [[1_000, 1_000, [], SIGNATURE]]],
		["an account of no time", "accounts", 1, [[3, -1, [], SIGNATURE]]],
		["an account that nobody signed", "accounts", 1, [[3, 1_000, []]]],
		["an id of 33 bytes", "accountsKept", 1, [KEY]],
		["more than 1,000 ids", "accountsKept", 1, Array.from({ length: 1_001 }, () => HASH)],
	])("with %s is refused", (_, type, at, value) => {
		expect(decodeMessage(encode(changed(type, at, value)))).toEqual({
			ok: false,
			error: { code: "bad-message-shape", type },
		});
	});

	it("of a type that nobody knows is refused", () => {
		for (const wire of [[99], [-1], ["hello"], [], [[2]], 2, "hello", HASH, [2 ** 40]]) {
			expect(codeOf(wire)).toBe("unknown-message");
		}
	});

	it("above 512 kB is refused before it is read", () => {
		expect(decodeMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toEqual({
			ok: false,
			error: { code: "too-long", bytes: MAX_MESSAGE_BYTES + 1, limit: 512 * 1024 },
		});
	});

	it("with a broken block says which of its blocks, and why", () => {
		const [good] = fc.sample(
			MESSAGES.appendEntries.filter((message) => message.entries.length === 2),
			{
				seed: 2,
				numRuns: 1,
			},
		);
		if (good === undefined) throw new Error("a sample");
		const wires = good.entries.map((entry): CborValue => [entry.hash, encodeBlock(entry.block)]);
		const wire = (list: CborValue[]) => [8, 1, 1, 5, good.prevHash, list, []];
		expect(codeOf(wire(wires))).toBe("accepted");
		expect(decodeMessage(encode(wire([...wires, [HASH, Uint8Array.of(0x80)]])))).toEqual({
			ok: false,
			error: { code: "bad-block", at: 2, cause: { code: "bad-block-shape" } },
		});
		const [first, second] = good.entries;
		if (first === undefined || second === undefined) throw new Error("two entries");
		const swapped = [
			[second.hash, encodeBlock(first.block)],
			[first.hash, encodeBlock(second.block)],
		];
		expect(decodeMessage(encode(wire(swapped)))).toEqual({ ok: false, error: { code: "block-hash-differs", at: 0 } });
	});

	it("with blocks that do not follow one another is refused by their hashes", () => {
		const [lone] = fc.sample(block, { seed: 3, numRuns: 1 });
		if (lone === undefined) throw new Error("a sample");
		const entry = [blockHash(lone), encodeBlock(lone)];
		expect(codeOf([8, 1, 1, 5, lone.previousHash, [entry], []])).toBe("accepted");
		expect(codeOf([8, 1, 1, 5, HASH, [entry], []])).toBe("block-hash-differs");
		expect(decodeMessage(encode([8, 1, 1, 5, lone.previousHash, [entry, entry], []]))).toEqual({
			ok: false,
			error: { code: "block-hash-differs", at: 1 },
		});
	});

	it("with a broken transaction says which, and why", () => {
		const [good] = fc.sample(reading, { seed: 4, numRuns: 1 });
		if (good === undefined) throw new Error("a sample");
		const bytes = encodeTransaction(good);
		expect(decodeMessage(encode([10, [bytes, encode([99])]]))).toEqual({
			ok: false,
			error: { code: "bad-gossip", at: 1, cause: { code: "unknown-kind" } },
		});
		expect(decodeMessage(encode([10, [new Uint8Array(1_025)]]))).toMatchObject({
			error: { code: "bad-gossip", cause: { code: "too-long" } },
		});
		expect(decodeMessage(encode([13, bytes]))).toEqual({
			ok: false,
			error: { code: "bad-message-shape", type: "lobbyJoin" },
		});
	});

	it("carries the certificate as it was signed", () => {
		const [good] = fc.sample(certificate, { seed: 5, numRuns: 1 });
		if (good === undefined) throw new Error("a sample");
		expect(decodeMessage(encode([12, 5, [], certificateFields(good)]))).toMatchObject({ value: { certificate: good } });
	});

	it("that was changed on its way never makes the reader throw, and what is still read is canonical", () => {
		fc.assert(
			fc.property(
				anyMessage,
				fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
				fc.nat(),
				(message, changes, length) => {
					const bytes = Uint8Array.from(encodeMessage(message));
					for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
					for (const cut of [bytes, bytes.subarray(0, length % bytes.length)]) {
						const decoded = decodeMessage(cut);
						if (decoded.ok) expect(toHex(encodeMessage(decoded.value))).toBe(toHex(cut));
					}
				},
			),
			{ numRuns: 1_500 },
		);
	});

	it("of random bytes never makes the reader throw", () => {
		fc.assert(
			fc.property(fc.nat(20), fc.uint8Array({ maxLength: 60 }), (type, bytes) => {
				decodeMessage(bytes);
				decodeMessage(Uint8Array.of(0x80 + (bytes.length % 12), type, ...bytes));
			}),
			{ numRuns: 1_000 },
		);
	});
});
