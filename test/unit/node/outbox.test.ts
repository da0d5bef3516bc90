import { describe, expect, it } from "vitest";
import type { Transaction } from "../../../src/block/transaction.js";
import { OFFERED_READINGS, Outbox, openRefusal, openTransaction, refusalKeyOf } from "../../../src/node/outbox.js";

const reading = (minute: number): Transaction => ({
	kind: "reading",
	member: 0,
	minute,
	importWh: 1,
	exportWh: 0,
	quality: "measured",
	signature: new Uint8Array(65),
});
const buy: Transaction = {
	kind: "buy",
	member: 0,
	nonce: 1,
	amountMicroNok: 1,
	expiryMinute: 1,
	signature: new Uint8Array(65),
};
const offeredMinutes = (outbox: Outbox) =>
	outbox.offered().flatMap(({ transaction }) => (transaction.kind === "reading" ? [transaction.minute] : []));

/** A backlog that comes in whatever order a database keeps it. */
function backlogOf(minutes: number): Outbox {
	const outbox = new Outbox();
	for (let at = 0; at < minutes; at++) {
		// Seven divides none of the lengths here.
		const minute = (at * 7) % minutes;
		outbox.add(`reading ${minute}`, reading(minute), 0);
	}
	return outbox;
}

describe("of what waits in the outbox", () => {
	it("all acts and the oldest readings are offered", () => {
		const outbox = backlogOf(1_000);
		outbox.add("buy", buy, 0);
		expect(outbox.offered()[0]?.id).toBe("buy");
		expect(offeredMinutes(outbox)).toEqual(Array.from({ length: OFFERED_READINGS }, (_, minute) => minute));
		expect(outbox.readings).toBe(1_000);
		expect(outbox.size).toBe(1_001);
	});

	it("the next readings follow where some are confirmed or refused", () => {
		const outbox = backlogOf(1_000);
		outbox.confirmed("reading 0", 1);
		outbox.refused("reading 2", "outside-window");
		expect(outbox.takeFinished()).toEqual(["reading 0"]);
		const minutes = offeredMinutes(outbox);
		expect(minutes.slice(0, 3)).toEqual([1, 3, 4]);
		expect(minutes.at(-1)).toBe(OFFERED_READINGS + 1);
		expect(outbox.readings).toBe(998);
	});

	it("the last ones are offered all together: none is left over for the next minute's block", () => {
		for (const minutes of [OFFERED_READINGS + 1, 2 * OFFERED_READINGS]) {
			expect(offeredMinutes(backlogOf(minutes)).length).toBe(minutes);
		}
		expect(offeredMinutes(backlogOf(2 * OFFERED_READINGS + 1)).length).toBe(OFFERED_READINGS);
	});

	it("a minute's reading is known while it waits", () => {
		const outbox = backlogOf(1_000);
		expect([outbox.hasReading(0), outbox.hasReading(999), outbox.hasReading(1_000)]).toEqual([true, true, false]);
		outbox.confirmed("reading 999", 1);
		expect(outbox.hasReading(999)).toBe(false);
	});

	it("a refusal outlives a restart, until newer acts take its place on the screens", () => {
		const outbox = new Outbox();
		outbox.add("buy", buy, 5);
		const record = outbox.refusalRecord("buy", "act-expired");
		expect(outbox.refusalRecord("reading 1", "outside-window")).toBeUndefined();
		const refused = record === undefined ? undefined : openRefusal("buy", record);
		expect(refused).toEqual({ id: "buy", kind: "buy", code: "act-expired", timestampMs: 5 });
		expect(openTransaction(record ?? new Uint8Array())).toBeUndefined();

		const next = new Outbox();
		next.restoreRefused(refused === undefined ? [] : [refused]);
		expect(next.shown()).toEqual([{ ...refused, state: "refused" }]);
		for (let at = 0; at < 19; at++) next.add(`later ${at}`, buy, 6);
		expect(next.takeFinished()).toEqual([]);
		next.add("one more", buy, 7);
		// The act's record, and what says beside it that it was refused.
		expect(next.takeFinished()).toEqual(["buy", refusalKeyOf("buy")]);
		expect(next.shown()).toHaveLength(20);
	});
});
