/**
 * Several computers on one home network: each is a network namespace, and a bridge in a namespace of its own is the
 * access point (a second one stands beside it, for who is cut off together). Nothing of the machine's own network is touched, and the kernel removes it all with the namespaces.
 */

import { type Computer, computerIn, ip, isOnPath, namespaceName, removingAtExit } from "./namespaces.js";

export interface Host extends Computer {
	/** Its cable is pulled, or it walks out of reach: the computer sees that too. */
	unplug(): void;
	/** The access point drops what it sends and what is sent to it; the computer sees a good connection. */
	mute(): void;
	/** It comes to another access point that has no way to the first; the computer sees a good connection. */
	moveAway(): void;
	/** Undoes `unplug`, `mute` and `moveAway`. */
	connect(): void;
}

export interface Wifi {
	host(at: number): Host;
	/** Ends what still runs on the computers, and removes them. */
	remove(): void;
}

const NETWORK = "192.168.77";
const ACCESS_POINT = `${NETWORK}.1`;
const FIRST_HOST = 10;
/** What programs on a host know their network card by. */
const CARD = "eth0";
const BRIDGE = "wifi0";
const OTHER_BRIDGE = "wifi1";

/** Why there can be no such network here, or undefined if there can. */
export function wifiMissing(): string | undefined {
	if (process.platform !== "linux") return "network namespaces need Linux";
	if (process.getuid?.() !== 0) return "network namespaces need root";
	for (const program of ["ip", "mount", "chromium"]) if (!isOnPath(program)) return `${program} is not installed`;
	try {
		createWifi(1).remove();
	} catch (error) {
		return `a network namespace with a bridge is not to be had here (${String(error).split("\n", 2).join(" ")})`;
	}
	return undefined;
}

/** Makes a network of so many computers. */
export function createWifi(hosts: number): Wifi {
	const accessPoint = namespaceName("wifi");
	const names = Array.from({ length: hosts }, (_, at) => namespaceName(at));
	const remove = removingAtExit([...names, accessPoint]);
	try {
		ip("netns", "add", accessPoint);
		ip("-n", accessPoint, "link", "add", BRIDGE, "type", "bridge");
		ip("-n", accessPoint, "address", "add", `${ACCESS_POINT}/24`, "dev", BRIDGE);
		ip("-n", accessPoint, "link", "add", OTHER_BRIDGE, "type", "bridge");
		for (const bridge of [BRIDGE, OTHER_BRIDGE]) ip("-n", accessPoint, "link", "set", bridge, "up");
		const made = names.map((name, at) => createHost(name, at, accessPoint));
		return {
			host(at) {
				const host = made[at];
				if (host === undefined) throw new Error(`there are only ${made.length} computers`);
				return host;
			},
			remove,
		};
	} catch (error) {
		remove();
		throw error;
	}
}

function createHost(name: string, at: number, accessPoint: string): Host {
	const port = `port${at}`;
	const address = `${NETWORK}.${FIRST_HOST + at}`;
	ip("netns", "add", name);
	ip("-n", accessPoint, "link", "add", port, "type", "veth", "peer", "name", CARD, "netns", name);
	ip("-n", accessPoint, "link", "set", port, "master", BRIDGE, "up");
	ip("-n", name, "address", "add", `${address}/24`, "dev", CARD);
	ip("-n", name, "link", "set", "lo", "up");
	ip("-n", name, "link", "set", CARD, "up");
	// It leads nowhere, but without it Chromium gathers no candidates.
	ip("-n", name, "route", "add", "default", "via", ACCESS_POINT);
	return {
		...computerIn(name, address),
		unplug: () => ip("-n", accessPoint, "link", "set", port, "down"),
		mute: () => ip("-n", accessPoint, "link", "set", port, "nomaster"),
		moveAway: () => ip("-n", accessPoint, "link", "set", port, "master", OTHER_BRIDGE),
		connect: () => ip("-n", accessPoint, "link", "set", port, "master", BRIDGE, "up"),
	};
}
