/**
 * Numbers, money and times as people read them. Amounts arrive as integers (µNOK, Wh, W) and are rounded half away from
 * zero in integers, then handed to `Intl` as decimal strings: no floating point on the way.
 */
import { type DecimalString, decimalString } from "../primitives/decimal.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE } from "../primitives/units.js";
import { intlTag, locale } from "./locale.svelte.js";
import { m } from "./paraglide/messages.js";

export const TIME_ZONE = "Europe/Oslo";

const formats = new Map<string, Intl.NumberFormat>();
const timeFormats = new Map<string, Intl.DateTimeFormat>();

/** µNOK as `1 234,50 kr` / `NOK 1,234.50`. */
export function formatKroner(amountMicroNok: number): string {
	return number({ style: "currency", currency: "NOK" }).format(decimalString(amountMicroNok, 6, 2));
}

/** µNOK with a sign in front, for what came in and went out. */
export function formatSignedKroner(amountMicroNok: number): string {
	const format = number({ style: "currency", currency: "NOK", signDisplay: "exceptZero" });
	return format.format(decimalString(amountMicroNok, 6, 2));
}

/** µNOK in kroner without the unit: two decimals, or all six. */
export function formatKronerNumber(amountMicroNok: number, decimals: 2 | 6 = 2): string {
	return decimalNumber(decimalString(amountMicroNok, 6, decimals), decimals);
}

/** Wh as `640 Wh` or `8,42 kWh`. */
export function formatEnergy(energyWh: number): string {
	if (Math.abs(energyWh) < 1000) return `${number({}).format(energyWh)}\u00a0Wh`;
	return `${decimalNumber(decimalString(energyWh, 3, 2), 2)}\u00a0kWh`;
}

/** Wh always as kWh, so that the figures of a list can be compared. */
export function formatKwh(energyWh: number): string {
	return `${decimalNumber(decimalString(energyWh, 3, 2), 2)}\u00a0kWh`;
}

/** Wh in kWh without the unit, to the Wh. */
export function formatKwhNumber(energyWh: number): string {
	return decimalNumber(decimalString(energyWh, 3, 3), 3);
}

/** W as `640 W` or `3,42 kW`. */
export function formatPower(powerW: number): string {
	if (Math.abs(powerW) < 1000) return `${number({}).format(powerW)}\u00a0W`;
	return `${decimalNumber(decimalString(powerW, 3, 2), 2)}\u00a0kW`;
}

/** W on an axis, without zeros at the end: `500 W`, `1 kW`, `2,5 kW`. */
export function formatAxisPower(powerW: number): string {
	if (Math.abs(powerW) < 1000) return formatPower(powerW);
	return `${number({ maximumFractionDigits: 2 }).format(decimalString(powerW, 3, 2))}\u00a0kW`;
}

/** Wh on an axis, without zeros at the end: `0 kWh`, `2,5 kWh`. */
export function formatAxisKwh(energyWh: number): string {
	return `${number({ maximumFractionDigits: 2 }).format(decimalString(energyWh, 3, 2))}\u00a0kWh`;
}

/** µNOK on an axis: `0 kr`, `2,5 kr`. */
export function formatAxisKroner(amountMicroNok: number): string {
	return `${number({ maximumFractionDigits: 2 }).format(decimalString(amountMicroNok, 6, 2))}\u00a0${m.unit_kr()}`;
}

/** µNOK/Wh as øre/kWh without the unit; 10 µNOK/Wh are 1 øre/kWh. */
export function formatOreNumber(priceMicroNokPerWh: number): string {
	return decimalNumber(decimalString(priceMicroNokPerWh, 1, 1), 1);
}

/** µNOK/Wh as øre/kWh for a text field: no spaces between thousands, no zero at the end. */
export function oreInput(priceMicroNokPerWh: number): string {
	return inLocale(decimalString(priceMicroNokPerWh, 1, 1).replace(/\.0$/, ""));
}

/** µNOK in kroner for a text field: no spaces between thousands, rounded to the øre. */
export function kronerInput(amountMicroNok: number): string {
	return inLocale(decimalString(amountMicroNok, 6, 2));
}

/** Wh in kWh for a text field, to the Wh. */
export function kwhInput(energyWh: number): string {
	return inLocale(decimalString(energyWh, 3, 3));
}

function inLocale(decimal: string): string {
	return locale() === "nb" ? decimal.replace(".", ",") : decimal;
}

/** µNOK/Wh as `118,4 øre/kWh`. */
export function formatPrice(priceMicroNokPerWh: number): string {
	return `${formatOreNumber(priceMicroNokPerWh)}\u00a0${m.unit_ore_per_kwh()}`;
}

/** µNOK per kWh (a saving) as `12,3 øre/kWh`, without a sign. */
export function formatSaving(savingMicroNokPerKwh: number): string {
	return `${decimalNumber(decimalString(Math.abs(savingMicroNokPerKwh), 4, 1), 1)}\u00a0${m.unit_ore_per_kwh()}`;
}

/** Bytes as `12,3 MB` or `1,2 GB`. */
export function formatBytes(bytes: number): string {
	if (bytes < 1_000_000_000) return `${decimalNumber(decimalString(bytes, 6, 1), 1)}\u00a0MB`;
	return `${decimalNumber(decimalString(bytes, 9, 1), 1)}\u00a0GB`;
}

/** Tenths of a percent as `12,3 %`. */
export function formatPerMille(perMille: number): string {
	return `${decimalNumber(decimalString(perMille, 1, 1), 1)}\u00a0%`;
}

export function formatCount(count: number): string {
	return number({}).format(count);
}

/** `12.06` */
export function formatTime(timestampMs: number): string {
	return time({ hour: "2-digit", minute: "2-digit" }).format(timestampMs);
}

/** `12:06:14` */
export function formatClock(timestampMs: number): string {
	return time({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(timestampMs);
}

/** `18. nov. 2026` */
export function formatDate(timestampMs: number): string {
	return time({ day: "numeric", month: "short", year: "numeric" }).format(timestampMs);
}

/** `november 2026` */
export function formatMonth(timestampMs: number): string {
	return time({ month: "long", year: "numeric" }).format(timestampMs);
}

/** `torsdag 18. juni 2026` */
export function formatLongDate(timestampMs: number): string {
	return time({ weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(timestampMs);
}

/** The days of two times: `15.–21. juni 2026`. */
export function formatRange(fromMs: number, untilMs: number): string {
	return time({ day: "numeric", month: "long", year: "numeric" }).formatRange(fromMs, untilMs);
}

/** `to. 18.` */
export function formatWeekday(timestampMs: number): string {
	return time({ weekday: "short", day: "numeric" }).format(timestampMs);
}

/** `T` for Tuesday or Thursday, where seven stand side by side. */
export function formatWeekdayLetter(timestampMs: number): string {
	return time({ weekday: "narrow" }).format(timestampMs);
}

/** `18. juni` */
export function formatDayMonth(timestampMs: number): string {
	return time({ day: "numeric", month: "long" }).format(timestampMs);
}

/** `18.` */
export function formatDayOfMonth(timestampMs: number): string {
	return time({ day: "numeric" }).format(timestampMs);
}

/** `juni` */
export function formatShortMonth(timestampMs: number): string {
	return time({ month: "short" }).format(timestampMs);
}

/** `18. nov., 12:06` */
export function formatDateTime(timestampMs: number): string {
	return time({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(timestampMs);
}

export function formatMinute(minute: number): string {
	return formatDateTime(minute * MS_PER_MINUTE);
}

/** So many minutes as days, hours or minutes, whichever says it shortest. */
export function formatMinutes(minutes: number): string {
	if (minutes >= 2 * MINUTES_PER_DAY) return m.span_days({ n: Math.ceil(minutes / MINUTES_PER_DAY) });
	return minutes >= 120 ? m.span_hours({ n: Math.ceil(minutes / 60) }) : m.span_minutes({ n: minutes });
}

/** A span of chain time in the unit that says most: `18 s`, `5 min`, `3 t`, `2 d`. */
export function formatAge(ageMs: number): string {
	const seconds = Math.max(0, Math.floor(ageMs / 1000));
	if (seconds < 120) return m.age_seconds({ n: seconds });
	const minutes = Math.floor(seconds / 60);
	if (minutes < 120) return m.age_minutes({ n: minutes });
	const hours = Math.floor(minutes / 60);
	return hours < 48 ? m.age_hours({ n: hours }) : m.age_days({ n: Math.floor(hours / 24) });
}

/** Hex in groups of four, to be compared by eye. */
export function formatHash(hex: string, groups = Number.POSITIVE_INFINITY): string {
	const all = hex.match(/.{1,4}/g) ?? [];
	return all.length > groups ? `${all.slice(0, groups).join(" ")} …` : all.join(" ");
}

function decimalNumber(value: DecimalString, decimals: number): string {
	return number({ minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
}

function number(options: Intl.NumberFormatOptions): Intl.NumberFormat {
	const tag = intlTag();
	const key = tag + JSON.stringify(options);
	const format = formats.get(key) ?? new Intl.NumberFormat(tag, options);
	formats.set(key, format);
	return format;
}

function time(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	const tag = intlTag();
	const key = tag + JSON.stringify(options);
	const format = timeFormats.get(key) ?? new Intl.DateTimeFormat(tag, { ...options, timeZone: TIME_ZONE });
	timeFormats.set(key, format);
	return format;
}
