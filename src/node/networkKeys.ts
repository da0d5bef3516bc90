/**
 * Under which keys a device is in its neighbourhood's mesh. It came in with one; whatever the chain has had mixed into it
 * since (`contract/keyRotation`) makes the next ones of it. Who was away knows an older key than the others, and hears of the
 * newer ones only from them: so everybody listens under some of the older ones, too.
 */
import * as v from "valibot";
import { bytes, integer } from "../block/fieldShapes.js";
import type { KeySalt } from "../contract/ledger.js";
import type { CborValue } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE } from "../primitives/units.js";

export const NETWORK_KEY_BYTES = 16;
/** The newest one and three before it: each takes six of the 32 topics that a signaling server gives a socket. */
export const MAX_HEARD_KEYS = 4;

const hashKey = taggedHash("network-key");

/** A key as it is kept, and handed on in links. */
export interface NetworkKey {
	/** 16 bytes that only members (and holders of a link) know. */
	networkKey: Uint8Array;
	/** How many of the chain's salts are mixed into it already; 0 where the neighbourhood was founded. */
	keyGeneration: number;
}

export interface HeardKey extends NetworkKey {
	/** Since when there is a newer one (chain time); undefined: it is the newest. */
	replacedMs: number | undefined;
}

/** The keys that a device with this one speaks (the first) and listens (all) under, newest first. */
export function networkKeys(own: NetworkKey, salts: readonly KeySalt[]): readonly [HeardKey, ...HeardKey[]] {
	let { networkKey, keyGeneration } = own;
	const older: HeardKey[] = [];
	// A link may be newer than what is known of the chain so far: then its key is as it is.
	for (const { salt, timestampMs } of salts.slice(own.keyGeneration)) {
		older.unshift({ networkKey, keyGeneration, replacedMs: timestampMs });
		networkKey = hashKey(networkKey, salt).slice(0, NETWORK_KEY_BYTES);
		keyGeneration += 1;
	}
	return [{ networkKey, keyGeneration, replacedMs: undefined }, ...older.slice(0, MAX_HEARD_KEYS - 1)];
}

/** A link that was made before the key changed leads its finder here for so long, in ms of chain time. */
export const OLD_LINK_MS = 30 * MINUTES_PER_DAY * MS_PER_MINUTE;

/** What is handed on to those who come. */
export function newestKey(own: NetworkKey, salts: readonly KeySalt[]): NetworkKey {
	const [{ networkKey, keyGeneration }] = networkKeys(own, salts);
	return { networkKey, keyGeneration };
}

/** In records and links: as they were before keys changed, where it did not. */
export function networkKeyField({ networkKey, keyGeneration }: NetworkKey): CborValue {
	return keyGeneration === 0 ? networkKey : [networkKey, keyGeneration];
}

const keyBytes = bytes(NETWORK_KEY_BYTES);

export const networkKeyShape = v.union([
	v.pipe(
		keyBytes,
		v.transform((networkKey): NetworkKey => ({ networkKey, keyGeneration: 0 })),
	),
	v.pipe(
		v.strictTuple([keyBytes, integer(1, Number.MAX_SAFE_INTEGER)]),
		v.transform(([networkKey, keyGeneration]): NetworkKey => ({ networkKey, keyGeneration })),
	),
]);
