/** What decoding a meter costs, beside what its line can bring at most. */
import { performance } from "node:perf_hooks";
import { createMeterDecoder } from "../../src/meter/anyFormat.js";
import { encodeKaifa } from "../../src/meter/kaifaEncoder.js";
import { encodeAidon, encodeKamstrup } from "../../src/meter/obisListEncoder.js";
import { encodeP1 } from "../../src/meter/p1Encoder.js";
import { encodeSml } from "../../src/meter/smlEncoder.js";
import type { Figure } from "./bench.js";

const MEASURED_BYTES = 2_000_000;
const ROUNDS = 3;
/** Start, eight data bits, parity or none, stop. */
const BITS_PER_BYTE = 10;

const CLOCK = "2025-06-21T11:00:00";
const IDS = { meterId: "6970631401753985", meterType: "MA304H3E" };
const POWER = { importW: 1_234, exportW: 0 };

const METERS: Record<string, { baudRate: number; telegram: Uint8Array }> = {
	Kaifa: {
		baudRate: 2_400,
		telegram: encodeKaifa({
			...{ list: 2, meterClock: CLOCK, ...IDS, ...POWER },
			phases: [{ currentMilliA: 4_000, voltageDeciV: 2_320 }],
		}),
	},
	Aidon: { baudRate: 2_400, telegram: encodeAidon({ ...IDS, ...POWER }) },
	"Aidon with registers": {
		baudRate: 115_200,
		telegram: encodeAidon({
			...IDS,
			...POWER,
			registers: { importWh: 12_345_670, exportWh: 10, meterClock: CLOCK },
		}),
	},
	Kamstrup: { baudRate: 2_400, telegram: encodeKamstrup({ ...IDS, ...POWER, meterClock: CLOCK }) },
	P1: {
		baudRate: 115_200,
		telegram: encodeP1({ identification: "LGF5E360", meterClock: CLOCK, ...POWER, importWh: 12_345_678, exportWh: 9 }),
	},
	SML: {
		baudRate: 9_600,
		telegram: encodeSml({
			meterId: "0a01454d480000000001",
			netCentiW: 123_456,
			importDeciWh: 123_456,
			exportDeciWh: 9,
		}),
	},
};

/** MB/s of each format, format detection included, and which part of a core a full line takes. */
export function decoders(): Figure[] {
	return Object.entries(METERS).map(([name, { baudRate, telegram }]) => {
		let bestMs = Number.POSITIVE_INFINITY;
		const count = Math.ceil(MEASURED_BYTES / telegram.length);
		for (let round = 0; round < ROUNDS; round++) {
			const decoder = createMeterDecoder();
			const begin = performance.now();
			for (let i = 0; i < count; i++) decoder.push(telegram);
			bestMs = Math.min(bestMs, performance.now() - begin);
		}
		const bytesPerSecond = (count * telegram.length * 1_000) / bestMs;
		return {
			name: `decode, ${name}`,
			value: bytesPerSecond / 1_000_000,
			unit: "MB/s",
			ratio: { value: baudRate / BITS_PER_BYTE / bytesPerSecond, to: `a core, at ${baudRate} baud without a pause` },
		};
	});
}
