import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockHash } from "../../../src/block/block.js";
import { acknowledgementDigest, type Certificate } from "../../../src/block/certificate.js";
import { makeCertificate } from "../../../src/consensus/certificate.js";
import { openGenesis } from "../../../src/contract/genesis.js";
import type { Ledger } from "../../../src/contract/ledger.js";
import { verifyProof } from "../../../src/node/proofCheck.js";
import { decodeProven, ProofKeeper, type Proven } from "../../../src/node/proofKeeper.js";
import { openProofPage, type ProofPage } from "../../../src/node/proofPage.js";
import { openRecord, sealRecord } from "../../../src/node/records.js";
import type { ChainChange, StoredProofPage } from "../../../src/node/storage.js";
import { decodeAnchorRecord, voterStepsOf } from "../../../src/node/voterSteps.js";
import { createVerifier, publicKeyOf, sign } from "../../../src/primitives/signature.js";
import { FIRST_MINUTE, secretOf, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;
const OPERATOR = 0;
const BUYER = 1;
const SELLER = 2;
const verifier = createVerifier();

/** A chain with each block's ledger, and one household's keeper that looks on. */
class Kept {
	readonly street: TestNeighbourhood;
	readonly #ledgers: Ledger[];
	readonly genesis: Ledger;
	keeper: ProofKeeper;
	readonly pages: StoredProofPage[] = [];
	readonly steps: ReturnType<typeof voterStepsOf> = [];
	proven: Proven | undefined;
	/** Of the chain's blocks, those up to here were shown to the keeper. */
	shown = 0;
	readonly #householdKey: Uint8Array;

	constructor(member: number) {
		this.street = new TestNeighbourhood(4);
		const opened = openGenesis(this.street.head, verifier);
		if (!opened.ok) throw new Error(opened.error.code);
		this.genesis = opened.value;
		this.#ledgers = [opened.value];
		this.#householdKey = publicKeyOf(secretOf(`household ${member}`));
		this.keeper = new ProofKeeper(this.#householdKey, undefined);
	}

	/** Does something on the chain; every block that came is shown, and certified unless asked otherwise. */
	live(make: (street: TestNeighbourhood) => void, isCertified: (index: number) => boolean = () => true): this {
		const before = this.street.blocks.length;
		const { block } = this.street;
		this.street.block = (...given) => {
			const executed = block.apply(this.street, given);
			this.#ledgers.push(executed.ledger);
			return executed;
		};
		make(this.street);
		this.street.block = block;
		for (let index = before; index < this.street.blocks.length; index++) this.show(index, isCertified(index));
		return this;
	}

	show(index: number, isCertified = true): void {
		const [parent, ledger, block, results] = [
			this.#ledgers[index - 1],
			this.#ledgers[index],
			this.street.blocks[index],
			this.street.results[index - 1],
		];
		if (parent === undefined || ledger === undefined || block === undefined || results === undefined) {
			throw new Error("there is such a block");
		}
		const link = { block, hash: blockHash(block), ledger, results };
		this.keeper.add(parent, link);
		if (ledger.votersSinceIndex === index && !this.steps.some((step) => step.index === index)) {
			this.steps.push(...voterStepsOf([link], this.certificateOf(index)));
		}
		if (isCertified) this.keeper.certified(this.certificateOf(index));
		this.shown = index;
	}

	certificateOf(index: number): Certificate {
		const [before, ledger, block] = [this.#ledgers[index - 1], this.#ledgers[index], this.street.blocks[index]];
		if (before === undefined || ledger === undefined || block === undefined) throw new Error("there is such a block");
		const acknowledged = { index, term: 1, hash: blockHash(block) };
		const acknowledgements = new Map(
			ledger.devices.map(({ index: voter }) => [
				voter,
				sign(acknowledgementDigest(ledger.gridId, acknowledged, voter), secretOf(`device ${voter}`)),
			]),
		);
		const certificate = makeCertificate(acknowledged, acknowledgements, [before.voters, ledger.voters]);
		if (certificate === undefined) throw new Error("all voters signed");
		return certificate;
	}

	write(change: Pick<ChainChange, "proofs">): this {
		this.pages.push(...(change.proofs?.pages ?? []));
		const proven = change.proofs === undefined ? undefined : decodeProven(change.proofs.proven);
		if (proven?.ok === true) this.proven = proven.value;
		return this;
	}

	/** Starts again: what was written is there, and the blocks above a checkpoint are executed once more. */
	restart(checkpointIndex: number): this {
		this.keeper = new ProofKeeper(this.#householdKey, this.proven);
		const last = this.shown;
		for (let index = checkpointIndex + 1; index <= last; index++) this.show(index, index === last);
		return this;
	}

	verify(record: Uint8Array) {
		const steps = this.steps.map((step) => {
			const anchor = decodeAnchorRecord(step.record);
			if (!anchor.ok) throw new Error(anchor.error.code);
			return anchor.value;
		});
		return verifyProof(record, this.genesis, steps, verifier);
	}

	verified(): ProofPage[] {
		return this.pages.map(({ record, index }) => {
			const page = this.verify(record);
			if (!page.ok) throw new Error(JSON.stringify(page.error));
			expect(page.value.blocks.at(-1)?.header.index).toBe(index);
			return page.value;
		});
	}
}

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

function trade(street: TestNeighbourhood, minute: number): void {
	street.minute(M + minute, [
		street.reading(OPERATOR, M + minute, 4, 0),
		street.reading(BUYER, M + minute, 7, 0),
		street.reading(SELLER, M + minute, 0, 5),
	]);
}

/** A contract, three traded minutes, a change of voters, and another minute. */
function tradingStreet(member: number): Kept {
	return new Kept(member)
		.live((street) => street.giveTokens(BUYER, 1_000_000))
		.live((street) => street.contractBetween(SELLER, BUYER))
		.live((street) => street.minute(M))
		.live((street) => {
			for (const minute of [1, 2, 3]) trade(street, minute);
		})
		.live((street) => street.block(street.head.timestampMs + 1, [street.voters([], [3])]))
		.live((street) => trade(street, 4));
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
				if (outcome.ok) expect(outcome).toEqual(whole);
			}),
			{ numRuns: 400 },
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
