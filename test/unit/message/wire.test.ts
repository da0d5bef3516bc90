import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Anchor } from "../../../src/block/anchor.js";
import { type Block, type BlockHeader, blockHash, encodeBlock } from "../../../src/block/block.js";
import { certificateFields } from "../../../src/block/certificate.js";
import { encodeTransaction } from "../../../src/block/transactionCodec.js";
import type { Entry, Message } from "../../../src/message/message.js";
import { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES } from "../../../src/message/wire.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { type CborValue, encode } from "../../../src/primitives/codec.js";
import {
	block,
	bytesOf,
	certificate,
	join,
	name,
	naturalNumber,
	reading,
	transaction,
	transactionsByKind,
} from "../../support/arbitraries.js";

const term = naturalNumber;
const hash = bytesOf(32);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const constant = <K extends string>(type: K) => fc.constant(type);

/** Blocks that follow one another after a hash. */
const entries = fc.tuple(hash, fc.array(block, { maxLength: 3 })).map(([prevHash, blocks]) => {
	let previousHash: Uint8Array = prevHash;
	const list = blocks.map((each): Entry => {
		const follower: Block = { ...each, previousHash };
		previousHash = blockHash(follower);
		return { hash: previousHash, block: follower, encoded: encodeBlock(follower) };
	});
	return { prevHash, entries: list };
});

const header = block.map(({ transactions: _, ...rest }): BlockHeader => rest);

/** A block, some headers that follow it, and a certificate for the last. */
const anchor = fc
	.tuple(
		// There is room for those that follow it.
		block.map((each) => ({ ...each, index: Math.min(each.index, Number.MAX_SAFE_INTEGER - 2) })),
		fc.array(header, { maxLength: 2 }),
		certificate,
	)
	.map(([first, headers, certified]): Anchor => {
		let last = { index: first.index, hash: blockHash(first) };
		const above = headers.map((each): BlockHeader => {
			const follower = { ...each, index: last.index + 1, previousHash: last.hash };
			last = { index: follower.index, hash: blockHash(follower) };
			return follower;
		});
		return { block: first, hash: blockHash(first), above, certificate: { ...certified, ...last } };
	});

const boot = fc.record({ bootCount: naturalNumber, bootId: bytesOf(16), signature: bytesOf(65) });
const meeting = fc.record({ bootId: bytesOf(16), metBootId: bytesOf(16), signature: bytesOf(65) });
const signedHash = fc.record({ hash, signature: bytesOf(65) });
const doubleSignature = fc.record({
	voter: naturalNumber,
	index: naturalNumber,
	term,
	signed: fc.tuple(signedHash, signedHash),
});

const confirmations = fc.array(transactionsByKind.confirm, { maxLength: 3 });
const MESSAGES = {
	handshake: fc.record({
		type: constant("handshake"),
		version: naturalNumber,
		context: hash,
		deviceKey: bytesOf(33),
		nonce: bytesOf(32),
	}),
	proof: fc.record({ type: constant("proof"), signature: bytesOf(65) }),
	hello: fc.record({
		type: constant("hello"),
		headIndex: naturalNumber,
		headHash: hash,
		certificate: optional(certificate),
		term,
		chainMs: naturalNumber,
		boot,
		knownBoot: optional(boot),
		meeting: optional(meeting),
		peers: fc.array(bytesOf(33), { maxLength: 5 }),
	}),
	twin: fc.record({ type: constant("twin"), meeting }),
	evidence: fc.record({ type: constant("evidence"), doubleSignatures: fc.array(doubleSignature, { maxLength: 4 }) }),
	status: fc.record({
		type: constant("status"),
		headIndex: naturalNumber,
		headHash: hash,
		term,
		role: fc.constantFrom("leader", "follower", "candidate", "observer"),
	}),
	preVote: fc.record({ type: constant("preVote"), term, lastTerm: term, lastIndex: naturalNumber }),
	preVoteReply: fc.record({
		type: constant("preVoteReply"),
		term,
		granted: fc.boolean(),
		chainMs: naturalNumber,
	}),
	requestVote: fc.record({
		type: constant("requestVote"),
		term,
		lastTerm: term,
		lastIndex: naturalNumber,
		transfer: fc.boolean(),
	}),
	checkpointRequest: fc.record({ type: constant("checkpointRequest"), haveIndex: naturalNumber }),
	checkpoint: fc.record({
		type: constant("checkpoint"),
		steps: fc.array(anchor, { maxLength: 3 }),
		checkpoint: optional(fc.record({ anchor, manifest: fc.uint8Array({ maxLength: 200 }) })),
	}),
	chunkRequest: fc.record({ type: constant("chunkRequest"), index: naturalNumber, number: naturalNumber }),
	chunk: fc.record({
		type: constant("chunk"),
		index: naturalNumber,
		number: naturalNumber,
		bytes: fc.uint8Array({ maxLength: 200 }),
	}),
	headersRequest: fc.record({ type: constant("headersRequest"), fromIndex: naturalNumber }),
	headers: fc.record({ type: constant("headers"), headers: fc.array(header, { maxLength: 3 }) }),
	timeoutNow: fc.record({ type: constant("timeoutNow"), term }),
	voteReply: fc.record({ type: constant("voteReply"), term, granted: fc.boolean() }),
	appendEntries: fc
		.record({
			term,
			round: naturalNumber,
			prevIndex: naturalNumber,
			log: entries,
			certificate: optional(certificate),
		})
		.map(({ log, ...rest }) => ({ type: "appendEntries" as const, ...rest, ...log })),
	appendReply: fc.record({
		type: constant("appendReply"),
		term,
		round: naturalNumber,
		status: fc.constantFrom("match", "behind", "refused"),
		matchIndex: naturalNumber,
		commitIndex: naturalNumber,
		chainMs: naturalNumber,
		acknowledgement: optional(fc.record({ hash, signature: bytesOf(65) })),
		refusedIds: fc.array(hash, { maxLength: 4 }),
	}),
	transactions: fc.record({ type: constant("transactions"), transactions: fc.array(transaction, { maxLength: 5 }) }),
	blocksRequest: fc.record({ type: constant("blocksRequest"), fromIndex: naturalNumber }),
	blocks: fc.record({
		type: constant("blocks"),
		fromIndex: naturalNumber,
		blocks: fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }),
		certificate: optional(certificate),
	}),
	lobbyJoin: fc.record({ type: constant("lobbyJoin"), join }),
	lobbyState: fc.record({
		type: constant("lobbyState"),
		neighbourhood: name,
		members: fc.array(fc.record({ name, alwaysOn: fc.boolean(), deviceKey: bytesOf(33) }), { maxLength: 5 }),
	}),
	genesis: fc.record({ type: constant("genesis"), block: fc.uint8Array({ maxLength: 100 }) }),
	genesisRequest: fc.record({ type: constant("genesisRequest") }),
	refounding: fc.record({ type: constant("refounding"), proposal: fc.uint8Array({ maxLength: 100 }), confirmations }),
	confirmations: fc.record({ type: constant("confirmations"), confirmations }),
	withdrawal: fc.record({ type: constant("withdrawal"), proposal: hash, signature: bytesOf(65) }),
} satisfies { [K in Message["type"]]: fc.Arbitrary<Extract<Message, { type: K }>> };

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
