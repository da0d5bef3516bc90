/** A chain as a household would see it: a block a minute, now and then with something else than readings in it. */
import type { BlockPage, BlockReceipt, BlockSummary, BlockTransaction, Command } from "../../src/node/protocol.js";
import type { StreetView, View } from "../../src/node/view.js";
import { MS_PER_MINUTE, minuteOf } from "../../src/primitives/units.js";

const PAGE = 20;
/** Blocks below it were let go of. */
const BLOCKS_FROM = 700;
/** One of the blocks does not check, and one lies too near to what was let go of. */
const BAD_AT = 7;
const hex = (seed: number, bytes: number) =>
	Array.from({ length: bytes }, (_, at) => ((seed * 37 + at * 11) % 256).toString(16).padStart(2, "0")).join("");

function streetOf(view: View): StreetView {
	if (view.stage !== "street") throw new Error("only a street has a chain");
	return view;
}

function timeOf({ chain }: StreetView, index: number): number {
	return chain.headTimestampMs - (chain.headIndex - index) * MS_PER_MINUTE;
}

function summaryOf(street: StreetView, index: number): BlockSummary {
	const above = street.chain.headIndex - index;
	return {
		index,
		timestampMs: timeOf(street, index),
		readings: index === 0 ? 0 : street.members.length,
		others: index === 0 || above % 5 === 0 ? 1 : 0,
		own: above % 10 === 0 ? 1 : 0,
	};
}

export function blockPage({ fromIndex, byMs, isOwnOnly }: Extract<Command, { type: "blocks" }>, view: View): BlockPage {
	const street = streetOf(view);
	const { headIndex, headTimestampMs } = street.chain;
	const byTime = byMs === undefined ? headIndex : headIndex - Math.ceil((headTimestampMs - byMs) / MS_PER_MINUTE);
	const blocks: BlockSummary[] = [];
	let next = Math.min(headIndex, fromIndex ?? byTime);
	for (; next >= BLOCKS_FROM && blocks.length < PAGE; next--) {
		const summary = summaryOf(street, next);
		if (isOwnOnly !== true || summary.own > 0) blocks.push(summary);
	}
	const rest = next >= BLOCKS_FROM ? { nextIndex: next } : undefined;
	return { blocks: rest ? blocks : [...blocks, summaryOf(street, 0)], ...rest, blocksFrom: BLOCKS_FROM };
}

export function blockReceipt(index: number, view: View): BlockReceipt {
	const street = streetOf(view);
	const { headIndex } = street.chain;
	const minute = minuteOf(timeOf(street, index)) - 1;
	const self = street.self.index;
	const signature = new Uint8Array(64).fill(7);
	const readings = street.members.map(({ index: member }): BlockTransaction => {
		const isOwn = member === self;
		const said = { importWh: 11 + member, exportWh: 0, quality: "measured" as const, signature };
		const transaction = { kind: "reading" as const, member, minute, ...said };
		return {
			id: hex(index + member, 32),
			kind: "reading",
			member,
			minute,
			isOwn,
			signature: "good",
			...(isOwn ? { transaction } : {}),
		};
	});
	const { own, others } = summaryOf(street, index);
	const act: BlockTransaction = {
		id: hex(index + 99, 32),
		kind: "buy",
		member: own > 0 ? self : (self + 1) % street.members.length,
		isOwn: own > 0,
		signature: "good",
		...(own > 0
			? {
					transaction: {
						kind: "buy",
						member: self,
						nonce: 4,
						amountMicroNok: 100_000_000,
						expiryMinute: minute + 10_080,
						signature,
					} as const,
				}
			: {}),
	};
	const signers = street.members.slice(0, 4).map((member) => member.index);
	const checks = { good: { state: "good", certifiedIndex: index, signers, voters: street.chain.voters } } as const;
	const isBad = headIndex - index === BAD_AT;
	return {
		index,
		timestampMs: timeOf(street, index),
		term: street.chain.term,
		proposer: 0,
		...(isBad ? {} : { hash: hex(index, 32), previousHash: hex(index - 1, 32) }),
		transactionsRoot: hex(index + 1, 32),
		stateRoot: hex(index + 2, 32),
		bytes: 612,
		check:
			index === 0
				? { state: "genesis" }
				: isBad
					? { state: "bad", code: "block-not-linked" }
					: index < BLOCKS_FROM + 20
						? { state: "unlinked" }
						: checks.good,
		transactions: [...(others > 0 && index > 0 ? [act] : []), ...(index === 0 ? [] : readings)],
	};
}
