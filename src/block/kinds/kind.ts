/**
 * How a kind of transaction is said once: its fields by name, in the order in which they are signed. Body, wire form,
 * shape and TypeScript type all follow from that.
 */
import * as v from "valibot";
import type { CborValue } from "../../primitives/codec.js";
import { type TaggedHash, taggedHash } from "../../primitives/hash.js";
import * as shapes from "../fieldShapes.js";

/** A field of a body: the shape in which it is read, and how it is written. */
export interface Field<T> {
	readonly shape: v.GenericSchema<unknown, T>;
	write(value: T): CborValue;
	/** Only of the last field of a body: nothing at all is written of undefined. What came later to a kind is said so. */
	readonly isOmittable?: true;
}

/** The signatures of a transaction, which come last on the wire. */
export interface Signatures<S extends object> {
	readonly shape: v.GenericSchema<unknown, S>;
	write(signatures: S): CborValue;
}

/** What is known of a kind. `T`: the transaction. */
export interface Kind<T extends { kind: string }> {
	readonly name: T["kind"];
	/** The hash function under whose tag the kind is signed. */
	readonly digest: TaggedHash;
	/** The body as it is signed, a positional array. */
	fields(transaction: Omit<T, SignatureName>): CborValue[];
	/** What stands behind the body on the wire. */
	signatures(transaction: T): CborValue;
	/** Reads body and signatures; undefined: that is no transaction of this kind. */
	read(wire: readonly CborValue[]): T | undefined;
}

/** Under these names transactions carry their signatures. */
export type SignatureName = "signature" | "signatures" | "deviceSignature";

type Fields = Readonly<Record<string, Field<unknown>>>;
type Values<F extends Fields> = { [N in keyof F]: F[N] extends Field<infer T> ? T : never };
/** One flat object type, which is what an editor shows. */
type Flat<T> = { [N in keyof T]: T[N] };

/** The transaction of a kind. */
export type TransactionOf<K> = K extends Kind<infer T> ? T : never;

interface OneSignature {
	signature: Uint8Array;
}

const ONE_SIGNATURE: Signatures<OneSignature> = {
	shape: v.pipe(
		shapes.signature,
		v.transform((signature) => ({ signature })),
	),
	write: ({ signature }) => signature,
};

/** A kind whose only signature is its author's, over the body. */
export function kindOf<N extends string, F extends Fields>(
	name: N,
	fields: F,
): Kind<Flat<{ kind: N } & Values<F> & OneSignature>> {
	return signedKindOf(name, fields, ONE_SIGNATURE);
}

/** A kind with signatures of its own. `isWhole`: whether the fields go together. */
export function signedKindOf<N extends string, F extends Fields, S extends object>(
	name: N,
	fields: F,
	signed: Signatures<S>,
	isWhole: (transaction: Flat<{ kind: N } & Values<F> & S>) => boolean = () => true,
): Kind<Flat<{ kind: N } & Values<F> & S>> {
	type T = Flat<{ kind: N } & Values<F> & S>;
	const list = Object.entries(fields);
	const bodyShapes = list.map(([, { shape }]) => shape);
	const whole = v.strictTuple([...bodyShapes, signed.shape]);
	const isOpenEnded = list.at(-1)?.[1].isOmittable === true;
	const shortened = v.strictTuple([...bodyShapes.slice(0, -1), signed.shape]);
	return {
		name: name as T["kind"],
		digest: taggedHash(name),
		fields: (transaction) => {
			const values = transaction as Record<string, unknown>;
			return list.flatMap(([field, { isOmittable, write }]) => {
				const value = values[field];
				return isOmittable && value === undefined ? [] : [write(value)];
			});
		},
		signatures: (transaction) => signed.write(transaction),
		read: (wire) => {
			const isShortened = isOpenEnded && wire.length === list.length;
			const shaped = v.safeParse(isShortened ? shortened : whole, wire, { abortEarly: true });
			if (!shaped.success) return undefined;
			const values: unknown[] = shaped.output;
			// Each value has come through the shape of the field that it is given to here.
			const transaction = { kind: name, ...(values.at(-1) as S) } as Record<string, unknown>;
			for (const [at, [field]] of list.entries()) {
				transaction[field] = isShortened && at === list.length - 1 ? undefined : values[at];
			}
			return isWhole(transaction as T) ? (transaction as T) : undefined;
		},
	};
}
