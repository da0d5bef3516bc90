/** Answers plain HTTP requests: the app's files, and four small answers of the server's own. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { securityHeaders } from "./headers.js";
import { METRICS_TYPE } from "./metrics.js";
import type { Refusals } from "./refusals.js";
import { pathOf, serveFile } from "./staticFiles.js";

export interface Answers {
	/** GET /health, for whoever watches the server. */
	health: () => object;
	/** GET /metrics, as Prometheus reads it; undefined: nobody may read it here. */
	metrics: (() => string) | undefined;
	/** GET /config.json, for the app: invitations carry `lanUrl`, never localhost. */
	config: () => { lanUrl: string | null; furtherServers: readonly string[] };
	/** GET /certificate.crt: what a device installs to trust the https address. */
	authority: string | undefined;
	/** The built app; undefined: there is none to serve. */
	staticFolder: string | undefined;
	refusals: Refusals;
}

export function requestListener(answers: Answers): RequestListener {
	return (request, response) => {
		// What still fails here is a connection that broke, or a file that vanished while it was sent.
		answer(answers, request, response).catch(() => response.destroy());
	};
}

async function answer(answers: Answers, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const path = pathOf(request.url ?? "");
	const headers = securityHeaders(path.ok ? path.value : undefined, answers.config().furtherServers);
	for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
	if (request.method !== "GET" && request.method !== "HEAD") {
		answers.refusals.add("bad-method");
		response.writeHead(405, { Allow: "GET, HEAD", Connection: "close" }).end();
		return;
	}
	if (!path.ok) {
		answers.refusals.add("bad-path");
		response.writeHead(400).end();
	} else if (path.value === "/health") {
		send(response, "application/json; charset=utf-8", JSON.stringify(answers.health()));
	} else if (path.value === "/metrics" && answers.metrics !== undefined) {
		send(response, METRICS_TYPE, answers.metrics());
	} else if (path.value === "/config.json") {
		send(response, "application/json; charset=utf-8", JSON.stringify(answers.config()));
	} else if (path.value === "/certificate.crt" && answers.authority !== undefined) {
		send(response, "application/x-x509-ca-cert", answers.authority);
	} else if (answers.staticFolder !== undefined) {
		await serveFile(answers.staticFolder, path.value, request, response);
	} else {
		response.statusCode = path.value === "/" ? 200 : 404;
		send(response, "text/plain; charset=utf-8", "Nabostrøm signaling\n");
	}
}

function send(response: ServerResponse, type: string, body: string): void {
	response.setHeader("Content-Type", type);
	response.setHeader("Cache-Control", "no-store");
	response.end(body);
}
