import { describe, expect, it } from "vitest";
import {
	compareRegisters,
	firstWeekOf,
	firstWeekRefusal,
	neededMinutes,
	type OwnFirstWeek,
} from "../../../src/node/firstWeek.js";
import type { Command } from "../../../src/node/protocol.js";
import type { MeterView } from "../../../src/node/view.js";
import { foundedStreet } from "../../support/cluster.js";

const NOW_MS = 1_740_000_000_000;
const METER: Pick<MeterView, "source" | "registers"> = {
	source: "serial",
	registers: { importWh: 1_903_410, exportWh: 402_118, stepWh: 10, atMs: NOW_MS },
};
const NOTHING = { importWh: 0, exportWh: 0 };
const SEEN = { importWh: 1_903_410, exportWh: 402_118, stepWh: 10 };
const COMPARED = {
	atMs: NOW_MS,
	importWh: { displayWh: 1_903_410, registerWh: 1_903_410 },
	exportWh: { displayWh: 402_118, registerWh: 402_118 },
};

describe("the display of a meter", () => {
	const outcome = (
		display: Partial<typeof SEEN>,
		since = NOTHING,
		meter: Parameters<typeof compareRegisters>[1] = METER,
	) => {
		const compared = compareRegisters({ ...SEEN, ...display }, meter, since, NOW_MS);
		return compared.ok ? "same" : compared.error.code;
	};

	it("is kept with what the app has where they are the same", () => {
		expect(compareRegisters(SEEN, METER, NOTHING, NOW_MS)).toEqual({ ok: true, value: COMPARED });
	});

	it("may differ by the last digit of the coarser of the two, and not by more", () => {
		expect([1_903_400, 1_903_420].map((importWh) => outcome({ importWh }))).toEqual(["same", "same"]);
		expect([1_903_399, 1_903_421].map((importWh) => outcome({ importWh }))).toEqual([
			"register-differs",
			"register-differs",
		]);
		expect(outcome({ importWh: 1_903_000, exportWh: 402_000, stepWh: 1_000 })).toBe("same");
		expect(outcome({ importWh: 1_902_000, exportWh: 402_000, stepWh: 1_000 })).toBe("register-differs");
	});

	it("is ahead by what flowed since the meter said its registers last, and not behind", () => {
		const since = { importWh: 700, exportWh: 0 };
		expect(outcome({ importWh: 1_904_110 }, since)).toBe("same");
		expect(outcome({ importWh: 1_904_130 }, since)).toBe("register-differs");
		expect(outcome({ importWh: 1_902_710 }, since)).toBe("register-differs");
	});

	it("with both directions the wrong way round is found out", () => {
		const swapped = compareRegisters({ ...SEEN, importWh: 402_118, exportWh: 1_903_410 }, METER, NOTHING, NOW_MS);
		expect(swapped).toEqual({
			ok: false,
			error: { code: "register-differs", direction: "import", displayWh: 402_118, registerWh: 1_903_410 },
		});
	});

	it("is asked for what flowed out only where something ever did", () => {
		const { exportWh: _, ...imported } = SEEN;
		expect(compareRegisters(imported, METER, NOTHING, NOW_MS)).toEqual({ ok: false, error: { code: "bad-register" } });
		const registers = { importWh: 1_903_410, exportWh: 0, stepWh: 10, atMs: NOW_MS };
		const { exportWh: __, ...compared } = COMPARED;
		expect(compareRegisters(imported, { source: "serial", registers }, NOTHING, NOW_MS)).toEqual({
			ok: true,
			value: compared,
		});
	});

	it("is compared with nothing made up, unsaid or disbelieved", () => {
		expect(outcome({}, NOTHING, { ...METER, source: "simulated" })).toBe("register-elsewhere");
		expect(outcome({}, NOTHING, { source: "serial" })).toBe("register-unknown");
		const doubt = { code: "backwards", direction: "import", beforeMilliWh: 2, milliWh: 1 } as const;
		expect(outcome({}, NOTHING, { ...METER, doubt })).toBe("register-unknown");
		for (const bad of [{ importWh: -1 }, { importWh: 1.5 }, { stepWh: 7 }, { importWh: 1e11 }]) {
			expect(outcome(bad)).toBe("bad-register");
		}
	});
});

const OWN: OwnFirstWeek = {
	memory: { register: COMPARED },
	wordsKept: true,
	isMetering: true,
	meter: METER,
	minutes: { meters: true, have: 1_430, all: 1_440, needed: neededMinutes(1_440) },
	totals: { issuedMicroNok: 5, paidOutMicroNok: 5 },
};

describe("a household's first week", () => {
	it("is over when display, minutes and words are done", () => {
		expect(firstWeekOf(OWN)).toMatchObject({
			isGreen: true,
			test: "inAndOut",
			minutes: { isWhole: true, needed: 1_426 },
		});
		expect(firstWeekOf({ ...OWN, memory: {} })).toMatchObject({
			isGreen: false,
			register: { state: "open", asksExport: true },
		});
		expect(firstWeekOf({ ...OWN, wordsKept: false }).isGreen).toBe(false);
		const minutes = { ...OWN.minutes, have: 1_425 };
		expect(firstWeekOf({ ...OWN, minutes })).toMatchObject({ isGreen: false, minutes: { isWhole: false } });
	});

	it("keeps the minutes of an earlier day, whatever the meter does later", () => {
		const minutes = { ...OWN.minutes, have: 0 };
		expect(firstWeekOf({ ...OWN, minutes, memory: { ...OWN.memory, minutesMs: NOW_MS } }).isGreen).toBe(true);
	});

	it("asks nothing of a meter where there is none, and a made up one does not do", () => {
		const none = { ...OWN, memory: {}, minutes: { ...OWN.minutes, meters: false, have: 0 } };
		expect(firstWeekOf({ ...none, meter: { source: "none" } })).toEqual({
			wordsKept: true,
			test: "inAndOut",
			isGreen: true,
		});
		expect(firstWeekOf({ ...none, meter: { source: "simulated" } })).toMatchObject({
			isGreen: false,
			register: { state: "simulated" },
		});
	});

	it("sends a phone to the device at the meter", () => {
		const phone = { ...OWN, memory: {}, isMetering: false, meter: { source: "none" } as const };
		expect(firstWeekOf(phone)).toMatchObject({ isGreen: false, register: { state: "elsewhere" } });
	});
});

describe("an act with real kroner", () => {
	const proposed = { moneyKind: "prepaid" as const, reason: "We share one meter." };
	const refusal = (command: Command, own: Partial<OwnFirstWeek> = {}, isTrial = true, lacking: string[] = []) =>
		firstWeekRefusal(command, firstWeekOf({ ...OWN, ...own }), isTrial, () => lacking);

	it("waits for the household's own points, and names those that are open", () => {
		const open = { code: "first-week-open", register: true, minutes: false, words: true };
		const own = { memory: {}, wordsKept: false };
		expect(refusal({ type: "moneyConfirm", proposalId: "" }, own)).toEqual(open);
		expect(refusal({ type: "money", proposed }, own)).toEqual(open);
		expect(refusal({ type: "buy", amountMicroNok: 100_000_001 }, own, false)).toEqual(open);
		expect(refusal({ type: "moneyConfirm", proposalId: "" })).toBeUndefined();
	});

	it("of a small amount, in trial kroner, or another one does not", () => {
		const own = { memory: {}, wordsKept: false };
		expect(refusal({ type: "buy", amountMicroNok: 100_000_000 }, own, false)).toBeUndefined();
		expect(refusal({ type: "buy", amountMicroNok: 900_000_000 }, own, true)).toBeUndefined();
		expect(refusal({ type: "redeem", amountMicroNok: 900_000_000 }, own, false)).toBeUndefined();
		expect(refusal({ type: "money" }, own)).toBeUndefined();
	});

	it("is ordered on a phone without the register, which is agreed upon only at the meter", () => {
		const phone = { memory: {}, isMetering: false, meter: { source: "none" } as const };
		expect(refusal({ type: "buy", amountMicroNok: 900_000_000 }, phone, false)).toBeUndefined();
		expect(refusal({ type: "moneyConfirm", proposalId: "" }, phone)).toMatchObject({ register: true });
	});

	it("is proposed when trial kroner were handed out once, and all have their minutes", () => {
		const totals = { issuedMicroNok: 0, paidOutMicroNok: 0 };
		expect(refusal({ type: "money", proposed }, { totals })).toEqual({ code: "first-week-no-issue" });
		expect(refusal({ type: "money", proposed }, {}, true, ["Granlia", "Solvang"])).toEqual({
			code: "first-week-minutes-missing",
			households: "Granlia, Solvang",
		});
		expect(refusal({ type: "money", proposed })).toBeUndefined();
	});

	it("is ordered in small until a first amount has come in and gone out again", () => {
		const totals = { issuedMicroNok: 5, paidOutMicroNok: 0 };
		expect(refusal({ type: "buy", amountMicroNok: 100_000_001 }, { totals }, false)).toEqual({
			code: "first-week-no-test",
		});
		expect(refusal({ type: "buy", amountMicroNok: 100_000_000 }, { totals }, false)).toBeUndefined();
		expect(refusal({ type: "buy", amountMicroNok: 100_000_001 }, {}, false)).toBeUndefined();
	});
});

describe("a street in its first week", () => {
	it("refuses to propose real kroner, and says of each household what it has of the day", async () => {
		const cluster = await foundedStreet(3, { settings: { firstWeekMinutes: 2 } });
		const proposed = { moneyKind: "prepaid" as const, reason: "We share one meter." };
		expect(await cluster.outcome(0, { type: "money", proposed })).toBe("first-week-open");
		await cluster.command(0, { type: "wordsKept" });
		expect(cluster.view(0).firstWeek?.wordsKept).toBe(true);
		expect(cluster.view(0).operator?.firstWeek?.map(({ member }) => member)).toEqual([0, 1, 2]);
		expect(cluster.view(1).operator).toBeUndefined();
	});

	it("is not asked for where the setting says so", async () => {
		const cluster = await foundedStreet(2);
		expect(cluster.view(0).firstWeek).toBeUndefined();
		expect(cluster.view(0).operator?.firstWeek).toBeUndefined();
	});
});
