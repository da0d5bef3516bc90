import { describe, expect, test } from "vitest";
import { decodeRecord, KEPT_RESTARTS, whenEnding, whenShown } from "../../../../src/ui/kiosk/restartLog.js";

const EMPTY = decodeRecord(null);

describe("what a browser keeps of its kiosk", () => {
	test("begins with no restart, for a person started it", () => {
		expect(whenShown(EMPTY, 1000)).toEqual({ isShown: true, attempts: 0, restarts: [] });
	});

	test("notes why a page ended itself when the next one goes on, once", () => {
		const ended = whenEnding(whenShown(EMPTY, 1000), "nightly");
		const again = whenShown(decodeRecord(JSON.stringify(ended)), 2000);
		expect(again).toEqual({ isShown: true, attempts: 0, restarts: [{ atMs: 2000, reason: "nightly" }] });
		expect(whenShown(again, 3000).restarts).toEqual([
			{ atMs: 3000, reason: "unplanned" },
			{ atMs: 2000, reason: "nightly" },
		]);
	});

	test("counts restarts for a node in trouble alone", () => {
		const shown = whenShown(EMPTY, 1000);
		expect((["silent", "failed", "nightly", "update"] as const).map((why) => whenEnding(shown, why).attempts)).toEqual([
			1, 1, 0, 0,
		]);
	});

	test("is the last twenty restarts, newest first", () => {
		let record = whenShown(EMPTY, 0);
		for (let at = 1; at <= 30; at++) record = whenShown(record, at);
		expect(record.restarts).toHaveLength(KEPT_RESTARTS);
		expect(record.restarts.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 20 }, (_, at) => 30 - at));
		expect(decodeRecord(JSON.stringify(record))).toEqual(record);
	});

	test("is nothing where it cannot be read", () => {
		for (const text of ["", "{", "[]", '{"isShown":true}', '{"isShown":true,"attempts":-1,"restarts":[]}']) {
			expect(decodeRecord(text)).toEqual(EMPTY);
		}
	});
});
