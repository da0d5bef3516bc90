/** Shapes of what is decided about a household's membership; each begins with its kind's number. */
import * as v from "valibot";
import { flag, member, nonce, signature } from "./fieldShapes.js";
import type { SuspendTransaction } from "./governance.js";

export const suspendShape = (kind: number) =>
	v.pipe(
		v.strictTuple([v.literal(kind), member, nonce, member, flag, signature]),
		v.transform(
			([, operator, number, household, suspended, signed]) =>
				({
					kind: "suspend",
					member: operator,
					nonce: number,
					household,
					suspended,
					signature: signed,
				}) satisfies SuspendTransaction,
		),
	);
