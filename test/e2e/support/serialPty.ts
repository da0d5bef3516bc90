/**
 * A real Web Serial port for a headless Chromium: in a private mount namespace, a pty made by socat lies over the first
 * serial tty that the kernel lists, and a managed policy grants that port to one origin. Nothing outside the namespace
 * changes, and the original tty (it may be the console) is never opened. One port per browser process; `requestPort()`
 * stays pending headless, `getPorts()` returns the port in page and worker.
 *
 * A pty passes the speed on but not the parity, and it has no line errors.
 */
import { type ChildProcess, type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
	accessSync,
	constants,
	cpSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type BrowserContext, chromium } from "playwright-core";
import { BARE_WINDOW } from "./app.js";

export interface SerialBrowser {
	context: BrowserContext;
	/** What is written here arrives at the port. After `replug` another stream. */
	readonly toPort: Writable;
	/** Calls back with what the page writes to the port. */
	onWritten(listener: (bytes: Uint8Array) => void): void;
	/** The speed that the page opened the port with, as `stty` reads it from the pty. */
	baudRate(): number;
	/** Unplugs the adapter: the page's stream fails with `NetworkError: The device has been lost.` */
	unplug(): Promise<void>;
	/** Plugs another one into the same socket. */
	replug(): Promise<void>;
	/** Closes browser and port, removes the profile. */
	close(): Promise<void>;
}

/** Chromium's own policy folder on Debian; a copy of it, with the policy, is mounted over it. */
const CHROMIUM_ETC = "/etc/chromium";
const PTY_APPEARS_MS = 5_000;
/** A browser that lost its port may hang in the kernel when it closes it: then it is ended. */
const CLOSE_MS = 5_000;

/** Why a serial port cannot be had here, or undefined if it can. */
export function serialPtyMissing(): string | undefined {
	if (process.platform !== "linux") return "a pty as a serial port needs Linux";
	if (process.getuid?.() !== 0) return "mounting a pty over a serial tty needs root";
	for (const program of ["chromium", "socat", "unshare", "nsenter", "mount", "stty"]) {
		if (!isOnPath(program)) return `${program} is not installed`;
	}
	if (firstSerialTty() === undefined) return "the kernel lists no serial tty to lay the pty over";
	try {
		accessSync(CHROMIUM_ETC, constants.R_OK);
		execFileSync("unshare", ["-m", "mount", "--make-rprivate", "/"], { stdio: "ignore" });
	} catch {
		return `a private mount namespace, or ${CHROMIUM_ETC}, is not to be had here`;
	}
	return undefined;
}

/** Starts a Chromium whose only port is granted to `origin` (`http://127.0.0.1:PORT`). */
export async function launchSerialBrowser(origin: string): Promise<SerialBrowser> {
	const tty = firstSerialTty();
	if (tty === undefined) throw new Error(serialPtyMissing());
	const folder = mkdtempSync(join(tmpdir(), "serial-pty-"));
	const link = join(folder, "pty");
	let listener: (bytes: Uint8Array) => void = () => {};
	const start = () => startSocat(link, (bytes) => listener(bytes));
	let socat = start();
	try {
		let pty = await whenLinked(link, socat);
		const executablePath = writeWrapper(folder, { pty, tty, policies: writePolicies(folder, origin) });
		const context = await chromium.launchPersistentContext(join(folder, "profile"), {
			executablePath,
			headless: true,
			args: ["--force-prefers-reduced-motion", `--disable-features=${BARE_WINDOW}`],
			locale: "nb-NO",
		});
		const unplug = async () => {
			if (socat.exitCode !== null || socat.signalCode !== null) return;
			socat.kill();
			await once(socat, "exit");
		};
		return {
			context,
			get toPort() {
				return socat.stdin;
			},
			onWritten(called) {
				listener = called;
			},
			baudRate: () => Number(execFileSync("stty", ["-F", pty, "speed"], { encoding: "utf8" })),
			unplug,
			async replug() {
				rmSync(link, { force: true });
				socat = start();
				pty = await whenLinked(link, socat);
				const pid = readFileSync(join(folder, "pid"), "utf8").trim();
				const change = `umount ${tty}; mount --bind ${pty} ${tty}`;
				execFileSync("nsenter", ["-t", pid, "-m", "sh", "-c", change]);
			},
			async close() {
				await closeOrKill(context, join(folder, "pid"));
				await unplug();
				rmSync(folder, { recursive: true, force: true });
			},
		};
	} catch (error) {
		socat.kill();
		rmSync(folder, { recursive: true, force: true });
		throw error;
	}
}

type Socat = ChildProcessByStdio<Writable, Readable, null>;

/** A pty whose other end is the program's standard input and output. */
function startSocat(link: string, onWritten: (bytes: Uint8Array) => void): Socat {
	const socat = spawn("socat", ["-", `pty,rawer,link=${link}`], { stdio: ["pipe", "pipe", "inherit"] });
	socat.stdout.on("data", onWritten);
	// A write after `unplug` has nowhere to go; that is what unplugging means.
	socat.stdin.on("error", () => {});
	return socat;
}

/** The device node of the first serial port that the kernel lists, such as /dev/ttyS0. */
function firstSerialTty(): string | undefined {
	const serial = readdirSync("/sys/class/tty").filter((name) => /^tty(S|AMA|USB|ACM)\d+$/.test(name));
	return serial
		.sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
		.map((name) => join("/dev", name))
		.find((path) => isReadable(path));
}

function isOnPath(program: string): boolean {
	return (process.env.PATH ?? "").split(delimiter).some((folder) => isReadable(join(folder, program)));
}

function isReadable(path: string): boolean {
	try {
		accessSync(path);
		return true;
	} catch {
		return false;
	}
}

/** A copy of Chromium's policy folder with one managed policy more. */
function writePolicies(folder: string, origin: string): string {
	const policies = join(folder, "etc");
	cpSync(CHROMIUM_ETC, policies, { recursive: true });
	const managed = join(policies, "policies", "managed");
	mkdirSync(managed, { recursive: true });
	writeFileSync(join(managed, "serial.json"), JSON.stringify({ SerialAllowAllPortsForUrls: [origin] }));
	return policies;
}

/** Playwright starts this instead of Chromium. The namespace dies with the browser, and the mounts with it. */
function writeWrapper(folder: string, { pty, tty, policies }: { pty: string; tty: string; policies: string }): string {
	const inside = [
		"mount --make-rprivate /",
		`mount --bind ${pty} ${tty}`,
		`mount --bind ${policies} ${CHROMIUM_ETC}`,
		`echo $$ > ${join(folder, "pid")}`,
		'exec chromium "$@"',
	].join(" && ");
	const wrapper = join(folder, "chromium");
	writeFileSync(wrapper, `#!/bin/sh\nexec unshare -m sh -c '${inside}' chromium "$@"\n`, { mode: 0o755 });
	return wrapper;
}

/** Closes the browser; one that does not come to its end is killed, whose profile nobody opens again. */
async function closeOrKill(context: BrowserContext, pidFile: string): Promise<void> {
	const closing = context.close().then(() => true);
	if (await Promise.race([closing, sleep(CLOSE_MS, false, { ref: false })])) return;
	process.kill(Number(readFileSync(pidFile, "utf8")), "SIGKILL");
	await closing;
}

/** Resolves with the pty's device node once socat has made it. */
async function whenLinked(link: string, socat: ChildProcess): Promise<string> {
	for (const untilMs = Date.now() + PTY_APPEARS_MS; Date.now() < untilMs; await sleep(20)) {
		if (socat.exitCode !== null) throw new Error(`socat ended with ${socat.exitCode}`);
		if (isReadable(link)) return realpathSync(link);
	}
	throw new Error("socat made no pty");
}
