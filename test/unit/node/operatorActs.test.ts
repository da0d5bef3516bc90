import { describe, expect, it } from "vitest";
import { foundedStreet } from "../../support/cluster.js";

describe("what the operator decides about households", () => {
	it("is seen by everybody: a name, and who else is operator", async () => {
		const cluster = await foundedStreet(3);
		await cluster.act(0, { type: "rename", household: 2, name: "Lie og Moen" });
		await cluster.act(0, { type: "role", household: 1, operator: true });
		for (const at of [0, 1, 2]) {
			const { members } = cluster.view(at);
			expect(members[2]?.name).toBe("Lie og Moen");
			expect(members.map(({ operator }) => operator)).toEqual([true, true, false]);
		}
		expect(cluster.view(1).operator).toBeDefined();
		await cluster.act(1, { type: "role", household: 0, operator: false });
		expect(cluster.view(0).operator).toBeUndefined();
		expect(await cluster.outcome(0, { type: "invite" })).toBe("not-operator");
		expect(await cluster.outcome(1, { type: "role", household: 1, operator: false })).toBe("last-operator");
	});

	it("is no name that a screen cannot show", async () => {
		const cluster = await foundedStreet(3);
		for (const name of ["", " Lie", "x".repeat(41), "\u202eLie", "Lie\nMoen"]) {
			expect(await cluster.outcome(0, { type: "rename", household: 1, name })).toBe("bad-name");
		}
	});
});

describe("a household that is suspended", () => {
	it("is told so at its own device, and everybody sees it", async () => {
		const cluster = await foundedStreet(3);
		await cluster.act(0, { type: "suspend", household: 1, suspended: true });
		expect(await cluster.outcome(1, { type: "buy", amountMicroNok: 1_000_000 })).toBe("suspended");
		for (const at of [0, 1, 2]) expect(cluster.view(at).members[1]?.suspended).toBe(true);
		expect(cluster.view(1).self.suspended).toBe(true);
		await cluster.act(0, { type: "suspend", household: 1, suspended: false });
		expect(cluster.view(1).self.suspended).toBeUndefined();
		await cluster.act(1, { type: "buy", amountMicroNok: 1_000_000 });
	});
});

describe("an operator that the households name", () => {
	it("is one for everybody, and what was done is the same list at each", async () => {
		const cluster = await foundedStreet(3);
		await cluster.act(0, { type: "rename", household: 2, name: "Lie og Moen" });
		for (const at of [1, 2]) await cluster.act(at, { type: "appoint", household: 1 });
		expect(cluster.view(0).members.map(({ appoints }) => appoints)).toEqual([undefined, 1, 1]);
		expect(await cluster.outcome(2, { type: "appoint", household: 1 })).toBe("vote-unchanged");
		await cluster.act(2, { type: "appoint" });
		await cluster.act(2, { type: "appoint", household: 1 });
		await cluster.act(0, { type: "appoint", household: 1 });
		for (const at of [0, 1, 2]) {
			const { members, operatorRecord } = cluster.view(at);
			expect(members.map(({ operator }) => operator)).toEqual([true, true, false]);
			expect(operatorRecord).toMatchObject([
				{ kind: "appointed", household: 1 },
				{ kind: "rename", member: 0, household: 2, texts: ["Olsen", "Lie og Moen"] },
			]);
		}
		expect(cluster.view(1).operator).toBeDefined();
		for (const at of [0, 1, 2]) {
			expect(cluster.view(at).members.map(({ wanted }) => wanted)).toEqual([undefined, true, undefined]);
		}
		const dismissal = { type: "role", household: 1, operator: false } as const;
		expect(await cluster.outcome(0, dismissal)).toBe("wanted-by-households");
		expect(await cluster.outcome(0, { type: "suspend", household: 1, suspended: true })).toBe("wanted-by-households");
		await cluster.act(1, { type: "role", household: 0, operator: false });
		expect(cluster.view(0).operator).toBeUndefined();
	});
});
