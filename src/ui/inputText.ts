/** Sentences for what is wrong with a field. Limits are told in the unit that the field is typed in. */
import { decimalString } from "../primitives/decimal.js";
import type { InputError } from "./amount.js";
import { m } from "./paraglide/messages.js";

export type FieldError =
	| InputError
	| { code: "bad-date" }
	| { code: "until-before-from" }
	| { code: "name-too-long"; max: number };

/** `decimals`: how many the field's unit has above the unit of the limits. */
export function inputText(error: FieldError, decimals = 0): string {
	switch (error.code) {
		case "required":
			return m.field_required();
		case "bad-number":
			return m.field_bad_number();
		case "too-many-decimals":
			return m.field_too_many_decimals({ max: error.max });
		case "too-small":
			return m.field_too_small({ min: limit(error.min, decimals) });
		case "too-large":
			return m.field_too_large({ max: limit(error.max, decimals) });
		case "bad-date":
			return m.field_bad_date();
		case "until-before-from":
			return m.field_until_before_from();
		case "name-too-long":
			return m.field_name_too_long({ max: error.max });
	}
}

function limit(value: number, decimals: number): string {
	return decimalString(value, decimals, decimals);
}
