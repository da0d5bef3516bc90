import { describe, expect, it } from "vitest";
import { checkSignatures } from "../../../src/contract/signers.js";
import { MAX_VOTERS } from "../../../src/contract/voters.js";
import { createVerifier } from "../../../src/primitives/signature.js";
import { TestNeighbourhood } from "../../support/ledger.js";

const soon = (street: TestNeighbourhood) => street.head.timestampMs + 1;
/** Genesis makes voters of all devices that are always on, of three or more. */
const withVoters = (voters: number, observers = 0) => {
	const street = new TestNeighbourhood(Math.max(3, voters) + observers);
	street.ledger = { ...street.ledger, voters: Array.from({ length: voters }, (_, at) => at) };
	return street;
};

describe("a change of voters", () => {
	it("adds or removes one device, from its own block on, and says since when", () => {
		const street = withVoters(3, 2);
		street.block(soon(street), [street.voters([4])]);
		expect(street.ledger).toMatchObject({ voters: [0, 1, 2, 4], votersSinceIndex: 1 });
		street.block(soon(street));
		street.block(soon(street), [street.voters([], [1])]);
		expect(street.ledger).toMatchObject({ voters: [0, 2, 4], votersSinceIndex: 3 });
	});

	it("beside a single voter adds two at once, or one that takes its place", () => {
		const street = withVoters(1);
		street.block(soon(street), [street.voters([1, 2])]);
		expect(street.ledger.voters).toEqual([0, 1, 2]);
		const alone = withVoters(1);
		alone.block(soon(alone), [alone.voters([1])]);
		expect(alone.ledger.voters).toEqual([0, 1]);
		alone.block(soon(alone), [alone.voters([], [0])]);
		expect(alone.ledger.voters).toEqual([1]);
	});

	it.each<[string, number, number[], number[]]>([
		["nobody", 3, [], []],
		["two more beside three", 3, [3, 4], []],
		["one for another", 3, [3], [0]],
		["the last one away", 1, [], [0]],
		["two for the last one", 1, [1, 2], [0]],
		["one for the last one", 1, [1], [0]],
	])("%s: is no single step", (_, voters, added, removed) => {
		const street = withVoters(voters, 2);
		expect(street.refusal(soon(street), [street.voters(added, removed)])).toEqual({
			code: "voters-step",
			voters,
			added: added.length,
			removed: removed.length,
		});
	});

	it("of a device that is none, is there already, or is there not, is refused", () => {
		const street = withVoters(3, 1);
		expect(street.refusal(soon(street), [street.voters([9])])).toEqual({ code: "unknown-device", device: 9 });
		expect(street.refusal(soon(street), [street.voters([2])])).toEqual({ code: "already-voter", device: 2 });
		expect(street.refusal(soon(street), [street.voters([], [3])])).toEqual({ code: "not-voter", device: 3 });
		const [first] = street.voters([3]).added;
		const foreign = street.act("voters", 0, { added: [{ device: 3, publicKey: street.household(0).publicKey }] }, 1);
		expect(first?.device).toBe(3);
		expect(street.refusal(soon(street), [foreign])).toEqual({ code: "unknown-device", device: 3 });
		const alone = withVoters(1);
		expect(alone.refusal(soon(alone), [alone.voters([1, 1])])).toEqual({ code: "already-voter", device: 1 });
	});

	it("that takes one in use away is refused where those in use would be no majority of the rest", () => {
		const street = withVoters(3);
		street.block(soon(street), [street.act("revoke", 2, { device: 2 })]);
		const tooFew = { code: "too-few-voters", voters: 2, inUse: 1 };
		expect(street.refusal(soon(street), [street.voters([], [1])])).toEqual(tooFew);
		street.block(soon(street), [street.voters([], [2])]);
		street.block(soon(street), [street.voters([], [1])]);
		expect(street.ledger.voters).toEqual([0]);
	});

	it("of a revoked device is refused", () => {
		const street = withVoters(3, 1);
		street.block(soon(street), [street.act("revoke", 3, { device: 3 })]);
		expect(street.refusal(soon(street), [street.voters([3])])).toEqual({ code: "unknown-device", device: 3 });
	});

	it("lets one device of each household vote", () => {
		const street = withVoters(3, 1);
		street.block(soon(street), [street.admission(2, "second"), street.admission(3, "third")]);
		expect(street.refusal(soon(street), [street.voters([4])])).toEqual({ code: "household-votes-already", member: 2 });
		const alone = withVoters(1);
		alone.block(soon(alone), [alone.admission(1, "second")]);
		expect(alone.refusal(soon(alone), [alone.voters([1, 3])])).toEqual({ code: "household-votes-already", member: 1 });
		street.block(soon(street), [street.voters([5])]);
		expect(street.ledger.voters).toEqual([0, 1, 2, 5]);
	});

	it("ends at 25 voters", () => {
		const street = withVoters(MAX_VOTERS, 1);
		expect(street.refusal(soon(street), [street.voters([MAX_VOTERS])])).toEqual({
			code: "too-many-voters",
			limit: MAX_VOTERS,
		});
	});

	it("is the operator's, and stands first in its block: one a block", () => {
		const street = withVoters(3, 2);
		expect(street.refusal(soon(street), [street.act("voters", 1, { removed: [2] })])).toEqual({ code: "not-operator" });
		const offer = street.act("offer", 1);
		const change = street.voters([3]);
		expect(street.refusal(soon(street), [offer, change])).toEqual({ code: "voters-not-first" });
		expect(street.refusal(soon(street), [street.voters([3]), street.voters([4])])).toEqual({
			code: "voters-not-first",
		});
		expect(street.refusal(soon(street), [street.voters([3]), street.act("offer", 1)])).toBeUndefined();
	});
});

describe("a change of voters that the operator's device signs by itself", () => {
	const verifier = createVerifier();

	it("takes no nonce of the household's, and holds for the set that it was made for alone", () => {
		const street = withVoters(3);
		street.block(soon(street), [street.act("revoke", 2, { device: 2 })]);
		const step = street.keptVoters([], [2]);
		expect(checkSignatures(street.ledger, step, verifier)).toBeUndefined();
		street.block(soon(street), [step]);
		expect(street.ledger.voters).toEqual([0, 1]);
		expect(street.ledger.households[0]?.nonce).toBe(0);
		expect(street.refusal(soon(street), [step])).toEqual({ code: "voters-changed" });
	});

	it("made ahead for another set is refused, not kept waiting", () => {
		const street = withVoters(3);
		const { votersSinceIndex } = street.ledger;
		for (const nonce of [votersSinceIndex, votersSinceIndex + 2, votersSinceIndex + 16]) {
			const ahead = street.keptVoters([], [1], { nonce: Math.max(1, nonce) });
			if (ahead.nonce === votersSinceIndex + 1) continue;
			expect(street.refusal(soon(street), [ahead])).toEqual({ code: "voters-changed" });
		}
	});

	it("sends none away who is in use, and lets none come who does not stay on", () => {
		const street = withVoters(3, 1);
		expect(street.refusal(soon(street), [street.keptVoters([], [1])])).toEqual({ code: "voters-by-household" });
		const devices = street.ledger.devices.map((device) => ({ ...device, alwaysOn: device.index < 3 }));
		street.ledger = { ...street.ledger, devices };
		expect(street.refusal(soon(street), [street.keptVoters([3])])).toEqual({ code: "voters-by-household" });
	});

	it("lets one come beside a single voter only where that is out of use as soon as it does not vote", () => {
		const street = withVoters(1);
		expect(street.refusal(soon(street), [street.keptVoters([1])])).toEqual({ code: "voters-by-household" });
		street.block(soon(street), [street.rebinding(0, "new words")]);
		expect(street.refusal(soon(street), [street.keptVoters([1])])).toEqual({ code: "voters-by-household" });
		street.passNotice();
		expect(street.refusal(soon(street), [street.keptVoters([1])])).toBeUndefined();
		expect(street.refusal(soon(street), [street.keptVoters([1, 2])])).toBeUndefined();
	});

	it("by another household, by its other device or by one out of use is refused, whoever has seen its signature", () => {
		const street = withVoters(3, 1);
		expect(street.refusal(soon(street), [street.keptVoters([], [2], { member: 1 })])).toMatchObject({
			code: "voters-by-household",
		});
		const stolen = street.keptVoters([], [2], { device: 1 });
		expect(checkSignatures(street.ledger, stolen, verifier)).toEqual({ code: "unknown-device", device: 1 });
		expect(street.refusal(soon(street), [stolen])).toEqual({ code: "not-your-device", device: 1 });
		street.block(soon(street), [street.act("revoke", 2, { device: 2 })]);
		expect(street.refusal(soon(street), [street.keptVoters([], [2], { member: 1 })])).toEqual({ code: "not-operator" });
		street.ledger = {
			...street.ledger,
			devices: street.ledger.devices.map((device) => (device.index === 0 ? { ...device, revokedIndex: 7 } : device)),
		};
		const ofRevoked = street.keptVoters([], [2]);
		expect(checkSignatures(street.ledger, ofRevoked, verifier)).toBeUndefined();
		expect(street.refusal(soon(street), [ofRevoked])).toEqual({ code: "device-revoked", device: 0 });
	});
});
