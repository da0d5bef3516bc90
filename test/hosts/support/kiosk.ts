/**
 * A Chromium on a computer of the test that can be killed and started again with its profile, and whose pages can be
 * frozen: Playwright only speaks to it (see e2e/support/ownBrowser.ts), over a pipe, since nothing outside reaches a port
 * on a computer that is cut off. Each page has a window of its own and is looked at, as on a kiosk.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Duplex, Readable, Writable } from "node:stream";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { type WebSocket, WebSocketServer } from "ws";
import { CHROMIUM_ARGS } from "../../e2e/support/app.js";
import type { Host } from "./wifi.js";

export interface Kiosk {
	/** Opens an empty page in a window of its own. */
	openPage(): Promise<Page>;
	/** The power is gone: nobody gets to say anything. */
	kill(): Promise<void>;
}

/** DevTools over a pipe: the browser reads file descriptor 3 and writes 4; each message ends with a zero byte. */
const END_OF_MESSAGE = 0;

/** Starts it on a host with the profile below `home`. */
export async function startKiosk(host: Host, home: string, args: readonly string[]): Promise<Kiosk> {
	const child = host.spawn(
		"chromium",
		[
			...CHROMIUM_ARGS,
			"--headless=new",
			"--remote-debugging-pipe",
			`--user-data-dir=${join(home, "profile")}`,
			"--no-first-run",
			"--disable-gpu",
			"--accept-lang=nb-NO",
			...args,
			"about:blank",
		],
		{ cwd: home, stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
	);
	const gone = once(child, "exit");
	const bridge = await bridgeOf(child);
	let browser: Browser;
	try {
		browser = await chromium.connectOverCDP(bridge.address, { noDefaults: true });
	} catch (error) {
		child.kill("SIGKILL");
		bridge.stop();
		throw error;
	}
	const [context] = browser.contexts();
	if (context === undefined) throw new Error("a browser has a context");
	return {
		openPage: () => openWindow(browser, context),
		async kill() {
			child.kill("SIGKILL");
			await gone;
			bridge.stop();
			await browser.close().catch(() => {});
		},
	};
}

async function openWindow(browser: Browser, context: BrowserContext): Promise<Page> {
	const opened = context.waitForEvent("page");
	const session = await browser.newBrowserCDPSession();
	await session.send("Target.createTarget", { url: "about:blank", newWindow: true });
	await session.detach();
	return opened;
}

/** Playwright speaks to a running browser over a WebSocket only. */
async function bridgeOf(child: ChildProcess): Promise<{ address: string; stop(): void }> {
	const toBrowser = child.stdio[3] as Writable;
	const fromBrowser = child.stdio[4] as Readable | Duplex;
	// A browser that is killed breaks the pipe.
	toBrowser.on("error", () => {});
	fromBrowser.on("error", () => {});
	const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
	await once(server, "listening");
	let playwright: WebSocket | undefined;
	server.on("connection", (socket) => {
		playwright = socket;
		socket.on("message", (data) => toBrowser.write(`${String(data)}\0`));
	});
	let parts: Buffer[] = [];
	fromBrowser.on("data", (data: Buffer) => {
		let rest = data;
		for (let end = rest.indexOf(END_OF_MESSAGE); end >= 0; end = rest.indexOf(END_OF_MESSAGE)) {
			playwright?.send(Buffer.concat([...parts, rest.subarray(0, end)]).toString());
			parts = [];
			rest = rest.subarray(end + 1);
		}
		parts.push(rest);
	});
	const { port } = server.address() as AddressInfo;
	return {
		address: `ws://127.0.0.1:${port}`,
		stop() {
			playwright?.terminate();
			server.close();
		},
	};
}
