/**
 * Transactions as bytes: a flat array of kind, body and signature. Inside a block the minute of a reading is written
 * as its distance to the block's minute, which makes it one byte; the signed body is rebuilt from it.
 */
import * as v from "valibot";
import { type CborValue, type CodecError, decode, encode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import {
	MAX_MINUTE,
	MAX_NOTICE_MINUTES,
	MAX_PRICE_MICRO_NOK_PER_WH,
	MAX_READING_WH,
	MIN_PRICE_MICRO_NOK_PER_WH,
} from "../primitives/units.js";
import {
	amountMicroNok,
	bytes,
	deviceIndex,
	flag,
	id,
	integer,
	MAX_MEMBERS,
	member,
	minute,
	nameShape,
	nonce,
	paceShapes,
	publicKey,
	reference,
	signature,
} from "./fieldShapes.js";
import { appointShape, contestShape, payoutShape, rebindShape, removeShape, suspendShape } from "./governanceShapes.js";
import { iceServersShape } from "./iceServer.js";
import { OBSERVER } from "./invitation.js";
import { QUALITIES } from "./reading.js";
import type { RefoundTransaction } from "./refounding.js";
import { confirmShape, refoundShape, sealShape } from "./refoundingShapes.js";
import {
	bodyFields,
	digestOf,
	MONEY_KINDS,
	type Transaction,
	type TransactionKind,
	type Unsigned,
} from "./transaction.js";

/** The order is the number on the wire: append only. */
const KINDS: readonly TransactionKind[] = [
	"reading",
	"offer",
	"withdraw",
	"accept",
	"end",
	"buy",
	"issue",
	"join",
	"found",
	"voters",
	"device",
	"revoke",
	"refound",
	"confirm",
	"seal",
	"iceServers",
	"rename",
	"role",
	"suspend",
	"remove",
	"payout",
	"appoint",
	"rebind",
	"contest",
];

export const MAX_TRANSACTION_BYTES = 1_024;
/** With the confirmations of MAX_MEMBERS households it is still a genesis. */
export const MAX_PROPOSAL_BYTES = 360 * 1_024;
const MAX_ENERGY_LIMIT_WH = 1_000_000_000_000;

export type TransactionCodecError =
	| CodecError
	| { code: "unknown-kind" }
	| { code: "bad-shape"; kind: TransactionKind };

/** The transaction's id, and what its author signs: H(kind, gridId ‖ body). */
export function transactionId(transaction: Unsigned<Transaction>, gridId: Uint8Array): Uint8Array {
	return digestOf(transaction.kind)(gridId, encode(bodyFields(transaction)));
}

/** A transaction by itself (gossip, outbox): ≤ MAX_TRANSACTION_BYTES. */
export function encodeTransaction(transaction: Transaction): Uint8Array {
	return encode(transactionToWire(transaction, 0));
}

/** Reads a transaction by itself. Its signature is not checked here. */
export function decodeTransaction(bytes: Uint8Array): Result<Transaction, TransactionCodecError> {
	const value = decode(bytes, MAX_TRANSACTION_BYTES);
	return value.ok ? transactionFromWire(value.value, 0) : value;
}

/** A proposal to found a neighbourhood again, by itself; much longer than any other transaction. */
export function encodeProposal(refound: RefoundTransaction): Uint8Array {
	return encode(transactionToWire(refound, 0));
}

/** Reads a proposal. Nothing in it is checked here but its shape. */
export function decodeProposal(bytes: Uint8Array): Result<RefoundTransaction, TransactionCodecError> {
	const value = decode(bytes, MAX_PROPOSAL_BYTES);
	if (!value.ok) return value;
	const transaction = transactionFromWire(value.value, 0);
	if (!transaction.ok) return transaction;
	return transaction.value.kind === "refound"
		? ok(transaction.value)
		: refused({ code: "bad-shape", kind: transaction.value.kind });
}

/** The compact form. `baseMinute` is the block's minute, 0 outside of blocks. */
export function transactionToWire(transaction: Transaction, baseMinute: number): CborValue {
	const fields = bodyFields(transaction);
	if (transaction.kind === "reading") fields[1] = baseMinute - transaction.minute;
	return [KINDS.indexOf(transaction.kind), ...fields, signatureToWire(transaction)];
}

/** Rebuilds a transaction from its compact form. */
export function transactionFromWire(wire: CborValue, baseMinute: number): Result<Transaction, TransactionCodecError> {
	const kind = Array.isArray(wire) && typeof wire[0] === "number" ? KINDS[wire[0]] : undefined;
	if (kind === undefined) return refused({ code: "unknown-kind" });
	const shaped = v.safeParse(SHAPES[kind], wire, { abortEarly: true });
	if (!shaped.success) return refused({ code: "bad-shape", kind });
	const transaction = shaped.output;
	if (transaction.kind === "reading") {
		const minute = baseMinute - transaction.minute;
		if (minute < 0 || minute > MAX_MINUTE) return refused({ code: "bad-shape", kind });
		return ok({ ...transaction, minute });
	}
	return ok(transaction);
}

function signatureToWire(transaction: Transaction): CborValue {
	if (transaction.kind === "device") return [transaction.signature, transaction.deviceSignature];
	if (transaction.kind !== "join") return transaction.signature;
	const { household, device, oneTime } = transaction.signatures;
	return oneTime === undefined ? [household, device] : [household, device, oneTime];
}

// ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────

const kindNumber = (kind: TransactionKind) => v.literal(KINDS.indexOf(kind));
const energyWh = integer(0, MAX_READING_WH);
const price = integer(MIN_PRICE_MICRO_NOK_PER_WH, MAX_PRICE_MICRO_NOK_PER_WH);
const tariffPrice = integer(0, MAX_PRICE_MICRO_NOK_PER_WH);

export const invitationShape = v.pipe(
	v.union([
		v.strictTuple([bytes(16), member, minute, publicKey, v.literal(OBSERVER), signature]),
		v.pipe(
			v.strictTuple([bytes(16), member, minute, publicKey, signature]),
			v.transform(([id, operator, expiryMinute, oneTimeKey, signature]) => {
				return [id, operator, expiryMinute, oneTimeKey, undefined, signature] as const;
			}),
		),
	]),
	v.transform(([id, operator, expiryMinute, oneTimeKey, observer, signature]) => ({
		id,
		operator,
		expiryMinute,
		oneTimeKey,
		observer: observer === OBSERVER,
		signature,
	})),
);

const optionalMember = v.pipe(
	v.union([v.strictTuple([]), v.strictTuple([member])]),
	v.transform(([only]) => only),
);

const votersShapes = [
	kindNumber("voters"),
	member,
	nonce,
	v.pipe(v.array(v.strictTuple([deviceIndex, publicKey])), v.maxLength(2)),
	v.pipe(v.array(deviceIndex), v.maxLength(1)),
] as const;

const SHAPES = {
	reading: v.pipe(
		v.strictTuple([
			kindNumber("reading"),
			member,
			integer(-MAX_MINUTE, MAX_MINUTE),
			energyWh,
			energyWh,
			integer(0, QUALITIES.length - 1),
			signature,
		]),
		v.transform(([, member, minute, importWh, exportWh, quality, signature]) => ({
			kind: "reading" as const,
			member,
			minute,
			importWh,
			exportWh,
			quality: QUALITIES[quality] ?? "gap",
			signature,
		})),
	),
	offer: v.pipe(
		v.strictTuple([
			kindNumber("offer"),
			member,
			nonce,
			price,
			minute,
			minute,
			integer(0, MAX_ENERGY_LIMIT_WH),
			integer(0, MAX_NOTICE_MINUTES),
			optionalMember,
			integer(0, MAX_MEMBERS),
			signature,
		]),
		v.transform(([, member, nonce, price, from, until, limit, notice, buyer, maxBuyers, signature]) => ({
			kind: "offer" as const,
			member,
			nonce,
			priceMicroNokPerWh: price,
			fromMinute: from,
			untilMinute: until,
			energyLimitWh: limit,
			noticeMinutes: notice,
			buyer,
			maxBuyers,
			signature,
		})),
	),
	withdraw: v.pipe(
		v.strictTuple([kindNumber("withdraw"), member, nonce, id, signature]),
		v.transform(([, member, nonce, offerId, signature]) => ({
			kind: "withdraw" as const,
			member,
			nonce,
			offerId,
			signature,
		})),
	),
	accept: v.pipe(
		v.strictTuple([kindNumber("accept"), member, nonce, minute, id, signature]),
		v.transform(([, member, nonce, expiryMinute, offerId, signature]) => ({
			kind: "accept" as const,
			member,
			nonce,
			expiryMinute,
			offerId,
			signature,
		})),
	),
	end: v.pipe(
		v.strictTuple([kindNumber("end"), member, nonce, id, signature]),
		v.transform(([, member, nonce, contractId, signature]) => ({
			kind: "end" as const,
			member,
			nonce,
			contractId,
			signature,
		})),
	),
	buy: v.pipe(
		v.strictTuple([kindNumber("buy"), member, nonce, minute, amountMicroNok, signature]),
		v.transform(([, member, nonce, expiryMinute, amountMicroNok, signature]) => ({
			kind: "buy" as const,
			member,
			nonce,
			expiryMinute,
			amountMicroNok,
			signature,
		})),
	),
	issue: v.pipe(
		v.strictTuple([kindNumber("issue"), member, nonce, minute, id, amountMicroNok, reference, signature]),
		v.transform(([, member, nonce, expiryMinute, orderId, amountMicroNok, reference, signature]) => ({
			kind: "issue" as const,
			member,
			nonce,
			expiryMinute,
			orderId,
			amountMicroNok,
			reference,
			signature,
		})),
	),
	join: v.pipe(
		v.strictTuple([
			kindNumber("join"),
			nameShape,
			publicKey,
			publicKey,
			integer(0, 1),
			v.union([
				v.pipe(
					v.strictTuple([]),
					v.transform(() => undefined),
				),
				invitationShape,
			]),
			v.union([v.strictTuple([signature, signature]), v.strictTuple([signature, signature, signature])]),
		]),
		v.transform(([, name, householdKey, deviceKey, alwaysOn, invitation, [household, device, oneTime]]) => ({
			kind: "join" as const,
			name,
			householdKey,
			deviceKey,
			alwaysOn: alwaysOn === 1,
			invitation,
			signatures: { household, device, oneTime },
		})),
		// An invitation and its one-time signature come together or not at all.
		v.check((join) => (join.invitation === undefined) === (join.signatures.oneTime === undefined)),
	),
	found: v.pipe(
		v.strictTuple([
			kindNumber("found"),
			nameShape,
			integer(0, MONEY_KINDS.length - 1),
			tariffPrice,
			tariffPrice,
			tariffPrice,
			...paceShapes,
			signature,
		]),
		v.transform(
			([, name, money, retail, feedIn, fee, interval, grace, window, checkpoint, timeScale, salt, signature]) => ({
				kind: "found" as const,
				name,
				moneyKind: MONEY_KINDS[money] ?? "trial",
				retailMicroNokPerWh: retail,
				feedInMicroNokPerWh: feedIn,
				localFeeMicroNokPerWh: fee,
				blockIntervalMs: interval,
				settlementGraceBlocks: grace,
				readingWindowBlocks: window,
				checkpointBlocks: checkpoint,
				timeScale,
				salt,
				signature,
			}),
		),
	),
	voters: v.pipe(
		v.union([
			v.strictTuple([...votersShapes, deviceIndex, signature]),
			// By the household's key: there is no device among what is signed.
			v.pipe(
				v.strictTuple([...votersShapes, signature]),
				v.transform(([kind, member, nonce, added, removed, signature]) => {
					return [kind, member, nonce, added, removed, undefined, signature] as const;
				}),
			),
		]),
		v.transform(([, member, nonce, added, removed, device, signature]) => ({
			kind: "voters" as const,
			member,
			nonce,
			added: added.map(([device, publicKey]) => ({ device, publicKey })),
			removed,
			device,
			signature,
		})),
	),
	device: v.pipe(
		v.strictTuple([
			kindNumber("device"),
			member,
			nonce,
			publicKey,
			integer(0, 1),
			integer(0, 1),
			v.union([v.strictTuple([]), v.strictTuple([deviceIndex])]),
			v.strictTuple([signature, signature]),
		]),
		v.transform(([, member, nonce, deviceKey, alwaysOn, metering, replaces, [signature, deviceSignature]]) => ({
			kind: "device" as const,
			member,
			nonce,
			deviceKey,
			alwaysOn: alwaysOn === 1,
			metering: metering === 1,
			replaces: replaces[0],
			signature,
			deviceSignature,
		})),
	),
	revoke: v.pipe(
		v.strictTuple([kindNumber("revoke"), member, nonce, deviceIndex, signature]),
		v.transform(([, member, nonce, device, signature]) => ({
			kind: "revoke" as const,
			member,
			nonce,
			device,
			signature,
		})),
	),
	iceServers: v.pipe(
		v.strictTuple([kindNumber("iceServers"), member, nonce, iceServersShape, signature]),
		v.transform(([, member, nonce, servers, signature]) => ({
			kind: "iceServers" as const,
			member,
			nonce,
			servers,
			signature,
		})),
	),
	rename: v.pipe(
		v.strictTuple([kindNumber("rename"), member, nonce, member, nameShape, signature]),
		v.transform(([, member, nonce, household, name, signature]) => ({
			kind: "rename" as const,
			member,
			nonce,
			household,
			name,
			signature,
		})),
	),
	role: v.pipe(
		v.strictTuple([kindNumber("role"), member, nonce, member, flag, signature]),
		v.transform(([, member, nonce, household, operator, signature]) => ({
			kind: "role" as const,
			member,
			nonce,
			household,
			operator,
			signature,
		})),
	),
	suspend: suspendShape(KINDS.indexOf("suspend")),
	remove: removeShape(KINDS.indexOf("remove")),
	payout: payoutShape(KINDS.indexOf("payout")),
	appoint: appointShape(KINDS.indexOf("appoint")),
	rebind: rebindShape(KINDS.indexOf("rebind")),
	contest: contestShape(KINDS.indexOf("contest")),
	refound: refoundShape(KINDS.indexOf("refound")),
	confirm: confirmShape(KINDS.indexOf("confirm")),
	seal: sealShape(KINDS.indexOf("seal")),
} satisfies { [K in TransactionKind]: v.GenericSchema<unknown, Extract<Transaction, { kind: K }>> };
