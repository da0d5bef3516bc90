import { beforeAll, describe, expect, test } from "vitest";
import { accountReview, readAccount, withdrawAccountReview } from "../../../src/ui/accountForm.js";
import type { Household } from "../../../src/ui/context.js";
import { codeText, loadSentences } from "../../../src/ui/lateText.svelte.js";
import type { CommandResult } from "../../../src/ui/nodeClient.svelte.js";

const ACCOUNT = { holder: "Kari Nordmann", number: "12345678903" };

beforeAll(loadSentences);

describe("the form of a bank account", () => {
	test("takes a number as people write it, and a name without the blanks that came along", () => {
		const typed = { holder: "  Kari\tNordmann ", number: "1234.56.78903" };
		expect(readAccount(typed)).toEqual({ ok: true, value: ACCOUNT });
	});

	test("says everything that is wrong at once, and what to do about it", () => {
		expect(readAccount({ holder: " ", number: "1234 56 78904" })).toEqual({
			ok: false,
			error: {
				code: "bad-fields",
				errors: { holder: codeText("bad-holder"), number: codeText("account-check-digit") },
			},
		});
		expect(readAccount({ holder: "K".repeat(71), number: "12345678903" }).ok).toBe(false);
	});

	test.each([
		"account-missing",
		"account-unknown-form",
		"account-too-short",
		"account-too-long",
		"account-check-digit",
	])("has a sentence of its own for %s", (code) => {
		expect(codeText(code)).not.toContain(code);
	});
});

describe("the review of an account", () => {
	const commands: unknown[] = [];
	const home = (operator: boolean, result: CommandResult = { ok: true, value: { type: "done" } }) =>
		({
			street: { self: { operator } },
			client: {
				command: async (command: unknown) => {
					commands.push(command);
					return result;
				},
			},
		}) as unknown as Household;

	test("says who will see it, and the number as it is read", () => {
		const [forAll, forOne] = [true, false].map((operator) => accountReview(home(operator), ACCOUNT, () => {}));
		for (const review of [forAll, forOne]) expect(review?.sentence).toContain("1234 56 78903, Kari Nordmann");
		expect(forAll?.sentence).not.toBe(forOne?.sentence);
		expect(withdrawAccountReview(home(true)).sentence).not.toBe(withdrawAccountReview(home(false)).sentence);
	});

	test("is done once it is signed, and not where that was refused", async () => {
		let done = 0;
		const onDone = () => {
			done += 1;
		};
		await accountReview(home(false, { ok: false, error: { code: "locked" } }), ACCOUNT, onDone).run();
		expect(done).toBe(0);
		await accountReview(home(false), ACCOUNT, onDone).run();
		expect(done).toBe(1);
		await withdrawAccountReview(home(false)).run();
		expect(commands).toEqual([
			{ type: "account", account: ACCOUNT },
			{ type: "account", account: ACCOUNT },
			{ type: "account" },
		]);
	});
});
