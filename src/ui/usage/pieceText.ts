/** What is said of one piece of a span: when it was, and what flowed in it or was paid. */
import type { Usage } from "../../node/protocol.js";
import { MS_PER_MINUTE } from "../../primitives/units.js";
import {
	formatCount,
	formatDateTime,
	formatDayMonth,
	formatKroner,
	formatKwh,
	formatMonth,
	formatPower,
	formatTime,
} from "../format.js";
import { m } from "../paraglide/messages.js";
import type { Measure, Span } from "./span.js";

/** When a piece was: `12:06`, `12:00–13:00`, `15. juni, 12:00`, `15. juni`, `juni 2026`. */
export function pieceName({ unit, starts }: Usage, { length }: Pick<Span, "length">, piece: number): string {
	const [fromMs, untilMs] = [piece, piece + 1].map((at) => (starts[at] ?? 0) * MS_PER_MINUTE) as [number, number];
	switch (unit) {
		case "minute":
			return formatTime(fromMs);
		case "quarter":
		case "hour":
			return length === "day" ? `${formatTime(fromMs)}–${formatTime(untilMs)}` : formatDateTime(fromMs);
		case "day":
			return formatDayMonth(fromMs);
		case "month":
			return formatMonth(fromMs);
	}
}

/** What a piece says. */
export function pieceText(usage: Usage, span: Pick<Span, "length">, measure: Measure, piece: number): string {
	const time = pieceName(usage, span, piece);
	const { figures } = usage;
	const of = (field: keyof Usage["figures"]) => figures[field][piece] ?? 0;
	const minutes = of("minutes");
	if (minutes === 0) return m.chart_at_gap({ time });
	switch (measure) {
		case "power": {
			const power = (energyWh: number) => formatPower(Math.round((energyWh * 60) / minutes));
			return m.chart_at({ time, import: power(of("importWh")), export: power(of("exportWh")) });
		}
		case "energy":
			return m.usage_at_energy({
				time,
				import: formatKwh(of("importWh")),
				bought: formatKwh(of("boughtWh")),
				export: formatKwh(of("exportWh")),
				sold: formatKwh(of("soldWh")),
			});
		case "money":
			return m.usage_at_money({
				time,
				cost: formatKroner(of("utilityCostMicroNok") + of("localFeeMicroNok") + of("paidMicroNok")),
				income: formatKroner(of("utilityIncomeMicroNok") + of("earnedMicroNok")),
			});
	}
}

/** A span in one sentence. */
export function usageSummary(name: string, spanText: string, { total, memberMinutes }: Usage): string {
	return m.usage_summary({
		name,
		span: spanText,
		import: formatKwh(total.importWh),
		export: formatKwh(total.exportWh),
		minutes: minutesText(total.minutes, memberMinutes),
	});
}

/** `1 402 av 1 440 minutter målt`. Readings of a minute that has just ended may be here before it is counted. */
export function minutesText(have: number, all: number): string {
	return m.home_minutes({ have: formatCount(have), all: formatCount(Math.max(have, all)) });
}
