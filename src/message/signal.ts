/**
 * What devices tell one another through the signaling servers, before there is a channel between them: inside the seal
 * (node/signaling.ts), signed by the sender's device.
 */
import * as v from "valibot";
import { bytes, hash, integer, natural, publicKey, signature, timestampMs } from "../block/fieldShapes.js";
import { fromHex, toHex } from "../primitives/bytes.js";
import { type CborValue, decode, encode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { MAX_CANDIDATES, MAX_SIGNAL_BYTES } from "./signalLimits.js";
import { list, nothing } from "./wireShapes.js";

export type Signal = SignalHead & SignalBody;

export interface SignalHead {
	/** The device's public key in hex, and a random name of this page's life (32 hex digits). */
	from: string;
	session: string;
	/** Counts this session's signals, so that copies (several servers, a replay) are known. */
	sequence: number;
	/** Whom it is for; absent: everybody. */
	to?: { deviceId: string; session: string };
}

export type SignalBody =
	/** "I am here." */
	| { kind: "announce" }
	/** Session descriptions and candidates belong to the initiator's `attempt`, which counts up in its session. */
	| { kind: "offer" | "answer"; attempt: number; sdp: string }
	| { kind: "candidates"; attempt: number; candidates: readonly Candidate[] };

export interface Candidate {
	candidate: string;
	sdpMLineIndex: number | null;
	sdpMid: string | null;
}

/** A signal with what was signed along with it. */
export interface SignedSignal {
	signal: Signal;
	/** What its sender speaks about: a lobby, or a chain. */
	context: Uint8Array;
	/** By the sender's clock. */
	timestampMs: number;
	/** What the signature is over. */
	signed: Uint8Array;
	signature: Uint8Array;
}

/** other-version: of a program that speaks a version this one does not. */
export type SignalError = { code: "signal-malformed" | "signal-other-version" };

const VERSION = 2;
const SESSION_BYTES = 16;
const MAX_CANDIDATE_LENGTH = 1_024;
const MAX_MID_LENGTH = 64;
const KINDS = ["announce", "offer", "answer", "candidates"] as const;

/** The bytes that its sender's device signs. */
export function signedBytes(signal: Signal, context: Uint8Array, timestampMs: number): Uint8Array {
	const { from, session, sequence, to } = signal;
	const receiver = to === undefined ? [] : [ofHex(to.deviceId), ofHex(to.session)];
	const kind = KINDS.indexOf(signal.kind);
	return encode([
		...[VERSION, context, timestampMs, ofHex(from), ofHex(session), sequence],
		...[receiver, kind, bodyFields(signal)],
	]);
}

export function encodeSignal(signed: Uint8Array, signature: Uint8Array): Uint8Array {
	return encode([signed, signature]);
}

/** Reads what was sealed, which holders of the neighbourhood's key alone can have written. The signature is not checked. */
export function decodeSignal(sealed: Uint8Array): Result<SignedSignal, SignalError> {
	const outer = v.safeParse(outerShape, cborOf(sealed));
	if (!outer.success) return MALFORMED;
	const [signed, signature] = outer.output;
	const fields = cborOf(signed);
	if (Array.isArray(fields) && typeof fields[0] === "number" && fields[0] !== VERSION) {
		return refused({ code: "signal-other-version" });
	}
	const shaped = v.safeParse(signalShape, fields);
	return shaped.success ? ok({ ...shaped.output, signed, signature }) : MALFORMED;
}

const MALFORMED = refused<SignalError>({ code: "signal-malformed" });

function cborOf(encoded: Uint8Array): CborValue | undefined {
	const value = decode(encoded, MAX_SIGNAL_BYTES);
	return value.ok ? value.value : undefined;
}

function bodyFields(body: SignalBody): CborValue {
	switch (body.kind) {
		case "announce":
			return [];
		case "offer":
		case "answer":
			return [body.attempt, body.sdp];
		case "candidates":
			return [body.attempt, body.candidates.map(candidateFields)];
	}
}

function candidateFields({ candidate, sdpMLineIndex, sdpMid }: Candidate): CborValue {
	return [candidate, sdpMLineIndex === null ? [] : [sdpMLineIndex], sdpMid === null ? [] : [sdpMid]];
}

/** Device ids and sessions are hex by construction. */
function ofHex(text: string): Uint8Array {
	const bytes = fromHex(text);
	return bytes.ok ? bytes.value : new Uint8Array();
}

const hex = (length: number) =>
	v.pipe(
		bytes(length),
		v.transform((value) => toHex(value)),
	);
const deviceId = v.pipe(
	publicKey,
	v.transform((key) => toHex(key)),
);
const session = hex(SESSION_BYTES);
const outerShape = v.strictTuple([v.instance(Uint8Array), signature]);
const absentOr = <T>(shape: v.GenericSchema<unknown, T>) =>
	v.pipe(
		v.union([nothing, v.strictTuple([shape])]),
		v.transform((field): T | null => (field === undefined ? null : field[0])),
	);

const candidateShape = v.pipe(
	v.strictTuple([
		v.pipe(v.string(), v.maxLength(MAX_CANDIDATE_LENGTH)),
		absentOr(natural),
		absentOr(v.pipe(v.string(), v.maxLength(MAX_MID_LENGTH))),
	]),
	// RTCIceCandidate's constructor throws where both are missing.
	v.check(([, index, mid]) => index !== null || mid !== null),
	v.transform(([candidate, sdpMLineIndex, sdpMid]): Candidate => ({ candidate, sdpMLineIndex, sdpMid })),
);

const descriptionShape = v.strictTuple([natural, v.string()]);
const candidatesShape = v.strictTuple([natural, list(candidateShape, MAX_CANDIDATES)]);

const signalShape = v.pipe(
	v.strictTuple([
		v.literal(VERSION),
		hash,
		timestampMs,
		deviceId,
		session,
		natural,
		v.union([nothing, v.strictTuple([deviceId, session])]),
		integer(0, KINDS.length - 1),
		v.array(v.unknown()),
	]),
	v.rawTransform(({ dataset, addIssue, NEVER }): Omit<SignedSignal, "signed" | "signature"> => {
		const [, context, timestampMs, from, session, sequence, to, kind, fields] = dataset.value;
		const body = bodyOf(KINDS[kind] ?? "announce", fields);
		// Only "I am here" is said to everybody.
		if (body === undefined || (to === undefined && body.kind !== "announce")) {
			addIssue({ message: "no such body" });
			return NEVER;
		}
		const receiver = to === undefined ? {} : { to: { deviceId: to[0], session: to[1] } };
		return { signal: { from, session, sequence, ...receiver, ...body }, context, timestampMs };
	}),
);

function bodyOf(kind: SignalBody["kind"], fields: readonly unknown[]): SignalBody | undefined {
	switch (kind) {
		case "announce":
			return fields.length === 0 ? { kind } : undefined;
		case "offer":
		case "answer": {
			const body = v.safeParse(descriptionShape, fields);
			return body.success ? { kind, attempt: body.output[0], sdp: body.output[1] } : undefined;
		}
		case "candidates": {
			const body = v.safeParse(candidatesShape, fields);
			return body.success ? { kind, attempt: body.output[0], candidates: body.output[1] } : undefined;
		}
	}
}
