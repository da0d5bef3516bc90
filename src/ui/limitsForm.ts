/** The form of a household's limits, from what was typed to the command; and the limits in words. */
import type { Command } from "../node/protocol.js";
import type { TradingTermsView } from "../node/view.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { type InputError, parsePrice } from "./amount.js";
import { formatPrice } from "./format.js";
import { m } from "./paraglide/messages.js";

export type LimitsCommand = Extract<Command, { type: "limits" }>;

/** Within the tariff on both sides: what one tap turns on. */
export const SAFE_LIMITS: LimitsCommand = { type: "limits", buyBelowMicroNokPerWh: 0, sellAboveMicroNokPerWh: 0 };
export const NO_LIMITS: LimitsCommand = { type: "limits" };

export interface LimitsFields {
	buys: boolean;
	/** Prices as typed; empty: as the tariff makes them. */
	buyBelow: string;
	sells: boolean;
	sellAbove: string;
	paysMoreForLocal: boolean;
}

export type LimitsFieldError = InputError & { field: "buyBelow" | "sellAbove" };

export function readLimits(fields: LimitsFields): Result<LimitsCommand, LimitsFieldError> {
	const limits: LimitsCommand = { type: "limits", paysMoreForLocal: fields.buys && fields.paysMoreForLocal };
	if (fields.buys) {
		const price = readPrice(fields.buyBelow);
		if (!price.ok) return refused({ ...price.error, field: "buyBelow" });
		limits.buyBelowMicroNokPerWh = price.value;
	}
	if (fields.sells) {
		const price = readPrice(fields.sellAbove);
		if (!price.ok) return refused({ ...price.error, field: "sellAbove" });
		limits.sellAboveMicroNokPerWh = price.value;
	}
	return ok(limits);
}

function readPrice(text: string): Result<number, InputError> {
	return text.trim() === "" ? ok(0) : parsePrice(text);
}

/** What the tariff makes of a household's limits. */
interface Prices {
	buyLimitMicroNokPerWh: number;
	sellLimitMicroNokPerWh: number;
}

/** What a household buys at, by limits that it gives, or gave; `now`: what the tariff makes of them. */
export function buyText(
	{ buyBelowMicroNokPerWh, paysMoreForLocal }: LimitsCommand | TradingTermsView,
	now: Prices,
): string {
	if (buyBelowMicroNokPerWh === undefined) return m.automatic_buys_not();
	const price = formatPrice(buyBelowMicroNokPerWh === 0 ? now.buyLimitMicroNokPerWh : buyBelowMicroNokPerWh);
	return paysMoreForLocal === true && buyBelowMicroNokPerWh > 0
		? m.automatic_buys({ price })
		: m.automatic_buys_tariff({ price });
}

export function sellText({ sellAboveMicroNokPerWh }: LimitsCommand | TradingTermsView, now: Prices): string {
	if (sellAboveMicroNokPerWh === undefined) return m.automatic_sells_not();
	const isTariff = sellAboveMicroNokPerWh === 0;
	const price = formatPrice(isTariff ? now.sellLimitMicroNokPerWh : sellAboveMicroNokPerWh);
	return isTariff ? m.automatic_sells_tariff({ price }) : m.automatic_sells({ price });
}

/** What the tariff makes of safe limits. */
export function safePrices(tariff: {
	retailMicroNokPerWh: number;
	feedInMicroNokPerWh: number;
	localFeeMicroNokPerWh: number;
}): Prices {
	return {
		buyLimitMicroNokPerWh: Math.max(0, tariff.retailMicroNokPerWh - tariff.localFeeMicroNokPerWh),
		sellLimitMicroNokPerWh: tariff.feedInMicroNokPerWh,
	};
}
