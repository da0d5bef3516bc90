/** A meter that speaks its registers every second or two, from the click to the chain, through an unplugged adapter. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expect as expectPage } from "./expect.js";
import { RegisterMeter, type RegisterMeterOptions } from "./registerMeter.js";
import { chainUpTo, connectMeter, foundAlone, meterUnderstood, openSerialHome, type SerialHome } from "./serialHome.js";

const MS_PER_MINUTE = 60_000;
const PROBE_MS = 11_000;
const UNPLUGGED_MS = 12_000;

/** `linesBefore`: how many lines are tried before the meter's own. */
export function tellRegisterStory(
	title: string,
	options: Omit<RegisterMeterOptions, "port"> & {
		missing: string | undefined;
		line: string;
		linesBefore: number;
		language: string;
	},
): void {
	const { missing, line, linesBefore, language } = options;
	if (missing !== undefined) console.log(`skipped: ${title}: ${missing}`);

	describe.skipIf(missing !== undefined)(title, () => {
		let home: SerialHome;
		let meter: RegisterMeter;

		beforeAll(async () => {
			home = await openSerialHome();
			await foundAlone(home);
		}, 180_000);

		afterAll(async () => {
			await meter?.stop();
			await home?.stop();
		}, 30_000);

		it("is understood at its own line, found by trying, and shown by its language", async () => {
			meter = new RegisterMeter({ ...options, port: home.port });
			await connectMeter(home);
			await meterUnderstood(home, line, (linesBefore + 1) * PROBE_MS + 20_000);
			expect(home.port.baudRate()).toBe(options.baudRate);
			await expectPage(home.page.getByText(language, { exact: true })).visible();
		}, 120_000);

		it("has on the chain what its registers say, though the adapter was out for a while", async () => {
			const firstMinute = Math.ceil(Date.now() / MS_PER_MINUTE);
			await sleep(firstMinute * MS_PER_MINUTE + 30_000 - Date.now());
			await meter.unplug();
			await expectPage(home.page.getByText("Adapteren er koblet fra.")).visible(30_000);
			await sleep(UNPLUGGED_MS);
			await meter.replug();
			await meterUnderstood(home, line, 60_000);
			// The minute in which it was out, and one more.
			const untilMinute = firstMinute + 2;
			await sleep(Math.max(0, untilMinute * MS_PER_MINUTE + 10_000 - Date.now()));
			const readings = (await chainUpTo(home.page, untilMinute - 1)).filter(
				({ minute }) => minute >= firstMinute && minute < untilMinute,
			);
			const from = meter.registersAt(firstMinute * MS_PER_MINUTE);
			const until = meter.registersAt(untilMinute * MS_PER_MINUTE);
			console.log(
				`${title}: ${JSON.stringify(readings.map(({ minute, importWh, exportWh, quality }) => [minute, importWh, exportWh, quality]))}`,
			);
			expect(readings.map(({ minute }) => minute)).toEqual([firstMinute, firstMinute + 1]);
			for (const direction of ["import", "export"] as const) {
				const onChainWh = readings.reduce((sum, reading) => sum + reading[`${direction}Wh`], 0);
				const registersWh = (until[`${direction}MilliWh`] - from[`${direction}MilliWh`]) / 1_000;
				// Edges lie between two telegrams; a Wh that has begun is in the next minute.
				expect(Math.abs(onChainWh - registersWh)).toBeLessThanOrEqual(1.5);
			}
		}, 300_000);
	});
}
