/** The fields that kinds of transactions are put together from. */
import * as v from "valibot";
import type { CborValue } from "../../primitives/codec.js";
import {
	MAX_AMOUNT_MICRO_NOK,
	MAX_NOTICE_MINUTES,
	MAX_PRICE_MICRO_NOK_PER_WH,
	MAX_READING_WH,
	MIN_PRICE_MICRO_NOK_PER_WH,
} from "../../primitives/units.js";
import * as shapes from "../fieldShapes.js";
import type { Field } from "./kind.js";

/** A field that is written as it is. */
export const plain = <T extends CborValue>(shape: v.GenericSchema<unknown, T>): Field<T> => ({
	shape,
	write: (value) => value,
});

/** A field that may be missing, written as a list of none or one. */
export const perhaps = <T>({ shape, write }: Field<T>): Field<T | undefined> => ({
	shape: shapes.perhaps(shape),
	write: (value) => (value === undefined ? [] : [write(value)]),
});

/** The last field of a body, of which nothing is written where it is undefined. */
export const omittable = <T>({ shape, write }: Field<T>): Field<T | undefined> => ({
	shape,
	write: (value) => (value === undefined ? [] : write(value)),
	isOmittable: true,
});

/** One of a list of words, written as its place there: the lists are append only. */
export const oneOf = <W extends string>(words: readonly W[]): Field<W> => ({
	shape: v.pipe(
		shapes.integer(0, words.length - 1),
		v.transform((at) => words[at] as W),
	),
	write: (word) => words.indexOf(word),
});

export const flag: Field<boolean> = { shape: shapes.flag, write: (value) => (value ? 1 : 0) };
export const member = plain(shapes.member);
export const minute = plain(shapes.minute);
export const id = plain(shapes.id);
export const publicKey = plain(shapes.publicKey);
export const signature = plain(shapes.signature);
export const deviceIndex = plain(shapes.deviceIndex);
export const name = plain(shapes.nameShape);
export const reference = plain(shapes.reference);
export const note = plain(shapes.note);
/** 0: there is none. */
export const settlementAmount = plain(shapes.integer(0, MAX_AMOUNT_MICRO_NOK));
export const amountMicroNok = plain(shapes.amountMicroNok);
/** An amount that may be nothing. */
export const amountOrNothingMicroNok = plain(shapes.integer(0, MAX_AMOUNT_MICRO_NOK));
export const energyWh = plain(shapes.integer(0, MAX_READING_WH));
export const price = plain(shapes.integer(MIN_PRICE_MICRO_NOK_PER_WH, MAX_PRICE_MICRO_NOK_PER_WH));
export const tariffPrice = plain(shapes.integer(0, MAX_PRICE_MICRO_NOK_PER_WH));
export const noticeMinutes = plain(shapes.integer(0, MAX_NOTICE_MINUTES));

/** What all transactions have in common that a household signs with a nonce. */
export const act = {
	/** Member index of the household that signs. */
	member,
	/** The household's last nonce + 1. */
	nonce: plain(shapes.nonce),
};

export const moneyAct = {
	...act,
	/** Last minute of a block that may hold it: an order that got lost does not come true next year. */
	expiryMinute: minute,
};
