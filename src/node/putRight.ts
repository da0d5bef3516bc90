/** What came of a household's corrections, derived from the executed chain: what was paid, and how each of them ended. */
import * as v from "valibot";
import { hash, natural } from "../block/fieldShapes.js";
import { correctionOf } from "../contract/correcting.js";
import { CORRECTION_LEAF } from "../contract/correctionLeaves.js";
import type { Correction, Ledger } from "../contract/ledger.js";
import { assert } from "../primitives/assert.js";
import { fromHex, toHex } from "../primitives/bytes.js";
import type { CborValue } from "../primitives/codec.js";
import { subtract } from "../primitives/units.js";
import type { Link } from "./chain.js";
import { idOf } from "./mempool.js";
import type { EndedCorrectionView, MovementView } from "./view.js";

const SHOWN_ENDED = 50;

type Moved = Extract<MovementView, { type: "correctionPaid" | "correctionReceived" }>;
type Outcome = EndedCorrectionView["outcome"];

/** An outcome's place is its number in the record: append only. */
const OUTCOMES = ["agreed", "takenBack", "lapsed"] as const satisfies readonly Outcome[];

export interface EndedCorrection {
	readonly correction: Correction;
	readonly outcome: Outcome;
	readonly endedMs: number;
}

export class PutRight {
	/** Newest last. */
	#moved: Moved[] = [];
	/** The last ones. */
	#ended: EndedCorrection[] = [];

	/**
	 * Takes in a committed block of the household `member`; `parent` is the ledger before it. Gives what it made of the
	 * household's tokens, µNOK.
	 */
	add(parent: Ledger, { block, ledger }: Link, member: number): number {
		const answers = block.transactions.filter((each) => each.kind === "answer");
		if (parent.corrections.size + parent.claims.size + answers.length === 0) return 0;
		const { timestampMs } = block;
		/** What was owed before anything of it was paid in this block. */
		const owed = new Map<string, Parameters<typeof payment>[1]>(parent.claims);
		for (const correction of openIn(parent, { block, ledger })) {
			const id = toHex(correction.id);
			if (ledger.corrections.has(id) || ![correction.member, correction.counterparty].includes(member)) continue;
			const own = answers.filter(({ correctionId }) => toHex(correctionId) === id);
			const last = own.at(-1);
			const no = own.find((each) => !each.isAgreed && each.member === correction.counterparty);
			const declined = no === undefined ? correction.declined : (no.note ?? "");
			const outcome = outcomeOf(correction, last);
			this.#ended = [...this.#ended, { correction: { ...correction, declined }, outcome, endedMs: timestampMs }];
			if (outcome !== "agreed") continue;
			const { isPayer, amountMicroNok } = correction;
			const [debtor, creditor] = isPayer
				? [correction.member, correction.counterparty]
				: [correction.counterparty, correction.member];
			owed.set(id, { debtor, creditor, amountMicroNok });
		}
		const paid = [...owed].flatMap(([id, claim]) => {
			if (claim.debtor !== member && claim.creditor !== member) return [];
			const moved = payment(id, claim, ledger, member);
			return moved.amountMicroNok === 0 ? [] : [{ ...moved, timestampMs }];
		});
		this.#moved.push(...paid);
		this.#ended = this.#ended.slice(-SHOWN_ENDED);
		return paid.reduce((sum, { type, amountMicroNok: moved }) => sum + (type === "correctionPaid" ? -moved : moved), 0);
	}

	/** Newest last. */
	get moved(): readonly Moved[] {
		return this.#moved;
	}

	/** Newest last. */
	get ended(): readonly EndedCorrection[] {
		return this.#ended;
	}

	/** What was paid, and what ended, as lists for the record. */
	fields(): [moved: CborValue[], ended: CborValue[]] {
		const moved = this.#moved.map(({ type, amountMicroNok, timestampMs, other, id }): CborValue => {
			const bytes = fromHex(id);
			assert(bytes.ok, "ids of acts are hex");
			return [type === "correctionPaid" ? 1 : 0, amountMicroNok, timestampMs, other, bytes.value];
		});
		const ended = this.#ended.map(({ correction, outcome, endedMs }): CborValue => {
			return [CORRECTION_LEAF.fields(correction), OUTCOMES.indexOf(outcome), endedMs];
		});
		return [moved, ended];
	}

	restore(moved: readonly Moved[], ended: readonly EndedCorrection[]): void {
		this.#moved = [...moved];
		this.#ended = [...ended];
	}
}

/** All that could be answered in a block: what was open before it, and what it proposes itself. */
function openIn(parent: Ledger, { block, ledger }: Pick<Link, "block" | "ledger">): Correction[] {
	const proposed = block.transactions.filter((each) => each.kind === "correct");
	return [
		...parent.corrections.values(),
		...proposed.map((correct) => {
			const id = fromHex(idOf(correct, ledger.gridId));
			assert(id.ok, "ids of acts are hex");
			return correctionOf(correct, id.value, block.timestampMs);
		}),
	];
}

/** `last`: the answer that came last in the block in which it ended. */
function outcomeOf({ member }: Correction, last: { member: number; isAgreed: boolean } | undefined): Outcome {
	if (last?.isAgreed === true) return "agreed";
	return last?.member === member ? "takenBack" : "lapsed";
}

/** What was paid of a claim by the end of a block. */
function payment(
	id: string,
	{ debtor, creditor, amountMicroNok }: { debtor: number; creditor: number; amountMicroNok: number },
	ledger: Ledger,
	member: number,
): Omit<Moved, "timestampMs"> {
	const isPayer = debtor === member;
	return {
		type: isPayer ? "correctionPaid" : "correctionReceived",
		amountMicroNok: subtract(amountMicroNok, ledger.claims.get(id)?.amountMicroNok ?? 0),
		other: isPayer ? creditor : debtor,
		id,
	};
}

export const movedShape = v.array(
	v.pipe(
		v.strictTuple([v.picklist([0, 1]), natural, natural, natural, hash]),
		v.transform(
			([isPaid, amountMicroNok, timestampMs, other, id]): Moved => ({
				type: isPaid === 1 ? "correctionPaid" : "correctionReceived",
				amountMicroNok,
				timestampMs,
				other,
				id: toHex(id),
			}),
		),
	),
);
export const endedShape = v.array(
	v.pipe(
		v.strictTuple([CORRECTION_LEAF.shape, v.picklist(OUTCOMES.map((_, at) => at)), natural]),
		v.transform(
			([correction, outcome, endedMs]): EndedCorrection => ({
				correction,
				outcome: OUTCOMES[outcome] ?? "lapsed",
				endedMs,
			}),
		),
	),
);
