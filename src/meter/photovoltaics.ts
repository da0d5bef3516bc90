/** Power of solar panels from the sun's place and how clear the sky is. A model, hence in floating point. */

export interface PhotovoltaicPlant {
	latitudeDegrees: number;
	longitudeDegrees: number;
	/** Power under standard test conditions. */
	peakW: number;
	/** 0 lies flat, 90 stands upright. */
	tiltDegrees: number;
	/** 0 looks south, 90 west, −90 east. */
	azimuthDegrees: number;
}

const SOLAR_CONSTANT_W_M2 = 1367;
const STANDARD_IRRADIANCE_W_M2 = 1000;
/** Inverter, heat, dirt and snow. */
const PERFORMANCE_RATIO = 0.85;
const GROUND_ALBEDO = 0.2;
const MS_PER_DAY = 86_400_000;
const DEGREE = Math.PI / 180;

/** Power in W at a time (ms UTC). `clearness` is the part of a clear sky's light that comes through, 0 … 1. */
export function photovoltaicPowerW(plant: PhotovoltaicPlant, timestampMs: number, clearness: number): number {
	const { declination, hourAngle, dayAngle } = sunAt(timestampMs, plant.longitudeDegrees);
	const latitude = plant.latitudeDegrees * DEGREE;
	const tilt = plant.tiltDegrees * DEGREE;
	const azimuth = plant.azimuthDegrees * DEGREE;
	const cosZenith =
		Math.sin(latitude) * Math.sin(declination) + Math.cos(latitude) * Math.cos(declination) * Math.cos(hourAngle);
	if (cosZenith <= 0) return 0;

	// Haurwitz (1945): global irradiance under a clear sky.
	const global = clearness * 1098 * cosZenith * Math.exp(-0.059 / cosZenith);
	const extraterrestrial = SOLAR_CONSTANT_W_M2 * (1 + 0.033 * Math.cos(dayAngle)) * cosZenith;
	const diffuse = global * diffuseFraction(airmassIndependent(global / extraterrestrial, cosZenith));
	const beam = global - diffuse;

	// Duffie & Beckman (2013) eq. 1.6.2, the angle between the beam and the tilted panel's normal.
	const cosIncidence =
		Math.sin(declination) * Math.sin(latitude) * Math.cos(tilt) -
		Math.sin(declination) * Math.cos(latitude) * Math.sin(tilt) * Math.cos(azimuth) +
		Math.cos(declination) * Math.cos(latitude) * Math.cos(tilt) * Math.cos(hourAngle) +
		Math.cos(declination) * Math.sin(latitude) * Math.sin(tilt) * Math.cos(azimuth) * Math.cos(hourAngle) +
		Math.cos(declination) * Math.sin(tilt) * Math.sin(azimuth) * Math.sin(hourAngle);
	const onPanel =
		beam * (Math.max(0, cosIncidence) / Math.max(cosZenith, LOWEST_COS_ZENITH)) +
		(diffuse * (1 + Math.cos(tilt))) / 2 +
		(GROUND_ALBEDO * global * (1 - Math.cos(tilt))) / 2;
	return (plant.peakW * PERFORMANCE_RATIO * onPanel) / STANDARD_IRRADIANCE_W_M2;
}

/** Below 3° the beam comes through trees and houses, and the division by cos z would make a flash of light of it. */
const LOWEST_COS_ZENITH = Math.sin(3 * DEGREE);

/** Spencer (1971): declination and equation of time as Fourier series of the day's angle. */
function sunAt(timestampMs: number, longitudeDegrees: number) {
	const yearStartMs = Date.UTC(new Date(timestampMs).getUTCFullYear(), 0, 1);
	const dayAngle = (2 * Math.PI * Math.floor((timestampMs - yearStartMs) / MS_PER_DAY)) / 365;
	const declination =
		0.006918 -
		0.399912 * Math.cos(dayAngle) +
		0.070257 * Math.sin(dayAngle) -
		0.006758 * Math.cos(2 * dayAngle) +
		0.000907 * Math.sin(2 * dayAngle) -
		0.002697 * Math.cos(3 * dayAngle) +
		0.00148 * Math.sin(3 * dayAngle);
	const equationOfTimeMinutes =
		229.18 *
		(0.000075 +
			0.001868 * Math.cos(dayAngle) -
			0.032077 * Math.sin(dayAngle) -
			0.014615 * Math.cos(2 * dayAngle) -
			0.04089 * Math.sin(2 * dayAngle));
	const solarMinutes = (timestampMs % MS_PER_DAY) / 60_000 + 4 * longitudeDegrees + equationOfTimeMinutes;
	return { declination, dayAngle, hourAngle: (solarMinutes / 4 - 180) * DEGREE };
}

/**
 * Perez et al. (1990): the clearness index as it would be with the sun high. Light is lost on the long way of a low sun
 * without any cloud; in Norway's winter the plain index would take every clear day for an overcast one.
 */
function airmassIndependent(clearnessIndex: number, cosZenith: number): number {
	// Kasten (1966): relative optical air mass.
	const elevationDegrees = 90 - Math.acos(Math.min(1, cosZenith)) / DEGREE;
	const airMass = 1 / (cosZenith + 0.15 * (elevationDegrees + 3.885) ** -1.253);
	return clearnessIndex / (1.031 * Math.exp(-1.4 / (0.9 + 9.4 / airMass)) + 0.1);
}

/** Erbs, Klein & Duffie (1982): how much of the light is diffuse, by the clearness index (global ÷ extraterrestrial). */
function diffuseFraction(clearnessIndex: number): number {
	const k = clearnessIndex;
	if (k <= 0.22) return 1 - 0.09 * k;
	if (k > 0.8) return 0.165;
	return 0.9511 - 0.1604 * k + 4.388 * k ** 2 - 16.638 * k ** 3 + 12.336 * k ** 4;
}
