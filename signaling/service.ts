/**
 * The server as a whole: the same pages and the same relay on http for this computer and on https for the network.
 * It keeps nothing and logs nothing about who asked for what.
 */
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import { ok, type Result, refused } from "../src/primitives/result.js";
import type { Certificate } from "./certificate.js";
import { Refusals } from "./refusals.js";
import { createRelay, DEFAULT_LIMITS, type Relay, type RelayLimits } from "./relay.js";
import { requestListener } from "./requests.js";

export interface ServiceOptions {
	/** Port of http on 127.0.0.1; 0: any free one. */
	port: number;
	/** Where https listens; absent: no https. */
	tls?: { port: number; host: string; certificate: Certificate };
	/** What the neighbours' devices write before the https port; absent: they cannot reach this computer. */
	lanName?: string;
	/** The built app; absent: signaling only. */
	staticFolder?: string;
	/** Pages of other origins may not use the relay; empty: all may. */
	allowedOrigins?: readonly string[];
	limits?: RelayLimits;
}

export interface Service {
	/** Address on this computer. */
	localUrl: string;
	/** Address for the neighbours, or null where there is none. */
	lanUrl: string | null;
	stop(): Promise<void>;
}

export type ServiceError = {
	/** taken: another program listens there; forbidden: needs rights; bad-host: not an address of this computer. */
	code: "port-taken" | "port-forbidden" | "bad-host" | "bad-certificate";
	host: string;
	port: number;
};

/** Starts listening on both addresses, or on none. */
export async function startService(options: ServiceOptions): Promise<Result<Service, ServiceError>> {
	const { port, tls, lanName, staticFolder, allowedOrigins = [], limits = DEFAULT_LIMITS } = options;
	const refusals = new Refusals();
	const relay = createRelay(limits, allowedOrigins, refusals);
	let lanUrl: string | null = null;
	const listener = requestListener({
		health: () => ({ ok: true, ...relay.counts(), refused: refusals }),
		config: () => ({ lanUrl }),
		authority: tls?.certificate.authority,
		staticFolder,
		refusals,
	});

	const local = createServer(listener);
	const listening = await listen(prepare(local, relay, refusals), port, LOOPBACK);
	if (!listening.ok) {
		await stop(relay, []);
		return listening;
	}
	const localUrl = `http://${LOOPBACK}:${listening.value}`;
	if (tls === undefined) return ok({ localUrl, lanUrl, stop: () => stop(relay, [local]) });

	let secure: Server;
	try {
		secure = createTlsServer({ cert: tls.certificate.cert, key: tls.certificate.key, minVersion: "TLSv1.2" }, listener);
	} catch {
		await stop(relay, [local]);
		return refused({ code: "bad-certificate", host: tls.host, port: tls.port });
	}
	const securelyListening = await listen(prepare(secure, relay, refusals), tls.port, tls.host);
	if (!securelyListening.ok) {
		await stop(relay, [local]);
		return securelyListening;
	}
	if (lanName !== undefined) lanUrl = `https://${inUrl(lanName)}:${securelyListening.value}`;
	return ok({ localUrl, lanUrl, stop: () => stop(relay, [local, secure]) });
}

const LOOPBACK = "127.0.0.1";
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
/** More than the relay's sockets: a page loads a dozen files at once. */
const MAX_CONNECTIONS = 1_024;
const GOODBYE_MS = 500;

function prepare(server: Server, relay: Relay, refusals: Refusals): Server {
	server.on("upgrade", relay.upgrade);
	server.on("clientError", (_error, stream) => {
		refusals.add("bad-request");
		stream.destroy();
	});
	server.headersTimeout = HEADERS_MS;
	server.requestTimeout = REQUEST_MS;
	server.maxConnections = MAX_CONNECTIONS;
	return server;
}

/** Resolves with the port, or with why this server does not listen. */
function listen(server: Server, port: number, host: string): Promise<Result<number, ServiceError>> {
	return new Promise((resolve) => {
		server.once("error", (error: NodeJS.ErrnoException) =>
			resolve(refused({ code: LISTEN_ERRORS[error.code ?? ""] ?? "bad-host", host, port })),
		);
		server.listen(port, host, () => resolve(ok((server.address() as AddressInfo).port)));
	});
}

/** RFC 3986 §3.2.2: an IPv6 address stands in brackets. */
function inUrl(host: string): string {
	return isIP(host) === 6 ? `[${host}]` : host;
}

const LISTEN_ERRORS: Readonly<Record<string, ServiceError["code"]>> = {
	EADDRINUSE: "port-taken",
	EACCES: "port-forbidden",
};

async function stop(relay: Relay, servers: readonly Server[]): Promise<void> {
	relay.stop();
	await Promise.all(
		servers.map((server) => {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			server.closeIdleConnections();
			setTimeout(() => server.closeAllConnections(), GOODBYE_MS).unref();
			return closed;
		}),
	);
}
