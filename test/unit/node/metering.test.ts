import { describe, expect, it } from "vitest";
import { createMinuteEnergy } from "../../../src/meter/minuteEnergy.js";
import { encodeP1 } from "../../../src/meter/p1Encoder.js";
import { decodeMeter, encodeMeter } from "../../../src/node/meterRecord.js";
import { type Cluster, FIRST_MINUTE, foundedStreet } from "../../support/cluster.js";

const P1 = { identification: "LGF5E360", meterClock: "2025-06-21T11:00:00" };
const imported = (cluster: Cluster, member: number) =>
	cluster.street(0).chain.head.ledger.households[member]?.importWh ?? 0;

/** A street in which a P1 meter is at one house's port; it says its register every ten seconds. */
class Metered {
	importWh = 1_000;
	constructor(readonly cluster: Cluster) {}

	static async begin(): Promise<Metered> {
		const cluster = await foundedStreet(3);
		expect(await cluster.outcome(1, { type: "meterSource", source: "serial" })).toBe("ok");
		await cluster.nextMinute(0);
		return new Metered(cluster);
	}

	async hears(seconds: number, importW: number): Promise<void> {
		for (let passed = 0; passed < seconds; passed += 10) {
			const { importWh } = this;
			const bytes = encodeP1({ ...P1, importW, exportW: 0, importWh, exportWh: 0 });
			await this.cluster.input(1, { type: "serialBytes", bytes });
			await this.cluster.run(10_000, 1_000);
			this.importWh += importW / 360;
		}
	}

	get meter() {
		return this.cluster.view(1).meter;
	}
}

describe("a meter at the port", () => {
	it("has on the chain what its registers say, through restarts and an hour's sleep", async () => {
		const metered = await Metered.begin();
		const { cluster } = metered;
		await metered.hears(300, 3_600);
		for (let restart = 0; restart < 3; restart++) {
			cluster.off(1);
			await cluster.run(20_000, 1_000);
			metered.importWh += 20;
			await cluster.on(1);
			await metered.hears(120, 3_600);
		}
		cluster.off(1);
		// An hour without the page: 1,800 Wh.
		await cluster.run(3_600_000, 10_000);
		metered.importWh += 1_800;
		await cluster.on(1);
		await metered.hears(300, 3_600);
		await cluster.until(() => cluster.isAtRest() && cluster.street(1).outbox.size === 0, "all is handed in");
		// The newest minute is not over yet.
		const behindWh = metered.importWh - 1_000 - imported(cluster, 1);
		expect(behindWh).toBeGreaterThanOrEqual(0);
		expect(behindWh).toBeLessThanOrEqual(120);
		expect(metered.meter).toMatchObject({ format: "p1", heldMinutes: 0, lostWh: 0 });
	});

	it("asks about a minute that no fuse allows, and hands it in as a person says", async () => {
		const metered = await Metered.begin();
		const { cluster } = metered;
		expect(await cluster.outcome(1, { type: "fuseLimit", limitW: 0 })).toBe("bad-fuse-limit");
		expect(await cluster.outcome(1, { type: "fuseLimit", limitW: 5_000 })).toBe("ok");
		await metered.hears(60, 3_600);
		await metered.hears(60, 7_200);
		await metered.hears(120, 3_600);
		const [asked] = metered.meter.questioned;
		expect(asked?.importWh).toBeGreaterThan(84);
		const minute = asked?.minute ?? 0;
		const before = imported(cluster, 1);
		expect(await cluster.outcome(1, { type: "answerReading", minute: minute + 1, isRight: true })).toBe(
			"not-asked-about",
		);
		expect(await cluster.outcome(1, { type: "answerReading", minute, isRight: true })).toBe("ok");
		expect(metered.meter.questioned).toEqual([]);
		await cluster.nextMinute();
		await cluster.nextMinute();
		expect(imported(cluster, 1) - before).toBeGreaterThanOrEqual(asked?.importWh ?? 0);
	});
});

describe("minutes that a person gives", () => {
	it("are handed in as typed ones, and what is known stays", async () => {
		const cluster = await foundedStreet(3);
		for (let minute = 0; minute < 5; minute++) await cluster.nextMinute();
		await cluster.read(1, FIRST_MINUTE + 1, 7);
		const readings = [0, 1, 2].map((at) => ({ minute: FIRST_MINUTE + at, importWh: 5, exportWh: 1 }));
		const reply = await cluster.command(1, { type: "handIn", readings });
		expect(reply).toEqual({ ok: true, value: { type: "handedIn", taken: 2, known: 1 } });
		await cluster.until(() => cluster.street(1).outbox.size === 0, "they are on the chain");
		const { importWh, exportWh } = cluster.street(0).chain.head.ledger.households[1] ?? {};
		expect([importWh, exportWh]).toEqual([17, 2]);
		const again = await cluster.command(1, { type: "handIn", readings });
		expect(again).toEqual({ ok: true, value: { type: "handedIn", taken: 0, known: 3 } });
	});

	it("are refused altogether where one cannot be", async () => {
		const cluster = await foundedStreet(3);
		for (let minute = 0; minute < 3; minute++) await cluster.nextMinute();
		const outcome = (change: object) =>
			cluster.outcome(1, {
				type: "handIn",
				readings: [
					{ minute: FIRST_MINUTE, importWh: 1, exportWh: 0 },
					{ minute: FIRST_MINUTE, importWh: 1, exportWh: 0, ...change },
				],
			});
		expect(await outcome({ importWh: -1 })).toBe("bad-reading");
		expect(await outcome({ exportWh: 0.5 })).toBe("bad-reading");
		expect(await outcome({ minute: Number.NaN })).toBe("bad-reading");
		expect(await outcome({ minute: FIRST_MINUTE + 100 })).toBe("minute-not-ended");
		expect(await outcome({ minute: FIRST_MINUTE - 100_000 })).toBe("before-membership");
		expect(cluster.street(1).outbox.size).toBe(0);
		const many = Array.from({ length: 101 }, () => ({ minute: FIRST_MINUTE, importWh: 1, exportWh: 0 }));
		expect(await cluster.outcome(1, { type: "handIn", readings: many })).toBe("too-many-readings");
	});
});

describe("what is begun of a meter", () => {
	it("is read as it was written", () => {
		const energy = createMinuteEnergy();
		const line = {
			...energy.import,
			last: { atMs: 90_000, powerMilliW: undefined },
			minutes: [{ minute: 1, milliWh: 7, coveredMs: 30_000 }],
			gaps: [
				{ fromMs: 60_000, toMs: 70_000, milliWh: undefined, isLong: true, isLost: true },
				{ fromMs: 80_000, toMs: 90_000, milliWh: 5, isLong: true, isLost: false },
			],
			remainderMilliWh: -3,
			carryMilliWh: -4_000,
			register: { milliWh: 12_000, atMs: 60_000 },
			sinceMilliWh: -9,
		};
		const registers = { importMilliWh: 12_000, exportMilliWh: undefined, stepMilliWh: 1_000, atMs: 60_000, clock: "x" };
		const memory = {
			energy: {
				...energy,
				nextMinute: 3,
				held: [{ fromMinute: 1, toMinute: 2 }],
				meterId: "7",
				registers,
				import: line,
			},
			questioned: [{ minute: 1, importWh: 900, exportWh: 0, quality: "measured" as const }],
			doubt: { code: "backwards" as const, direction: "export" as const, beforeMilliWh: 5, milliWh: 4 },
		};
		expect(decodeMeter(encodeMeter(memory))).toEqual({ ok: true, value: memory });
		expect(decodeMeter(encodeMeter(memory).with(-1, 0x55)).ok).toBe(false);
	});
});
