import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifyProof } from "../../../src/node/proofCheck.js";
import { openProofPage, type ProofPage } from "../../../src/node/proofPage.js";
import { openRecord, sealRecord } from "../../../src/node/records.js";
import { BUYER, SELLER, trade, tradingStreet } from "../../support/keptProofs.js";
import { FIRST_MINUTE } from "../../support/ledger.js";
import { rememberingVerifier as verifier } from "../../support/rememberedSignatures.js";

const M = FIRST_MINUTE;

const contentOf = (pages: readonly ProofPage[]) =>
	pages.flatMap(({ blocks }) =>
		blocks.flatMap(({ header, transactions, settled }) => [
			...transactions.map((transaction) =>
				transaction.kind === "reading"
					? `${header.index}: reading ${transaction.minute - M} of ${transaction.member}`
					: `${header.index}: ${transaction.kind}`,
			),
			...settled.map(
				({ minute, deliveries }) => `${header.index}: settled ${minute - M} ${deliveries[0]?.energyWh} Wh`,
			),
		]),
	);

const COUNTS = ["count", "results", "stateLeaves"];

/** What a proof says, in all of it: of how many leaves the trees are is no part of that. */
function withoutCounts(said: unknown): unknown {
	if (Array.isArray(said)) return said.map(withoutCounts);
	if (typeof said !== "object" || said === null || said instanceof Uint8Array) return said;
	const told = Object.entries(said).filter(([name, value]) => typeof value !== "number" || !COUNTS.includes(name));
	return Object.fromEntries(told.map(([name, value]) => [name, withoutCounts(value)]));
}

describe("a household's proofs", () => {
	it("hold its readings, its acts, what others signed about its money, and its settled minutes, and nothing else", () => {
		const buyer = tradingStreet(BUYER);
		buyer.write(buyer.keeper.take(true));
		expect(contentOf(buyer.verified())).toEqual([
			"1: buy",
			"1: issue",
			"2: offer",
			"2: accept",
			...[1, 2, 3].flatMap((at) => [`${at + 3}: reading ${at} of 1`, `${at + 3}: settled ${at} 5 Wh`]),
			"8: reading 4 of 1",
			"8: settled 4 5 Wh",
		]);
		const seller = tradingStreet(SELLER);
		seller.write(seller.keeper.take(true));
		expect(contentOf(seller.verified()).slice(0, 3)).toEqual(["2: offer", "2: accept", "4: reading 1 of 2"]);
		const stranger = tradingStreet(3);
		stranger.write(stranger.keeper.take(true));
		expect(stranger.pages).toEqual([]);
		expect(stranger.proven).toEqual({ fromIndex: 1, untilIndex: 9 });
	});

	it("say nothing else when a single bit of them is another", () => {
		const kept = tradingStreet(BUYER);
		kept.write(kept.keeper.take(true));
		const [page] = kept.pages;
		const content = openRecord(page?.record ?? new Uint8Array());
		if (!content.ok) throw new Error("the page is whole");
		const whole = kept.verify(page?.record ?? new Uint8Array());
		expect(whole.ok).toBe(true);
		fc.assert(
			fc.property(fc.nat(content.value.length - 1), fc.nat(7), (at, bit) => {
				const forged = content.value.slice();
				forged[at] = (forged[at] ?? 0) ^ (1 << bit);
				// A root does not say of how many leaves it is: another number may lead to it, from the same that is proven.
				const outcome = kept.verify(sealRecord(forged));
				if (outcome.ok) expect(withoutCounts(outcome.value)).toEqual(withoutCounts(whole.ok && whole.value));
			}),
			{ numRuns: 400, examples: [[802, 0]] },
		);
	});

	it("are worth nothing without the voter changes, in another neighbourhood, or signed by too few", () => {
		const kept = tradingStreet(BUYER);
		kept.write(kept.keeper.take(true));
		const record = kept.pages[0]?.record ?? new Uint8Array();
		expect(verifyProof(record, kept.genesis, [], verifier)).toMatchObject({
			ok: false,
			error: { code: "certificate-without-majority" },
		});
		const other = { ...kept.genesis, gridId: new Uint8Array(32) };
		expect(verifyProof(record, other, [], verifier).ok).toBe(false);
		expect(openProofPage(sealRecord(Uint8Array.of(0x80)))).toEqual({ ok: false, error: { code: "bad-proof" } });
		expect(openProofPage(Uint8Array.of(1))).toEqual({ ok: false, error: { code: "bad-proof" } });
	});

	it("go on after a start where they stopped, each block once", () => {
		const kept = tradingStreet(BUYER);
		kept.write(kept.keeper.take(true));
		kept.live((street) => {
			for (const minute of [5, 6]) trade(street, minute);
		});
		kept.restart(4);
		kept.live((street) => trade(street, 7));
		kept.write(kept.keeper.take(true));
		const content = contentOf(kept.verified());
		expect(new Set(content).size).toBe(content.length);
		expect(content.slice(-2)).toEqual(["11: reading 7 of 1", "11: settled 7 5 Wh"]);
		expect(kept.proven).toEqual({ fromIndex: 1, untilIndex: 12 });
	});

	it("begin above what nobody looked through: a chain from before there were any", () => {
		const kept = tradingStreet(BUYER);
		kept.keeper.take(true);
		kept.restart(6).write(kept.keeper.take(true));
		expect(kept.proven).toEqual({ fromIndex: 7, untilIndex: 9 });
		expect(contentOf(kept.verified())).toEqual(["8: reading 4 of 1", "8: settled 4 5 Wh"]);
	});

	it("wait for a certificate: what is not certified is neither written nor said to be proven", () => {
		const kept = tradingStreet(BUYER);
		kept.write(kept.keeper.take(true));
		kept.live(
			(street) => {
				for (const minute of [5, 6]) trade(street, minute);
			},
			() => false,
		);
		kept.write(kept.keeper.take(true));
		expect(kept.proven).toEqual({ fromIndex: 1, untilIndex: 9 });
		kept.live((street) => trade(street, 7)).write(kept.keeper.take(true));
		expect(kept.proven).toEqual({ fromIndex: 1, untilIndex: 12 });
		expect(contentOf(kept.verified()).filter((each) => each.includes("settled"))).toHaveLength(7);
	});

	it("end before a long time in which nothing happens to the household", () => {
		const kept = tradingStreet(BUYER);
		const lastOwn = kept.shown;
		kept.live((street) => {
			for (let minute = 5; minute < 40; minute++) street.minute(M + minute);
		});
		// No checkpoint is due, and yet the page is closed.
		kept.write(kept.keeper.take(false));
		expect(kept.pages.map(({ index }) => index)).toEqual([lastOwn]);
		kept.write(kept.keeper.take(true));
		expect(kept.pages).toHaveLength(1);
		expect(kept.proven?.untilIndex).toBe(kept.shown + 1);
	});

	it("are written with the jump that takes their blocks, and begin anew above it", () => {
		const kept = tradingStreet(BUYER);
		kept.write(kept.keeper.jump(100));
		expect(contentOf(kept.verified())).toHaveLength(12);
		expect(kept.proven).toEqual({ fromIndex: 101, untilIndex: 101 });
	});
});
