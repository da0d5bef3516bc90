import { describe, expect, test } from "vitest";
import type { Command, ExportWhat } from "../../../src/node/protocol.js";
import { exportFileName, fetchExport } from "../../../src/ui/exporting.js";
import { periodRange } from "../../../src/ui/period.js";

type Slice = Extract<Command, { type: "exportSlice" }>;

/** Fetches a year; `cancelAfter`: so many slices. */
async function fetched(what: ExportWhat, cancelAfter = Number.POSITIVE_INFINITY, failure?: string) {
	const slices: Slice[] = [];
	const progress: number[] = [];
	const outcome = await fetchExport({
		...{ what, format: "csv-iso" },
		...periodRange({ year: 2026, month: 0 }),
		command: async (command) => {
			if (command.type === "exportSlice") slices.push(command);
			if (failure !== undefined && slices.length === 3) return { ok: false, error: { code: failure } };
			return { ok: true, value: { type: "exportSlice", text: `${slices.length};` } };
		},
		onProgress: (done) => progress.push(done),
		isCancelled: () => slices.length >= cancelAfter,
	});
	return { slices, progress, outcome };
}

describe("a year's file", () => {
	test("is fetched in slices of whole local days without a hole, the first and the last named so", async () => {
		for (const [what, count] of [
			["minutes", 53],
			["days", 12],
			["months", 12],
			["movements", 1],
		] as const) {
			const { slices, progress, outcome } = await fetched(what);
			expect([what, slices.length]).toEqual([what, count]);
			const { fromMinute, untilMinute } = periodRange({ year: 2026, month: 0 });
			expect([slices[0]?.fromMinute, slices.at(-1)?.untilMinute]).toEqual([fromMinute, untilMinute]);
			expect(slices.every((slice, at) => at === 0 || slice.fromMinute === slices[at - 1]?.untilMinute)).toBe(true);
			expect(slices.map(({ isFirst }) => isFirst)).toEqual(slices.map((_, at) => at === 0));
			expect(slices.map(({ isLast }) => isLast)).toEqual(slices.map((_, at) => at === count - 1));
			expect(progress).toEqual([...progress].sort((a, b) => a - b));
			expect(progress.at(-1)).toBe(1);
			expect(outcome).toEqual({ type: "done", parts: slices.map((_, at) => `${at + 1};`) });
		}
	});

	test("has months that end where those of the statement end", async () => {
		const { slices } = await fetched("months");
		const months = Array.from({ length: 12 }, (_, at) => periodRange({ year: 2026, month: at + 1 }));
		expect(slices.map(({ fromMinute, untilMinute }) => ({ fromMinute, untilMinute }))).toEqual(months);
	});

	test("is given up when somebody cancels, and nothing more is asked for", async () => {
		const { slices, outcome } = await fetched("minutes", 4);
		expect([slices.length, outcome]).toEqual([4, { type: "cancelled" }]);
		expect((await fetched("minutes", 53)).outcome).toEqual({ type: "cancelled" });
	});

	test("says why it failed", async () => {
		const { slices, outcome } = await fetched("days", undefined, "record-damaged");
		expect([slices.length, outcome]).toEqual([3, { type: "failed", code: "record-damaged" }]);
	});

	test("is named by household and period, and nothing in a name leads elsewhere", () => {
		expect(exportFileName("Bjørkeveien 1", "minutes", "2026-10", "csv-nb")).toBe(
			"nabostrom-Bjørkeveien-1-2026-10-minutes.csv",
		);
		expect(exportFileName("../../etc: \u0000=x", "days", "2026", "csv-iso")).toBe("nabostrom-etc-x-2026-days-iso.csv");
		expect(exportFileName("🏠", "movements", "2026", "json")).toBe("nabostrom-2026-movements.json");
	});
});
