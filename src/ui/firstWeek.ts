/** The list of the first week as the screens show it, and what is typed off a meter's display. */
import type { FirstWeekView, HouseholdMinutesView } from "../node/view.js";
import { ok, type Result } from "../primitives/result.js";
import { type InputError, parseDecimal } from "./amount.js";
import { formatCount, formatDateTime, formatKwhNumber } from "./format.js";
import { m } from "./paraglide/messages.js";

export type PointName = "register" | "minutes" | "words" | "test";

export interface Point {
	name: PointName;
	/** waiting: it comes by itself, or others do it. */
	state: "done" | "open" | "waiting";
	title: string;
	text: string;
}

/** What may be ordered before the list is done, as the node has it (`node/firstWeek.ts`). */
export const FREE_ORDER_MICRO_NOK = 100_000_000;
/** 10 GWh. */
const MAX_REGISTER_WH = 10_000_000_000;
const KWH_DECIMALS = 3;

/** The points of a household, in the order in which one does them. `isTrial`: tokens are trial kroner. */
export function pointsOf({ minutes, register, test, wordsKept }: FirstWeekView, isTrial: boolean): Point[] {
	return [
		{
			name: "words",
			state: wordsKept ? "done" : "open",
			title: m.first_week_words(),
			text: wordsKept ? m.keys_words_kept() : m.first_week_words_text(),
		},
		...(register === undefined ? [] : [registerPoint(register)]),
		...(minutes === undefined
			? []
			: [
					{
						name: "minutes" as const,
						state: minutes.isWhole ? ("done" as const) : ("waiting" as const),
						title: m.first_week_minutes(),
						text: minutes.isWhole
							? m.first_week_minutes_done()
							: m.first_week_minutes_text({ have: formatCount(minutes.have), needed: formatCount(minutes.needed) }),
					},
				]),
		{ name: "test", ...testPoint(test, isTrial), title: m.first_week_test() },
	];
}

function registerPoint(register: NonNullable<FirstWeekView["register"]>): Point {
	const title = m.first_week_register();
	switch (register.state) {
		case "compared": {
			const { atMs, importWh } = register;
			const figures = { display: formatKwhNumber(importWh.displayWh), register: formatKwhNumber(importWh.registerWh) };
			return {
				name: "register",
				state: "done",
				title,
				text: m.first_week_register_done({ ...figures, time: formatDateTime(atMs) }),
			};
		}
		case "open":
			return { name: "register", state: "open", title, text: m.first_week_register_text() };
		case "waiting":
			return { name: "register", state: "waiting", title, text: m.first_week_register_waiting() };
		case "simulated":
			return { name: "register", state: "open", title, text: m.first_week_register_simulated() };
		case "elsewhere":
			return { name: "register", state: "open", title, text: m.first_week_register_elsewhere() };
	}
}

/** Trial kroner cannot be taken out: of them only the way in is tried. */
function testPoint(test: FirstWeekView["test"], isTrial: boolean): Pick<Point, "state" | "text"> {
	if (isTrial) {
		return test === "none"
			? { state: "waiting", text: m.first_week_test_trial() }
			: { state: "done", text: m.first_week_test_trial_done() };
	}
	if (test === "inAndOut") return { state: "done", text: m.first_week_test_done() };
	return { state: "waiting", text: test === "in" ? m.first_week_test_out() : m.first_week_test_text() };
}

/** All points, the neighbourhood's among them. */
export function isFirstWeekOver(firstWeek: FirstWeekView, isTrial: boolean): boolean {
	return pointsOf(firstWeek, isTrial).every(({ state }) => state === "done");
}

/** The households that meter and lack minutes of the last day. */
export function lackingMinutes(households: readonly HouseholdMinutesView[]): HouseholdMinutesView[] {
	return households.filter(({ have, meters, needed }) => meters && have < needed);
}

/** A figure of the display in kWh: in Wh, and what its last digit stands for. */
export function readDisplay(text: string): Result<{ wh: number; stepWh: number }, InputError> {
	const wh = parseDecimal(text, KWH_DECIMALS, 0, MAX_REGISTER_WH);
	if (!wh.ok) return wh;
	const decimals = Math.min(KWH_DECIMALS, /[.,](\d+)$/u.exec(text.trim())?.[1]?.length ?? 0);
	return ok({ wh: wh.value, stepWh: 10 ** (KWH_DECIMALS - decimals) });
}
