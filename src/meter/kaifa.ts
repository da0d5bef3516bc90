/**
 * Kaifa's HAN lists in Norway ("KFM_001", Kaifa/Nuri OBIS list information, NVE 2016). They are positional: no OBIS codes,
 * the number of items says what they are. (In Sweden it sends codes: obisList.ts.)
 *
 *     1        P+
 *     9, 14    version, meter id, meter type, P+, P−, Q+, Q−, I, U                       (one phase)
 *     13, 18   version, meter id, meter type, P+, P−, Q+, Q−, I1, I2, I3, U1, U2, U3     (three phases)
 *     14, 18   … and clock, A+, A−, R+, R−                                               (list 3, hourly, hh:00:10)
 *
 * P in W, Q in var, I in mA, U in 0.1 V, A in Wh, R in varh.
 */
import { clockText, type DataNotification, type DlmsValue, isItems, printableText } from "./dlms.js";
import { toMilli } from "./quantities.js";
import type { TelegramEvent } from "./telegram.js";

const VERSION_PREFIX = "KFM_";
const REGISTER_ITEMS = 5;
const MILLI = 1_000;

/** The telegram in a notification, or undefined if it is no list of Kaifa's. */
export function kaifaTelegram(notification: DataNotification): TelegramEvent | undefined {
	const items = notification.body;
	if (!isItems(items)) return undefined;
	switch (items.length) {
		case 1:
			return powerList(items, notification);
		case 9:
		case 13:
			return fullList(items, 2, notification.messageClock);
		case 14:
		case 18:
			return registerList(items, notification);
		default:
			return undefined;
	}
}

function powerList(items: readonly DlmsValue[], { messageClock }: DataNotification): TelegramEvent | undefined {
	const [importW] = items;
	if (!isUnsigned(importW)) return undefined;
	return {
		kind: "telegram",
		format: "han-kaifa",
		list: 1,
		importMilliW: importW * MILLI,
		...named("meterClock", messageClock),
	};
}

function fullList(items: readonly DlmsValue[], list: 2 | 3, meterClock: string | undefined): TelegramEvent | undefined {
	const [version, meterId, meterType, ...quantities] = items;
	if (printableText(version)?.startsWith(VERSION_PREFIX) !== true) return undefined;
	if (!quantities.every(isUnsigned)) return undefined;
	const [importW = 0, exportW = 0] = quantities;
	return {
		kind: "telegram",
		format: "han-kaifa",
		list,
		importMilliW: importW * MILLI,
		exportMilliW: exportW * MILLI,
		...named("meterId", printableText(meterId)),
		...named("meterType", printableText(meterType)),
		...named("meterClock", meterClock),
	};
}

function registerList(items: readonly DlmsValue[], { messageClock }: DataNotification): TelegramEvent | undefined {
	const [clock, importWh, exportWh, ...reactive] = items.slice(-REGISTER_ITEMS);
	if (!(clock instanceof Uint8Array) || !isUnsigned(importWh) || !isUnsigned(exportWh)) return undefined;
	if (!reactive.every(isUnsigned)) return undefined;
	const telegram = fullList(items.slice(0, -REGISTER_ITEMS), 3, clockText(clock) ?? messageClock);
	if (telegram === undefined) return undefined;
	const registers = { importMilliWh: importWh * MILLI, exportMilliWh: exportWh * MILLI };
	return { ...telegram, ...registers, registerStepMilliWh: MILLI, ...named("sentClock", messageClock) };
}

function isUnsigned(value: DlmsValue | undefined): value is number {
	return typeof value === "number" && value >= 0 && toMilli(value, 0) !== undefined;
}

/** A property that is absent where there is no value. */
function named<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
	return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
