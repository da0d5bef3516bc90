/**
 * A meter's story from the click to the chain, told in real time: the short one and the long one differ in what the
 * meter says and for how long.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Reading } from "../../../src/block/reading.js";
import { expect as expectPage, until } from "./expect.js";
import { type Fed, feed, integrate, type MinuteEnergy, type TelegramAt } from "./kaifaFeed.js";
import { chainUpTo, connectMeter, foundAlone, meterCounts, openSerialHome, type SerialHome } from "./serialHome.js";

/** Registers the tests; where they cannot run, they are skipped and `missing` says why. */
export function tellSerialStory(
	title: string,
	options: { missing: string | undefined; wholeMinutes: number; telegramAt: TelegramAt },
): void {
	const { missing, wholeMinutes, telegramAt } = options;
	if (missing !== undefined) console.log(`skipped: ${title}: ${missing}`);

	describe.skipIf(missing !== undefined)(title, () => {
		let home: SerialHome;
		let fed: Fed;

		beforeAll(async () => {
			home = await openSerialHome();
		}, 120_000);

		afterAll(async () => {
			await home?.stop();
		}, 30_000);

		it("belongs to a household that founds its neighbourhood alone, and is connected by a click", async () => {
			await foundAlone(home);
			await connectMeter(home);
		}, 60_000);

		it(
			"has each whole minute on the chain within 1 Wh of its samples' own sum, whatever else is on the line",
			async () => {
				fed = await feed(home.port.toPort, wholeMinutes, telegramAt);
				const expected = integrate(fed.samples);
				expect(expected).toHaveLength(wholeMinutes);
				const compared = compare(expected, await chainUpTo(home.page, expected.at(-1)?.minute ?? 0));
				console.log(report(compared, fed));
				for (const direction of ["import", "export"] as const) {
					const differences = compared.map((each) => each[direction].differenceWh);
					for (const differenceWh of differences) expect(Math.abs(differenceWh)).toBeLessThanOrEqual(1);
					// What one minute rounds away, the next one brings.
					const sumWh = differences.reduce((sum, differenceWh) => sum + differenceWh, 0);
					expect(Math.abs(sumWh)).toBeLessThanOrEqual(1);
				}
				expect(compared.map(({ quality }) => quality)).toEqual(compared.map(() => "measured"));
			},
			(wholeMinutes + 2) * 60_000,
		);

		it("has its telegrams, the noise and the damaged frames counted on the screen", async () => {
			// The screen is drawn a little later than the last telegram came.
			const counts = await until(
				() => meterCounts(home.page),
				({ telegrams }) => telegrams >= fed.samples.length,
				10_000,
			);
			console.log(`the screen counts ${JSON.stringify(counts)}`);
			expect(counts).toEqual({
				telegrams: fed.samples.length,
				dropped: {
					// What comes after a header that cannot be trusted belongs to no frame.
					"Støy på linjen": fed.noises + fed.damagedHeaders,
					"Sjekksummen fra måleren stemmer ikke": fed.damagedHeaders + fed.damagedPowers,
				},
			});
			expect(fed.damagedHeaders).toBeGreaterThan(0);
			expect(fed.damagedPowers).toBeGreaterThan(0);
		}, 30_000);

		it("is said to be unplugged when it is", async () => {
			await home.port.unplug();
			await expectPage(home.page.getByText("Adapteren er koblet fra.")).visible();
		}, 30_000);
	});
}

/** A minute on the chain beside the same minute by the test's own count. */
interface Compared {
	minute: number;
	quality: Reading["quality"] | "missing";
	import: Difference;
	export: Difference;
}

interface Difference {
	chainWh: number;
	/** Chain minus count. */
	differenceWh: number;
}

function compare(expected: readonly MinuteEnergy[], readings: readonly Reading[]): Compared[] {
	return expected.map(({ minute, importWh, exportWh }) => {
		const found = readings.filter((reading) => reading.minute === minute);
		if (found.length > 1) throw new Error(`minute ${minute} is on the chain ${found.length} times`);
		const [reading] = found;
		return {
			minute,
			quality: reading?.quality ?? "missing",
			import: differenceOf(reading?.importWh, importWh),
			export: differenceOf(reading?.exportWh, exportWh),
		};
	});
}

/** A minute that is not on the chain has no energy there. */
function differenceOf(chainWh = 0, expectedWh: number): Difference {
	return { chainWh, differenceWh: chainWh - expectedWh };
}

/** What was measured, for the log. */
function report(compared: readonly Compared[], fed: Fed): string {
	const energy = ({ chainWh, differenceWh }: Difference) =>
		`${chainWh} Wh (${differenceWh < 0 ? "" : "+"}${differenceWh.toFixed(3)})`;
	const lines = compared.map((each) => {
		const time = new Date(each.minute * 60_000).toISOString().slice(11, 16);
		return `${time} UTC ${each.quality}: import ${energy(each.import)}, export ${energy(each.export)}`;
	});
	const { samples, noises, damagedHeaders, damagedPowers } = fed;
	const damaged = `damaged frames: ${damagedHeaders} in the header, ${damagedPowers} in the power`;
	return [...lines, `fed ${samples.length} telegrams, ${noises} runs of noise, ${damaged}`].join("\n");
}
