/** Shapes of what is decided about a household's membership; each begins with its kind's number. */
import * as v from "valibot";
import {
	amountMicroNok,
	flag,
	id,
	member,
	minute,
	nonce,
	perhaps,
	publicKey,
	reference,
	signature,
} from "./fieldShapes.js";
import type {
	AppointTransaction,
	ContestTransaction,
	PayoutTransaction,
	RebindTransaction,
	RemoveTransaction,
	SuspendTransaction,
} from "./governance.js";

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

export const removeShape = (kind: number) =>
	v.pipe(
		v.strictTuple([v.literal(kind), member, nonce, member, signature]),
		v.transform(
			([, operator, number, household, signed]) =>
				({ kind: "remove", member: operator, nonce: number, household, signature: signed }) satisfies RemoveTransaction,
		),
	);

export const payoutShape = (kind: number) =>
	v.pipe(
		v.strictTuple([v.literal(kind), member, nonce, minute, id, amountMicroNok, reference, signature]),
		v.transform(
			([, operator, number, expiryMinute, lockId, amount, text, signed]) =>
				({
					kind: "payout",
					member: operator,
					nonce: number,
					expiryMinute,
					lockId,
					amountMicroNok: amount,
					reference: text,
					signature: signed,
				}) satisfies PayoutTransaction,
		),
	);

export const appointShape = (kind: number) =>
	v.pipe(
		v.strictTuple([v.literal(kind), member, nonce, perhaps(member), signature]),
		v.transform(
			([, voter, number, household, signed]) =>
				({ kind: "appoint", member: voter, nonce: number, household, signature: signed }) satisfies AppointTransaction,
		),
	);

export const rebindShape = (kind: number) =>
	v.pipe(
		v.strictTuple([v.literal(kind), member, nonce, member, publicKey, signature, signature]),
		v.transform(
			([, operator, number, household, householdKey, keySignature, signed]) =>
				({
					kind: "rebind",
					member: operator,
					nonce: number,
					household,
					householdKey,
					keySignature,
					signature: signed,
				}) satisfies RebindTransaction,
		),
	);

export const contestShape = (kind: number) =>
	v.pipe(
		v.strictTuple([v.literal(kind), member, nonce, member, signature]),
		v.transform(
			([, author, number, household, signed]) =>
				({ kind: "contest", member: author, nonce: number, household, signature: signed }) satisfies ContestTransaction,
		),
	);
