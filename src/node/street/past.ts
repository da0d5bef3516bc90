/** What this device knows of minutes that have passed, where somebody asks what they cost, or what they say of a contract or an offer. */
import { localTimeOf } from "../../block/kinds/founding.js";
import { type Contract, contractOf, type Offer } from "../../contract/ledger.js";
import { tariffAt } from "../../contract/tariff.js";
import { toHex } from "../../primitives/bytes.js";
import { type BilledMinutes, billOf } from "../bill.js";
import { ContractCheck } from "../contractCheck.js";
import { contractMinutes } from "../contractMinutes.js";
import type { History } from "../history.js";
import {
	likelyShareOf,
	PAST_MINUTES,
	pastShareOf,
	SURPLUS_MINUTES,
	shareOfFirst,
	surplusByHour,
	type Taker,
} from "../offerOutlook.js";
import type { Bill, BillFigures, ContractMinutes, LikelyShare, OfferOutlook } from "../protocol.js";
import type { StreetContext } from "./context.js";

export class Past {
	readonly #context: StreetContext;
	readonly #history: History;
	readonly #check = new ContractCheck();
	#running: { of: readonly unknown[]; total: BillFigures } | undefined;

	constructor(context: StreetContext, history: History) {
		this.#context = context;
		this.#history = history;
	}

	/** What this household's electricity cost in the minutes from one on until another. */
	bill(member: number, fromMinute: number, untilMinute: number): Bill {
		return billOf(this.#billed(member, fromMinute, untilMinute));
	}

	/** The same in all, for every view: reckoned anew where a block, a minute or the own price has changed it. */
	runningBill(member: number, fromMinute: number, untilMinute: number): BillFigures {
		const { chain, config } = this.#context;
		const of = [chain.head, config.ownRetail, member, fromMinute, untilMinute];
		if (this.#running === undefined || this.#running.of.some((part, at) => part !== of[at])) {
			this.#running = { of, total: this.bill(member, fromMinute, untilMinute).total };
		}
		return this.#running.total;
	}

	/** What an offer's seller had left lately, and what a contract by it would have meant; undefined: there is none for a member. */
	offerOutlook(member: number, offerId: string, minute: number): OfferOutlook | undefined {
		const { ledger } = this.#context.chain.head;
		const offer = ledger.offers.get(offerId);
		if (offer === undefined || !isOfferFor(offer, member)) return undefined;
		const rule = localTimeOf(ledger.parameters);
		const lately = this.#history.contracted(offer.seller, minute - SURPLUS_MINUTES, minute);
		const surplus = surplusByHour(lately, rule);
		if (offer.seller === member) return { surplus };
		const fromMinute = minute - PAST_MINUTES;
		const billed = this.#billed(member, fromMinute, minute);
		const first = { ...billed.series, schedule: offer.schedule };
		const shares = shareOfFirst(
			this.#history.contracted(offer.seller, fromMinute, minute),
			[first, ...this.#takers(offer.seller, fromMinute, minute)],
			rule,
			offer.energyLimitWh,
		);
		return { surplus, past: pastShareOf(billed, shares, offer.priceMicroNokPerWh) };
	}

	/** One of a member's contracts minute by minute; undefined: it has none of this id. */
	contractMinutes(member: number, contractId: string, period: readonly [number, number]): ContractMinutes | undefined {
		const contract = this.#contractOf(member, contractId);
		if (contract === undefined) return undefined;
		const { ledger } = this.#context.chain.head;
		return contractMinutes(ledger, contract, period, (of) => this.#history.contracted(of, ...period));
	}

	/** How much of its need a contract of a member's may cover; undefined: it has none of this id. */
	likelyShare(member: number, contractId: string, minute: number): LikelyShare | undefined {
		const contract = this.#contractOf(member, contractId);
		if (contract === undefined) return undefined;
		const { ledger } = this.#context.chain.head;
		const { buyer, seller, schedule } = contract;
		const fromMinute = minute - SURPLUS_MINUTES;
		const sold = this.#history.contracted(seller, fromMinute, minute);
		const first = { ...this.#history.contracted(buyer, fromMinute, minute), schedule };
		const others = this.#takers(seller, fromMinute, minute, contract.index);
		return likelyShareOf(sold, [first, ...others], localTimeOf(ledger.parameters));
	}

	/** Whose contracts with a seller go on, with their minutes, but for one contract. */
	#takers(seller: number, fromMinute: number, untilMinute: number, exceptIndex?: number): Taker[] {
		const { ledger } = this.#context.chain.head;
		return ledger.liveContracts
			.map((index) => contractOf(ledger, index))
			.filter((other) => other.seller === seller && other.index !== exceptIndex && other.untilMinute > untilMinute)
			.map(({ buyer, schedule }) => ({ ...this.#history.contracted(buyer, fromMinute, untilMinute), schedule }));
	}

	#contractOf(member: number, contractId: string): Contract | undefined {
		const { contracts } = this.#context.chain.head.ledger;
		return contracts.find((contract) => isParty(contract, member) && toHex(contract.id) === contractId);
	}

	/** What a member lost lately by contracts that were worse than the utility, µNOK, by the contract's index. */
	losses(member: number, minute: number): ReadonlyMap<number, number> {
		const { chain, config } = this.#context;
		return this.#check.losses(chain.head.ledger, member, minute, {
			history: this.#history,
			ownRetail: config.ownRetail,
		});
	}

	#billed(member: number, fromMinute: number, untilMinute: number): BilledMinutes {
		const { chain, config } = this.#context;
		const otherwise = tariffAt(chain.head.ledger, fromMinute);
		return {
			...this.#history.billed(member, fromMinute, untilMinute, otherwise),
			ownRetail: config.ownRetail,
		};
	}
}

/** Whether a household is to see an offer: those to one named neighbour are the two households' affair. */
export function isOfferFor({ seller, buyer }: Pick<Offer, "seller" | "buyer">, member: number): boolean {
	return buyer === undefined || buyer === member || seller === member;
}

function isParty({ seller, buyer }: Contract, member: number): boolean {
	return seller === member || buyer === member;
}
