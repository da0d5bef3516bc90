/**
 * Homes on the internet: in each a computer on a network of its own, behind a router that translates addresses and lets
 * nobody in, with another port for each connection, so that no way between two homes can be guessed. Beside them a
 * server that all can reach.
 */
import { type Computer, computerIn, ip, isOnPath, namespaceName, removingAtExit } from "./namespaces.js";

export interface Home extends Computer {
	/** The line to the internet is cut; the computer sees a good connection. */
	cutOff(): void;
	connect(): void;
}

export interface Internet {
	/** Reached by everybody. */
	server: Computer;
	home(at: number): Home;
	/** Ends what still runs there, and removes it all. */
	remove(): void;
}

/** RFC 5737: addresses for examples. */
const NETWORK = "203.0.113";
const SERVER_ADDRESS = `${NETWORK}.10`;
const FIRST_ROUTER = 20;
/** The same in each home, as in most. */
const HOME_ROUTER = "192.168.1.1";
const HOME_COMPUTER = "192.168.1.10";
const BRIDGE = "internet0";
/** What programs know their network card by. */
const CARD = "eth0";

/** Why there can be no such internet here, or undefined if there can. */
export function internetMissing(): string | undefined {
	for (const program of ["iptables", "turnserver"]) {
		if (!isOnPath(program)) return `${program} is not installed (Debian: apt-get install iptables coturn)`;
	}
	try {
		createInternet(1).remove();
	} catch (error) {
		return `a router is not to be had here (${String(error).split("\n", 2).join(" ")})`;
	}
	return undefined;
}

export function createInternet(homes: number): Internet {
	const backbone = namespaceName("internet");
	const server = namespaceName("server");
	const places = Array.from({ length: homes }, (_, at) => ({
		router: namespaceName(`router${at}`),
		computer: namespaceName(`home${at}`),
		wanAddress: `${NETWORK}.${FIRST_ROUTER + at}`,
		wanPort: `home${at}`,
	}));
	const remove = removingAtExit([
		...places.flatMap(({ router, computer }) => [computer, router]),
		...[server, backbone],
	]);
	try {
		ip("netns", "add", backbone);
		ip("-n", backbone, "link", "add", BRIDGE, "type", "bridge");
		ip("-n", backbone, "address", "add", `${NETWORK}.1/24`, "dev", BRIDGE);
		ip("-n", backbone, "link", "set", BRIDGE, "up");
		addTo(backbone, server, "server", CARD, SERVER_ADDRESS);
		ip("-n", server, "route", "add", "default", "via", `${NETWORK}.1`);
		const made = places.map((place) => createHome(backbone, place));
		return {
			server: computerIn(server, SERVER_ADDRESS),
			home(at) {
				const home = made[at];
				if (home === undefined) throw new Error(`there are only ${made.length} homes`);
				return home;
			},
			remove,
		};
	} catch (error) {
		remove();
		throw error;
	}
}

/** A namespace with a card on the backbone. */
function addTo(backbone: string, namespace: string, port: string, card: string, address: string): void {
	ip("netns", "add", namespace);
	ip("-n", backbone, "link", "add", port, "type", "veth", "peer", "name", card, "netns", namespace);
	ip("-n", backbone, "link", "set", port, "master", BRIDGE, "up");
	ip("-n", namespace, "address", "add", `${address}/24`, "dev", card);
	ip("-n", namespace, "link", "set", "lo", "up");
	ip("-n", namespace, "link", "set", card, "up");
}

function createHome(
	backbone: string,
	{ router, computer, wanAddress, wanPort }: { router: string; computer: string; wanAddress: string; wanPort: string },
): Home {
	addTo(backbone, router, wanPort, "wan", wanAddress);
	ip("netns", "add", computer);
	ip("-n", router, "link", "add", "lan", "type", "veth", "peer", "name", CARD, "netns", computer);
	ip("-n", router, "address", "add", `${HOME_ROUTER}/24`, "dev", "lan");
	ip("-n", router, "link", "set", "lan", "up");
	ip("-n", computer, "address", "add", `${HOME_COMPUTER}/24`, "dev", CARD);
	for (const card of ["lo", CARD]) ip("-n", computer, "link", "set", card, "up");
	ip("-n", computer, "route", "add", "default", "via", HOME_ROUTER);
	const { run } = computerIn(router, wanAddress);
	run("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
	run("iptables", ["-P", "FORWARD", "DROP"]);
	run("iptables", ["-A", "FORWARD", "-i", "lan", "-o", "wan", "-j", "ACCEPT"]);
	run("iptables", ["-A", "FORWARD", "-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT"]);
	// Another port for each connection: what one server has seen is of no use to anybody else.
	run("iptables", ["-t", "nat", "-A", "POSTROUTING", "-o", "wan", "-j", "MASQUERADE", "--random-fully"]);
	return {
		...computerIn(computer, HOME_COMPUTER),
		cutOff: () => ip("-n", backbone, "link", "set", wanPort, "nomaster"),
		connect: () => ip("-n", backbone, "link", "set", wanPort, "master", BRIDGE, "up"),
	};
}
