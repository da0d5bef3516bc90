/**
 * The server as a whole: the same pages and the same relay on http for this computer and on https for the network.
 * It keeps nothing and logs nothing about who asked for what.
 */
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, isIP, type Socket } from "node:net";
import { ok, type Result, refused } from "../src/primitives/result.js";
import type { Certificate } from "./certificate.js";
import { ConnectionGate, networkOf } from "./connectionGate.js";
import { DEFAULT_SOCKETS, type Limits, limitsFor } from "./limits.js";
import { metricsText } from "./metrics.js";
import type { RefusalCounts } from "./refusalLog.js";
import { Refusals } from "./refusals.js";
import { createRelay, type Relay } from "./relay.js";
import { type Answers, requestListener } from "./requests.js";

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
	/** Signaling servers that the app is to use beside this one. */
	furtherServers?: readonly string[];
	/** Whether https answers /metrics as well; http on this computer always does. */
	openMetrics?: boolean;
	limits?: Limits;
}

export interface Service {
	/** Address on this computer. */
	localUrl: string;
	/** Address for the neighbours, or null where there is none. */
	lanUrl: string | null;
	/** What was refused so far, by code. */
	refusals(): RefusalCounts;
	/** Says goodbye to all sockets, lets answers that have begun come to their end, and resolves within two seconds. */
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
	const { port, tls, lanName, staticFolder, allowedOrigins = [], furtherServers = [], openMetrics = false } = options;
	const limits = options.limits ?? limitsFor(DEFAULT_SOCKETS);
	const startedMs = performance.now();
	const refusals = new Refusals();
	const relay = createRelay(limits, allowedOrigins, refusals);
	const shared: Shared = { relay, refusals, limits };
	let lanUrl: string | null = null;
	const answers: Answers = {
		health: () => ({ ok: true, ...relay.counts(), refused: refusals }),
		metrics: () =>
			metricsText({
				...relay.counts(),
				...relay.traffic(),
				refusals,
				uptimeSeconds: (performance.now() - startedMs) / 1000,
				residentBytes: process.memoryUsage.rss(),
			}),
		config: () => ({ lanUrl, furtherServers }),
		authority: tls?.certificate.authority,
		staticFolder,
		refusals,
	};
	const running = (servers: readonly Server[]): Service => ({
		localUrl,
		lanUrl,
		refusals: () => refusals.toJSON(),
		stop: () => stop(relay, servers),
	});

	const local = createServer(HTTP_OPTIONS, requestListener(answers));
	const listening = await listen(serveLocally(local, shared), port, LOOPBACK);
	if (!listening.ok) {
		await stop(relay, []);
		return listening;
	}
	const localUrl = `http://${LOOPBACK}:${listening.value}`;
	if (tls === undefined) return ok(running([local]));

	let secure: Server;
	try {
		const { cert, key } = tls.certificate;
		const secureOptions = { ...HTTP_OPTIONS, cert, key, minVersion: "TLSv1.2", handshakeTimeout: HEADERS_MS } as const;
		const metrics = openMetrics ? answers.metrics : undefined;
		secure = createTlsServer(secureOptions, requestListener({ ...answers, metrics }));
	} catch {
		await stop(relay, [local]);
		return refused({ code: "bad-certificate", host: tls.host, port: tls.port });
	}
	const securelyListening = await listen(serveNetwork(secure, shared), tls.port, tls.host);
	if (!securelyListening.ok) {
		await stop(relay, [local]);
		return securelyListening;
	}
	if (lanName !== undefined) lanUrl = `https://${inUrl(lanName)}:${securelyListening.value}`;
	return ok(running([local, secure]));
}

const LOOPBACK = "127.0.0.1";
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const HTTP_OPTIONS = {
	/** How often Node.js looks which requests are overdue. */
	connectionsCheckingInterval: 5_000,
	/** Nothing here depends on that header, and Node.js would refuse uncounted. */
	requireHostHeader: false,
};
/** So long an answer that has begun may take to come to its end. */
const GOODBYE_MS = 1_500;

/** What both servers use. */
interface Shared {
	relay: Relay;
	refusals: Refusals;
	limits: Limits;
}

/** Whoever is on this computer, a reverse proxy perhaps, counts as one address, and may open what it likes. */
function serveLocally(server: Server, shared: Shared): Server {
	server.on("upgrade", (request, stream, head) => shared.relay.upgrade(request, stream, head, LOOPBACK));
	return prepare(server, shared);
}

function serveNetwork(server: Server, shared: Shared): Server {
	const gate = new ConnectionGate(shared.limits);
	server.prependListener("connection", (socket: Socket) => {
		const address = networkOf(socket.remoteAddress ?? "");
		const code = gate.enter(address, performance.now());
		if (code === undefined) {
			socket.once("close", () => gate.leave(address, performance.now()));
		} else {
			shared.refusals.add(code);
			socket.destroy();
		}
	});
	server.on("upgrade", (request, stream, head) => {
		shared.relay.upgrade(request, stream, head, networkOf(request.socket.remoteAddress ?? ""));
	});
	return prepare(server, shared);
}

function prepare(server: Server, { refusals, limits }: Shared): Server {
	server.on("clientError", (_error, stream) => {
		refusals.add("bad-request");
		stream.destroy();
	});
	server.on("checkExpectation", (_request, response) => {
		refusals.add("bad-request");
		response.writeHead(417, { Connection: "close" }).end();
	});
	server.on("connect", (_request, stream) => {
		refusals.add("bad-method");
		stream.destroy();
	});
	server.on("drop", () => refusals.add("too-many-connections"));
	server.headersTimeout = HEADERS_MS;
	server.requestTimeout = REQUEST_MS;
	server.maxConnections = limits.connections;
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
			server.closeIdleConnections();
			return new Promise<void>((resolve) => {
				server.close(() => resolve());
				// A connection that has not come as far as a request (half a TLS handshake) is not waited for.
				setTimeout(() => {
					server.closeAllConnections();
					resolve();
				}, GOODBYE_MS).unref();
			});
		}),
	);
}
