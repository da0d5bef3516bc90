/** What an operator did, in a sentence. */
import type { StreetView } from "../node/view.js";
import { formatKroner, formatMinute, formatPrice } from "./format.js";
import { ruleName } from "./marketRule.js";
import { moneyKindName } from "./moneyKind.js";
import { memberName } from "./names.js";
import { m } from "./paraglide/messages.js";

type OperatorAct = StreetView["operatorRecord"][number];

export function operatorActText(street: StreetView, act: OperatorAct): string {
	const { isGiven, texts } = act;
	const nameOf = (member: number | undefined) => (member === undefined ? "?" : memberName(street, member));
	const who = nameOf(act.member);
	const name = nameOf(act.household);
	const amount = formatKroner(act.amountMicroNok);
	const [first = "", second = ""] = texts;
	switch (act.kind) {
		case "issue":
			return m.record_issue({ who, name, amount, reference: first });
		case "payout":
			return m.record_payout({ who, name, amount, reference: first });
		case "voters":
			return isGiven ? m.record_voters_added({ who, name }) : m.record_voters_removed({ who, name });
		case "iceServers":
			return texts.length === 0
				? m.record_ice_servers_none({ who })
				: m.record_ice_servers({ who, servers: texts.join(", ") });
		case "rename":
			return m.record_rename({ who, former: first, name: second });
		case "role":
			return isGiven ? m.record_role_given({ who, name }) : m.record_role_taken({ who, name });
		case "suspend":
			return isGiven ? m.record_suspended({ who, name }) : m.record_lifted({ who, name });
		case "remove":
			return m.record_removed({ who, name });
		case "market":
			return m.record_market({ who, rule: ruleName(first), time: formatMinute(Number(second)) });
		case "tariff": {
			const [retail, feedIn, fee] = texts.slice(1).map((price) => formatPrice(Number(price)));
			const prices = { retail: retail ?? "", feedIn: feedIn ?? "", fee: fee ?? "" };
			return m.record_tariff({ who, time: formatMinute(Number(first)), ...prices });
		}
		case "bank":
			return m.record_bank({ who, amount, time: formatMinute(Number(first)) });
		case "money":
			return isGiven
				? m.record_money({ who, kind: moneyKindName(first), reason: second })
				: m.record_money_back({ who });
		case "realMoney":
			return m.record_real_money({ kind: moneyKindName(first) });
		case "credit":
			return m.record_credit({ who, name, amount, former: formatKroner(Number(first)) });
		case "rebind":
			return m.record_rebind({ who, name });
		case "contest":
			return act.member === act.household ? m.record_contest_own({ name }) : m.record_contest({ who, name });
		case "rebound":
			return m.record_rebound({ name });
		case "appointed":
			return m.record_appointed({ name });
		case "movedOut":
			return m.record_moved_out({ name });
	}
}
