/** What a meter said, in plain words. */
import type { MeterEvent, MeterFormat, TelegramEvent } from "../meter/telegram.js";
import { divideFloor } from "../primitives/units.js";
import { formatKwh, formatPower } from "./format.js";
import { codeText } from "./lateText.svelte.js";
import { m } from "./paraglide/messages.js";

const MILLI = 1_000;

const FORMATS: Record<MeterFormat, () => string> = {
	"han-kaifa": m.format_han_kaifa,
	"han-aidon": m.format_han_aidon,
	"han-kamstrup": m.format_han_kamstrup,
	dlms: m.format_dlms,
	p1: m.format_p1,
	sml: m.format_sml,
	d0: m.format_d0,
};

/** By which language a meter speaks. */
export function formatName(format: MeterFormat): string {
	return FORMATS[format]();
}

/** One line of the log. */
export function telegramText(event: MeterEvent): string {
	if (event.kind === "dropped") return m.log_dropped({ reason: codeText(event.reason), bytes: event.bytes });
	const parts = valuesOf(event);
	return parts.length === 0 ? m.log_without_figures() : parts.join(" · ");
}

function valuesOf({ importMilliW, exportMilliW, importMilliWh, exportMilliWh }: TelegramEvent): string[] {
	const watt = (milli: number) => formatPower(divideFloor(milli, MILLI));
	const kwh = (milli: number) => formatKwh(divideFloor(milli, MILLI));
	return [
		importMilliW === undefined ? undefined : m.log_power_in({ power: watt(importMilliW) }),
		exportMilliW === undefined ? undefined : m.log_power_out({ power: watt(exportMilliW) }),
		importMilliWh === undefined ? undefined : m.log_register_in({ energy: kwh(importMilliWh) }),
		exportMilliWh === undefined ? undefined : m.log_register_out({ energy: kwh(exportMilliWh) }),
	].filter((part) => part !== undefined);
}
