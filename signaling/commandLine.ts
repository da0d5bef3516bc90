/** The server's options on the command line. */
import { parseArgs } from "node:util";
import { ok, type Result, refused } from "../src/primitives/result.js";
import { DEFAULT_SOCKETS, MAX_SOCKETS } from "./limits.js";

export interface CommandLine {
	help: boolean;
	port: number;
	tlsPort: number;
	/** Where https listens. */
	host: string;
	/** The owner's own certificate; absent: the local one. */
	ownCertificate?: { certFile: string; keyFile: string };
	signalingOnly: boolean;
	allowedOrigins: string[];
	/** Signaling servers that the app is to use beside this one. */
	furtherServers: string[];
	/** So many at the same time. */
	sockets: number;
	/** Whether the network may read /metrics. */
	openMetrics: boolean;
}

export const USAGE = `npm start -- [options]

  --port N            http on this computer (default 4444)
  --tls-port N        https on the network (default 4443; with --port N: N - 1)
  --host H            the address that https listens on (default 0.0.0.0: all)
  --cert FILE         a certificate of your own (PEM, with its chain) ...
  --key FILE          ... and its key
  --signaling-only    introduce peers to one another, serve no app
  --also URL          another signaling server that the app uses beside this one: wss://HOST[:PORT] (may be repeated)
  --allow-origin URL  let only pages of this origin use the signaling (may be repeated)
  --sockets N         at most so many connections to the signaling at once (default ${DEFAULT_SOCKETS})
  --open-metrics      answer /metrics on https too, not only on this computer
  --help              this text
`;

const DEFAULT_PORT = 4444;
/** The app connects to eight at most, this one among them. */
const MAX_FURTHER_SERVERS = 7;

/** Reads the arguments; a refusal holds a sentence for the person who typed them. */
export function parseCommandLine(
	args: readonly string[],
): Result<CommandLine, { code: "bad-option"; sentence: string }> {
	let values: ReturnType<typeof parse>["values"];
	try {
		values = parse(args).values;
	} catch (error) {
		// parseArgs reports what was typed wrong by throwing; its first sentence says it well.
		return wrong(`${(error as Error).message.split(/\.\s/)[0]}.`);
	}
	const port = values.port === undefined ? DEFAULT_PORT : portOf(values.port);
	if (port === undefined) return wrong(`--port ${values.port} is not a port (1 to 65535).`);
	// Port 0 asks the system for any free port, for both addresses.
	const tlsPort = values["tls-port"] === undefined ? Math.max(0, port - 1) : portOf(values["tls-port"]);
	if (tlsPort === undefined) return wrong(`--tls-port ${values["tls-port"]} is not a port (1 to 65535).`);
	if (tlsPort === port && port !== 0) return wrong(`--port and --tls-port are both ${port}; they must differ.`);
	const sockets = Number(values.sockets);
	if (!/^\d{1,5}$/.test(values.sockets) || sockets < 1 || sockets > MAX_SOCKETS) {
		return wrong(`--sockets ${values.sockets} is not a number from 1 to ${MAX_SOCKETS}.`);
	}
	const furtherServers: string[] = [];
	for (const text of values.also) {
		const server = furtherServerOf(text);
		if (server === undefined) return wrong(`--also ${text} is not a signaling server's address (wss://HOST:PORT).`);
		furtherServers.push(server);
	}
	if (furtherServers.length > MAX_FURTHER_SERVERS) return wrong(`--also may be given ${MAX_FURTHER_SERVERS} times.`);
	const { cert, key } = values;
	if ((cert === undefined) !== (key === undefined)) return wrong("--cert and --key belong together; one is missing.");
	return ok({
		help: values.help,
		port,
		tlsPort,
		host: values.host,
		...(cert !== undefined && key !== undefined && { ownCertificate: { certFile: cert, keyFile: key } }),
		signalingOnly: values["signaling-only"],
		allowedOrigins: values["allow-origin"],
		furtherServers,
		sockets,
		openMetrics: values["open-metrics"],
	});
}

function parse(args: readonly string[]) {
	return parseArgs({
		args: [...args],
		options: {
			port: { type: "string" },
			"tls-port": { type: "string" },
			host: { type: "string", default: "0.0.0.0" },
			cert: { type: "string" },
			key: { type: "string" },
			"signaling-only": { type: "boolean", default: false },
			also: { type: "string", multiple: true, default: [] as string[] },
			"allow-origin": { type: "string", multiple: true, default: [] as string[] },
			sockets: { type: "string", default: String(DEFAULT_SOCKETS) },
			"open-metrics": { type: "boolean", default: false },
			help: { type: "boolean", default: false },
		},
	});
}

function portOf(text: string): number | undefined {
	return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

/**
 * A signaling server's address as a page's policy can name it: scheme, host and port. Without TLS only a page on this
 * computer may connect.
 */
function furtherServerOf(text: string): string | undefined {
	const url = URL.canParse(text) ? new URL(text) : undefined;
	const isServer = url?.protocol === "wss:" || url?.protocol === "ws:";
	// What a URL takes for a host may mean something else in a policy: `a;script-src`, `*`.
	const isNamed = /^([A-Za-z0-9.-]+|\[[0-9a-f:.]+\])$/.test(url?.hostname ?? "");
	if (url === undefined || !isServer || !isNamed) return undefined;
	const isBare = url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
	return isBare ? `${url.protocol}//${url.host}` : undefined;
}

function wrong(sentence: string): Result<never, { code: "bad-option"; sentence: string }> {
	return refused({ code: "bad-option", sentence });
}
