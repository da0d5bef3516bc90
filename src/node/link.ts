/**
 * Links: what stands behind `#` in the address that one neighbour gives another. It never reaches a server. A lobby's
 * link leads to a founding; an invitation's to a running neighbourhood, and pins its genesis and its newest certified
 * block. A restore link leads a household back after its storage was lost, or to a further device: it holds the
 * household's key as the household keeps it, or, where a neighbour gives it, none.
 */
import * as v from "valibot";
import { bytes, hash } from "../block/fieldShapes.js";
import { type IceServer, iceServerFields, iceServersShape } from "../block/iceServer.js";
import type { Invitation } from "../block/invitation.js";
import { invitationFields, invitationShape } from "../block/invitation.js";
import { fromBase64Url, toBase64Url } from "../primitives/base64.js";
import { type CborValue, decode, encode } from "../primitives/codec.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { isSecretKey, SECRET_KEY_BYTES } from "../primitives/signature.js";
import { type NetworkKey, networkKeyField, networkKeyShape } from "./networkKeys.js";
import { type HouseholdRecord, householdFields, householdShape } from "./vault.js";

/** What each link has: how to find those that it leads to. */
interface MeshLink extends NetworkKey {
	/** Through which devices that cannot see each other connect. */
	iceServers: readonly IceServer[];
}

export interface LobbyLink extends MeshLink {
	kind: "lobby";
	lobbyId: Uint8Array;
	founderPin: Uint8Array;
}

export interface JoinLink extends MeshLink {
	kind: "join";
	gridId: Uint8Array;
	invitation: Invitation;
	/** Secret half of the invitation's one-time key. */
	oneTimeSecret: Uint8Array;
	/** Newest certified block when the link was made: index and first 16 bytes of its hash. */
	pin: { index: number; hash: Uint8Array };
}

export interface RestoreLink extends MeshLink {
	kind: "restore";
	gridId: Uint8Array;
	/** The household's key, sealed by its password if it has one; undefined: the household's words are asked for. */
	household: HouseholdRecord | undefined;
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
const MAX_LINK_BYTES = 2_048;

export function encodeLobbyLink(link: Omit<LobbyLink, "kind">): string {
	return encodeLink("lobby", [link.lobbyId, networkKeyField(link), link.founderPin], link.iceServers);
}

export function encodeJoinLink(link: JoinLink): string {
	const { gridId, invitation, oneTimeSecret, pin, iceServers } = link;
	const fields = [gridId, networkKeyField(link), invitationFields(invitation), oneTimeSecret, pin.index, pin.hash];
	return encodeLink("join", fields, iceServers);
}

export function encodeRestoreLink(link: RestoreLink): string {
	const { gridId, household, pin, iceServers } = link;
	const key = household === undefined ? [] : householdFields(household);
	return encodeLink("restore", [gridId, networkKeyField(link), key, pin.index, pin.hash], iceServers);
}

/** The servers come last, and only where there are any: a QR code is the easier to read the shorter it is. */
function encodeLink(kind: Link["kind"], fields: readonly CborValue[], iceServers: readonly IceServer[]): string {
	const servers = iceServers.length === 0 ? [] : [iceServerFields(iceServers)];
	return `${kind}=${toBase64Url(encode([LINK_VERSION, ...fields, ...servers]))}`;
}

/** Reads a link's fragment, or a whole address with one. */
export function decodeLink(text: string): Result<Link, LinkError> {
	const match = /(?:^|#\/?)(lobby|join|restore)=([A-Za-z0-9_-]*)\s*$/.exec(text.trim());
	if (match === null) return refused({ code: "link-unknown" });
	const bytes = fromBase64Url(match[2] ?? "");
	const value = bytes === undefined ? undefined : decode(bytes, MAX_LINK_BYTES);
	if (value?.ok !== true) return refused({ code: "link-damaged" });
	const kind = match[1] as Link["kind"];
	const fields = value.value;
	const hasNoServers = Array.isArray(fields) && fields.length === FIELDS_BEFORE_SERVERS[kind];
	const shaped = v.safeParse(SHAPES[kind], hasNoServers ? [...fields, []] : fields);
	return shaped.success ? ok(shaped.output) : refused({ code: "link-damaged" });
}

const secretKeyShape = v.pipe(
	bytes(SECRET_KEY_BYTES),
	v.check((secret) => isSecretKey(secret)),
);

const lobbyShape = v.pipe(
	v.strictTuple([v.literal(LINK_VERSION), bytes(32), networkKeyShape, bytes(16), iceServersShape]),
	v.transform(
		([, lobbyId, key, founderPin, iceServers]): Link => ({
			kind: "lobby",
			lobbyId,
			...key,
			founderPin,
			iceServers,
		}),
	),
);

const joinShape = v.pipe(
	v.strictTuple([
		v.literal(LINK_VERSION),
		hash,
		networkKeyShape,
		invitationShape,
		secretKeyShape,
		v.pipe(v.number(), v.integer(), v.minValue(0)),
		bytes(16),
		iceServersShape,
	]),
	v.transform(
		([, gridId, key, invitation, oneTimeSecret, index, hash, iceServers]): Link => ({
			kind: "join",
			gridId,
			...key,
			iceServers,
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
		networkKeyShape,
		v.union([
			householdShape,
			v.pipe(
				v.strictTuple([]),
				v.transform(() => undefined),
			),
		]),
		v.pipe(v.number(), v.integer(), v.minValue(0)),
		bytes(16),
		iceServersShape,
	]),
	v.transform(
		([, gridId, key, household, index, hash, iceServers]): Link => ({
			kind: "restore",
			gridId,
			...key,
			iceServers,
			household,
			pin: { index, hash },
		}),
	),
);

/** The version among them. */
const FIELDS_BEFORE_SERVERS: Record<Link["kind"], number> = { lobby: 4, join: 7, restore: 6 };

const SHAPES: Record<Link["kind"], v.GenericSchema<unknown, Link>> = {
	lobby: lobbyShape,
	join: joinShape,
	restore: restoreShape,
};
