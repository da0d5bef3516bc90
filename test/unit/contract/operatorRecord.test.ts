import { describe, expect, it } from "vitest";
import { MAX_RECORDED_ACTS } from "../../../src/contract/operatorRecord.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { openSnapshot, snapshotOf } from "../../../src/contract/snapshot.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const kindsOf = (street: TestNeighbourhood) => street.ledger.operatorRecord?.map(({ kind }) => kind);
const rename = (street: TestNeighbourhood, name = "Lie") => street.act("rename", 0, { household: 1, name });

describe("the record of what operators did", () => {
	it("says who did what, when, and whom it concerned", () => {
		const street = new TestNeighbourhood(5);
		const record = (act: Parameters<TestNeighbourhood["block"]>[1]) => {
			street.block(soon(street), act);
			return street.ledger.operatorRecord?.at(-1);
		};
		const blank = { member: 0, household: undefined, isGiven: true, amountMicroNok: 0, texts: [] };
		const said = (about: object) => ({ ...blank, timestampMs: street.head.timestampMs, ...about });

		expect(record([rename(street)])).toEqual(said({ kind: "rename", household: 1, texts: ["Hus 1", "Lie"] }));
		expect(record([street.act("role", 0, { household: 1 })])).toEqual(said({ kind: "role", household: 1 }));
		expect(record([street.act("suspend", 1, { household: 2 })])).toEqual(
			said({ kind: "suspend", member: 1, household: 2 }),
		);
		expect(record([street.act("suspend", 0, { household: 2, suspended: false })])).toEqual(
			said({ kind: "suspend", household: 2, isGiven: false }),
		);
		const servers = [{ urls: "turn:192.0.2.1:3478", username: "solbakken", credential: "hemmelig" }];
		// Whatever is secret about a server is nobody's to read in a list.
		expect(record([street.act("iceServers", 0, { servers })])).toEqual(
			said({ kind: "iceServers", texts: ["turn:192.0.2.1:3478"] }),
		);
		street.giveTokens(4, 1_000_000);
		expect(street.ledger.operatorRecord?.at(-1)).toEqual(
			said({ kind: "issue", household: 4, amountMicroNok: 1_000_000, texts: ["KID 1"] }),
		);
		expect(record([street.voters([], [4])])).toEqual(said({ kind: "voters", household: 4, isGiven: false }));
		const remove = street.act("remove", 0, { household: 4 });
		expect(record([remove])).toEqual(said({ kind: "remove", household: 4 }));
		street.passNotice();
		street.block(soon(street));
		street.block(soon(street), [street.act("payout", 0, { lockId: street.id(remove) })]);
		expect(street.ledger.operatorRecord?.slice(-2)).toEqual([
			said({ kind: "payout", household: 4, amountMicroNok: 1_000_000, texts: ["KID 2"] }),
			said({ kind: "movedOut", member: undefined, household: 4 }),
		]);
	});

	it("holds nothing that was refused, and nothing that a household does for itself", () => {
		const street = new TestNeighbourhood(3);
		street.block(soon(street), [rename(street), street.act("offer", 0), street.act("buy", 1)]);
		expect(street.refusal(soon(street), [street.act("rename", 1)])).toEqual({ code: "not-operator" });
		expect(kindsOf(street)).toEqual(["rename"]);
	});

	it("begins with the first act that chains of the first version did not know", () => {
		const street = new TestNeighbourhood(4);
		street.giveTokens(1, 1_000_000);
		street.block(soon(street), [street.voters([], [3])]);
		expect(street.ledger.operatorRecord).toBeUndefined();
		street.block(soon(street), [rename(street)]);
		street.giveTokens(1, 1_000_000);
		expect(kindsOf(street)).toEqual(["rename", "issue"]);
	});

	it("is in the state, and comes out of it as it was", () => {
		const street = new TestNeighbourhood(3);
		const before = snapshotOf(street.ledger, NO_RESULTS).leaves.length;
		street.block(soon(street), [rename(street), street.act("role", 0, { household: 1 })]);
		const { leaves } = snapshotOf(street.ledger, NO_RESULTS);
		expect(leaves).toHaveLength(before + 2);
		const opened = openSnapshot(street.ledger, leaves);
		expect(opened.ok && opened.value.operatorRecord).toEqual(street.ledger.operatorRecord);
	});

	it(`keeps the last ${MAX_RECORDED_ACTS}`, () => {
		const street = new TestNeighbourhood(2);
		for (let block = 0; block < 5; block++) {
			street.minute(
				FIRST_MINUTE + block,
				Array.from({ length: 50 }, (_, at) => rename(street, `Lie ${block * 50 + at}`)),
			);
		}
		const names = street.ledger.operatorRecord?.map(({ texts }) => texts[1]);
		expect(names).toHaveLength(MAX_RECORDED_ACTS);
		expect([names?.[0], names?.at(-1)]).toEqual(["Lie 50", "Lie 249"]);
	});
});
