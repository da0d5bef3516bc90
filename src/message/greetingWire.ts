/** What devices say of themselves and of one another, as fields on the wire. */
import * as v from "valibot";
import { doubleSignatureFields, doubleSignatureShape } from "../block/evidence.js";
import { bytes, hash, natural, publicKey, signature } from "../block/fieldShapes.js";
import type { CborValue } from "../primitives/codec.js";
import type { Boot, Meeting, Message, NodeRole } from "./message.js";
import { list, nothing, optionalCertificate, optionalCertificateFields } from "./wireShapes.js";

/** Double signatures of one message. */
const MAX_EVIDENCE = 100;

/** Devices that one device has channels to. */
const MAX_NEIGHBOURS = 1_000;

const ROLES = ["leader", "follower", "candidate", "observer"] as const satisfies readonly NodeRole[];

export type GreetingMessage = Extract<Message, { type: keyof typeof GREETING_SHAPES }>;

/** The fields after the type. */
export function greetingFields(message: GreetingMessage): CborValue[] {
	switch (message.type) {
		case "handshake":
			return [message.version, message.context, message.deviceKey, message.nonce];
		case "proof":
			return [message.signature];
		case "hello":
			return [
				message.headIndex,
				message.headHash,
				optionalCertificateFields(message.certificate),
				message.term,
				message.chainMs,
				bootFields(message.boot),
				message.knownBoot === undefined ? [] : bootFields(message.knownBoot),
				message.meeting === undefined ? [] : meetingFields(message.meeting),
				message.peers,
			];
		case "status":
			return [message.headIndex, message.headHash, message.term, ROLES.indexOf(message.role)];
		case "neighbours":
			return [
				message.devices.map(({ device, headIndex, term, role }) => [device, headIndex, term, ROLES.indexOf(role)]),
			];
		case "householdProof":
			return [message.householdKey, message.signature];
		case "twin":
			return [meetingFields(message.meeting)];
		case "evidence":
			return [message.doubleSignatures.map(doubleSignatureFields)];
	}
}

export function bootFields({ bootCount, bootId, signature }: Boot): CborValue {
	return [bootCount, bootId, signature];
}

function meetingFields({ bootId, metBootId, signature }: Meeting): CborValue {
	return [bootId, metBootId, signature];
}

export const bootShape = v.pipe(
	v.strictTuple([natural, bytes(16), signature]),
	v.transform(([bootCount, bootId, signature]): Boot => ({ bootCount, bootId, signature })),
);
const meetingShape = v.pipe(
	v.strictTuple([bytes(16), bytes(16), signature]),
	v.transform(([bootId, metBootId, signature]): Meeting => ({ bootId, metBootId, signature })),
);

const roleShape = v.pipe(
	v.picklist([0, 1, 2, 3]),
	v.transform((role) => ROLES[role]),
);
const neighbourShape = v.pipe(
	v.strictTuple([natural, natural, natural, roleShape]),
	v.transform(([device, headIndex, term, role]) => ({ device, headIndex, term, role })),
);

/** Their shapes. Blocks and transactions inside are decoded by their own codecs. */
export const GREETING_SHAPES = {
	handshake: v.pipe(
		v.strictTuple([natural, hash, publicKey, bytes(32)]),
		v.transform(([version, context, deviceKey, nonce]) => ({
			type: "handshake" as const,
			version,
			context,
			deviceKey,
			nonce,
		})),
	),
	proof: v.pipe(
		v.strictTuple([signature]),
		v.transform(([signature]) => ({ type: "proof" as const, signature })),
	),
	hello: v.pipe(
		v.strictTuple([
			natural,
			hash,
			optionalCertificate,
			natural,
			natural,
			bootShape,
			v.union([nothing, bootShape]),
			v.union([nothing, meetingShape]),
			list(publicKey, 1_000),
		]),
		v.transform(([headIndex, headHash, certificate, term, chainMs, boot, knownBoot, meeting, peers]) => ({
			type: "hello" as const,
			headIndex,
			headHash,
			certificate,
			term,
			chainMs,
			boot,
			knownBoot,
			meeting,
			peers,
		})),
	),
	status: v.pipe(
		v.strictTuple([natural, hash, natural, roleShape]),
		v.transform(([headIndex, headHash, term, role]) => ({
			type: "status" as const,
			headIndex,
			headHash,
			term,
			role,
		})),
	),
	neighbours: v.pipe(
		v.strictTuple([list(neighbourShape, MAX_NEIGHBOURS)]),
		v.transform(([devices]) => ({ type: "neighbours" as const, devices })),
	),
	householdProof: v.pipe(
		v.strictTuple([publicKey, signature]),
		v.transform(([householdKey, signature]) => ({ type: "householdProof" as const, householdKey, signature })),
	),
	twin: v.pipe(
		v.strictTuple([meetingShape]),
		v.transform(([meeting]) => ({ type: "twin" as const, meeting })),
	),
	evidence: v.pipe(
		v.strictTuple([list(doubleSignatureShape, MAX_EVIDENCE)]),
		v.transform(([doubleSignatures]) => ({ type: "evidence" as const, doubleSignatures })),
	),
};
