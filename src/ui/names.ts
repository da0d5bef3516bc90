/** Names and wordings for what views carry as numbers and codes. */
import type { ContractMinute, ShareReason } from "../node/protocol.js";
import type { ChainView, ContractView, MemberView, OfferView, StreetView } from "../node/view.js";
import { MINUTES_PER_DAY } from "../primitives/units.js";
import { formatEnergy, formatKroner, formatMinute } from "./format.js";
import { m } from "./paraglide/messages.js";

const ROLES: Record<ChainView["role"], () => string> = {
	leader: m.role_leader,
	follower: m.role_follower,
	candidate: m.role_candidate,
	observer: m.role_observer,
};

const KINDS: Record<string, () => string> = {
	reading: m.kind_reading,
	offer: m.kind_offer,
	withdraw: m.kind_withdraw,
	accept: m.kind_accept,
	end: m.kind_end,
	buy: m.kind_buy,
	issue: m.kind_issue,
	join: m.kind_join,
	voters: m.kind_voters,
	device: m.kind_device,
	revoke: m.kind_revoke,
	confirm: m.kind_confirm,
	iceServers: m.kind_iceServers,
	rename: m.kind_rename,
	role: m.kind_role,
	suspend: m.kind_suspend,
	remove: m.kind_remove,
	payout: m.kind_payout,
	appoint: m.kind_appoint,
	rebind: m.kind_rebind,
	contest: m.kind_contest,
	redeem: m.kind_redeem,
	cancel: m.kind_cancel,
	leave: m.kind_leave,
	limits: m.kind_limits,
	market: m.kind_market,
	tariff: m.kind_tariff,
	bank: m.kind_bank,
	bankConfirm: m.kind_bankConfirm,
	correct: m.kind_correct,
	answer: m.kind_answer,
	money: m.kind_money,
	moneyConfirm: m.kind_moneyConfirm,
	credit: m.kind_credit,
};

/** House numbers in the order of numbers: 2 before 10. */
export function byName<T extends { name: string }>(members: readonly T[]): T[] {
	return [...members].sort((a, b) => a.name.localeCompare(b.name, "nb", { numeric: true }));
}

export function memberName(street: StreetView, member: number): string {
	return street.members.find(({ index }) => index === member)?.name ?? `#${member}`;
}

/** Those that are here: who moved out keeps its name where it once was. */
export function membersOf(members: readonly MemberView[]): MemberView[] {
	return members.filter(({ movingOut }) => movingOut !== "completed");
}

/** A household's name, with what else is to be known of it. */
export function memberText({ name, operator, suspended, movingOut }: MemberView): string {
	const marks = [
		...(operator ? [m.members_operator()] : []),
		...(suspended && movingOut === undefined ? [m.members_suspended()] : []),
		...(movingOut === undefined ? [] : [movingOut === "completed" ? m.members_moved_out() : m.members_moving_out()]),
	];
	return marks.length === 0 ? name : `${name} (${marks.join(", ")})`;
}

export function roleText(role: ChainView["role"]): string {
	return ROLES[role]();
}

export function kindText(kind: string): string {
	return KINDS[kind]?.() ?? m.kind_other({ kind });
}

export function noticeText(noticeMinutes: number): string {
	if (noticeMinutes === 0) return m.market_notice_none();
	if (noticeMinutes === 60) return m.market_notice_hour();
	if (noticeMinutes === MINUTES_PER_DAY) return m.market_notice_day();
	if (noticeMinutes === 7 * MINUTES_PER_DAY) return m.market_notice_week();
	if (noticeMinutes === 30 * MINUTES_PER_DAY) return m.market_notice_month();
	return m.market_notice_other({ n: noticeMinutes });
}

export function limitText(energyLimitWh: number | undefined): string {
	return energyLimitWh === undefined ? m.market_no_limit() : m.market_limit({ energy: formatEnergy(energyLimitWh) });
}

export function buyersText({ buyers, maxBuyers }: OfferView): string {
	return maxBuyers === undefined
		? m.market_buyers({ count: buyers })
		: m.market_buyers_max({ count: buyers, max: maxBuyers });
}

/** What a contract was worse than the utility by. */
export function lossText(lossMicroNok: number, buying: boolean): string {
	const amount = formatKroner(lossMicroNok);
	return buying ? m.contract_loss_buying({ amount }) : m.contract_loss_selling({ amount });
}

const SHARE_REASONS: Record<Exclude<ShareReason, "shared">, () => string> = {
	all: m.share_all,
	allSurplus: m.share_all_surplus,
	noNeed: m.share_no_need,
	noSurplus: m.share_no_surplus,
	noBuyerReading: m.share_no_buyer_reading,
	noSellerReading: m.share_no_seller_reading,
	limit: m.share_limit,
	unpaidOrLate: m.share_unpaid_or_late,
	waiting: m.share_waiting,
};

/** Why a minute of a contract came out as it did. */
export function shareReasonText({ reason, othersWh }: ContractMinute): string {
	return reason === "shared" ? m.share_shared({ others: formatEnergy(othersWh) }) : SHARE_REASONS[reason]();
}

export function contractStateText(contract: ContractView): string {
	const until = formatMinute(contract.untilMinute);
	switch (contract.state) {
		case "coming":
			return m.contract_state_coming({ time: formatMinute(contract.fromMinute) });
		case "resting":
			return contract.ended ? m.contract_ending({ time: until }) : m.contract_state_resting();
		case "over":
			return m.contract_state_over();
		case "paused":
			return m.contract_state_paused();
		case "usedUp":
			return m.contract_state_used_up();
		case "ended":
			return m.contract_state_ended({ time: until });
		case "active":
			return contract.ended ? m.contract_ending({ time: until }) : m.contract_state_active();
	}
}
