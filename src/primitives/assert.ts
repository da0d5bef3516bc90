/** Thrown for what only a bug can cause. What peers, people, files and meters cause is a {@link Result}. */
export class AssertionError extends Error {
	override name = "AssertionError";
}

/** States what must hold. A failure means a defect in this program, so it throws and is never caught inside the core. */
export function assert(condition: boolean, whatMustHold: string): asserts condition {
	if (!condition) throw new AssertionError(whatMustHold);
}

/** Closes a `switch` over a union: the compiler rejects the call while a member is unhandled. */
export function unreachable(value: never): never {
	throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
