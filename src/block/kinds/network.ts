/** Who votes, and how devices reach each other. */
import * as v from "valibot";
import * as shapes from "../fieldShapes.js";
import { type IceServer, iceServerFields, iceServersShape } from "../iceServer.js";
import { act, deviceIndex, omittable, plain } from "./fields.js";
import { type Field, kindOf, type TransactionOf } from "./kind.js";

/** With their keys: who follows the changes alone can check every certificate. */
const addedVoters: Field<readonly { device: number; publicKey: Uint8Array }[]> = {
	shape: v.pipe(
		v.array(v.strictTuple([shapes.deviceIndex, shapes.publicKey])),
		v.maxLength(2),
		v.transform((added) => added.map(([device, publicKey]) => ({ device, publicKey }))),
	),
	write: (added) => added.map(({ device, publicKey }) => [device, publicKey]),
};

/** The operator changes who votes: one device comes or goes; beside a single voter two come at once. */
export const VOTERS = kindOf("voters", {
	...act,
	added: addedVoters,
	removed: plain<readonly number[]>(v.pipe(v.array(shapes.deviceIndex), v.maxLength(1))),
	/**
	 * The operator's metering device, where it signs in place of the household: who votes is kept up without anybody being
	 * there. Such a change takes no nonce of the household's, which a stolen device could use up: its `nonce` is the index
	 * of the last change of the voters, plus 1. Undefined: the household's key signs.
	 */
	device: omittable(deviceIndex),
});
export type VotersTransaction = TransactionOf<typeof VOTERS>;

const iceServers: Field<readonly IceServer[]> = { shape: iceServersShape, write: iceServerFields };

/** The operator says through which servers devices that cannot see each other are to connect. */
export const ICE_SERVERS = kindOf("iceServers", {
	...act,
	/** In place of those before; none: they connect directly, or not at all. */
	servers: iceServers,
});
export type IceServersTransaction = TransactionOf<typeof ICE_SERVERS>;
