/**
 * Homes on the internet: in each a computer on a network of its own, behind a router that translates addresses and lets
 * nobody in, with another port for each connection, so that no way between two homes can be guessed. Beside them a
 * server that all can reach.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Computer, computerIn, ip, isOnPath, namespaceName, removingAtExit } from "./namespaces.js";

export interface Home extends Computer {
	/** The line to the internet is cut; the computer sees a good connection. */
	cutOff(): void;
	connect(): void;
}

/** A phone of the first home. It has a card for the home's Wi-Fi and one for the mobile network. */
export interface Phone extends Computer {
	/** The Wi-Fi goes, and so long after it (before it, if negative) there is the mobile network. */
	goMobile(gapMs: number): Promise<void>;
	/** The other way. */
	comeHome(gapMs: number): Promise<void>;
}

export interface Internet {
	/** Reached by everybody. */
	server: Computer;
	home(at: number): Home;
	phone: Phone;
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
const PHONE_AT_HOME = "192.168.1.20";
const MOBILE_CARD = "wwan0";
const MOBILE_ROUTER = "10.64.0.1";
const PHONE_ABROAD = "10.64.0.77";
const MOBILE_WAN = `${NETWORK}.40`;

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
	const [phone, mobile] = [namespaceName("phone"), namespaceName("mobile")];
	const remove = removingAtExit([
		...places.flatMap(({ router, computer }) => [computer, router]),
		...[phone, mobile, server, backbone],
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
			phone: createPhone(backbone, phone, mobile, places[0]?.router ?? mobile),
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
	createRouter(backbone, router, wanPort, wanAddress, HOME_ROUTER);
	ip("netns", "add", computer);
	plugIn(router, "computer", computer, CARD);
	ip("-n", computer, "address", "add", `${HOME_COMPUTER}/24`, "dev", CARD);
	for (const card of ["lo", CARD]) ip("-n", computer, "link", "set", card, "up");
	ip("-n", computer, "route", "add", "default", "via", HOME_ROUTER);
	return {
		...computerIn(computer, HOME_COMPUTER),
		cutOff: () => ip("-n", backbone, "link", "set", wanPort, "nomaster"),
		connect: () => ip("-n", backbone, "link", "set", wanPort, "master", BRIDGE, "up"),
	};
}

/** A router with an inside that several computers can be plugged into. */
function createRouter(backbone: string, router: string, wanPort: string, wanAddress: string, address: string): void {
	addTo(backbone, router, wanPort, "wan", wanAddress);
	ip("-n", router, "link", "add", "lan", "type", "bridge");
	ip("-n", router, "address", "add", `${address}/24`, "dev", "lan");
	ip("-n", router, "link", "set", "lan", "up");
	const { run } = computerIn(router, wanAddress);
	run("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
	run("iptables", ["-P", "FORWARD", "DROP"]);
	run("iptables", ["-A", "FORWARD", "-i", "lan", "-o", "wan", "-j", "ACCEPT"]);
	run("iptables", ["-A", "FORWARD", "-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT"]);
	// Another port for each connection: what one server has seen is of no use to anybody else.
	run("iptables", ["-t", "nat", "-A", "POSTROUTING", "-o", "wan", "-j", "MASQUERADE", "--random-fully"]);
}

function plugIn(router: string, port: string, computer: string, card: string): void {
	ip("-n", router, "link", "add", port, "type", "veth", "peer", "name", card, "netns", computer);
	ip("-n", router, "link", "set", port, "master", "lan", "up");
}

function createPhone(backbone: string, phone: string, mobile: string, homeRouter: string): Phone {
	createRouter(backbone, mobile, "mobile", MOBILE_WAN, MOBILE_ROUTER);
	ip("netns", "add", phone);
	ip("-n", phone, "link", "set", "lo", "up");
	plugIn(homeRouter, "phone", phone, CARD);
	plugIn(mobile, "phone", phone, MOBILE_CARD);
	/** An address lasts as long as its network: both come and go together. */
	const enter = (card: string, address: string, router: string) => {
		ip("-n", phone, "link", "set", card, "up");
		ip("-n", phone, "address", "add", `${address}/24`, "dev", card);
		ip("-n", phone, "route", "replace", "default", "via", router, "dev", card);
	};
	const leave = (card: string) => {
		ip("-n", phone, "address", "flush", "dev", card);
		ip("-n", phone, "link", "set", card, "down");
	};
	const change = async (gapMs: number, go: () => void, come: () => void) => {
		const [first, second] = gapMs < 0 ? [come, go] : [go, come];
		first();
		await sleep(Math.abs(gapMs));
		second();
	};
	const goMobile = () => enter(MOBILE_CARD, PHONE_ABROAD, MOBILE_ROUTER);
	const comeHome = () => enter(CARD, PHONE_AT_HOME, HOME_ROUTER);
	comeHome();
	return {
		...computerIn(phone, PHONE_AT_HOME),
		goMobile: (gapMs) => change(gapMs, () => leave(CARD), goMobile),
		comeHome: (gapMs) => change(gapMs, () => leave(MOBILE_CARD), comeHome),
	};
}
