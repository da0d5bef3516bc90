/** What flowed in a time, in pieces of one length, for graphs and sums: of hours that are kept, or of minutes. */
import type { LocalTimeRule } from "../primitives/localTime.js";
import { add, MINUTES_PER_HOUR } from "../primitives/units.js";
import { BILL_FIGURES, NO_BILL } from "./bill.js";
import { type DayHours, type HourFigures, NO_BAND } from "./hours.js";
import { daysOf, monthsOf, type Period } from "./periods.js";
import type { BillFigures, Series, Usage, UsageBand, UsageUnit } from "./protocol.js";

const QUARTER_MINUTES = 15;

/** Pieces that are being summed up. Whatever is added to one must lie in the period. */
export class Pieces {
	readonly starts: Int32Array;
	readonly figures: Record<keyof BillFigures, Float64Array>;
	readonly band: Record<keyof UsageBand, Float64Array>;

	constructor(rule: LocalTimeRule, unit: UsageUnit, period: Period) {
		this.starts = Int32Array.from([...startsOf(rule, unit, period), period.untilMinute]);
		const columns = <Name extends string>(names: readonly Name[]) =>
			Object.fromEntries(names.map((name) => [name, new Float64Array(this.starts.length - 1)])) as Record<
				Name,
				Float64Array
			>;
		this.figures = columns(BILL_FIGURES);
		this.band = columns(BAND);
	}

	/** Adds days' hours, ascending; those outside of the period are left out. */
	addHours(days: readonly DayHours[]): void {
		let piece = 0;
		for (const { hours } of days) {
			for (const hour of hours) {
				piece = this.#pieceAt(hour.fromMinute, piece);
				if (piece >= 0 && hour.minutes > 0) this.#add(piece, hour);
				if (piece < 0) piece = 0;
			}
		}
	}

	/** Adds minutes' energy, ascending, of a series that begins in the period. */
	addMinutes({ fromMinute, importWh, exportWh, boughtWh, soldWh }: Series): void {
		let piece = 0;
		for (let at = 0; at < importWh.length; at++) {
			const imported = importWh[at] ?? -1;
			if (imported < 0) continue;
			piece = Math.max(0, this.#pieceAt(fromMinute + at, piece));
			const exported = Math.max(0, exportWh[at] ?? 0);
			const [bought, sold] = [boughtWh[at] ?? 0, soldWh[at] ?? 0];
			this.#add(piece, {
				...NO_BILL,
				...NO_BAND,
				minutes: 1,
				importWh: imported,
				exportWh: exported,
				boughtWh: bought,
				soldWh: sold,
				fromUtilityWh: Math.max(0, imported - bought),
				toUtilityWh: Math.max(0, exported - sold),
				importMinWh: imported,
				importMaxWh: imported,
				exportMinWh: exported,
				exportMaxWh: exported,
			});
		}
	}

	/** The sums over all pieces: of integers, so that they are exact in whatever order. */
	total(): BillFigures {
		const total: BillFigures = { ...NO_BILL };
		for (const field of BILL_FIGURES) for (const value of this.figures[field]) total[field] = add(total[field], value);
		return total;
	}

	/** The piece that a minute lies in, sought from one at or before it on; −1: none. */
	#pieceAt(minute: number, from: number): number {
		if (minute < (this.starts[from] ?? minute + 1)) return -1;
		for (let piece = from; piece + 1 < this.starts.length; piece++) {
			if (minute < (this.starts[piece + 1] ?? 0)) return piece;
		}
		return -1;
	}

	#add(piece: number, added: Omit<HourFigures, "fromMinute">): void {
		const isFirst = this.figures.minutes[piece] === 0;
		for (const field of BILL_FIGURES) {
			const column = this.figures[field];
			column[piece] = add(column[piece] ?? 0, added[field]);
		}
		for (const field of BAND) {
			const column = this.band[field];
			const known = isFirst ? added[field] : (column[piece] ?? 0);
			column[piece] = field.endsWith("MinWh") ? Math.min(known, added[field]) : Math.max(known, added[field]);
		}
	}
}

/** What of a usage the pieces say. */
export function piecesOf(pieces: Pieces): Pick<Usage, "starts" | "figures" | "band" | "total"> {
	return { starts: pieces.starts, figures: pieces.figures, band: pieces.band, total: pieces.total() };
}

function startsOf(rule: LocalTimeRule, unit: UsageUnit, period: Period): number[] {
	switch (unit) {
		case "minute":
			return steps(period, 1);
		case "quarter":
			return steps(period, QUARTER_MINUTES);
		case "hour":
			return daysOf(rule, period).flatMap((day) => steps(day, MINUTES_PER_HOUR));
		case "day":
			return daysOf(rule, period).map(({ fromMinute }) => fromMinute);
		case "month":
			return monthsOf(rule, period).map(({ fromMinute }) => fromMinute);
	}
}

function steps({ fromMinute, untilMinute }: Period, minutes: number): number[] {
	return Array.from({ length: Math.ceil((untilMinute - fromMinute) / minutes) }, (_, at) => fromMinute + at * minutes);
}

const BAND = Object.keys(NO_BAND) as (keyof UsageBand)[];
