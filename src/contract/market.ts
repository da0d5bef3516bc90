/** Offers and contracts (thesis 3.1.1). */
import { localTimeOf } from "../block/kinds/founding.js";
import type {
	AcceptTransaction,
	EndTransaction,
	OfferTransaction,
	WithdrawTransaction,
} from "../block/kinds/market.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { MINUTES_PER_DAY, minuteOf } from "../primitives/units.js";
import { nextCoveredMinute } from "./coverage.js";
import { type Contract, changeContract, contractOf, type Draft, householdOf, type Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { overlaps } from "./schedule.js";
import { partyRefusal } from "./standing.js";

export const MAX_OPEN_OFFERS = 16;
/** A contract that has delivered nothing for this long can be ended without notice. */
export const IDLE_MINUTES = 7 * MINUTES_PER_DAY;

export function applyOffer(draft: Draft, offer: OfferTransaction, id: Uint8Array): Refusal | undefined {
	const { member: seller, fromMinute, untilMinute, buyer } = offer;
	if (fromMinute >= untilMinute) return { code: "empty-period", fromMinute, untilMinute };
	const nextMinute = minuteOf(draft.timestampMs) + 1;
	if (untilMinute <= nextMinute) return { code: "offer-expired", untilMinute };
	if (nextCoveredMinute(draft, offer, nextMinute) === undefined) {
		return { code: "empty-period", fromMinute, untilMinute };
	}
	if (buyer === seller) return { code: "own-offer" };
	const stranger = buyer === undefined ? undefined : partyRefusal(draft, buyer);
	if (stranger !== undefined) return stranger;
	let open = 0;
	for (const other of draft.offers.values()) if (other.seller === seller) open += 1;
	if (open >= MAX_OPEN_OFFERS) return { code: "too-many-offers", limit: MAX_OPEN_OFFERS };
	draft.offers = new Map(draft.offers).set(toHex(id), {
		id,
		seller,
		priceMicroNokPerWh: offer.priceMicroNokPerWh,
		fromMinute,
		untilMinute,
		energyLimitWh: offer.energyLimitWh,
		noticeMinutes: offer.noticeMinutes,
		buyer,
		maxBuyers: offer.maxBuyers,
		accepted: [],
		schedule: offer.schedule,
	});
	return undefined;
}

export function applyWithdraw(draft: Draft, withdraw: WithdrawTransaction): Refusal | undefined {
	const offer = draft.offers.get(toHex(withdraw.offerId));
	if (offer === undefined) return { code: "unknown-offer" };
	if (offer.seller !== withdraw.member) return { code: "not-your-offer" };
	const offers = new Map(draft.offers);
	offers.delete(toHex(withdraw.offerId));
	draft.offers = offers;
	return undefined;
}

/** Why a household could not accept an offer in a block of this minute; undefined: it could. */
export function acceptRefusal(ledger: Ledger, buyer: number, offerId: Uint8Array, minute: number): Refusal | undefined {
	const offer = ledger.offers.get(toHex(offerId));
	if (offer === undefined) return { code: "unknown-offer" };
	if (offer.seller === buyer) return { code: "own-offer" };
	if (offer.buyer !== undefined && offer.buyer !== buyer) return { code: "offer-for-another" };
	if (offer.accepted.includes(buyer)) return { code: "already-accepted" };
	if (offer.maxBuyers !== 0 && offer.accepted.length >= offer.maxBuyers) {
		return { code: "offer-taken", maxBuyers: offer.maxBuyers };
	}
	const firstMinute = nextCoveredMinute(ledger, offer, minute + 1);
	if (firstMinute === undefined) return { code: "offer-expired", untilMinute: offer.untilMinute };
	const localTime = localTimeOf(ledger.parameters);
	for (const index of ledger.liveContracts) {
		const other = contractOf(ledger, index);
		if (other.buyer !== buyer) continue;
		const fromMinute = Math.max(firstMinute, other.fromMinute);
		const untilMinute = Math.min(offer.untilMinute, other.untilMinute);
		if (overlaps(offer.schedule, other.schedule, fromMinute, untilMinute, localTime)) {
			return { code: "overlapping-contract", contract: index, untilMinute: other.untilMinute };
		}
	}
	return undefined;
}

export function applyAccept(draft: Draft, accept: AcceptTransaction, id: Uint8Array): Refusal | undefined {
	const minute = minuteOf(draft.timestampMs);
	const refusal = acceptRefusal(draft, accept.member, accept.offerId, minute);
	if (refusal !== undefined) return refusal;
	const key = toHex(accept.offerId);
	const offer = draft.offers.get(key);
	if (offer === undefined) return { code: "unknown-offer" };
	const fromMinute = Math.max(offer.fromMinute, minute + 1);
	const index = draft.contracts.length;
	draft.contracts.push({
		index,
		id,
		offerId: offer.id,
		seller: offer.seller,
		buyer: accept.member,
		priceMicroNokPerWh: offer.priceMicroNokPerWh,
		fromMinute,
		untilMinute: offer.untilMinute,
		ended: false,
		energyLimitWh: offer.energyLimitWh,
		noticeMinutes: offer.noticeMinutes,
		deliveredWh: 0,
		amountMicroNok: 0,
		lastDeliveryMinute: fromMinute - 1,
		schedule: offer.schedule,
	});
	draft.liveContracts = [...draft.liveContracts, index];
	const offers = new Map(draft.offers);
	const accepted = [...offer.accepted, accept.member];
	// What nobody else can accept is no offer any more.
	const isTaken = offer.buyer !== undefined || accepted.length === offer.maxBuyers;
	if (isTaken) offers.delete(key);
	else offers.set(key, { ...offer, accepted });
	draft.offers = offers;
	return undefined;
}

export function applyEnd(draft: Draft, end: EndTransaction): Refusal | undefined {
	const contract = findContract(draft, end.contractId);
	if (contract === undefined) return { code: "unknown-contract" };
	if (contract.seller !== end.member && contract.buyer !== end.member) return { code: "not-your-contract" };
	const nextMinute = minuteOf(draft.timestampMs) + 1;
	const idle = nextMinute - contract.lastDeliveryMinute > IDLE_MINUTES;
	const untilMinute = nextMinute + (idle ? 0 : contract.noticeMinutes);
	if (untilMinute >= contract.untilMinute) return { code: "already-ended", untilMinute: contract.untilMinute };
	changeContract(draft, contract.index, { untilMinute, ended: true });
	return undefined;
}

function findContract(ledger: Ledger, id: Uint8Array): Contract | undefined {
	for (const index of ledger.liveContracts) {
		const contract = contractOf(ledger, index);
		if (equalBytes(contract.id, id)) return contract;
	}
	return undefined;
}

/**
 * A household trades no more from a minute on: its contracts end there, and no offer of it, or to it alone, is left. A
 * contract that has had its last hours stays what it was.
 */
export function endTrade(draft: Draft, member: number, fromMinute: number): void {
	for (const index of draft.liveContracts) {
		const contract = contractOf(draft, index);
		const isParty = contract.seller === member || contract.buyer === member;
		if (!isParty || contract.untilMinute <= fromMinute || !isLive(draft, contract)) continue;
		changeContract(draft, index, { untilMinute: fromMinute, ended: true });
	}
	const others = [...draft.offers].filter(([, { seller, buyer }]) => seller !== member && buyer !== member);
	if (others.length < draft.offers.size) draft.offers = new Map(others);
}

/** Whether a household has contracts with minutes still to settle. */
export function hasLiveContracts(ledger: Ledger, member: number): boolean {
	return ledger.liveContracts.some((index) => {
		const { seller, buyer } = contractOf(ledger, index);
		return seller === member || buyer === member;
	});
}

/** Removes offers that nobody can accept any more, and contracts whose last minute has settled from the live ones. */
export function dropFinished(draft: Draft): void {
	const minute = minuteOf(draft.timestampMs);
	const finished = [...draft.offers].filter(([, offer]) => nextCoveredMinute(draft, offer, minute + 1) === undefined);
	if (finished.length > 0) {
		const offers = new Map(draft.offers);
		for (const [id] of finished) offers.delete(id);
		draft.offers = offers;
	}
	const live = draft.liveContracts.filter((index) => isLive(draft, contractOf(draft, index)));
	if (live.length < draft.liveContracts.length) draft.liveContracts = live;
}

/**
 * Whether a contract has minutes still to settle: one that has none will never have any again. A seller's cursor stands
 * behind the last minute that settled and not at the end of a period, so it is the hours that come that count.
 */
export function isLive(ledger: Pick<Ledger, "households" | "parameters">, contract: Contract): boolean {
	const { settledUntilMinute } = householdOf(ledger, contract.seller);
	return nextCoveredMinute(ledger, contract, settledUntilMinute) !== undefined;
}
