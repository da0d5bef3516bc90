/**
 * The utility's prices. Nothing is paid at them here: the market that trades by itself keeps between them, and the screens
 * reckon what a household saves.
 */
import type { TariffStep, TariffTransaction } from "../block/kinds/trading.js";
import { minuteOf } from "../primitives/units.js";
import type { Draft, Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator } from "./standing.js";

/** Steps that are kept, past ones that are still needed among them. */
export const MAX_KEPT_TARIFF_STEPS = 200;

export type Tariff = Omit<TariffStep, "fromMinute">;

/** The prices that hold in a minute; in one before all that is kept, the oldest that are. */
export function tariffAt({ parameters, tariff }: Pick<Ledger, "parameters" | "tariff">, minute: number): Tariff {
	const step = tariff?.findLast(({ fromMinute }) => fromMinute <= minute);
	return step ?? parameters;
}

/** New prices begin with the next minute at the earliest: what has been used was used at the prices that were known. */
export function applyTariff(draft: Draft, { member, steps }: TariffTransaction): Refusal | undefined {
	if (!isActingOperator(draft, member)) return { code: "not-operator" };
	const firstMinute = steps[0]?.fromMinute ?? 0;
	const minute = minuteOf(draft.timestampMs);
	if (firstMinute <= minute) return { code: "tariff-too-early", fromMinute: firstMinute, minute };
	const stays = (draft.tariff ?? []).filter(({ fromMinute }) => fromMinute < firstMinute);
	if (stays.length + steps.length > MAX_KEPT_TARIFF_STEPS) {
		return { code: "too-many-tariff-steps", limit: MAX_KEPT_TARIFF_STEPS };
	}
	draft.tariff = [...stays, ...steps];
	return undefined;
}

/** Forgets the prices that no minute from one on needs. */
export function forgetTariffBefore(draft: Draft, minute: number): void {
	const { tariff } = draft;
	const first = tariff?.findLastIndex(({ fromMinute }) => fromMinute <= minute) ?? 0;
	if (tariff === undefined || first <= 0) return;
	draft.tariff = tariff.slice(first);
}
