/** Shapes and fields that several kinds of messages share. */
import * as v from "valibot";
import { type Certificate, certificateFields, certificateShape } from "../block/certificate.js";
import type { CborValue } from "../primitives/codec.js";

export const nothing = v.pipe(
	v.strictTuple([]),
	v.transform(() => undefined),
);
export const list = <T extends v.GenericSchema>(item: T, max: number) => v.pipe(v.array(item), v.maxLength(max));

export const optionalCertificate = v.union([nothing, certificateShape]);

export function optionalCertificateFields(certificate: Certificate | undefined): CborValue {
	return certificate === undefined ? [] : certificateFields(certificate);
}
