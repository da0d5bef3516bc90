/**
 * A household that exists only as a formula: what it uses and produces at any time, by seed. For the demo, for tests,
 * and for who has no meter at hand; readings made of it are marked `simulated`.
 *
 * Every value is looked up (hashNoise.ts), so any moment can be asked for in any order, on any device, with the same
 * answer. Weather and appliances are modelled in floating point; what comes out is integer W.
 */
import { between, normal, uniform } from "./hashNoise.js";
import { type LocalTime, osloTime } from "./osloTime.js";
import { type PhotovoltaicPlant, photovoltaicPowerW } from "./photovoltaics.js";
import { clearness, temperatureCelsius } from "./simulatedWeather.js";

export type SimulatedProfile = "consumer" | "prosumer";

export interface SimulatedHousehold {
	/** What the meter shows at a time (ms UTC): whole W, one of the two is 0. */
	powerAt(timestampMs: number): { importW: number; exportW: number };
}

const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 3_600_000;
/** So often the load moves a little. */
const JITTER_INTERVAL_MS = 2_000;

/** Makes the household of a seed (any integer). */
export function createSimulatedHousehold(seed: number, profile: SimulatedProfile): SimulatedHousehold {
	const home = furnish(seed, profile);
	return {
		powerAt(timestampMs) {
			const produced = home.plant ? photovoltaicPowerW(home.plant, timestampMs, clearness(timestampMs)) : 0;
			const netW = Math.round(consumptionW(home, timestampMs) - produced);
			return { importW: Math.max(0, netW), exportW: Math.max(0, -netW) };
		},
	};
}

// ── the model ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Independent random series of one household. Those of the appliances follow from `appliances` on. */
const STREAM = {
	home: 1,
	plant: 2,
	jitter: 3,
	heating: 4,
	waterHeater: 5,
	vehicle: 6,
	appliances: 10,
};

interface Home {
	seed: number;
	standbyW: number;
	lightingW: number;
	fridgePhaseMinutes: number;
	/** Heat lost through walls and windows that electricity replaces, W per °C. */
	heatLossWPerCelsius: number;
	/** Absent: no electric car. */
	vehicleW?: number;
	plant?: PhotovoltaicPlant;
}

function furnish(seed: number, profile: SimulatedProfile): Home {
	const pick = (index: number, low: number, high: number) => between(seed, STREAM.home, index, low, high);
	const home: Home = {
		seed,
		standbyW: pick(0, 60, 140),
		lightingW: pick(1, 150, 350),
		fridgePhaseMinutes: pick(2, 0, FRIDGE_CYCLE_MINUTES),
		heatLossWPerCelsius: pick(3, 40, 120),
	};
	if (uniform(seed, STREAM.home, 4) < 0.35) home.vehicleW = uniform(seed, STREAM.home, 5) < 0.5 ? 3_600 : 7_200;
	if (profile === "prosumer") {
		home.plant = {
			latitudeDegrees: 59.91,
			longitudeDegrees: 10.75,
			peakW: between(seed, STREAM.plant, 0, 4_000, 9_000),
			tiltDegrees: between(seed, STREAM.plant, 1, 25, 42),
			azimuthDegrees: between(seed, STREAM.plant, 2, -40, 40),
		};
	}
	return home;
}

function consumptionW(home: Home, timestampMs: number): number {
	const time = osloTime(timestampMs);
	const total =
		home.standbyW +
		fridgeW(home, timestampMs) +
		lightingW(home, time, timestampMs) +
		heatingW(home, timestampMs) +
		waterHeaterW(home, time) +
		vehicleW(home, time) +
		APPLIANCES.reduce((sum, _, which) => sum + applianceW(home, which, timestampMs), 0);
	const jitter = normal(home.seed, STREAM.jitter, Math.floor(timestampMs / JITTER_INTERVAL_MS));
	return total * (1 + 0.005 * jitter) + 2 * jitter;
}

const FRIDGE_CYCLE_MINUTES = 50;

function fridgeW(home: Home, timestampMs: number): number {
	return (timestampMs / MS_PER_MINUTE + home.fridgePhaseMinutes) % FRIDGE_CYCLE_MINUTES < 18 ? 110 : 0;
}

function lightingW(home: Home, time: LocalTime, timestampMs: number): number {
	// Lamps burn longer in the dark half of the year: most at the winter solstice.
	const darkness = Math.cos((2 * Math.PI * (timestampMs / MS_PER_HOUR / 24 + 10)) / 365.2425);
	return home.lightingW * (0.75 + 0.25 * darkness) * activity(time.hour, time.weekday);
}

function heatingW(home: Home, timestampMs: number): number {
	const missing = Math.max(0, 17 - temperatureCelsius(timestampMs));
	// Thermostats do not agree: every ten minutes a little more or less of them are on.
	const thermostats = between(home.seed, STREAM.heating, Math.floor(timestampMs / (10 * MS_PER_MINUTE)), 0.75, 1.25);
	return home.heatLossWPerCelsius * missing * thermostats;
}

/** A 2-kW tank: warms up after the morning's and the evening's showers, and keeps warm in short cycles between. */
function waterHeaterW(home: Home, time: LocalTime): number {
	const pick = (which: number, low: number, high: number) =>
		between(home.seed, STREAM.waterHeater, 16 * time.day + which, low, high);
	const morning = pick(0, 6.5, time.weekday < 5 ? 8 : 10.5);
	const evening = pick(1, 19.5, 22);
	if (time.hour >= morning && time.hour < morning + pick(2, 0.6, 1.5)) return 2_000;
	if (time.hour >= evening && time.hour < evening + pick(3, 0.5, 1.3)) return 2_000;
	const slot = Math.floor(time.hour / 3);
	const start = 3 * slot + pick(4 + slot, 0, 2.8);
	return time.hour >= start && time.hour < start + 0.2 ? 2_000 : 0;
}

/** Charged on every other day or so, from the evening on. */
function vehicleW(home: Home, time: LocalTime): number {
	if (home.vehicleW === undefined) return 0;
	for (const day of [time.day, time.day - 1]) {
		if (uniform(home.seed, STREAM.vehicle, 4 * day) > 0.55) continue;
		const start = between(home.seed, STREAM.vehicle, 4 * day + 1, 17, 23.5);
		const hours = between(home.seed, STREAM.vehicle, 4 * day + 2, 1, 4);
		const sinceStart = (time.day - day) * 24 + time.hour - start;
		if (sinceStart >= 0 && sinceStart < hours) return home.vehicleW;
	}
	return 0;
}

/** Used so often a day (a Poisson process that follows the activity in the house), each time for so long. */
const APPLIANCES: readonly { powerW: number; minutes: number; timesPerDay: number }[] = [
	{ powerW: 2_000, minutes: 3, timesPerDay: 4 }, // kettle
	{ powerW: 1_400, minutes: 22, timesPerDay: 2 }, // cooker
	{ powerW: 2_200, minutes: 35, timesPerDay: 0.6 }, // oven
	{ powerW: 1_000, minutes: 75, timesPerDay: 0.8 }, // dishwasher
	{ powerW: 700, minutes: 95, timesPerDay: 0.6 }, // washing machine
	{ powerW: 900, minutes: 8, timesPerDay: 1.5 }, // microwave oven, vacuum cleaner
	{ powerW: 130, minutes: 150, timesPerDay: 2.5 }, // television, computer
];

function applianceW(home: Home, which: number, timestampMs: number): number {
	const appliance = APPLIANCES[which];
	if (appliance === undefined) return 0;
	const stream = STREAM.appliances + which;
	const hour = Math.floor(timestampMs / MS_PER_HOUR);
	const durationMs = appliance.minutes * MS_PER_MINUTE;
	let running = 0;
	for (let from = hour - Math.ceil(durationMs / MS_PER_HOUR); from <= hour; from++) {
		const uses = usesInHour(home, stream, from, appliance.timesPerDay);
		for (let use = 1; use <= uses; use++) {
			const startMs = (from + uniform(home.seed, stream, 4 * from + use)) * MS_PER_HOUR;
			if (timestampMs >= startMs && timestampMs < startMs + durationMs) running += 1;
		}
	}
	return running * appliance.powerW;
}

const MAX_USES_PER_HOUR = 3;

function usesInHour(home: Home, stream: number, hour: number, timesPerDay: number): number {
	const { hour: localHour, weekday } = osloTime(hour * MS_PER_HOUR);
	const expected = (timesPerDay * activity(localHour + 0.5, weekday)) / DAILY_ACTIVITY_HOURS;
	// The Poisson distribution's inverse: how often, for one evenly spread number.
	let left = uniform(home.seed, stream, 4 * hour) - Math.exp(-expected);
	let probability = Math.exp(-expected);
	let uses = 0;
	while (left > 0 && uses < MAX_USES_PER_HOUR) {
		uses += 1;
		probability *= expected / uses;
		left -= probability;
	}
	return uses;
}

/** How much goes on in the house, 0.08 … about 1: people get up at seven (nine at weekends) and cook at half past five. */
function activity(hour: number, weekday: number): number {
	const isWeekend = weekday >= 5;
	const bump = (at: number, width: number) => Math.exp(-(((hour - at) / width) ** 2) / 2);
	const morning = isWeekend ? bump(9.5, 1.6) : bump(7, 0.9);
	const daytime = (isWeekend ? 0.45 : 0.2) * bump(13, 2.5);
	const evening = bump(17.5, 1.2) + 0.85 * bump(20.5, 1.8);
	return 0.08 + 0.6 * morning + daytime + 0.7 * evening;
}

/** The activity of a day, summed over its hours. Weekday and weekend differ by little. */
const DAILY_ACTIVITY_HOURS = 10;
