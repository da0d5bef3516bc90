/** The newest start of each member's device, as this device heard of it: what tells a copy from the living one. */
import * as v from "valibot";
import { publicKey } from "../block/fieldShapes.js";
import { bootFields, bootShape } from "../message/greetingWire.js";
import type { Boot } from "../message/message.js";
import { toHex } from "../primitives/bytes.js";
import type { Result } from "../primitives/result.js";
import { decodeRecord, encodeRecord, type RecordError } from "./records.js";

/** A device's newest start, by the device's key. */
export interface KnownBoot {
	deviceKey: Uint8Array;
	boot: Boot;
}

const shape = v.pipe(
	v.array(v.strictTuple([publicKey, bootShape])),
	v.transform(
		(list) => new Map(list.map(([deviceKey, boot]): [string, KnownBoot] => [toHex(deviceKey), { deviceKey, boot }])),
	),
);

export function encodeBoots(known: Iterable<KnownBoot>): Uint8Array {
	return encodeRecord([...known].map(({ deviceKey, boot }) => [deviceKey, bootFields(boot)]));
}

/** By device key in hex. */
export function decodeBoots(record: Uint8Array): Result<Map<string, KnownBoot>, RecordError> {
	return decodeRecord(record, shape);
}
