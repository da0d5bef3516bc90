/** Founding, and founding again, as fields on the wire. */
import * as v from "valibot";
import { blob, flag, hash, MAX_MEMBERS, member, nameShape, publicKey, signature } from "../block/fieldShapes.js";
import type { ConfirmTransaction } from "../block/kinds/founding.js";
import { encodeTransaction } from "../block/transactionCodec.js";
import type { CborValue } from "../primitives/codec.js";
import type { Crossing, Message } from "./message.js";
import { list, nothing } from "./wireShapes.js";

export type FoundingMessage = Extract<Message, { type: keyof typeof FOUNDING_SHAPES }>;

/** The fields after the type. */
export function foundingFields(message: FoundingMessage): CborValue[] {
	switch (message.type) {
		case "lobbyJoin":
			return [encodeTransaction(message.join)];
		case "lobbyState":
			return [
				message.neighbourhood,
				message.members.map((member) => [member.name, member.alwaysOn ? 1 : 0, member.deviceKey]),
			];
		case "genesis":
			return [message.block];
		case "genesisRequest":
			return message.crossing === undefined ? [] : crossingFields(message.crossing);
		case "refounding":
			return [message.proposal, message.confirmations.map(confirmationFields)];
		case "confirmations":
			return [message.confirmations.map(confirmationFields)];
		case "withdrawal":
			return [message.proposal, message.signature];
	}
}

function crossingFields({ signature, household }: Crossing): CborValue[] {
	return [signature, household === undefined ? [] : [household.householdKey, household.signature]];
}

function confirmationFields({ member, proposal, signature }: ConfirmTransaction): CborValue {
	return [member, proposal, signature];
}

const confirmationsShape = list(
	v.pipe(
		v.strictTuple([member, hash, signature]),
		v.transform(([of, proposal, signature]) => ({ kind: "confirm" as const, member: of, proposal, signature })),
	),
	MAX_MEMBERS,
);

const householdProofShape = v.pipe(
	v.strictTuple([publicKey, signature]),
	v.transform(([householdKey, signature]) => ({ householdKey, signature })),
);

/** Their shapes. Blocks and transactions inside are decoded by their own codecs. */
export const FOUNDING_SHAPES = {
	lobbyJoin: v.pipe(
		v.strictTuple([blob]),
		v.transform(([join]) => ({ type: "lobbyJoin" as const, join })),
	),
	lobbyState: v.pipe(
		v.strictTuple([nameShape, list(v.strictTuple([nameShape, flag, publicKey]), 64)]),
		v.transform(([neighbourhood, members]) => ({
			type: "lobbyState" as const,
			neighbourhood,
			members: members.map(([name, alwaysOn, deviceKey]) => ({ name, alwaysOn, deviceKey })),
		})),
	),
	genesis: v.pipe(
		v.strictTuple([blob]),
		v.transform(([block]) => ({ type: "genesis" as const, block })),
	),
	genesisRequest: v.union([
		v.pipe(
			v.strictTuple([]),
			v.transform(() => ({ type: "genesisRequest" as const })),
		),
		v.pipe(
			v.strictTuple([signature, v.union([nothing, householdProofShape])]),
			v.transform(([signature, household]) => ({
				type: "genesisRequest" as const,
				crossing: { signature, household },
			})),
		),
	]),
	refounding: v.pipe(
		v.strictTuple([blob, confirmationsShape]),
		v.transform(([proposal, confirmations]) => ({ type: "refounding" as const, proposal, confirmations })),
	),
	confirmations: v.pipe(
		v.strictTuple([confirmationsShape]),
		v.transform(([confirmations]) => ({ type: "confirmations" as const, confirmations })),
	),
	withdrawal: v.pipe(
		v.strictTuple([hash, signature]),
		v.transform(([proposal, signature]) => ({ type: "withdrawal" as const, proposal, signature })),
	),
};
