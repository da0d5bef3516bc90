import { beforeAll, describe, expect, it, vi } from "vitest";
import { hasMinute } from "../../src/contract/minuteRanges.js";
import { MINUTES_PER_DAY } from "../../src/primitives/units.js";
import { ledgerOf, settlementOf } from "./load/largeStreet.js";
import { Outage, type OutageFigures } from "./load/outage.js";
import { shareWork } from "./load/sharedWork.js";

vi.mock(import("../../src/message/wire.js"), async (wire) => (await import("./load/sharedWork.js")).sharingWire(wire));
vi.mock(import("../../src/node/chain.js"), async (chain) => (await import("./load/sharedWork.js")).sharingChain(chain));

/**
 * Nothing is lost, nothing is late, and everybody is settled as if nothing had happened. A whole week takes a small
 * street some minutes of computing; a large one has a part of it, by default, since its work grows with the square.
 */
const STREETS = [
	{
		households: Number(process.env.NABOSTROM_WEEK_HOUSEHOLDS ?? 100),
		days: Number(process.env.NABOSTROM_WEEK_DAYS ?? 0.2),
	},
	{ households: 8, days: 7 },
];
/** Of no street but those named by the environment. */
const isChosen = process.env.NABOSTROM_WEEK_HOUSEHOLDS !== undefined || process.env.NABOSTROM_WEEK_DAYS !== undefined;

describe.each(isChosen ? STREETS.slice(0, 1) : STREETS)(
	"$households households, $days days without a quorum",
	(street) => {
		const minutes = Math.round(street.days * MINUTES_PER_DAY);
		const log = (text: string) => console.log(`${Math.round(performance.now() / 1_000)} s: ${text}`);
		let outage: Outage;
		let figures: OutageFigures;

		beforeAll(async () => {
			shareWork(street.households);
			outage = new Outage(street.households, minutes, log);
			figures = await outage.run();
			console.table({ ...figures, memoryMB: Math.round(process.memoryUsage().rss / 1e6) });
		}, 28_800_000);

		it("keep every reading until somebody can agree on it, also over a restart", () => {
			expect(figures.leadersMeanwhile).toBe(0);
			expect(figures.waitingReadings).toBeGreaterThanOrEqual(street.households * minutes);
			expect(figures.forgetful).toBe(0);
		});

		it("lose none of them, and none is late", () => {
			for (const house of outage.world.houses) {
				const seen = ledgerOf(house).households[house.street?.member ?? -1]?.seen ?? [];
				const missing: number[] = [];
				for (let minute = outage.firstMinute; minute < outage.untilMinute; minute++) {
					if (!hasMinute(seen, minute)) missing.push(minute);
				}
				expect({ house: house.name, missing }).toEqual({ house: house.name, missing: [] });
				const view = house.node?.look();
				expect(view?.stage === "street" && view.refusals["outside-window"]).toBeUndefined();
			}
		});

		it("settle as if nothing had happened", () => {
			expect(outage.head.contracts.reduce((sum, { deliveredWh }) => sum + deliveredWh, 0)).toBeGreaterThan(0);
			expect(settlementOf(outage.head)).toEqual(settlementOf(outage.undisturbed()));
		});
	},
);
