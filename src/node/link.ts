/**
 * Links: what stands behind `#` in the address that one neighbour gives another. It never reaches a server. A lobby's
 * link leads to a founding; an invitation's to a running neighbourhood, and pins its genesis and its newest certified
 * block. A restore link is for the household itself: it holds its key, and leads back after the storage was lost.
 */
import * as v from "valibot";
import { bytes, hash } from "../block/fieldShapes.js";
import type { Invitation } from "../block/invitation.js";
import { invitationFields } from "../block/invitation.js";
import { invitationShape } from "../block/transactionCodec.js";
import { fromBase64Url, toBase64Url } from "../primitives/base64.js";
import { decode, encode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { isSecretKey, SECRET_KEY_BYTES } from "../primitives/signature.js";

export interface LobbyLink {
	kind: "lobby";
	lobbyId: Uint8Array;
	networkKey: Uint8Array;
	founderPin: Uint8Array;
}

export interface JoinLink {
	kind: "join";
	gridId: Uint8Array;
	networkKey: Uint8Array;
	invitation: Invitation;
	/** Secret half of the invitation's one-time key. */
	oneTimeSecret: Uint8Array;
	/** Newest certified block when the link was made: index and first 16 bytes of its hash. */
	pin: { index: number; hash: Uint8Array };
}

export interface RestoreLink {
	kind: "restore";
	gridId: Uint8Array;
	networkKey: Uint8Array;
	/** Whoever has it is the household: not sealed yet. */
	householdSecret: Uint8Array;
	/** Newest certified block when the link was made: index and first 16 bytes of its hash. */
	pin: { index: number; hash: Uint8Array };
}

export type Link = LobbyLink | JoinLink | RestoreLink;

export type LinkError =
	/** Not a link of ours at all. */
	| { code: "link-unknown" }
	/** Cut off, altered, or of a newer version. */
	| { code: "link-damaged" };

const LINK_VERSION = 1;
const MAX_LINK_BYTES = 1_024;

export function encodeLobbyLink(link: LobbyLink): string {
	return `lobby=${toBase64Url(encode([LINK_VERSION, link.lobbyId, link.networkKey, link.founderPin]))}`;
}

export function encodeJoinLink(link: JoinLink): string {
	const { gridId, networkKey, invitation, oneTimeSecret, pin } = link;
	const fields = [LINK_VERSION, gridId, networkKey, invitationFields(invitation), oneTimeSecret, pin.index, pin.hash];
	return `join=${toBase64Url(encode(fields))}`;
}

export function encodeRestoreLink({ gridId, networkKey, householdSecret, pin }: RestoreLink): string {
	return `restore=${toBase64Url(encode([LINK_VERSION, gridId, networkKey, householdSecret, pin.index, pin.hash]))}`;
}

/** Reads a link's fragment, or a whole address with one. */
export function decodeLink(text: string): Result<Link, LinkError> {
	const match = /(?:^|#\/?)(lobby|join|restore)=([A-Za-z0-9_-]*)\s*$/.exec(text.trim());
	if (match === null) return refused({ code: "link-unknown" });
	const bytes = fromBase64Url(match[2] ?? "");
	const value = bytes === undefined ? undefined : decode(bytes, MAX_LINK_BYTES);
	if (value?.ok !== true) return refused({ code: "link-damaged" });
	const shaped = v.safeParse(SHAPES[match[1] as Link["kind"]], value.value);
	return shaped.success ? ok(shaped.output) : refused({ code: "link-damaged" });
}

const secretKeyShape = v.pipe(
	bytes(SECRET_KEY_BYTES),
	v.check((secret) => isSecretKey(secret)),
);

const lobbyShape = v.pipe(
	v.strictTuple([v.literal(LINK_VERSION), bytes(32), bytes(16), bytes(16)]),
	v.transform(
		([, lobbyId, networkKey, founderPin]): Link => ({
			kind: "lobby",
			lobbyId,
			networkKey,
			founderPin,
		}),
	),
);

const joinShape = v.pipe(
	v.strictTuple([
		v.literal(LINK_VERSION),
		hash,
		bytes(16),
		invitationShape,
		secretKeyShape,
		v.pipe(v.number(), v.integer(), v.minValue(0)),
		bytes(16),
	]),
	v.transform(
		([, gridId, networkKey, invitation, oneTimeSecret, index, hash]): Link => ({
			kind: "join",
			gridId,
			networkKey,
			invitation,
			oneTimeSecret,
			pin: { index, hash },
		}),
	),
);

const restoreShape = v.pipe(
	v.strictTuple([
		v.literal(LINK_VERSION),
		hash,
		bytes(16),
		secretKeyShape,
		v.pipe(v.number(), v.integer(), v.minValue(0)),
		bytes(16),
	]),
	v.transform(
		([, gridId, networkKey, householdSecret, index, hash]): Link => ({
			kind: "restore",
			gridId,
			networkKey,
			householdSecret,
			pin: { index, hash },
		}),
	),
);

const SHAPES: Record<Link["kind"], v.GenericSchema<unknown, Link>> = {
	lobby: lobbyShape,
	join: joinShape,
	restore: restoreShape,
};
