/** The form for a STUN or TURN server, from what was typed to what the chain takes. */
import { type IceServer, iceServersFault } from "../block/iceServer.js";
import { ok, type Result, refused } from "../primitives/result.js";

export interface IceServerFields {
	address: string;
	username: string;
	credential: string;
}

export const EMPTY_ICE_SERVER: Readonly<IceServerFields> = { address: "", username: "", credential: "" };

/** `host:port` by itself is a TURN server where there is a user, else a STUN server. */
export function readIceServer(fields: IceServerFields): Result<IceServer, { code: "bad-ice-server"; field: string }> {
	const [address, username, credential] = [fields.address.trim(), fields.username.trim(), fields.credential.trim()];
	const [, scheme = username === "" ? "stun:" : "turn:", place = ""] = /^((?:stun|turn)s?:)?(.*)$/i.exec(address) ?? [];
	const server = { urls: `${scheme.toLowerCase()}${place}`, username, credential };
	const field = iceServersFault([server]);
	return field === undefined ? ok(server) : refused({ code: "bad-ice-server", field });
}

/** Nothing was typed. */
export function isEmpty({ address, username, credential }: IceServerFields): boolean {
	return `${address}${username}${credential}`.trim() === "";
}
