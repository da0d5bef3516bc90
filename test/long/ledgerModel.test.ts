import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { expectAgreement } from "../support/ledgerAgreement.js";
import { play, scenario } from "../support/scenario.js";

// Lives here are half an hour long: notices are over in a minute, and soon it is too late to take something back.
vi.mock(import("../../src/primitives/units.js"), async (units) => ({
	...(await units()),
	HOUSEHOLD_NOTICE_MINUTES: 1,
	TAKE_BACK_MINUTES: 2,
}));

/** Transactions that the ledger is offered, in as many lives as it takes. */
const COMMANDS = Number(process.env.NABOSTROM_LEDGER_COMMANDS ?? 1_000_000);
const LIVES_AT_ONCE = 50;

it(
	`takes ${COMMANDS} random commands as the rules say, each to the Wh and µNOK`,
	() => {
		let [commands, lives] = [0, 0];
		while (commands < COMMANDS) {
			fc.assert(
				fc.property(scenario, (story) => {
					for (const played of play(story)) {
						expectAgreement(played);
						const { ledger } = played.executed;
						const own = ledger.households.map(({ balanceMicroNok }) => balanceMicroNok);
						const locked = [...ledger.locks.values()].map(({ amountMicroNok }) => amountMicroNok);
						for (const balance of own) expect(balance).toBeGreaterThanOrEqual(0);
						const all = [...own, ...locked].reduce((sum, amount) => sum + amount, 0);
						const reserve = ledger.issuedMicroNok - ledger.paidOutMicroNok;
						expect(all).toBe(ledger.households.reduce((sum, { creditMicroNok }) => sum + creditMicroNok, reserve));
						commands += played.offered;
					}
				}),
				{ numRuns: LIVES_AT_ONCE },
			);
			lives += LIVES_AT_ONCE;
		}
		console.log(`${commands} commands in ${lives} lives`);
	},
	60 * 60_000,
);
