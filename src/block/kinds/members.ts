/** Households: who they are, where they stand, and their devices. */
import * as v from "valibot";
import * as shapes from "../fieldShapes.js";
import { type Invitation, invitationFields, invitationShape } from "../invitation.js";
import { act, deviceIndex, flag, member, name, perhaps, publicKey, signature } from "./fields.js";
import { type Field, kindOf, type Signatures, signedKindOf, type TransactionOf } from "./kind.js";

interface JoinSignatures {
	signatures: { household: Uint8Array; device: Uint8Array; oneTime: Uint8Array | undefined };
}

const joinSignatures: Signatures<JoinSignatures> = {
	shape: v.pipe(
		v.union([
			v.strictTuple([shapes.signature, shapes.signature]),
			v.strictTuple([shapes.signature, shapes.signature, shapes.signature]),
		]),
		v.transform(([household, device, oneTime]) => ({ signatures: { household, device, oneTime } })),
	),
	write: ({ signatures: { household, device, oneTime } }) =>
		oneTime === undefined ? [household, device] : [household, device, oneTime],
};

/** Written into the list itself, not as a list in a list. */
const perhapsInvitation: Field<Invitation | undefined> = {
	shape: v.union([
		v.pipe(
			v.strictTuple([]),
			v.transform(() => undefined),
		),
		invitationShape,
	]),
	write: (invitation) => (invitation === undefined ? [] : invitationFields(invitation)),
};

/** A new household. Inside genesis without invitation: everybody who was in the lobby. */
export const JOIN = signedKindOf(
	"join",
	{
		name,
		householdKey: publicKey,
		deviceKey: publicKey,
		/** Whether the device is always on, at the meter: it may become a voter. */
		alwaysOn: flag,
		invitation: perhapsInvitation,
	},
	joinSignatures,
	// An invitation and its one-time signature come together or not at all.
	({ invitation, signatures }) => (invitation === undefined) === (signatures.oneTime === undefined),
);
export type JoinTransaction = TransactionOf<typeof JOIN>;

interface DeviceSignatures {
	signature: Uint8Array;
	/** By the device itself: nobody admits a key that is another's. */
	deviceSignature: Uint8Array;
}

const deviceSignatures: Signatures<DeviceSignatures> = {
	shape: v.pipe(
		v.strictTuple([shapes.signature, shapes.signature]),
		v.transform(([signature, deviceSignature]) => ({ signature, deviceSignature })),
	),
	write: ({ signature, deviceSignature }) => [signature, deviceSignature],
};

/** A household admits one more device of its own: a second one, or a new one for one that lost its storage. */
export const DEVICE = signedKindOf(
	"device",
	{
		...act,
		deviceKey: publicKey,
		/** Whether it is always on, at the meter: it may become a voter. */
		alwaysOn: flag,
		/** Whether it signs the household's readings from the next minute on, in place of the device that did. */
		metering: flag,
		/** The device whose place it takes, which is out of use from then on. */
		replaces: perhaps(deviceIndex),
	},
	deviceSignatures,
);
export type DeviceTransaction = TransactionOf<typeof DEVICE>;

/** A household takes a device out of use: stolen, copied or thrown away. */
export const REVOKE = kindOf("revoke", { ...act, device: deviceIndex });
export type RevokeTransaction = TransactionOf<typeof REVOKE>;

/** In what an operator or the street says of a household: its member index. */
const household = member;

/** The operator corrects a household's name. */
export const RENAME = kindOf("rename", { ...act, household, name });
export type RenameTransaction = TransactionOf<typeof RENAME>;

/** The operator shares its role, or takes it from a household. */
export const ROLE = kindOf("role", { ...act, household, operator: flag });
export type RoleTransaction = TransactionOf<typeof ROLE>;

/** The operator suspends a household, or lifts it: it goes on metering and settling, and signs nothing new. */
export const SUSPEND = kindOf("suspend", { ...act, household, suspended: flag });
export type SuspendTransaction = TransactionOf<typeof SUSPEND>;

/** The operator states that a household moves out: it ends, settles and is paid out. */
export const REMOVE = kindOf("remove", { ...act, household });
export type RemoveTransaction = TransactionOf<typeof REMOVE>;

/** A household moves out by its own word: at the next minute, and with all that it has. */
export const LEAVE = kindOf("leave", { ...act });
export type LeaveTransaction = TransactionOf<typeof LEAVE>;

/** A household's vote, in place of the one before: who is to be an operator where none is left that can act. */
export const APPOINT = kindOf("appoint", {
	...act,
	/** Member index; undefined: it takes its vote back. */
	household: perhaps(member),
});
export type AppointTransaction = TransactionOf<typeof APPOINT>;

/**
 * The operator gives notice that a household which lost its words is to have another key. Nobody is bound to a key that
 * nobody holds: the new key has signed that it asks for a household of this neighbourhood.
 */
export const REBIND = kindOf("rebind", {
	...act,
	household,
	/** Compressed secp256k1 point, 33 bytes. */
	householdKey: publicKey,
	/** By the new key, over `claimDigest`. */
	keySignature: signature,
});
export type RebindTransaction = TransactionOf<typeof REBIND>;

/** The household itself, by the key that it has, or an operator takes such a notice back. */
export const CONTEST = kindOf("contest", {
	...act,
	/** Member index of the household that was to have another key. */
	household: member,
});
export type ContestTransaction = TransactionOf<typeof CONTEST>;
