/**
 * A hundred nodes in one process are told the same messages and execute the same blocks. Decoding and executing are pure:
 * what one of them has worked out is handed to the others, which changes how long a test takes and nothing else. Small
 * streets, and all of the simulator's, work out everything by themselves.
 */
import { createHash } from "node:crypto";
import { blockHash } from "../../../src/block/block.js";
import type * as Wire from "../../../src/message/wire.js";
import type * as Chain from "../../../src/node/chain.js";
import { toHex } from "../../../src/primitives/bytes.js";

/** Households from which on a street shares its work. */
const SHARING_HOUSEHOLDS = 20;
/** The last few that are shared, in their order: neighbours do the same thing at about the same time. */
const KEPT_MESSAGES = 4_096;
const KEPT_LINKS = 512;

const sharing = { isOn: false };

/** From now on this process works for a street of so many households. */
export function shareWork(households: number): void {
	sharing.isOn = households >= SHARING_HOUSEHOLDS;
}

class Kept<T> {
	readonly #values = new Map<string, T>();
	readonly #limit: number;

	constructor(limit: number) {
		this.#limit = limit;
	}

	get(key: string): T | undefined {
		return this.#values.get(key);
	}

	set(key: string, value: T): T {
		this.#values.set(key, value);
		const [oldest] = this.#values.keys();
		if (this.#values.size > this.#limit && oldest !== undefined) this.#values.delete(oldest);
		return value;
	}
}

/** The module `message/wire` with a shared decoder, for `vi.mock`. */
export async function sharingWire(original: () => Promise<typeof Wire>): Promise<typeof Wire> {
	const wire = await original();
	return { ...wire, decodeMessage: sharedDecoder(wire.decodeMessage) };
}

/** The module `node/chain` with shared executions, for `vi.mock`. */
export async function sharingChain(original: () => Promise<typeof Chain>): Promise<typeof Chain> {
	const chain = await original();
	return { ...chain, extend: sharedExtend(chain.extend) };
}

/** A decoder whose results are shared by everybody who decodes the same bytes. */
function sharedDecoder<T>(decode: (bytes: Uint8Array) => T): (bytes: Uint8Array) => T {
	const kept = new Kept<T>(KEPT_MESSAGES);
	return (bytes) => {
		if (!sharing.isOn) return decode(bytes);
		const key = createHash("sha1").update(bytes).digest("base64");
		return kept.get(key) ?? kept.set(key, decode(bytes));
	};
}

type Extend = typeof Chain.extend;

/** The execution of a block that others have executed on the same parent and found valid. */
function sharedExtend(extend: Extend): Extend {
	const kept = new Kept<ReturnType<Extend>>(KEPT_LINKS);
	return (parent, block, bytes, checkSignatures) => {
		if (!sharing.isOn) return extend(parent, block, bytes, checkSignatures);
		const key = toHex(parent.hash) + toHex(blockHash(block));
		const known = kept.get(key);
		if (known !== undefined) return known;
		const link = extend(parent, block, bytes, checkSignatures);
		return link.ok ? kept.set(key, link) : link;
	};
}
