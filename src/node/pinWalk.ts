/**
 * From the block that an invitation pins to a checkpoint above it: a chain of headers. Keys that were thrown away long
 * ago can sign another past, but not one that holds the pinned block.
 */
import type { Anchor } from "../block/anchor.js";
import { type BlockHeader, blockHash } from "../block/block.js";
import { equalBytes } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import type { Pin } from "./checkpointWalk.js";

export type PinWalkError =
	| { code: "pinned-block-differs"; index: number }
	/** Headers that do not follow one another, or do not lead to the checkpoint. */
	| { code: "headers-broken"; index: number };

export class PinWalk {
	readonly #pin: Pin;
	readonly #anchor: Pick<Anchor, "block">;
	#last: { index: number; hash: Uint8Array } | undefined;

	constructor(pin: Pin, anchor: Pick<Anchor, "block">) {
		this.#pin = pin;
		this.#anchor = anchor;
	}

	/** The first header that is still to come. */
	get nextIndex(): number {
		return this.#last === undefined ? this.#pin.index : this.#last.index + 1;
	}

	/** Takes the next headers; true: the checkpoint lies above the pinned block. */
	take(headers: readonly BlockHeader[]): Result<boolean, PinWalkError> {
		for (const header of headers) {
			const hash = blockHash(header);
			if (header.index !== this.nextIndex) return refused({ code: "headers-broken", index: header.index });
			if (this.#last === undefined) {
				const { hash: pinned } = this.#pin;
				if (!equalBytes(hash.subarray(0, pinned.length), pinned)) {
					return refused({ code: "pinned-block-differs", index: header.index });
				}
			} else if (!equalBytes(header.previousHash, this.#last.hash)) {
				return refused({ code: "headers-broken", index: header.index });
			}
			this.#last = { index: header.index, hash };
			if (header.index === this.#anchor.block.index - 1) return this.#arrive(hash);
		}
		return ok(false);
	}

	#arrive(hash: Uint8Array): Result<boolean, PinWalkError> {
		const { index, previousHash } = this.#anchor.block;
		return equalBytes(previousHash, hash) ? ok(true) : refused({ code: "headers-broken", index });
	}
}
