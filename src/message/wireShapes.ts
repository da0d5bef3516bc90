/** Shapes and fields that several kinds of messages share. */
import * as v from "valibot";
import { type Certificate, certificateFields, certificateShape } from "../block/certificate.js";
import { bytes } from "../block/fieldShapes.js";
import type { CborValue } from "../primitives/codec.js";
import { HASH_BYTES } from "../primitives/hash.js";

export const natural = v.pipe(v.number(), v.integer(), v.minValue(0));
export const flag = v.pipe(
	v.picklist([0, 1]),
	v.transform((bit) => bit === 1),
);
export const blob = v.instance(Uint8Array);
export const hash = bytes(HASH_BYTES);
export const nothing = v.pipe(
	v.strictTuple([]),
	v.transform(() => undefined),
);
export const list = <T extends v.GenericSchema>(item: T, max: number) => v.pipe(v.array(item), v.maxLength(max));

export const optionalCertificate = v.union([nothing, certificateShape]);

export function optionalCertificateFields(certificate: Certificate | undefined): CborValue {
	return certificate === undefined ? [] : certificateFields(certificate);
}
