/** Keys of a device under test. */
import type { Keys } from "../../src/node/records.js";
import { assert } from "../../src/primitives/assert.js";

/** What the household's key is made of, where no password seals it. */
export function seedOf({ household }: Keys): Uint8Array {
	assert(household.seed !== undefined, "a household without a password");
	return household.seed;
}
