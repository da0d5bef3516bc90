/** Weather around Oslo, the same for every simulated household, so that a street has its clouds in common. */
import { autoregressive } from "./hashNoise.js";

const WEATHER_SEED = 0x05107;
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;
const DAYS_PER_YEAR = 365.2425;

const STREAM_TEMPERATURE = 1;
const STREAM_DAY_CLEARNESS = 2;
const STREAM_HOUR_CLEARNESS = 3;

/**
 * Outdoor temperature, °C. Normals for Oslo (Blindern, 1991–2020): 6.5 over the year, −2.3 in January, 17.7 in July;
 * around them spells of some days, and a day's swing that is wider in summer.
 */
export function temperatureCelsius(timestampMs: number): number {
	const day = timestampMs / MS_PER_DAY;
	// The coldest time is about 20 January, the warmest hour about 14 UTC.
	const season = -Math.cos((2 * Math.PI * (day - 20)) / DAYS_PER_YEAR);
	const hour = Math.cos(2 * Math.PI * (day - 14 / 24));
	return 6.5 + 10 * season + (3 + season) * hour + 3.5 * spells(timestampMs);
}

/** The part of a clear sky's light that comes through the clouds, 0.1 … 1: days and hours each an AR(1) series. */
export function clearness(timestampMs: number): number {
	return Math.min(1, Math.max(0.1, 0.67 + 0.25 * clearDays(timestampMs) + 0.25 * clearHours(timestampMs)));
}

const spells = series(STREAM_TEMPERATURE, MS_PER_DAY, 0.75);
const clearDays = series(STREAM_DAY_CLEARNESS, MS_PER_DAY, 0.5);
const clearHours = series(STREAM_HOUR_CLEARNESS, MS_PER_HOUR, 0.7);

/** An AR(1) series with a value every `stepMs`, and straight lines between. The line last asked for is remembered. */
function series(stream: number, stepMs: number, phi: number): (timestampMs: number) => number {
	let known = { index: Number.NaN, value: 0, next: 0 };
	return (timestampMs) => {
		const index = Math.floor(timestampMs / stepMs);
		if (index !== known.index) {
			const value = autoregressive(WEATHER_SEED, stream, index, phi);
			known = { index, value, next: autoregressive(WEATHER_SEED, stream, index + 1, phi) };
		}
		const part = timestampMs / stepMs - index;
		return (1 - part) * known.value + part * known.next;
	};
}
