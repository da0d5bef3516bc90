/** Messages of each kind, of any content. */
import fc from "fast-check";
import type { Anchor } from "../../src/block/anchor.js";
import { type Block, type BlockHeader, blockHash, encodeBlock } from "../../src/block/block.js";
import type { Entry, Message } from "../../src/message/message.js";
import {
	block,
	bytesOf,
	certificate,
	join,
	name,
	naturalNumber,
	transaction,
	transactionsByKind,
} from "./arbitraries.js";

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

const statedAccount = fc.record({
	member: fc.nat(999),
	timestampMs: fc.nat(2_000_000_000),
	account: optional(
		fc.record({ holder: name, number: fc.constantFrom("12345678903", "NO9386011117947", "SE4550000000058398257466") }),
	),
	signature: bytesOf(65),
});

const confirmations = fc.array(transactionsByKind.confirm, { maxLength: 3 });
export const MESSAGES = {
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
	householdProof: fc.record({
		type: constant("householdProof"),
		householdKey: bytesOf(33),
		signature: bytesOf(65),
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
	neighbours: fc.record({
		type: constant("neighbours"),
		devices: fc.array(
			fc.record({
				device: naturalNumber,
				headIndex: naturalNumber,
				term,
				role: fc.constantFrom("leader", "follower", "candidate", "observer"),
			}),
			{ maxLength: 5 },
		),
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
	turnedAway: fc.record({
		type: constant("turnedAway"),
		code: fc.constantFrom("not-a-member", "moved-out", "device-revoked", "invitation-used"),
	}),
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
	genesisRequest: fc.oneof(
		fc.record({ type: constant("genesisRequest") }),
		fc.record({
			type: constant("genesisRequest"),
			crossing: fc.record({
				signature: bytesOf(65),
				household: optional(fc.record({ householdKey: bytesOf(33), signature: bytesOf(65) })),
			}),
		}),
	),
	refounding: fc.record({ type: constant("refounding"), proposal: fc.uint8Array({ maxLength: 100 }), confirmations }),
	confirmations: fc.record({ type: constant("confirmations"), confirmations }),
	withdrawal: fc.record({ type: constant("withdrawal"), proposal: hash, signature: bytesOf(65) }),
	accounts: fc.record({
		type: constant("accounts"),
		accounts: fc.array(statedAccount, { minLength: 1, maxLength: 4 }),
	}),
	accountsKept: fc.record({
		type: constant("accountsKept"),
		ids: fc.array(hash, { maxLength: 4 }),
		asks: fc.boolean(),
	}),
} satisfies { [K in Message["type"]]: fc.Arbitrary<Extract<Message, { type: K }>> };
