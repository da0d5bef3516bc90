/** What has to be known before the figures of a statement are believed, in sentences. */
import type { PeriodStatement } from "../node/protocol.js";
import { formatDateTime } from "./format.js";
import { m } from "./paraglide/messages.js";

export function stateLines(statement: PeriodStatement, isTrial: boolean): string[] {
	const { keptFromMs, gaps, isOver, isSettled } = statement;
	return [
		...(isTrial ? [m.statement_trial()] : []),
		...(isOver ? [] : [m.statement_running()]),
		...(isOver && !isSettled ? [m.statement_unsettled()] : []),
		...(keptFromMs === undefined ? [] : [m.statement_kept_from({ time: formatDateTime(keptFromMs) })]),
		...gaps.map(({ fromMs, untilMs }) =>
			m.statement_gap({ from: formatDateTime(fromMs), until: formatDateTime(untilMs) }),
		),
	];
}
