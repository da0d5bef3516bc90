/**
 * The list of a household's first week, until which no real kroner move that cannot be looked at by hand: the meter's
 * display says what the app says, a day has nearly all of its minutes, the household's words are on paper, and for the
 * neighbourhood a small amount has come in and gone out again. Each device knows its own household's points, the
 * operator's the minutes of all.
 */
import { ok, type Result, refused } from "../primitives/result.js";
import { multiply } from "../primitives/units.js";
import type { Command } from "./protocol.js";
import type { ComparedRegister, FirstWeekView, HouseholdMinutesView, MeterView, RegisterComparison } from "./view.js";

/** Of the minutes of a day, so many must have a reading. */
const NEEDED_PER_MILLE = 990;
/** What may be ordered for real kroner before the list is green: a first amount that goes in and out. */
export const FREE_ORDER_MICRO_NOK = 100_000_000;
/** A display shows kWh with at most three decimals, or whole ones. */
const DISPLAY_STEPS_WH: ReadonlySet<number> = new Set([1, 10, 100, 1_000]);
/** 10 GWh: no register of a household has more digits. */
const MAX_REGISTER_WH = 10_000_000_000;

/** What a device keeps of it. */
export interface FirstWeekMemory {
	readonly register?: RegisterComparison;
	/** When a day had its minutes for the first time (chain time). */
	readonly minutesMs?: number;
}

export type ComparisonError =
	/** What was typed is no register. */
	| { code: "bad-register" }
	/** The meter's registers are not here: it is read by another device, is a made up one, or there is none. */
	| { code: "register-elsewhere" }
	/** It has not said them yet, or they are not believed. */
	| { code: "register-unknown" }
	| { code: "register-differs"; direction: "import" | "export"; displayWh: number; registerWh: number };

/** What a person read off the display. `stepWh`: what its last digit stands for. */
export type ReadDisplay = Omit<Extract<Command, { type: "compareRegister" }>, "type">;

/** How many minutes of `all` a day needs. */
export function neededMinutes(all: number): number {
	return Math.ceil(multiply(all, NEEDED_PER_MILLE) / 1_000);
}

/**
 * Compares the display with the registers that the meter said last. `since`: what may have flowed after that, Wh. Both
 * show cut off or rounded figures, so that they may differ by the coarser of their last digits.
 */
export function compareRegisters(
	display: ReadDisplay,
	{ doubt, registers, source }: Pick<MeterView, "doubt" | "registers" | "source">,
	since: { importWh: number; exportWh: number },
	atMs: number,
): Result<RegisterComparison, ComparisonError> {
	if (source !== "serial") return refused({ code: "register-elsewhere" });
	const { exportWh: typedExportWh, importWh: typedImportWh, stepWh } = display;
	const typed = [typedImportWh, typedExportWh ?? 0];
	const isTyped = typed.every((wh) => Number.isSafeInteger(wh) && wh >= 0 && wh <= MAX_REGISTER_WH);
	if (!isTyped || !DISPLAY_STEPS_WH.has(stepWh)) return refused({ code: "bad-register" });
	if (doubt !== undefined || registers?.importWh === undefined) return refused({ code: "register-unknown" });
	const toleranceWh = Math.max(stepWh, registers.stepWh);
	const importWh = { displayWh: typedImportWh, registerWh: registers.importWh };
	if (!isSame(importWh, toleranceWh, since.importWh)) {
		return refused({ code: "register-differs", direction: "import", ...importWh });
	}
	if (!needsExport({ registers })) return ok({ atMs, importWh });
	if (typedExportWh === undefined) return refused({ code: "bad-register" });
	const exportWh = { displayWh: typedExportWh, registerWh: registers.exportWh ?? 0 };
	if (!isSame(exportWh, toleranceWh, since.exportWh)) {
		return refused({ code: "register-differs", direction: "export", ...exportWh });
	}
	return ok({ atMs, importWh, exportWh });
}

function isSame({ displayWh, registerWh }: ComparedRegister, toleranceWh: number, sinceWh: number): boolean {
	return displayWh >= registerWh - toleranceWh && displayWh <= registerWh + sinceWh + toleranceWh;
}

/** Whether the display's figure for what flowed out is asked for as well. */
function needsExport({ registers }: Pick<MeterView, "registers">): boolean {
	return (registers?.exportWh ?? 0) > 0;
}

/** What a device knows of its household. */
export interface OwnFirstWeek {
	readonly memory: FirstWeekMemory;
	readonly wordsKept: boolean;
	/** This device's readings count. */
	readonly isMetering: boolean;
	readonly meter: Pick<MeterView, "source" | "registers">;
	readonly minutes: Omit<HouseholdMinutesView, "member">;
	/** The chain's totals. */
	readonly totals: { readonly issuedMicroNok: number; readonly paidOutMicroNok: number };
}

/** A household's points. One whose meter is no part of this has no register to compare, and no minutes to wait for. */
export function firstWeekOf({ isMetering, memory, meter, minutes, totals, wordsKept }: OwnFirstWeek): FirstWeekView {
	const meters = isMetering ? meter.source !== "none" || minutes.have > 0 : minutes.meters;
	const { meters: _, ...counted } = minutes;
	const register = meters ? { register: registerPoint(isMetering, memory, meter) } : {};
	const isWhole = memory.minutesMs !== undefined || counted.have >= counted.needed;
	const day = meters ? { minutes: { ...counted, isWhole } } : {};
	const isGreen = wordsKept && (!meters || (isWhole && memory.register !== undefined));
	return { ...register, ...day, wordsKept, test: testOf(totals), isGreen };
}

function registerPoint(
	isMetering: boolean,
	{ register: compared }: FirstWeekMemory,
	{ registers, source }: OwnFirstWeek["meter"],
): NonNullable<FirstWeekView["register"]> {
	if (compared !== undefined) return { state: "compared", ...compared };
	if (!isMetering) return { state: "elsewhere" };
	if (source === "simulated") return { state: "simulated" };
	return registers?.importWh === undefined
		? { state: "waiting" }
		: { state: "open", asksExport: needsExport({ registers }) };
}

/** A small test: something was issued and, not necessarily the same, paid out again. */
function testOf({ issuedMicroNok, paidOutMicroNok }: OwnFirstWeek["totals"]): FirstWeekView["test"] {
	if (issuedMicroNok === 0) return "none";
	return paidOutMicroNok === 0 ? "in" : "inAndOut";
}

export type FirstWeekRefusal =
	/** Of this household: which points are open. */
	| { code: "first-week-open"; register: boolean; minutes: boolean; words: boolean }
	/** Of the neighbourhood: no trial kroner were ever issued; of real ones none was ever paid out again. */
	| { code: "first-week-no-issue" }
	| { code: "first-week-no-test" }
	/** Members (by name, after a comma) lack minutes. */
	| { code: "first-week-minutes-missing"; households: string };

/**
 * Whether an act with real kroner has to wait, and for what. `isTrial`: tokens are trial kroner, which nobody has to wait
 * for; what would end that has.
 */
export function firstWeekRefusal(
	command: Command,
	own: FirstWeekView,
	isTrial: boolean,
	lacking: () => readonly string[],
): FirstWeekRefusal | undefined {
	switch (command.type) {
		case "buy": {
			if (isTrial || command.amountMicroNok <= FREE_ORDER_MICRO_NOK) return undefined;
			const open = openPoints(own, false);
			if (open !== undefined) return open;
			// Trial kroner cannot be redeemed, so that the way out is tried with the first real ones.
			return own.test === "inAndOut" ? undefined : { code: "first-week-no-test" };
		}
		case "moneyConfirm":
			return openPoints(own, true);
		case "money": {
			// What was proposed can be taken back at any time.
			if (command.proposed === undefined) return undefined;
			// Who proposes it agrees to it.
			const open = openPoints(own, true);
			if (open !== undefined) return open;
			if (own.test === "none") return { code: "first-week-no-issue" };
			const names = lacking();
			return names.length === 0 ? undefined : { code: "first-week-minutes-missing", households: names.join(", ") };
		}
		default:
			return undefined;
	}
}

/** `atMeter`: it has to be done where the register was compared; a phone orders without. */
function openPoints({ minutes, register, wordsKept }: FirstWeekView, atMeter: boolean): FirstWeekRefusal | undefined {
	const isCompared = register === undefined || register.state === "compared";
	const open = {
		register: !isCompared && (atMeter || register.state !== "elsewhere"),
		minutes: minutes?.isWhole === false,
		words: !wordsKept,
	};
	return open.register || open.minutes || open.words ? { code: "first-week-open", ...open } : undefined;
}
