/** A household's past under another rule of the market, asked about piece by piece. */
import type { WhatIf, WhatIfFigures } from "../node/protocol.js";
import { add, MINUTES_PER_DAY } from "../primitives/units.js";

export interface MinuteRange {
	fromMinute: number;
	untilMinute: number;
}

export type WhatIfPeriod = "days30" | "year";

const DAYS: Record<WhatIfPeriod, number> = { days30: 30, year: 365 };
/** Of so many days a node answers at once; between two answers it has time for everything else. */
const PIECE_MINUTES = 30 * MINUTES_PER_DAY;

/** A period that ends where nothing is matched yet, in pieces, one after the other. */
export function piecesOf(period: WhatIfPeriod, untilMinute: number): MinuteRange[] {
	const pieces: MinuteRange[] = [];
	let fromMinute = Math.max(0, untilMinute - DAYS[period] * MINUTES_PER_DAY);
	while (fromMinute < untilMinute) {
		const until = Math.min(untilMinute, fromMinute + PIECE_MINUTES);
		pieces.push({ fromMinute, untilMinute: until });
		fromMinute = until;
	}
	return pieces;
}

/** Two times that follow on one another, as one. */
export function joined(before: WhatIf, after: WhatIf): WhatIf {
	const firstMinute = before.firstMinute ?? after.firstMinute;
	return {
		intervals: add(before.intervals, after.intervals),
		kept: add(before.kept, after.kept),
		...(firstMinute === undefined ? {} : { firstMinute }),
		was: summed(before.was, after.was),
		would: summed(before.would, after.would),
	};
}

function summed(a: WhatIfFigures, b: WhatIfFigures): WhatIfFigures {
	return {
		boughtWh: add(a.boughtWh, b.boughtWh),
		soldWh: add(a.soldWh, b.soldWh),
		paidMicroNok: add(a.paidMicroNok, b.paidMicroNok),
		earnedMicroNok: add(a.earnedMicroNok, b.earnedMicroNok),
		savedMicroNok: add(a.savedMicroNok, b.savedMicroNok),
	};
}

/** Whether a household traded anything, in the one case or the other. */
export function isTraded({ was, would }: WhatIf): boolean {
	return [was, would].some(({ boughtWh, soldWh }) => boughtWh > 0 || soldWh > 0);
}
