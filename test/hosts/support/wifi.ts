/**
 * Several computers on one home network: each is a network namespace, and a bridge in a namespace of its own is the
 * access point (a second one stands beside it, for who is cut off together). Nothing of the machine's own network is touched, and the kernel removes it all with the namespaces.
 */

import type { ChildProcess, StdioOptions } from "node:child_process";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Host {
	readonly address: string;
	/** What to start instead of `program`, so that it runs on this computer. */
	inside(program: string, args: readonly string[]): { file: string; args: string[] };
	spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
	/** Ends with the program's output. */
	run(program: string, args: readonly string[]): string;
	/** Its cable is pulled, or it walks out of reach: the computer sees that too. */
	unplug(): void;
	/** The access point drops what it sends and what is sent to it; the computer sees a good connection. */
	mute(): void;
	/** It comes to another access point that has no way to the first; the computer sees a good connection. */
	moveAway(): void;
	/** Undoes `unplug`, `mute` and `moveAway`. */
	connect(): void;
}

export interface SpawnOptions {
	cwd: string;
	stdio: StdioOptions;
}

export interface Wifi {
	host(at: number): Host;
	/** Ends what still runs on the computers, and removes them. */
	remove(): void;
}

const PREFIX = "nabostrom-test-";
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
	removeLeftOvers();
	const prefix = `${PREFIX}${process.pid}-`;
	const accessPoint = `${prefix}wifi`;
	const names = Array.from({ length: hosts }, (_, at) => `${prefix}${at}`);
	const remove = () => {
		process.removeListener("exit", remove);
		for (const name of [...names, accessPoint]) removeNamespace(name);
	};
	// A run that is broken off must leave nothing either.
	process.on("exit", remove);
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
	const inside = (program: string, args: readonly string[]) => ({
		file: "ip",
		args: ["netns", "exec", name, program, ...args],
	});
	return {
		address,
		inside,
		spawn(program, args, options) {
			const command = inside(program, args);
			return spawn(command.file, command.args, options);
		},
		run(program, args) {
			const command = inside(program, args);
			return execFileSync(command.file, command.args, { encoding: "utf8" });
		},
		unplug: () => ip("-n", accessPoint, "link", "set", port, "down"),
		mute: () => ip("-n", accessPoint, "link", "set", port, "nomaster"),
		moveAway: () => ip("-n", accessPoint, "link", "set", port, "master", OTHER_BRIDGE),
		connect: () => ip("-n", accessPoint, "link", "set", port, "master", BRIDGE, "up"),
	};
}

function ip(...args: string[]): void {
	execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Whatever runs in the namespace was started by this test: nothing else knows its name. */
function removeNamespace(name: string): void {
	const { status, stdout } = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
	if (status !== 0) return;
	for (const pid of stdout.split("\n").filter((line) => line !== "")) {
		try {
			process.kill(Number(pid), "SIGKILL");
		} catch {
			// It has ended by itself meanwhile.
		}
	}
	spawnSync("ip", ["netns", "delete", name]);
}

/** Namespaces of runs that were killed. */
function removeLeftOvers(): void {
	if (!existsSync("/run/netns")) return;
	for (const name of readdirSync("/run/netns")) {
		const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
		if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeNamespace(name);
	}
}

export function isOnPath(program: string): boolean {
	return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}
