/** Speaks as a P1 meter of Sweden and of Norway's new ones: the bytes that asciiTelegram.ts reads. */
import { assert } from "../primitives/assert.js";
import { crc16Arc } from "./crc16.js";

export interface P1Telegram {
	/** The maker's three letters, and something more. */
	identification: string;
	/** `YYYY-MM-DDThh:mm:ss`, local time, in this century. */
	meterClock: string;
	importW: number;
	exportW: number;
	importWh: number;
	exportWh: number;
}

const WHOLE_DIGITS = 8;
const POWER_DIGITS = 4;

/** One telegram with its check. */
export function encodeP1(telegram: P1Telegram): Uint8Array {
	assert(/^[A-Za-z]{3}[ "-.0-~]+$/.test(telegram.identification), "an identification is printable, without / and !");
	const stamp = telegram.meterClock.slice(2).replaceAll(/[-:T]/g, "");
	const body = [
		`/${telegram.identification}`,
		"",
		`0-0:1.0.0(${stamp}W)`,
		`1-0:1.8.0(${kilo(telegram.importWh, WHOLE_DIGITS)}*kWh)`,
		`1-0:2.8.0(${kilo(telegram.exportWh, WHOLE_DIGITS)}*kWh)`,
		`1-0:1.7.0(${kilo(telegram.importW, POWER_DIGITS)}*kW)`,
		`1-0:2.7.0(${kilo(telegram.exportW, POWER_DIGITS)}*kW)`,
		"!",
	].join("\r\n");
	const bytes = Uint8Array.from(body, (character) => character.charCodeAt(0));
	const check = crc16Arc(bytes).toString(16).toUpperCase().padStart(4, "0");
	return Uint8Array.from(`${body}${check}\r\n`, (character) => character.charCodeAt(0));
}

/** Thousands with three decimals. */
function kilo(value: number, digits: number): string {
	const text = String(value).padStart(digits + 3, "0");
	assert(/^\d+$/.test(text) && text.length === digits + 3, `${value} has ${digits} digits above three decimals`);
	return `${text.slice(0, -3)}.${text.slice(-3)}`;
}
