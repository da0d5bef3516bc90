/**
 * The meter of a simulated household: what it sends, byte by byte, so that a demo and the tests go through the same
 * decoders as a real port. Which make it is follows from the seed; its registers move by what the household uses.
 */
import { assert } from "../primitives/assert.js";
import { divideFloor } from "../primitives/units.js";
import { between, hash32 } from "./hashNoise.js";
import { encodeKaifa } from "./kaifaEncoder.js";
import { encodeAidon, encodeAidonPower, encodeKamstrup } from "./obisListEncoder.js";
import { osloClock } from "./osloTime.js";
import { encodeP1 } from "./p1Encoder.js";
import type { SimulatedHousehold } from "./simulatedHousehold.js";
import { encodeSml } from "./smlEncoder.js";

export interface SimulatedMeter {
	/** OBIS 0-0:96.1.0 in its telegrams. Those of P1 have none. */
	readonly meterId: string;
	/**
	 * What it sends from `fromMs` until before `untilMs`, at whole multiples of `stepMs`, which divides 10 s. Time goes
	 * forward only; what is left out between two calls its registers count all the same. A demo whose clock runs 60 times
	 * faster takes 10,000.
	 */
	bytesBetween(fromMs: number, untilMs: number, stepMs: number): { atMs: number; bytes: Uint8Array }[];
}

/** What a meter knows at a moment. */
interface Moment {
	atMs: number;
	/** Its clock, local time. */
	meterClock: string;
	importW: number;
	exportW: number;
	/** Tenths of a Wh. */
	importDeciWh: number;
	exportDeciWh: number;
}

interface Make {
	idOf(serial: string): string;
	/** What it sends at a moment; undefined: nothing. */
	speak(moment: Moment, meterId: string): Uint8Array | undefined;
}

const FULL_INTERVAL_MS = 10_000;
const MS_PER_HOUR = 3_600_000;
const DECI_PER_WH = 10;
/** Aidon's and Kamstrup's registers on the HAN port move by so much. */
const COARSE_STEP_WH = 10;
const VOLTAGE_DECI_V = 2_300;
/** Two powers over so many ms are a tenth of a Wh: half of 360,000 W·ms. */
const HALF_W_MS_PER_DECI_WH = 720_000;
/** Time without a listener is integrated in at most so many steps. */
const MAX_UNHEARD_STEPS = 1_000;
/** When it was put up; until it is listened to it has counted its household's mean power. */
const INSTALLED_MS = Date.UTC(2020, 0, 1);
/** Independent random series of a meter; its household's are below. */
const STREAM = { make: 100, serial: 101, meanPower: 102 };

/** Makes the meter of a household of this seed (any integer), which begins to be listened to at `sinceMs`. */
export function createSimulatedMeter(seed: number, household: SimulatedHousehold, sinceMs: number): SimulatedMeter {
	const make = MAKES[hash32(seed, STREAM.make, 0) % MAKES.length];
	assert(make !== undefined, "a seed has a make");
	const meterId = make.idOf(String(hash32(seed, STREAM.serial, 0) % 10_000_000).padStart(7, "0"));
	const hours = Math.max(0, divideFloor(sinceMs - INSTALLED_MS, MS_PER_HOUR));
	const meanW = Math.round(between(seed, STREAM.meanPower, 0, 900, 2_000));
	let standsMs = sinceMs;
	let power = household.powerAt(sinceMs);
	let importHalfWMs = hours * meanW * DECI_PER_WH * HALF_W_MS_PER_DECI_WH;
	let exportHalfWMs = 0;

	const moveTo = (atMs: number) => {
		const next = household.powerAt(atMs);
		importHalfWMs += (power.importW + next.importW) * (atMs - standsMs);
		exportHalfWMs += (power.exportW + next.exportW) * (atMs - standsMs);
		standsMs = atMs;
		power = next;
	};

	const moment = (): Moment => ({
		atMs: standsMs,
		meterClock: osloClock(standsMs),
		...power,
		importDeciWh: divideFloor(importHalfWMs, HALF_W_MS_PER_DECI_WH),
		exportDeciWh: divideFloor(exportHalfWMs, HALF_W_MS_PER_DECI_WH),
	});

	return {
		meterId,
		bytesBetween(fromMs, untilMs, stepMs) {
			assert(Number.isSafeInteger(stepMs) && stepMs > 0 && FULL_INTERVAL_MS % stepMs === 0, `${stepMs} ms is a step`);
			assert(fromMs >= standsMs, `${fromMs} is not before ${standsMs}`);
			const unheardMs = Math.max(FULL_INTERVAL_MS, Math.ceil((fromMs - standsMs) / MAX_UNHEARD_STEPS));
			while (standsMs < fromMs) moveTo(Math.min(fromMs, standsMs + unheardMs));
			const sent: { atMs: number; bytes: Uint8Array }[] = [];
			for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs < untilMs; atMs += stepMs) {
				moveTo(atMs);
				const bytes = make.speak(moment(), meterId);
				if (bytes !== undefined) sent.push({ atMs, bytes });
			}
			return sent;
		},
	};
}

// ── the makes ────────────────────────────────────────────────────────────────────────────────────────────────────

/** List 1 every 2 s, list 2 every 10 s, list 3 at ten seconds past the hour. */
const KAIFA: Make = {
	idOf: (serial) => `697063140${serial}`,
	speak(moment, meterId) {
		const { importW, exportW, meterClock } = moment;
		if (!isFull(moment)) return encodeKaifa({ list: 1, importW, meterClock });
		const currentMilliA = Math.round(((importW + exportW) * 10_000) / (3 * VOLTAGE_DECI_V));
		const phase = { currentMilliA, voltageDeciV: VOLTAGE_DECI_V };
		const ids = { meterId, meterType: "MA304H3E" };
		const list2 = { phases: [phase, phase, phase], ...ids, importW, exportW, meterClock } as const;
		if (!isHourly(moment, FULL_INTERVAL_MS)) return encodeKaifa({ list: 2, ...list2 });
		return encodeKaifa({ list: 3, ...list2, importWh: wh(moment.importDeciWh), exportWh: wh(moment.exportDeciWh) });
	},
};

/** List 1 every 2 s, list 2 every 10 s, list 3 on the hour. */
const AIDON: Make = {
	idOf: (serial) => `735999280${serial}`,
	speak(moment, meterId) {
		const { importW, exportW } = moment;
		if (!isFull(moment)) return encodeAidonPower(importW);
		return encodeAidon({ meterId, meterType: "6525", importW, exportW, ...coarseRegisters(moment, 0) });
	},
};

/** List 2 every 10 s, list 3 at ten seconds past the hour. */
const KAMSTRUP: Make = {
	idOf: (serial) => `570656700${serial}`,
	speak(moment, meterId) {
		if (!isFull(moment)) return undefined;
		const { importW, exportW, meterClock } = moment;
		const hourly = coarseRegisters(moment, FULL_INTERVAL_MS);
		return encodeKamstrup({ meterId, meterType: "6841121BN243101040", importW, exportW, meterClock, ...hourly });
	},
};

/** Norway's new meters: all of it every 10 s. */
const P1: Make = {
	idOf: (serial) => serial,
	speak(moment) {
		if (!isFull(moment)) return undefined;
		const { importW, exportW, meterClock } = moment;
		const registers = { importWh: wh(moment.importDeciWh), exportWh: wh(moment.exportDeciWh) };
		return encodeP1({ identification: "LGF5E360", meterClock, importW, exportW, ...registers });
	},
};

/** All of it every 2 s. */
const SML: Make = {
	idOf: (serial) => `0a01454d48000${serial}`,
	speak({ importW, exportW, importDeciWh, exportDeciWh }, meterId) {
		return encodeSml({ meterId, netCentiW: (importW - exportW) * 100, importDeciWh, exportDeciWh });
	},
};

const MAKES = [KAIFA, AIDON, KAMSTRUP, P1, SML];

function isFull({ atMs }: Moment): boolean {
	return atMs % FULL_INTERVAL_MS === 0;
}

/** Whether the hour's registers are sent now: so long after the hour. */
function isHourly({ atMs }: Moment, afterHourMs: number): boolean {
	return atMs % MS_PER_HOUR === afterHourMs;
}

function coarseRegisters(moment: Moment, afterHourMs: number) {
	if (!isHourly(moment, afterHourMs)) return {};
	const coarse = (deciWh: number) => divideFloor(wh(deciWh), COARSE_STEP_WH) * COARSE_STEP_WH;
	const { importDeciWh, exportDeciWh, meterClock } = moment;
	return { registers: { importWh: coarse(importDeciWh), exportWh: coarse(exportDeciWh), meterClock } };
}

function wh(deciWh: number): number {
	return divideFloor(deciWh, DECI_PER_WH);
}
