import { describe, expect, it } from "vitest";
import { createMeterDecoder } from "../../../src/meter/anyFormat.js";
import type { MeterEvent, TelegramEvent } from "../../../src/meter/telegram.js";
import { type CapturedMessage, captureBytes, captures, capturesMissing } from "./captures.js";
import { pushInChunks } from "./telegrams.js";

const FIELDS = ["importMilliW", "exportMilliW", "importMilliWh", "exportMilliWh"] as const;
type Values = Pick<TelegramEvent, (typeof FIELDS)[number]>;

/** The reference's values by C.D.E, in thousandths of W and Wh. */
function milliOf({ obis = {} }: CapturedMessage): Map<string, number> {
	const values = new Map<string, number>();
	for (const [code, { value, unit }] of Object.entries(obis)) {
		const [, short] = /^1-[01]:(\d+\.\d+\.\d+)(?:[.*]255)?$/.exec(code) ?? [];
		// One meter sends its register without a unit, as text.
		const named = unit ?? (short?.includes(".8.") === true ? "kWh" : undefined);
		if (short === undefined || named === undefined || !/^k?Wh?$/.test(named)) continue;
		values.set(short, Math.round(Number(value) * (named.startsWith("k") ? 1_000_000 : 1_000) * 1e6) / 1e6);
	}
	return values;
}

function expectedOf(message: CapturedMessage): Values {
	const values = milliOf(message);
	const register = (direction: 1 | 2) => {
		const tariffs = [1, 2, 3, 4].flatMap((tariff) => values.get(`${direction}.8.${tariff}`) ?? []);
		return values.get(`${direction}.8.0`) ?? (tariffs.length > 0 ? tariffs.reduce((a, b) => a + b) : undefined);
	};
	// Without direction, of a meter that counts in one only.
	const net = values.get("16.7.0") ?? (register(2) === undefined ? values.get("15.7.0") : undefined);
	const power = (direction: 1 | 2) =>
		values.get(`${direction}.7.0`) ?? (net === undefined ? undefined : Math.max(direction === 1 ? net : -net, 0));
	const all = {
		importMilliW: power(1),
		exportMilliW: power(2),
		importMilliWh: register(1),
		exportMilliWh: register(2),
	};
	return Object.fromEntries(
		Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, Math.floor(value)]])),
	);
}

const valuesOf = (event: TelegramEvent): Values =>
	Object.fromEntries(FIELDS.flatMap((field) => (event[field] === undefined ? [] : [[field, event[field]]])));
const telegramsIn = (events: MeterEvent[]) => events.filter((event) => event.kind === "telegram");
const reasonsIn = (events: MeterEvent[]) => events.flatMap((event) => (event.kind === "dropped" ? [event.reason] : []));

/** Why there is nothing to read in those that are broken. */
const BROKEN: Readonly<Record<string, string>> = {
	"broken_kamstrup_bad_fcs.hex": "bad-frame-checksum",
	"broken_kamstrup_bytes_lost.hex": "bad-frame-checksum",
	"broken_aidon_truncated.hex": "cut-off",
	"broken_esmr50_anonymised_bad_crc.txt": "bad-frame-checksum",
	"broken_p1_kamstrup_bytes_lost.txt": "bad-frame-checksum",
	"broken_sml_easymeter_start.hex": "bad-frame-checksum",
};

describe.skipIf(capturesMissing)(
	`real meters' captures ${capturesMissing ? `(skipped: ${capturesMissing})` : ""}`,
	() => {
		it.each(captures())("$file: each telegram says what the reference decoder says, none else", (capture) => {
			const bytes = captureBytes(capture);
			const decoder = createMeterDecoder();
			const events = [...pushInChunks(decoder, bytes, capture.chunks ?? [bytes.length]), ...decoder.end()];
			const good = capture.messages.filter(({ crcOk }) => crcOk !== false);
			expect(good).toHaveLength(capture.validMessages);
			expect(telegramsIn(events).map(valuesOf)).toEqual(good.map(expectedOf));
			const named = good.map(({ meta, serverId, obis }) => {
				const names = {
					meterId: serverId ?? obis?.["0-0:96.1.0.255"]?.value,
					meterClock: meta?.clock ?? meta?.apdu_time,
				};
				return Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined));
			});
			expect(telegramsIn(events)).toMatchObject(named);
			const reason = BROKEN[capture.file];
			if (reason !== undefined) expect(reasonsIn(events)).toContain(reason);
			else expect(reasonsIn(events).filter((each) => each !== "noise")).toEqual([]);
			// However the bytes arrive.
			const again = createMeterDecoder();
			expect([...pushInChunks(again, bytes, [1, 7, 64]), ...again.end()]).toEqual(events);
		});
	},
);
