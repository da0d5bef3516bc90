import { describe, expect, it } from "vitest";
import { createMeterDecoder } from "../../src/meter/anyFormat.js";
import { createAsciiDecoder } from "../../src/meter/asciiTelegram.js";
import { createHanDecoder } from "../../src/meter/han.js";
import { encodeKaifa } from "../../src/meter/kaifaEncoder.js";
import { encodeAidon, encodeAidonPower, encodeKamstrup } from "../../src/meter/obisListEncoder.js";
import { encodeP1 } from "../../src/meter/p1Encoder.js";
import { createSmlDecoder } from "../../src/meter/sml.js";
import { encodeSml } from "../../src/meter/smlEncoder.js";
import type { MeterDecoder, TelegramEvent } from "../../src/meter/telegram.js";
import { createRandom, type Random } from "../support/xorshift.js";

/**
 * Millions of bytes of telegrams, mutated, cut, doubled and in noise: nothing may escape, no value may come that no
 * telegram said, and a good telegram after all of it is found. Damage that a 16-bit check lets through by chance is
 * counted, and has to be as rare as chance allows.
 */
const MUTATED_BYTES = Number(process.env.NABOSTROM_FUZZ_BYTES ?? 10_000_000);
/** As long as any telegram's header can say in two bytes of HDLC, of which these meters use a tenth. */
const LONGEST_TELEGRAM_BYTES = 2_048;
/** One in 2^16 of the damaged telegrams passes a 16-bit check; three times that, and something else is wrong. */
const CHANCE = 3 / 65_536;

interface Format {
	telegramOf(random: Random): Uint8Array;
	createDecoder(): MeterDecoder;
}

const CLOCK = "2025-06-21T11:00:00";
const IDS = { meterId: "6970631401753985", meterType: "MA304H3E" };

const FORMATS: Record<string, Format> = {
	Kaifa: {
		createDecoder: createHanDecoder,
		telegramOf: (random) =>
			random(2) === 0
				? encodeKaifa({ list: 1, importW: random(20_000), meterClock: CLOCK })
				: encodeKaifa({
						...{ list: 3, importW: random(20_000), exportW: random(20_000), meterClock: CLOCK, ...IDS },
						...{ importWh: random(2 ** 31), exportWh: random(2 ** 31) },
						phases: [{ currentMilliA: random(60_000), voltageDeciV: 2_320 }],
					}),
	},
	Aidon: {
		createDecoder: createHanDecoder,
		telegramOf: (random) =>
			random(2) === 0
				? encodeAidonPower(random(20_000))
				: encodeAidon({
						...{ importW: random(20_000), exportW: random(20_000), ...IDS },
						registers: { importWh: random(2 ** 27) * 10, exportWh: random(2 ** 27) * 10, meterClock: CLOCK },
					}),
	},
	Kamstrup: {
		createDecoder: createHanDecoder,
		telegramOf: (random) =>
			encodeKamstrup({
				...{ importW: random(20_000), exportW: random(20_000), meterClock: CLOCK, ...IDS },
				registers: { importWh: random(2 ** 27) * 10, exportWh: random(2 ** 27) * 10, meterClock: CLOCK },
			}),
	},
	P1: {
		createDecoder: createAsciiDecoder,
		telegramOf: (random) =>
			encodeP1({
				...{ identification: "LGF5E360", meterClock: CLOCK, importW: random(20_000), exportW: random(20_000) },
				...{ importWh: random(2 ** 31), exportWh: random(2 ** 31) },
			}),
	},
	SML: {
		createDecoder: createSmlDecoder,
		telegramOf: (random) =>
			encodeSml({
				...{ meterId: "0a01454d480000000001", netCentiW: random(2_000_000) - 1_000_000 },
				...{ importDeciWh: random(2 ** 31), exportDeciWh: random(2 ** 31) },
			}),
	},
};

/** A telegram with damage of one of many kinds. */
function damaged(telegram: Uint8Array, random: Random): Uint8Array {
	const bytes = Uint8Array.from(telegram);
	switch (random(6)) {
		case 0:
			for (let flips = 1 + random(4); flips > 0; flips--) {
				const at = random(bytes.length);
				bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
			}
			return bytes;
		case 1:
			for (let changes = 1 + random(8); changes > 0; changes--) bytes[random(bytes.length)] = random(256);
			return bytes;
		case 2:
			return bytes.subarray(0, 1 + random(bytes.length));
		case 3: {
			const from = random(bytes.length);
			const until = from + 1 + random(bytes.length - from);
			return Uint8Array.from([...bytes.subarray(0, from), ...bytes.subarray(until)]);
		}
		case 4: {
			const at = random(bytes.length);
			const noise = Array.from({ length: 1 + random(30) }, () => random(256));
			return Uint8Array.from([...bytes.subarray(0, at), ...noise, ...bytes.subarray(at)]);
		}
		default:
			return Uint8Array.from({ length: 1 + random(200) }, () => random(256));
	}
}

const valuesOf = ({ importMilliW, exportMilliW, importMilliWh, exportMilliWh }: TelegramEvent) =>
	`${importMilliW} ${exportMilliW} ${importMilliWh} ${exportMilliWh}`;

describe.each(Object.entries(FORMATS))("%s", (name, { telegramOf, createDecoder }) => {
	it.each(["its own decoder", "the one that finds the format"])(
		`survives ${(MUTATED_BYTES / 1_000_000).toFixed(0)} million damaged bytes (%s)`,
		(which) => {
			const random = createRandom(20_261_126);
			const create = which === "its own decoder" ? createDecoder : createMeterDecoder;
			let decoder = create();
			let bytes = 0;
			let cases = 0;
			let wrong = 0;
			let lost = 0;
			while (bytes < MUTATED_BYTES) {
				const said = new Set<string>();
				const pieces: Uint8Array[] = [];
				for (let count = 1 + random(4); count > 0; count--) {
					const telegram = telegramOf(random);
					for (const event of create().push(telegram)) if (event.kind === "telegram") said.add(valuesOf(event));
					pieces.push(random(4) === 0 ? telegram : damaged(telegram, random));
				}
				for (const piece of pieces) {
					const cut = random(piece.length + 1);
					for (const chunk of [piece.subarray(0, cut), piece.subarray(cut)]) {
						for (const event of decoder.push(chunk)) {
							if (event.kind === "telegram" && !said.has(valuesOf(event))) wrong += 1;
						}
					}
					bytes += piece.length;
				}
				cases += pieces.length;
				// Whatever was begun, it ends: a frame that was cut off waits for as much as its header says.
				const good = telegramOf(random);
				const count = Math.ceil(LONGEST_TELEGRAM_BYTES / good.length) + 1;
				const heard = Array.from({ length: count }, () => decoder.push(good)).flat();
				const [expected] = create().push(good);
				const isHeard = heard.some(
					(event) =>
						event.kind === "telegram" && expected?.kind === "telegram" && valuesOf(event) === valuesOf(expected),
				);
				if (!isHeard) {
					lost += 1;
					decoder = create();
				}
			}
			console.info(`${name}, ${which}: ${bytes} bytes, ${cases} telegrams, ${wrong} misread, ${lost} not found after`);
			expect(wrong).toBeLessThanOrEqual(Math.ceil(cases * CHANCE));
			// Damage may look like another meter's language once in as many; after 8 kB it is looked at anew.
			expect(lost).toBeLessThanOrEqual(which === "its own decoder" ? 0 : Math.ceil(cases * CHANCE));
		},
	);
});
