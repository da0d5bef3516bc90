import { describe, expect, it } from "vitest";
import {
	decodeInbox,
	EMPTY_INBOX,
	encodeInbox,
	type Inbox,
	lookAt,
	MAX_ENTRIES,
	unreadOf,
	withAllRead,
} from "../../../../src/ui/inbox/inbox.js";
import type { NamedOccasion } from "../../../../src/ui/inbox/occasion.js";

const low: NamedOccasion = { name: "lowBalance 7", occasion: { type: "lowBalance", days: 6 }, isPast: false };
const issued = (id: number): NamedOccasion => ({
	name: `issued ${id}`,
	occasion: { type: "issued", amountMicroNok: id },
	isPast: true,
});
const names = (inbox: Inbox) => inbox.entries.map(({ name }) => name);

describe("the inbox", () => {
	it("tells what holds when it is looked at first, and of what had happened before nothing", () => {
		const { inbox, told } = lookAt(EMPTY_INBOX, [low, issued(1)], 1);
		expect(told.map(({ name }) => name)).toEqual(["lowBalance 7"]);
		expect(lookAt(inbox, [low, issued(1), issued(2)], 2).told).toMatchObject([{ name: "issued 2", atMs: 2 }]);
	});

	it("tells a state once, and again when it comes again", () => {
		let { inbox } = lookAt(EMPTY_INBOX, [low], 1);
		expect(lookAt(inbox, [low], 2)).toEqual({ inbox, told: [] });
		// The same as before: nothing is to be written.
		expect(lookAt(inbox, [low], 2).inbox).toBe(inbox);
		inbox = lookAt(inbox, [], 3).inbox;
		expect(lookAt(inbox, [low], 4).told).toMatchObject([{ name: "lowBalance 7", atMs: 4 }]);
	});

	it("counts what is new, and keeps the newest", () => {
		let { inbox } = lookAt(EMPTY_INBOX, [], 1);
		for (let id = 0; id < MAX_ENTRIES + 5; id++) inbox = lookAt(inbox, [issued(id)], id).inbox;
		expect(inbox.entries).toHaveLength(MAX_ENTRIES);
		expect(names(inbox)[0]).toBe(`issued ${MAX_ENTRIES + 4}`);
		expect(unreadOf(inbox)).toBe(MAX_ENTRIES);
		expect(unreadOf(withAllRead(inbox))).toBe(0);
	});

	it("is the same after it was written down, and an empty one where that is damaged", () => {
		const all: NamedOccasion["occasion"][] = [
			{ type: "lowBalance", days: 0 },
			{ type: "contractEnding", contractId: "c", other: 1, untilMinute: 5 },
			{ type: "contractPaused", contractId: "c", other: 1 },
			{ type: "contractLoss", contractId: "c", other: 1, lossMicroNok: 2, buying: true },
			{ type: "issued", amountMicroNok: 1 },
			{ type: "paidOut", amountMicroNok: 1 },
			{ type: "refused", kind: "buy", code: "x" },
			{ type: "correction", other: 2 },
			{ type: "moneyProposed", by: 0 },
			{ type: "bill", amountMicroNok: 7, fromMinute: 9 },
			{ type: "meterSilent", sinceMs: 3 },
			{ type: "neighbourSilent", member: 1, sinceMinute: 2 },
			{ type: "chainWaiting", sinceMs: 4 },
		];
		const occasions = all.map((occasion, at): NamedOccasion => ({ name: String(at), occasion, isPast: false }));
		const { inbox } = lookAt(EMPTY_INBOX, occasions, 1);
		expect(decodeInbox(encodeInbox(inbox))).toEqual(inbox);
		for (const text of [null, "", "{", "[]", encodeInbox(inbox).replace("lowBalance", "highBalance")]) {
			expect(decodeInbox(text)).toEqual(EMPTY_INBOX);
		}
	});
});
