/**
 * What devices tell one another through the signaling servers. `encodeSignal` and `decodeSignal` are the only two
 * places that know its form on the wire: whatever protects it is put on and taken off there.
 */
import { ok, type Result, refused } from "../primitives/result.js";

export type Signal = SignalHead & SignalBody;

export interface SignalHead {
	/** The device's public key in hex, and a random name of this page's life. */
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
	| { kind: "candidate"; attempt: number; candidate: Candidate };

export interface Candidate {
	candidate: string;
	sdpMLineIndex: number | null;
	sdpMid: string | null;
}

/** other-version: of a program that speaks a version this one does not. */
export type SignalError = { code: "signal-malformed" | "signal-other-version" };

const VERSION = 1;
const MAX_SDP_LENGTH = 12_288;
const MAX_CANDIDATE_LENGTH = 1_024;
const MAX_MID_LENGTH = 64;
/** A compressed secp256k1 public key in hex. */
const DEVICE_ID = /^0[23][0-9a-f]{64}$/;
const SESSION = /^[0-9a-f]{32}$/;

/** The form on the wire: a JSON value. */
export function encodeSignal({ from, session, sequence, to, kind, ...data }: Signal): unknown {
	return { version: VERSION, from, session, sequence, to: to?.deviceId, toSession: to?.session, kind, data };
}

/** Checks what came from a signaling server, which may be anything. */
export function decodeSignal(wire: unknown): Result<Signal, SignalError> {
	if (!isRecord(wire)) return MALFORMED;
	if (wire.version !== VERSION) return refused({ code: "signal-other-version" });
	const { from, session, sequence, to, toSession, kind, data } = wire;
	if (!matches(from, DEVICE_ID) || !matches(session, SESSION) || !isCount(sequence)) return MALFORMED;
	const body = decodeBody(kind, data);
	if (body === undefined) return MALFORMED;
	if (to === undefined && toSession === undefined && body.kind === "announce") {
		return ok({ from, session, sequence, ...body });
	}
	if (!matches(to, DEVICE_ID) || !matches(toSession, SESSION)) return MALFORMED;
	return ok({ from, session, sequence, to: { deviceId: to, session: toSession }, ...body });
}

const MALFORMED = refused<SignalError>({ code: "signal-malformed" });

function decodeBody(kind: unknown, data: unknown): SignalBody | undefined {
	if (kind === "announce") return { kind };
	if (!isRecord(data) || !isCount(data.attempt)) return undefined;
	const { attempt } = data;
	if (kind === "offer" || kind === "answer") {
		const { sdp } = data;
		return isText(sdp, MAX_SDP_LENGTH) ? { kind, attempt, sdp } : undefined;
	}
	if (kind === "candidate") {
		const candidate = decodeCandidate(data.candidate);
		return candidate === undefined ? undefined : { kind, attempt, candidate };
	}
	return undefined;
}

function decodeCandidate(value: unknown): Candidate | undefined {
	if (!isRecord(value)) return undefined;
	const { candidate, sdpMLineIndex, sdpMid } = value;
	if (!isText(candidate, MAX_CANDIDATE_LENGTH)) return undefined;
	if (sdpMLineIndex !== null && !isCount(sdpMLineIndex)) return undefined;
	if (sdpMid !== null && !isText(sdpMid, MAX_MID_LENGTH)) return undefined;
	// RTCIceCandidate's constructor throws where both are missing.
	if (sdpMLineIndex === null && sdpMid === null) return undefined;
	return { candidate, sdpMLineIndex, sdpMid };
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
	return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isText(value: unknown, maxLength: number): value is string {
	return typeof value === "string" && value.length <= maxLength;
}

function matches(value: unknown, pattern: RegExp): value is string {
	return typeof value === "string" && pattern.test(value);
}
