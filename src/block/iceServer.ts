/** Servers that help two devices to reach each other: STUN says how one looks from outside, TURN relays (RFC 8489, 8656). */
import * as v from "valibot";

/** As RTCPeerConnection takes it. */
export interface IceServer {
	/** `stun:HOST:PORT`, `turn:HOST:PORT?transport=tcp`, `turns:…`. */
	urls: string;
	/** Empty where none is needed. */
	username: string;
	credential: string;
}

export const MAX_ICE_SERVERS = 3;
const MAX_URL_LENGTH = 128;
const MAX_CREDENTIAL_LENGTH = 64;

/** A scheme, a host name, an IPv4 address or one of IPv6 in brackets; perhaps a port, and the way to a TURN server (RFC 7064, 7065). */
const STUN_URL = /^stuns?:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/;
const TURN_URL = /^turns?:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(?:\?transport=(?:udp|tcp))?$/;
/** Printable ASCII, without blanks. */
const CREDENTIAL = /^[!-~]*$/;

export type IceServerFault = "count" | "twice" | "urls" | "username" | "credential";

/** What is wrong with a list of them, if anything is. */
export function iceServersFault(servers: readonly IceServer[]): IceServerFault | undefined {
	if (servers.length > MAX_ICE_SERVERS) return "count";
	if (new Set(servers.map(({ urls }) => urls)).size < servers.length) return "twice";
	return servers.map(faultOf).find((fault) => fault !== undefined);
}

/** Undefined: a browser would take it. A TURN server has a user. */
function faultOf({ urls, username, credential }: IceServer): IceServerFault | undefined {
	const isTurn = TURN_URL.test(urls);
	const port = (TURN_URL.exec(urls) ?? STUN_URL.exec(urls))?.[1];
	const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
	if (urls.length > MAX_URL_LENGTH || !isPort || !(isTurn || STUN_URL.test(urls))) return "urls";
	if (!isCredential(username) || (username !== "") !== isTurn) return "username";
	return isCredential(credential) && (credential !== "") === isTurn ? undefined : "credential";
}

function isCredential(text: string): boolean {
	return text.length <= MAX_CREDENTIAL_LENGTH && CREDENTIAL.test(text);
}

const iceServerShape = v.pipe(
	v.strictTuple([v.string(), v.string(), v.string()]),
	v.transform(([urls, username, credential]): IceServer => ({ urls, username, credential })),
	v.check((server) => faultOf(server) === undefined),
);

export const iceServersShape = v.pipe(
	v.array(iceServerShape),
	v.check((servers) => iceServersFault(servers) === undefined),
);

export function iceServerFields(servers: readonly IceServer[]): [string, string, string][] {
	return servers.map(({ urls, username, credential }) => [urls, username, credential]);
}
