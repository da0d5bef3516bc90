/** Headers of every response: the page may run nothing and load nothing that this server did not send. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
	// Svelte sets styles through the CSSOM, which 'self' allows; a `style="…"` attribute in markup is not applied.
	"Content-Security-Policy": [
		"default-src 'none'",
		"script-src 'self'",
		"worker-src 'self'",
		// Signaling servers are the neighbourhood's choice, so any WebSocket is allowed.
		"connect-src 'self' ws: wss:",
		"style-src 'self'",
		"img-src 'self' data:",
		"font-src 'self'",
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"object-src 'none'",
	].join("; "),
	"Cross-Origin-Opener-Policy": "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cross-Origin-Resource-Policy": "same-origin",
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy": "no-referrer",
};
