/**
 * DLMS lists in which each value has its OBIS code, in the two shapes that meters push: an array of structures {code,
 * value, {scaler, unit}} (Aidon, and most others), and one flat structure of codes and values (Kamstrup; Kaifa in Sweden).
 *
 * The flat ones have no scalers. Powers are in W; registers in Wh, but Kamstrup's in Norway in 10 Wh (Kamstrup HAN-NVE
 * interface description, 2017).
 */
import { clockText, type DataNotification, type DlmsValue, isItems, printableText } from "./dlms.js";
import { isQuantity, Quantities } from "./quantities.js";
import type { MeterFormat, TelegramEvent } from "./telegram.js";

const OBIS_BYTES = 6;
const UNIT_W = 27;
const UNIT_WH = 30;
/** The end of the type number of Kamstrup's Swedish meters, whose registers are in Wh. */
const KAMSTRUP_SWEDEN = "092";

interface ObisEntry {
	/** A-B:C.D.E of a current value: F is 255. */
	code: string;
	value: DlmsValue;
	/** Where the list gives one. */
	scaler?: { exponent: number; unit: number };
}

/** The telegram in a notification. Undefined: it is no such list, or says nothing of power and energy. */
export function obisTelegram({ body, messageClock }: DataNotification): TelegramEvent | undefined {
	if (!isItems(body)) return undefined;
	const entries = body.some(isItems) ? structuredEntries(body) : flatEntries(body);
	if (entries === undefined) return undefined;
	const format = formatOf(body, entries);
	const meterId = textOf(entries, ID_CODES);
	const meterType = textOf(entries, TYPE_CODES);
	const unscaled = unscaledExponents(format, meterType);
	const quantities = new Quantities();
	for (const entry of entries) addQuantity(quantities, entry, unscaled);
	const fields = quantities.fields();
	if (fields === undefined) return undefined;
	const clock = entries.find(({ code }) => code === "0-0:1.0.0" || code === "0-1:1.0.0")?.value;
	const ownClock = clock instanceof Uint8Array ? clockText(clock) : undefined;
	const meterClock = ownClock ?? messageClock;
	return {
		kind: "telegram",
		format,
		...(format === "dlms" ? {} : { list: listOf(fields, meterId) }),
		...fields,
		...(meterId === undefined ? {} : { meterId }),
		...(meterType === undefined ? {} : { meterType }),
		...(meterClock === undefined ? {} : { meterClock }),
		...(ownClock === undefined || messageClock === undefined ? {} : { sentClock: messageClock }),
	};
}

const ID_CODES = ["0-0:96.1.0", "1-1:0.0.5", "1-0:0.0.5", "0-0:42.0.0"];
const TYPE_CODES = ["0-0:96.1.7", "1-1:96.1.1", "0-0:96.1.1"];

/** The first text that has one of these codes. */
function textOf(entries: readonly ObisEntry[], codes: readonly string[]): string | undefined {
	for (const { code, value } of entries) {
		const text = codes.includes(code) ? printableText(value) : undefined;
		if (text !== undefined) return text;
	}
	return undefined;
}

function listOf(fields: Pick<TelegramEvent, "importMilliWh">, meterId: string | undefined): 1 | 2 | 3 {
	if (fields.importMilliWh !== undefined) return 3;
	return meterId === undefined ? 1 : 2;
}

/** The maker by the list's version text. Aidon's list 1 has none; another maker's like it means the same. */
function formatOf(body: readonly DlmsValue[], entries: readonly ObisEntry[]): MeterFormat {
	const version =
		printableText(body[0]) ?? printableText(entries.find(({ code }) => /^1-[01]:0\.2\.129$/.test(code))?.value);
	if (version?.startsWith("KFM_") === true) return "han-kaifa";
	if (version?.startsWith("Kamstrup_") === true) return "han-kamstrup";
	const isAlone = entries.length === 1 && entries[0]?.code === "1-0:1.7.0";
	return version?.startsWith("AIDON_") === true || isAlone ? "han-aidon" : "dlms";
}

/** In what a maker's values are that have no scalers of their own; undefined: nobody knows. */
function unscaledExponents(
	format: MeterFormat,
	meterType: string | undefined,
): { power: number; energy: number } | undefined {
	if (format === "han-kaifa") return { power: 0, energy: 0 };
	if (format !== "han-kamstrup") return undefined;
	return { power: 0, energy: meterType?.endsWith(KAMSTRUP_SWEDEN) === true ? 0 : 1 };
}

function addQuantity(
	quantities: Quantities,
	{ code, value, scaler }: ObisEntry,
	unscaled: { power: number; energy: number } | undefined,
): void {
	const short = /^1-[01]:(.*)$/.exec(code)?.[1];
	if (short === undefined || !isQuantity(short) || typeof value !== "number") return;
	const isEnergy = short.includes(".8.");
	if (scaler !== undefined) {
		if (scaler.unit === (isEnergy ? UNIT_WH : UNIT_W)) quantities.add(short, value, scaler.exponent);
	} else if (unscaled !== undefined) {
		quantities.add(short, value, isEnergy ? unscaled.energy : unscaled.power);
	}
}

/** {code, value} or {code, value, {scaler, unit}} each. */
function structuredEntries(body: readonly DlmsValue[]): ObisEntry[] | undefined {
	const entries: ObisEntry[] = [];
	for (const item of body) {
		if (item === null) continue;
		if (!isItems(item)) return undefined;
		const [obis, value, scaling] = item;
		const code = obisCode(obis);
		if (code === undefined || value === undefined) return undefined;
		const [exponent, unit] = isItems(scaling) ? scaling : [];
		const isScaled = typeof exponent === "number" && typeof unit === "number";
		entries.push({ code, value, ...(isScaled ? { scaler: { exponent, unit } } : {}) });
	}
	return entries;
}

/** A version text first; then code, value, code, value … with null in the place of both where a phase is absent. */
function flatEntries(body: readonly DlmsValue[]): ObisEntry[] | undefined {
	const entries: ObisEntry[] = [];
	for (let at = obisCode(body[0]) === undefined ? 1 : 0; at < body.length; at++) {
		if (body[at] === null) continue;
		const code = obisCode(body[at]);
		const value = body[at + 1];
		if (code === undefined || value === undefined) return undefined;
		entries.push({ code, value });
		at += 1;
	}
	return entries;
}

function obisCode(value: DlmsValue | undefined): string | undefined {
	if (!(value instanceof Uint8Array) || value.length !== OBIS_BYTES) return undefined;
	const [a, b, c, d, e, f] = value;
	// Others are of a past billing period.
	return f === 255 ? `${a}-${b}:${c}.${d}.${e}` : `${a}-${b}:${c}.${d}.${e}*${f}`;
}
