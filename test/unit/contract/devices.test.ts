import { describe, expect, it } from "vitest";
import { MAX_DEVICES_OF_HOUSEHOLD } from "../../../src/contract/devices.js";
import { isInUse } from "../../../src/contract/ledger.js";
import { checkSignatures } from "../../../src/contract/signers.js";
import { createVerifier, publicKeyOf, sign } from "../../../src/primitives/signature.js";
import { FIRST_MINUTE, secretOf, TestNeighbourhood } from "../../support/ledger.js";

const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
const verifier = createVerifier();

describe("a household's device", () => {
	it("is admitted by the household's key and its own, and gets an index of its own for ever", () => {
		const street = new TestNeighbourhood(2);
		street.block(soon(street), [street.admission(1, "kiosk", { alwaysOn: true })]);
		const publicKey = publicKeyOf(secretOf("kiosk"));
		expect(street.ledger.devices[2]).toEqual({
			index: 2,
			household: 1,
			publicKey,
			alwaysOn: true,
			revokedIndex: undefined,
		});
		expect(street.household(1).meteringDevice).toBe(1);
	});

	it("that another signed for, or that did not sign itself, is not admitted", () => {
		const street = new TestNeighbourhood(2);
		const admission = street.admission(1, "kiosk");
		expect(checkSignatures(street.ledger, admission, verifier)).toBeUndefined();
		const foreign = { ...admission, signature: sign(street.id(admission), secretOf("household 0")) };
		const unsigned = { ...admission, deviceSignature: admission.signature };
		for (const each of [foreign, unsigned]) {
			expect(checkSignatures(street.ledger, each, verifier)).toEqual({ code: "bad-signature", kind: "device" });
		}
	});

	it("takes the metering over where it says so: from then on its signature counts for readings, the old one's not", () => {
		const street = new TestNeighbourhood(1);
		const old = street.reading(0, FIRST_MINUTE, 5, 0);
		street.block(soon(street), [street.admission(0, "kiosk", { metering: true })]);
		expect(street.household(0).meteringDevice).toBe(1);
		expect(checkSignatures(street.ledger, old, verifier)).toEqual({ code: "bad-signature", kind: "reading" });
		const own = { ...old, signature: sign(street.id(old), secretOf("kiosk")) };
		expect(checkSignatures(street.ledger, own, verifier)).toBeUndefined();
	});

	it("takes another's place in one act: that one is out of use, and its metering goes over", () => {
		const street = new TestNeighbourhood(3);
		expect(street.refusal(soon(street), [street.admission(0, "new", { replaces: 1 })])).toEqual({
			code: "not-your-device",
			device: 1,
		});
		street.block(soon(street), [street.admission(0, "new", { replaces: 0 })]);
		expect(street.ledger.devices.map((device) => !isInUse(device))).toEqual([true, false, false, false]);
		expect(street.household(0).meteringDevice).toBe(3);
		expect(street.refusal(soon(street), [street.admission(0, "newer", { replaces: 0 })])).toEqual({
			code: "device-revoked",
			device: 0,
		});
	});

	it("is known once, and no more than eight are in use at a time", () => {
		const street = new TestNeighbourhood(2);
		street.block(soon(street), [street.admission(1, "device 2")]);
		expect(street.refusal(soon(street), [street.admission(0, "device 2")])).toEqual({ code: "known-device" });
		for (let at = 2; at < MAX_DEVICES_OF_HOUSEHOLD; at++)
			street.block(soon(street), [street.admission(1, `more ${at}`)]);
		expect(street.refusal(soon(street), [street.admission(1, "one more")])).toEqual({
			code: "too-many-devices",
			limit: MAX_DEVICES_OF_HOUSEHOLD,
		});
		street.block(soon(street), [street.act("revoke", 1, { device: 1 })]);
		expect(street.refusal(soon(street), [street.admission(1, "one more")])).toBeUndefined();
	});
});

describe("a device that is revoked", () => {
	it("is its household's to revoke, once, and its index is never used again", () => {
		const street = new TestNeighbourhood(2);
		expect(street.refusal(soon(street), [street.act("revoke", 0, { device: 1 })])).toEqual({
			code: "not-your-device",
			device: 1,
		});
		expect(street.refusal(soon(street), [street.act("revoke", 0, { device: 7 })])).toEqual({
			code: "unknown-device",
			device: 7,
		});
		street.block(soon(street), [street.act("revoke", 1, { device: 1 }), street.admission(1, "new")]);
		expect(street.ledger.devices.map((device) => [device.index, !isInUse(device)])).toEqual([
			[0, false],
			[1, true],
			[2, false],
		]);
		expect(street.refusal(soon(street), [street.act("revoke", 1, { device: 1 })])).toEqual({
			code: "device-revoked",
			device: 1,
		});
		expect(street.refusal(soon(street), [street.admission(1, "device 1")])).toEqual({ code: "known-device" });
	});

	it("signs no reading any more: the household's oldest other device meters, if there is one", () => {
		const street = new TestNeighbourhood(2);
		const reading = street.reading(1, FIRST_MINUTE, 5, 0);
		street.block(soon(street), [street.admission(1, "second"), street.admission(1, "third")]);
		street.block(soon(street), [street.act("revoke", 1, { device: 1 })]);
		expect(street.household(1).meteringDevice).toBe(2);
		street.block(soon(street), [street.act("revoke", 1, { device: 2 }), street.act("revoke", 1, { device: 3 })]);
		const signed = { ...reading, signature: sign(street.id(reading), secretOf("third")) };
		expect(checkSignatures(street.ledger, signed, verifier)).toEqual({ code: "device-revoked", device: 3 });
	});
});

describe("a device whose vote is needed", () => {
	it("stays in use: the only voter is neither revoked nor replaced, but another may come in beside it", () => {
		const street = new TestNeighbourhood(2);
		expect(street.ledger.voters).toEqual([0]);
		const needed = { code: "too-few-voters", voters: 1, inUse: 0 };
		expect(street.refusal(soon(street), [street.act("revoke", 0, { device: 0 })])).toEqual(needed);
		expect(street.refusal(soon(street), [street.admission(0, "new", { replaces: 0 })])).toEqual(needed);
		street.block(soon(street), [street.admission(0, "new"), street.act("revoke", 1, { device: 1 })]);
		expect(street.ledger.devices.map((device) => !isInUse(device))).toEqual([false, true, false]);
	});

	it("stays in use where a majority of the voters would be out of use, also by one block", () => {
		const street = new TestNeighbourhood(4);
		street.ledger = { ...street.ledger, voters: [0, 1, 2] };
		const revoke = (member: number) => street.act("revoke", member, { device: member });
		const needed = { code: "too-few-voters", voters: 3, inUse: 1 };
		expect(street.refusal(soon(street), [revoke(1), revoke(2)])).toEqual(needed);
		street.block(soon(street), [revoke(1)]);
		expect(street.refusal(soon(street), [street.admission(2, "new", { replaces: 2 })])).toEqual(needed);
		// With another voter in the place of the one that went there are enough again.
		street.block(soon(street), [street.voters([], [1])]);
		expect(street.refusal(soon(street), [revoke(2)])).toEqual({ code: "too-few-voters", voters: 2, inUse: 1 });
		street.block(soon(street), [street.voters([3]), revoke(2)]);
		expect(street.ledger.devices.map((device) => !isInUse(device))).toEqual([false, true, true, false]);
	});
});
