/**
 * DLMS lists in which each value has its OBIS code, in the two shapes that meters push: an array of structures {code,
 * value, {scaler, unit}} (Aidon, and most others), and one flat structure of codes and values (Kamstrup).
 *
 * Kamstrup in Norway sends no scalers (Kamstrup HAN-NVE interface description, 2017): powers in W, registers in 10 Wh.
 */
import { clockText, type DataNotification, type DlmsValue, isItems, printableText } from "./dlms.js";
import { Quantities } from "./quantities.js";
import type { MeterFormat, TelegramEvent } from "./telegram.js";

const OBIS_BYTES = 6;
const UNIT_W = 27;
const UNIT_WH = 30;
const KAMSTRUP_REGISTER_EXPONENT = 1;

interface ObisEntry {
	/** A-B:C.D.E, without F, which is 255 in what is pushed. */
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
	const text = (...codes: string[]) =>
		entries.flatMap(({ code, value }) => (codes.includes(code) ? [printableText(value)] : []))[0];
	const quantities = new Quantities();
	for (const entry of entries) addQuantity(quantities, entry, format);
	const fields = quantities.fields();
	if (fields === undefined) return undefined;
	const clock = entries.find(({ code }) => code === "0-0:1.0.0" || code === "0-1:1.0.0")?.value;
	const meterClock = (clock instanceof Uint8Array ? clockText(clock) : undefined) ?? messageClock;
	const meterId = text("0-0:96.1.0", "1-1:0.0.5", "1-0:0.0.5", "0-0:42.0.0");
	const meterType = text("0-0:96.1.7", "1-1:96.1.1", "0-0:96.1.1");
	return {
		kind: "telegram",
		format,
		...(format === "dlms" ? {} : { list: listOf(fields, meterId) }),
		...fields,
		...(meterId === undefined ? {} : { meterId }),
		...(meterType === undefined ? {} : { meterType }),
		...(meterClock === undefined ? {} : { meterClock }),
	};
}

function listOf(fields: Pick<TelegramEvent, "importMilliWh">, meterId: string | undefined): 1 | 2 | 3 {
	if (fields.importMilliWh !== undefined) return 3;
	return meterId === undefined ? 1 : 2;
}

/** The maker by the list's version text; Aidon's list 1 has none, and Aidon alone sends a power without it. */
function formatOf(body: readonly DlmsValue[], entries: readonly ObisEntry[]): MeterFormat {
	const version = printableText(body[0]) ?? printableText(entries.find(({ code }) => code === "1-1:0.2.129")?.value);
	if (version?.startsWith("Kamstrup_") === true) return "han-kamstrup";
	const isAlone = entries.length === 1 && entries[0]?.code === "1-0:1.7.0";
	return version?.startsWith("AIDON_") === true || isAlone ? "han-aidon" : "dlms";
}

function addQuantity(quantities: Quantities, { code, value, scaler }: ObisEntry, format: MeterFormat): void {
	const short = /^1-[01]:(16\.7\.0|[12]\.(?:7\.0|8\.[0-4]))$/.exec(code)?.[1];
	if (short === undefined || typeof value !== "number") return;
	const isEnergy = short.includes(".8.");
	if (scaler !== undefined) {
		if (scaler.unit === (isEnergy ? UNIT_WH : UNIT_W)) quantities.add(short, value, scaler.exponent);
	} else if (format === "han-kamstrup") {
		quantities.add(short, value, isEnergy ? KAMSTRUP_REGISTER_EXPONENT : 0);
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
	const [a, b, c, d, e] = value;
	return `${a}-${b}:${c}.${d}.${e}`;
}
