/** The form that founds a neighbourhood, from what was typed to the settings. */
import type { NeighbourhoodSettings } from "../node/protocol.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { parsePrice } from "./amount.js";
import type { FieldError } from "./inputText.js";

/** Names stand in headings and lists of every neighbour's screen. */
export const NAME_LENGTH_MAX = 40;

export interface FoundFields {
	neighbourhood: string;
	household: string;
	retail: string;
	feedIn: string;
	localFee: string;
	moneyKind: NeighbourhoodSettings["moneyKind"];
	market: FoundingMarket;
}

type FoundingMarket = NonNullable<NeighbourhoodSettings["market"]>;

export type FoundErrors = Partial<Record<Exclude<keyof FoundFields, "market">, FieldError>>;

/** That an hour is a whole number of, and that a minute's noise does not decide in. */
export const INTERVALS_MINUTES: readonly number[] = [5, 10, 15, 30, 60];

export interface Founding {
	neighbourhood: NeighbourhoodSettings;
	householdName: string;
}

/** Nobody takes part in it who has not turned it on. */
export const USUAL_MARKET: FoundingMarket = {
	choice: "midMarket",
	intervalMinutes: 15,
	buysUnderContract: false,
};

/** Everything that is wrong at once, or what `openLobby` needs. */
export function readFounding(fields: FoundFields): Result<Founding, { code: "bad-fields"; errors: FoundErrors }> {
	const errors: FoundErrors = {};
	const name = readName(fields.neighbourhood);
	if (!name.ok) errors.neighbourhood = name.error;
	const household = readName(fields.household);
	if (!household.ok) errors.household = household.error;
	const retail = parsePrice(fields.retail);
	if (!retail.ok) errors.retail = retail.error;
	const feedIn = parsePrice(fields.feedIn, 0);
	if (!feedIn.ok) errors.feedIn = feedIn.error;
	const localFee = parsePrice(fields.localFee, 0);
	if (!localFee.ok) errors.localFee = localFee.error;
	if (!name.ok || !household.ok || !retail.ok || !feedIn.ok || !localFee.ok)
		return refused({ code: "bad-fields", errors });
	return ok({
		neighbourhood: {
			name: name.value,
			moneyKind: fields.moneyKind,
			retailMicroNokPerWh: retail.value,
			feedInMicroNokPerWh: feedIn.value,
			localFeeMicroNokPerWh: localFee.value,
			market: { ...fields.market },
		},
		householdName: household.value,
	});
}

/** A name as it goes on the chain: trimmed, one space between words. */
export function readName(text: string): Result<string, FieldError> {
	const name = text.trim().replace(/\s+/g, " ").normalize("NFC");
	if (name === "") return refused({ code: "required" });
	return name.length > NAME_LENGTH_MAX ? refused({ code: "name-too-long", max: NAME_LENGTH_MAX }) : ok(name);
}
