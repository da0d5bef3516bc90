import { describe, expect, it } from "vitest";
import { setLocale } from "../../../../src/ui/locale.svelte.js";
import {
	type Span,
	type SpanLength,
	spanAfter,
	spanAt,
	spanBefore,
	spanOfPiece,
	spanText,
} from "../../../../src/ui/usage/span.js";
import { ticksOf } from "../../../../src/ui/usage/ticks.js";

const ms = (iso: string) => Date.parse(iso);
const minute = (iso: string) => ms(iso) / 60_000;
/** From when until when, in UTC. */
const ends = ({ fromMinute, untilMinute }: Span) =>
	[fromMinute, untilMinute].map((each) => new Date(each * 60_000).toISOString().slice(0, 16));

describe("a span", () => {
	it("ends where local days, weeks, months and years do", () => {
		const at = ms("2026-06-18T12:06Z");
		expect(ends(spanAt("day", at))).toEqual(["2026-06-17T22:00", "2026-06-18T22:00"]);
		expect(ends(spanAt("week", at))).toEqual(["2026-06-14T22:00", "2026-06-21T22:00"]);
		expect(ends(spanAt("month", at))).toEqual(["2026-05-31T22:00", "2026-06-30T22:00"]);
		expect(ends(spanAt("year", at))).toEqual(["2025-12-31T23:00", "2026-12-31T23:00"]);
		// A quarter of an hour before midnight in Oslo it is another day than in Greenwich.
		expect(ends(spanAt("day", ms("2026-06-17T22:15Z")))[0]).toBe("2026-06-17T22:00");
		expect(ends(spanAt("week", ms("2026-06-14T21:59Z")))[0]).toBe("2026-06-07T22:00");
	});

	it("is followed by the next one and came after the one before, also over days of 23 and 25 hours", () => {
		for (const length of ["day", "week", "month", "year"] satisfies SpanLength[]) {
			let span = spanAt(length, ms("2026-03-20T12:00Z"));
			for (let step = 0; step < 15; step++) {
				const next = spanAfter(span);
				expect(next.fromMinute).toBe(span.untilMinute);
				expect(spanBefore(next)).toEqual(span);
				span = next;
			}
		}
		expect(ends(spanAt("day", ms("2026-03-29T12:00Z")))).toEqual(["2026-03-28T23:00", "2026-03-29T22:00"]);
		expect(ends(spanAt("day", ms("2026-10-25T12:00Z")))).toEqual(["2026-10-24T22:00", "2026-10-25T23:00"]);
	});

	it("is named as people name it, with the number of the week by ISO 8601", () => {
		setLocale("nb");
		const named = (length: SpanLength, iso: string) => spanText(spanAt(length, ms(iso)));
		expect(named("day", "2026-06-18T12:00Z")).toBe("torsdag 18. juni 2026");
		expect(named("week", "2026-06-18T12:00Z")).toMatch(/^Uke 25 · 15\.\s?–\s?21\. juni 2026$/);
		expect(named("week", "2027-01-02T12:00Z")).toMatch(/^Uke 53 /);
		expect(named("week", "2024-12-31T12:00Z")).toMatch(/^Uke 1 /);
		expect(named("month", "2026-06-18T12:00Z")).toBe("juni 2026");
		expect(named("year", "2026-06-18T12:00Z")).toBe("2026");
	});

	it("leads from its pieces to what is shorter", () => {
		const year = spanAt("year", ms("2026-06-18T12:00Z"));
		expect(spanOfPiece(year, "day", minute("2026-03-28T23:00Z"))).toEqual(spanAt("day", ms("2026-03-29T12:00Z")));
		expect(spanOfPiece(year, "month", minute("2026-03-01T12:00Z"))?.length).toBe("month");
		expect(spanOfPiece(spanAt("day", 0), "hour", 0)).toBeUndefined();
	});
});

describe("the time axis", () => {
	const texts = (length: SpanLength, room: number, iso = "2026-06-18T12:00Z") => {
		const { fromMinute, untilMinute } = spanAt(length, ms(iso));
		return ticksOf(Int32Array.of(fromMinute, untilMinute), room).map(({ text }) => text);
	};

	it("has no more marks than there is room for", () => {
		setLocale("nb");
		for (const length of ["day", "month", "year"] satisfies SpanLength[]) {
			for (const room of [4, 6, 12, 24]) expect(texts(length, room).length).toBeLessThanOrEqual(room);
		}
		expect(texts("week", 4)).toEqual(["M", "T", "O", "T", "F", "L", "S"]);
		expect(texts("week", 9)[0]).toContain("15");
		expect(texts("year", 12)).toHaveLength(12);
	});

	it("marks the hours that the clock shows on the day on which it is put forward", () => {
		setLocale("nb");
		const marks = texts("day", 24, "2026-03-29T12:00Z");
		expect(marks).toHaveLength(23);
		expect(marks.slice(0, 4)).toEqual(["00:00", "01:00", "03:00", "04:00"]);
	});
});
