import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replayStreet } from "../../../src/cli/replayStreet.js";
import { readStreet, type Street } from "../../../src/cli/street.js";
import type { Signatures } from "../../../src/cli/virtualStreet.js";
import { keyedSigner, keyedVerifier } from "../../support/keyedSignatures.js";
import { ReferenceLedger } from "../../support/referenceLedger.js";
import { csvOf, isoOf, streetFolder } from "../../support/streetFolder.js";

type Rows = Parameters<typeof csvOf>[0];

/** What the design says a street's settlement is: a block a minute, graces of 180 blocks. */
function expectedOf(street: Street) {
	const foundedMs = (street.firstMinute - 60 - (street.market?.intervalMinutes ?? 0)) * 60_000;
	const reference = new ReferenceLedger({
		households: street.households.length,
		foundedMs,
		blockIntervalMs: 60_000,
		graceBlocks: 180,
		windowBlocks: 10_080,
		isPlayMoney: false,
		isMonthly: false,
		market: {
			intervalMinutes: street.market?.intervalMinutes ?? 15,
			buysUnderContract: false,
			choice: street.market?.choice,
			noticeMinutes: 10_080,
		},
		tariff: {
			retail: street.tariff.retailMicroNokPerWh,
			feedIn: street.tariff.feedInMicroNokPerWh,
			fee: street.tariff.localFeeMicroNokPerWh,
		},
		takeBackMinutes: 30,
		correctionMinutes: 43_200,
		correctedMinutes: 527_040,
		noticeBlocks: 10_080,
		timeZone: "UTC",
	});
	reference.openBlock(foundedMs + 1);
	for (const [member, { tokensMicroNok }] of street.households.entries()) {
		if (tokensMicroNok === 0) continue;
		reference.takeBuy(member, tokensMicroNok);
		reference.takeIssue(0, reference.orders.length - 1, tokensMicroNok);
	}
	for (const contract of street.contracts) {
		reference.takeOffer({
			seller: contract.seller,
			price: contract.priceMicroNokPerWh,
			fromMinute: contract.fromMinute ?? street.firstMinute,
			untilMinute: contract.untilMinute ?? street.lastMinute + 1,
			limitWh: contract.energyLimitWh,
			notice: 0,
			buyer: contract.buyer,
			maxBuyers: 0,
			schedule: undefined,
		});
		reference.takeAccept(contract.buyer, reference.offers.length - 1);
	}
	const { market, firstMinute } = street;
	if (market !== undefined) {
		reference.closeBlock();
		reference.openBlock((firstMinute - (firstMinute % market.intervalMinutes) - 1) * 60_000);
	}
	for (const [member, { buyBelowMicroNokPerWh: buy, sellAboveMicroNokPerWh: sell }] of street.households.entries()) {
		if (buy !== undefined || sell !== undefined) reference.takeLimits(member, { buy, sell, paysMore: false });
	}
	reference.closeBlock();
	for (let minute = street.firstMinute; minute <= street.lastArrivalMinute + 181; minute++) {
		reference.openBlock((minute + 1) * 60_000);
		for (const [member, { readings }] of street.households.entries()) {
			for (const { arrivesMinute, ...reading } of readings) {
				if (arrivesMinute === minute) reference.takeReading({ member, ...reading, quality: "measured" });
			}
		}
		reference.closeBlock();
	}
	return {
		households: street.households.map(({ name }, member) => ({
			name,
			balanceMicroNok: Number(reference.balanceOf(member)),
			importWh: Number(reference.meteredWh(member, "importWh")),
			exportWh: Number(reference.meteredWh(member, "exportWh")),
			boughtWh: Number(reference.boughtWh(member)),
			soldWh: Number(reference.soldWh(member)),
		})),
		contracts: street.contracts.map(({ seller, buyer, priceMicroNokPerWh }, at) => {
			const energyWh = Number(reference.deliveredWh(at));
			return {
				seller: street.households[seller]?.name,
				buyer: street.households[buyer]?.name,
				energyWh,
				amountMicroNok: energyWh * priceMicroNokPerWh,
			};
		}),
	};
}

const NAMES = ["Nordlys", "Solgløtt", "Åsen", "Bekkestua"];

function streetOf(
	tables: readonly Rows[],
	contracts: object[],
	tokensNok: number[],
	market: { rule?: object; limits?: object[] } = {},
): Street {
	const files: Record<string, string> = {
		"street.json": JSON.stringify({
			name: "Prøvegata",
			tariff: { retailMicroNokPerWh: 2_000, feedInMicroNokPerWh: 400, localFeeMicroNokPerWh: 150 },
			...(market.rule === undefined ? {} : { market: market.rule }),
			households: tables.map((_, at) => ({
				name: NAMES[at],
				readings: `${at}.csv`,
				tokensNok: tokensNok[at],
				...market.limits?.[at],
			})),
			contracts,
		}),
	};
	for (const [at, rows] of tables.entries()) files[`${at}.csv`] = csvOf(rows);
	const street = readStreet(streetFolder(files));
	if (!street.ok) throw new Error(`${street.error.where}: ${street.error.what}`);
	return street.value;
}

const replay = (street: Street) => replayStreet(street, () => undefined);
/** What is settled is the same whatever signs: real signatures would take two thirds of these replays' time. */
const KEYED: Signatures = { signer: keyedSigner, createVerifier: () => keyedVerifier };
const replayKeyed = (street: Street) => replayStreet(street, () => undefined, KEYED);
/** Numbers that repeat from run to run and look like none. */
const drawn = fc.sample(fc.nat(900), { seed: 42, numRuns: 200 });
const energy = (at: number) => drawn[at % drawn.length] ?? 0;

describe("the replay of a small street", () => {
	const MINUTES = 20;
	const minutes = Array.from({ length: MINUTES }, (_, minute) => minute);
	const tables: Rows[] = [
		minutes.map((minute) => [minute, 0, energy(minute)]),
		// A reading that comes two minutes late, and one that never comes.
		minutes.map((minute) => {
			if (minute === 13) return undefined;
			return minute === 4 ? [minute, energy(40 + minute), 0, 6] : [minute, energy(40 + minute), 0];
		}),
		// All readings of a quarter of an hour come at once.
		minutes.map((minute) => [minute, energy(80 + minute), 3, Math.max(minute, 15)]),
		minutes.map((minute) => [minute, energy(120 + minute), energy(160 + minute)]),
	];
	const contracts = [
		{ seller: NAMES[0], buyer: NAMES[1], priceMicroNokPerWh: 1_000, until: isoOf(10) },
		{ seller: NAMES[0], buyer: NAMES[2], priceMicroNokPerWh: 1_300, energyWh: 1_500 },
		{ seller: NAMES[3], buyer: NAMES[1], priceMicroNokPerWh: 900, from: isoOf(12), until: isoOf(18) },
		{ seller: NAMES[0], buyer: NAMES[3], priceMicroNokPerWh: 1_100 },
	];
	const street = streetOf(tables, contracts, [0, 1_000, 1_000, 1]);

	it("gives each household and contract exactly what the rules say, and all nodes agree", async () => {
		const result = await replayKeyed(street);
		const expected = expectedOf(street);
		expect(result.agree).toBe(true);
		expect({ households: result.households, contracts: result.contracts }).toEqual(expected);
		// The street is not an idle one: a limit is used up, a balance is, and there is too little at times.
		expect(result.contracts.map(({ energyWh }) => energyWh > 0)).toEqual([true, true, true, true]);
		expect(result.contracts[1]?.energyWh).toBe(1_500);
		expect(result.households[3]?.balanceMicroNok).not.toBe(1_000_000);
		const balances = result.households.reduce((all, { balanceMicroNok }) => all + balanceMicroNok, 0);
		expect(balances).toBe(2_001 * 1_000_000);
		// The minute whose reading never came settles when its grace has passed.
		expect(result.blocks).toBeGreaterThan(13 + 180);
	});

	it.each(["midMarket", "uniform", "pairwise", "balance"])(
		"matches by the rule %s what its contracts leave, as an independent reckoning does",
		async (rule) => {
			const limits = [
				{ sellAboveMicroNokPerWh: 500 },
				{ buyBelowMicroNokPerWh: 1_800 },
				{ buyBelowMicroNokPerWh: 1_300, sellAboveMicroNokPerWh: 450 },
				{ buyBelowMicroNokPerWh: 1_700, sellAboveMicroNokPerWh: 800 },
			];
			// Without a minute that is missing: nobody waits for the end of a grace.
			const complete = tables.map((rows) => rows.map((row, minute) => row ?? ([minute, 50, 0] as const)));
			const traded = streetOf(complete, contracts.slice(2), [0, 1_000, 1_000, 1], {
				rule: { rule, intervalMinutes: 5 },
				limits,
			});
			const result = await replayKeyed(traded);
			expect(result.agree).toBe(true);
			expect({ households: result.households, contracts: result.contracts }).toEqual(expectedOf(traded));
			const contracted = result.contracts.reduce((all, { energyWh }) => all + energyWh, 0);
			const bought = result.households.reduce((all, { boughtWh }) => all + boughtWh, 0);
			expect(bought).toBe(result.households.reduce((all, { soldWh }) => all + soldWh, 0));
			expect(bought).toBeGreaterThan(contracted + 1_000);
			const balances = result.households.reduce((all, { balanceMicroNok }) => all + balanceMicroNok, 0);
			expect(balances).toBe(2_001 * 1_000_000);
		},
	);

	it("is the same to the byte when it is run again", async () => {
		const short = streetOf(
			[[[0, 0, 90]], [[0, 70, 0]]],
			[{ seller: NAMES[0], buyer: NAMES[1], priceMicroNokPerWh: 1_000 }],
			[0, 5],
		);
		const first = await replay(short);
		expect(await replay(short)).toEqual(first);
		expect(first.bytesPerReading).toBeGreaterThan(0);
		expect(first.verifications).toBeGreaterThan(0);
	});
});

const THESIS_STREET = "../shared/data/thesis-street";

describe("the replay of the thesis's street", () => {
	it.skipIf(!existsSync(THESIS_STREET))(
		"agrees for its first hour with a sum over the CSV (skipped where the data is absent)",
		async () => {
			const street = readStreet(THESIS_STREET);
			if (!street.ok) throw new Error(street.error.what);
			const lastMinute = street.value.firstMinute + 59;
			const firstHour: Street = {
				...street.value,
				lastMinute,
				lastArrivalMinute: lastMinute,
				households: street.value.households.map((household) => ({
					...household,
					readings: household.readings.filter(({ minute }) => minute <= lastMinute),
				})),
			};
			const result = await replay(firstHour);
			const rowsOf = (name: string) =>
				new Map(
					readFileSync(`${THESIS_STREET}/${name}.csv`, "utf8")
						.trim()
						.split("\n")
						.slice(1)
						.map((line) => line.split(","))
						.filter(([time]) => Date.parse(time ?? "") / 60_000 <= lastMinute)
						.map(([time, importWh, exportWh]) => [time, { importWh: Number(importWh), exportWh: Number(exportWh) }]),
				);
			for (const { seller, buyer, energyWh, amountMicroNok } of result.contracts) {
				const [sold, bought] = [rowsOf(seller), rowsOf(buyer)];
				let sumWh = 0;
				for (const [time, { exportWh }] of sold) sumWh += Math.min(exportWh, bought.get(time)?.importWh ?? 0);
				expect(energyWh).toBe(sumWh);
				expect(sumWh).toBeGreaterThan(0);
				expect(amountMicroNok).toBe(sumWh * 1_000);
			}
			for (const { name, importWh, exportWh } of result.households) {
				const rows = [...rowsOf(name).values()];
				expect(importWh).toBe(rows.reduce((all, row) => all + row.importWh, 0));
				expect(exportWh).toBe(rows.reduce((all, row) => all + row.exportWh, 0));
			}
			expect(result.agree).toBe(true);
		},
		60_000,
	);
});
