/** A chain whose blocks a household's keeper of proofs sees, as its node would show them: for tests of proofs. */
import type { Anchor } from "../../src/block/anchor.js";
import { blockHash } from "../../src/block/block.js";
import { acknowledgementDigest, type Certificate } from "../../src/block/certificate.js";
import { makeCertificate } from "../../src/consensus/certificate.js";
import { openGenesis } from "../../src/contract/genesis.js";
import type { Ledger } from "../../src/contract/ledger.js";
import { verifyProof } from "../../src/node/proofCheck.js";
import { type MadeProof, makeProofFile } from "../../src/node/proofFileMaker.js";
import { decodeProven, ProofKeeper, type Proven } from "../../src/node/proofKeeper.js";
import type { ProofPage } from "../../src/node/proofPage.js";
import { findChoices, type ProofRequest, type ProofShelf } from "../../src/node/proofSearch.js";
import type { ChainChange, StoredProofPage } from "../../src/node/storage.js";
import { decodeAnchorRecord, voterStepsOf } from "../../src/node/voterSteps.js";
import { ok } from "../../src/primitives/result.js";
import { FIRST_MINUTE, secretOf, TestNeighbourhood } from "./ledger.js";
import { publicKeyOf, sign, rememberingVerifier as verifier } from "./rememberedSignatures.js";

const M = FIRST_MINUTE;
export const OPERATOR = 0;
export const BUYER = 1;
export const SELLER = 2;

/** A chain with each block's ledger, and one household's keeper that looks on. */
export class Kept {
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

	constructor(
		readonly member: number,
		street = new TestNeighbourhood(4),
	) {
		this.street = street;
		const [genesis] = street.blocks;
		const opened = genesis === undefined ? undefined : openGenesis(genesis, verifier);
		if (opened?.ok !== true) throw new Error("the genesis opens");
		this.genesis = opened.value;
		this.#ledgers = [opened.value];
		this.#ledgers[street.blocks.length - 1] = street.ledger;
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

	/** `at`: its place among the street's blocks, which is its index where the street was not made older than it is. */
	show(at: number, isCertified = true): void {
		const [parent, ledger, block, results] = [
			this.#ledgers[at - 1],
			this.#ledgers[at],
			this.street.blocks[at],
			this.street.results[at - 1],
		];
		if (parent === undefined || ledger === undefined || block === undefined || results === undefined) {
			throw new Error("there is such a block");
		}
		const link = { block, hash: blockHash(block), ledger, results };
		this.keeper.add(parent, link);
		if (ledger.votersSinceIndex === block.index && !this.steps.some((step) => step.index === block.index)) {
			this.steps.push(...voterStepsOf([link], this.certificateOf(at)));
		}
		if (isCertified) this.keeper.certified(this.certificateOf(at));
		this.shown = at;
	}

	certificateOf(at: number): Certificate {
		const [before, ledger, block] = [this.#ledgers[at - 1], this.#ledgers[at], this.street.blocks[at]];
		if (before === undefined || ledger === undefined || block === undefined) throw new Error("there is such a block");
		const acknowledged = { index: block.index, term: 1, hash: blockHash(block) };
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

	/** The voter changes, as they are stored. */
	changes(): Anchor[] {
		return this.steps.map((step) => {
			const anchor = decodeAnchorRecord(step.record);
			if (!anchor.ok) throw new Error(anchor.error.code);
			return anchor.value;
		});
	}

	/** Where the household looks for its proofs. */
	shelf(): ProofShelf {
		const { ledger } = this.street;
		const pageFrom = async (index: number) => ok(this.pages.find((page) => page.index >= index));
		return { pageFrom, ledger, member: this.member };
	}

	/** Makes a file of what is kept. */
	async file(request: ProofRequest): Promise<MadeProof> {
		const choices = await findChoices(this.shelf(), request);
		if (!choices.ok) throw new Error(choices.error.code);
		const [block] = this.street.blocks;
		if (block === undefined) throw new Error("there is a genesis");
		const genesis = { block, ledger: this.genesis };
		const sources = { genesis, changes: this.changes(), ledger: this.street.ledger, member: this.member };
		const made = makeProofFile(sources, choices.value, verifier);
		if (!made.ok) throw new Error(JSON.stringify(made.error));
		return made.value;
	}

	verify(record: Uint8Array) {
		return verifyProof(record, this.genesis, this.changes(), verifier);
	}

	verified(): ProofPage[] {
		return this.pages.map(({ record, index }) => {
			const page = this.verify(record);
			if (!page.ok) throw new Error(JSON.stringify(page.error));
			if (page.value.blocks.at(-1)?.header.index !== index) throw new Error("a page is stored by its last block");
			return page.value;
		});
	}
}

export function trade(street: TestNeighbourhood, minute: number): void {
	street.minute(M + minute, [
		street.reading(OPERATOR, M + minute, 4, 0),
		street.reading(BUYER, M + minute, 7, 0),
		street.reading(SELLER, M + minute, 0, 5),
	]);
}

/** A contract, three traded minutes, a change of voters, and another minute. */
export function tradingStreet(member: number): Kept {
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

/** A street of so many households of which five vote, in which a contract has settled for so many minutes. */
export function settledStreet(member: number, households: number, minutes: number): Kept {
	const street = new TestNeighbourhood(households, { name: "Solbakken borettslag" }, Math.min(households, 5));
	const kept = new Kept(member, street)
		.live((each) => each.giveTokens(BUYER, 1_000_000_000))
		.live((each) => each.contractBetween(SELLER, BUYER))
		.live((each) => each.minute(M))
		.live((each) => {
			for (let minute = M + 1; minute <= M + minutes; minute++) {
				const readings = Array.from({ length: households }, (_, at) =>
					each.reading(at, minute, at === SELLER ? 0 : 20 + at, at === SELLER ? 35 : 0),
				);
				each.minute(minute, readings);
			}
		});
	return kept.write(kept.keeper.take(true));
}
