import { describe, expect, it } from "vitest";
import { isNewer, isSameAccount, statedAccountId } from "../../../src/block/statedAccount.js";

const GRID = new Uint8Array(32).fill(1);
const account = { holder: "Kari Nordmann", number: "12345678903" };
const said = { member: 3, timestampMs: 1_000, account };

describe("a household's word about its bank account", () => {
	it("is another one with any other content, and in another neighbourhood", () => {
		const ids = [
			statedAccountId(said, GRID),
			statedAccountId(said, new Uint8Array(32).fill(2)),
			statedAccountId({ ...said, member: 4 }, GRID),
			statedAccountId({ ...said, timestampMs: 1_001 }, GRID),
			statedAccountId({ ...said, account: undefined }, GRID),
			statedAccountId({ ...said, account: { ...account, holder: "Ola Nordmann" } }, GRID),
			statedAccountId({ ...said, account: { ...account, number: "NO9386011117947" } }, GRID),
		];
		expect(new Set(ids.map((id) => id.join())).size).toBe(ids.length);
	});

	it("holds from the later moment on, and of two of the same moment one, in whichever order they come", () => {
		const [early, late] = [{ timestampMs: 1 }, { timestampMs: 2 }];
		const [low, high] = [Uint8Array.of(1, 9), Uint8Array.of(2, 0)];
		expect(isNewer([late, low], [early, high])).toBe(true);
		expect(isNewer([early, high], [late, low])).toBe(false);
		expect([isNewer([late, low], [late, high]), isNewer([late, high], [late, low])]).toEqual([false, true]);
		expect(isNewer([late, low], [late, low])).toBe(false);
	});

	it("says the same by holder and number", () => {
		expect(isSameAccount(account, { ...account })).toBe(true);
		expect(isSameAccount(undefined, undefined)).toBe(true);
		expect(isSameAccount(account, undefined)).toBe(false);
		expect(isSameAccount(account, { ...account, holder: "Ola" })).toBe(false);
	});
});
