/** Links that bring neighbours in, and a household back. The secret stands behind `#`, which browsers never send to a server. */

/** The fragment of a lobby, invitation or restore link, without `#`; absent if there is none. Takes a whole link or the fragment. */
export function linkFragment(text: string): string | undefined {
	const trimmed = text.trim();
	const start = trimmed.indexOf("#");
	const fragment = (start < 0 ? trimmed : trimmed.slice(start + 1)).replace(/^\//, "");
	return /^(lobby|join|restore)=\S+$/.test(fragment) ? fragment : undefined;
}

/**
 * Where the app of another server is, by its host and port as a person types them ("192.168.1.20:4443"); a link's fragment
 * goes along. Undefined: it is no such address. Browsers give keys and meters to https alone.
 */
export function addressOf(typed: string, fragment: string | undefined): string | undefined {
	const host = typed
		.trim()
		.replace(/^https:\/\//i, "")
		.replace(/\/+$/, "");
	if (!/^(\[[0-9a-f:.]+\]|[a-z0-9-]+(\.[a-z0-9-]+)*)(:\d{1,5})?$/i.test(host)) return undefined;
	const url = URL.parse(`https://${host}`);
	return url === null ? undefined : `${url.origin}/#${fragment ?? "/join"}`;
}

/** What the server says about itself. */
export interface ServerConfig {
	/** The https address on the local network; absent: not known. */
	lanUrl?: string;
	/** Signaling servers beside the one that the page came from. */
	furtherServers: readonly string[];
}

/** Asks the server that this page came from; a server that says nothing is a server without another address. */
export async function fetchServerConfig(): Promise<ServerConfig> {
	try {
		const response = await fetch("/config.json");
		const config: unknown = response.ok ? await response.json() : null;
		if (typeof config === "object" && config !== null) return readServerConfig(config);
	} catch {
		// Served by something else, or offline: the page's own address has to do.
	}
	return { furtherServers: [] };
}

function readServerConfig(config: { lanUrl?: unknown; furtherServers?: unknown }): ServerConfig {
	const { lanUrl, furtherServers } = config;
	const named: unknown[] = Array.isArray(furtherServers) ? furtherServers : [];
	return {
		...(typeof lanUrl === "string" ? { lanUrl } : {}),
		furtherServers: named.filter((url) => typeof url === "string"),
	};
}

/** The address that goes into a link: never localhost where there is another. `localOnly`: others cannot open it. */
export function shareBase(
	location: { origin: string; hostname: string },
	config: Pick<ServerConfig, "lanUrl">,
): {
	url: string;
	localOnly: boolean;
} {
	const local = isLoopback(location.hostname);
	if (local && config.lanUrl !== undefined) return { url: config.lanUrl.replace(/\/+$/, ""), localOnly: false };
	return { url: location.origin, localOnly: local };
}

/** The signaling server at this page's own address. */
export function signalingUrl(location: { protocol: string; host: string }): string {
	return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
}

function isLoopback(hostname: string): boolean {
	return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\./.test(hostname);
}
