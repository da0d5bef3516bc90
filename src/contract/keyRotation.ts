/**
 * The network key is changed when a household has moved out, or it could watch for ever, through a signaling server, how
 * its former neighbours meet. The chain does not hold the key: it says what is mixed into it (`node/networkKeys`), which is
 * something that everybody has who still gets the blocks, and that the household had no way of getting.
 *
 * That is the signature of the first reading of a minute that had not begun when the household was out. Nobody can work it
 * out without the key of the device that read it, it did not exist while the household was still told things, and it is in
 * the block's body alone. The block's hash would not do: everybody on a channel is told of heads by their hash, links and
 * proofs hold hashes, and that of a block without transactions can be guessed.
 */
import type { ReadingTransaction } from "../block/kinds/metering.js";
import { taggedHash } from "../primitives/hash.js";
import { minuteOf } from "../primitives/units.js";
import type { Draft } from "./ledger.js";

export const KEY_SALT_BYTES = 16;

const hashSalt = taggedHash("key-salt");

/** A household is out with this block: the key it knows is to be changed. One that already was to be waits once more. */
export function requireNewKey(draft: Draft): void {
	const salts = draft.keyRotations?.salts ?? [];
	draft.keyRotations = { salts, dueAfterMinute: minuteOf(draft.timestampMs) };
}

/** A reading was booked: changes the key with it, if it is to be changed and the reading is late enough. */
export function changeKey(draft: Draft, { minute, signature }: ReadingTransaction): void {
	const { salts = [], dueAfterMinute } = draft.keyRotations ?? {};
	if (dueAfterMinute === undefined || minute <= dueAfterMinute) return;
	const salt = hashSalt(signature).slice(0, KEY_SALT_BYTES);
	draft.keyRotations = { salts: [...salts, { salt, timestampMs: draft.timestampMs }], dueAfterMinute: undefined };
}
