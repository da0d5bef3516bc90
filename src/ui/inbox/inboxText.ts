/** What the inbox says, in a sentence, and where one goes from there. */
import type { StreetView } from "../../node/view.js";
import { MS_PER_MINUTE, wholeOreFor } from "../../primitives/units.js";
import { formatDateTime, formatKroner, formatMinute, formatMonth } from "../format.js";
import { codeText } from "../lateText.svelte.js";
import { kindText, lossText, memberName } from "../names.js";
import { m } from "../paraglide/messages.js";
import type { Occasion } from "./occasion.js";

export function occasionText(occasion: Occasion, street: StreetView): string {
	switch (occasion.type) {
		case "lowBalance":
			return occasion.days === 0 ? m.inbox_balance_empty() : m.inbox_balance_low({ days: occasion.days });
		case "contractEnding":
			return m.inbox_contract_ending({
				name: memberName(street, occasion.other),
				time: formatMinute(occasion.untilMinute),
			});
		case "contractPaused":
			return m.inbox_contract_paused({ name: memberName(street, occasion.other) });
		case "contractLoss":
			return m.inbox_contract_loss({
				name: memberName(street, occasion.other),
				loss: lossText(occasion.lossMicroNok, occasion.buying),
			});
		case "issued":
			return m.inbox_issued({ amount: formatKroner(occasion.amountMicroNok) });
		case "paidOut":
			return m.inbox_paid_out({ amount: formatKroner(occasion.amountMicroNok) });
		case "refused":
			return m.inbox_refused({ what: kindText(occasion.kind), reason: codeText(occasion.code) });
		case "correction":
			return m.inbox_correction({ name: memberName(street, occasion.other) });
		case "moneyProposed":
			return m.inbox_money_proposed({ name: memberName(street, occasion.by) });
		case "bill":
			return m.inbox_bill({
				month: formatMonth(occasion.fromMinute * MS_PER_MINUTE),
				amount: formatKroner(wholeOreFor(occasion.amountMicroNok)),
			});
		case "meterSilent":
			return m.inbox_meter_silent({ time: formatDateTime(occasion.sinceMs) });
		case "neighbourSilent":
			return m.inbox_neighbour_silent({
				name: memberName(street, occasion.member),
				time: formatDateTime(occasion.sinceMinute * MS_PER_MINUTE),
			});
		case "chainWaiting":
			return m.inbox_chain_waiting({ time: formatDateTime(occasion.sinceMs) });
	}
}

/** The route on which something can be done about it. */
export function occasionRoute(occasion: Occasion): string {
	switch (occasion.type) {
		case "contractEnding":
		case "contractPaused":
		case "contractLoss":
			return `#/contract/${occasion.contractId}`;
		case "meterSilent":
			return "#/meter";
		case "neighbourSilent":
			return "#/operations";
		case "chainWaiting":
		case "refused":
			return "#/chain";
		default:
			return "#/balance";
	}
}
