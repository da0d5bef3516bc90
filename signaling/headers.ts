/**
 * Headers of every response: the page may run nothing and load nothing that this server did not send, and no text
 * becomes script or markup (Content Security Policy Level 3, W3C Trusted Types).
 */

/** `furtherServers`: signaling servers beside the one that the page came from. */
const pagePolicy = (furtherServers: readonly string[]) =>
	[
		"default-src 'none'",
		"script-src 'self'",
		"worker-src 'self'",
		// The app's signaling server is the one that it came from (`signalingUrl`), and 'self' holds for its WebSocket, too;
		// beside it those that the server was told of (`--also`). Where WebRTC goes no policy can say.
		["connect-src 'self'", ...furtherServers].join(" "),
		// Svelte sets styles through the CSSOM, which 'self' allows; a `style="…"` attribute in markup is not applied.
		"style-src 'self'",
		"img-src 'self' data:",
		"font-src 'self'",
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"object-src 'none'",
		"require-trusted-types-for 'script'",
		// The addresses of the workers (`ui/nodePort`, `ui/pwa/update`), and the templates that svelte compiled.
		"trusted-types nabostrom-worker nabostrom-service-worker svelte-trusted-html",
	].join("; ");

/** The node's worker holds the keys, and the page does all networking for it: it loads its own code and nothing else. */
const WORKER_POLICY = [
	"default-src 'none'",
	"script-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	// The address of the worker that stretches passwords (`worker/stretching`).
	"trusted-types nabostrom-argon2",
].join("; ");

/** Argon2id is WebAssembly, which counts as code made of bytes. It is given a password and gives a key, and no more. */
const ARGON2_POLICY = [
	"default-src 'none'",
	"script-src 'self' 'wasm-unsafe-eval'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types 'none'",
].join("; ");

/** The service worker keeps the app for when there is no network: it loads what this server has, and runs none of it. */
const SERVICE_WORKER_POLICY = [
	"default-src 'none'",
	"script-src 'self'",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types 'none'",
].join("; ");

/** Where the build puts each worker and what it loads (`vite.config.ts`). A worker's policy comes with its own response. */
const WORKER_FOLDER = "/assets/worker/";
const ARGON2_FOLDER = "/assets/argon2/";
const SERVICE_WORKER = "/sw.js";

/** What the app asks a browser for; a permission that it comes to need is moved up here. */
const USED_PERMISSIONS = ["camera", "clipboard-write", "fullscreen", "screen-wake-lock", "serial", "usb"];
const REFUSED_PERMISSIONS = [
	"accelerometer",
	"autoplay",
	"browsing-topics",
	"clipboard-read",
	"compute-pressure",
	"display-capture",
	"encrypted-media",
	"gamepad",
	"geolocation",
	"gyroscope",
	"hid",
	"identity-credentials-get",
	"idle-detection",
	"keyboard-map",
	"local-fonts",
	"magnetometer",
	"microphone",
	"midi",
	"otp-credentials",
	"payment",
	"picture-in-picture",
	"publickey-credentials-create",
	"publickey-credentials-get",
	"storage-access",
	"sync-xhr",
	"window-management",
	"xr-spatial-tracking",
];

const COMMON_HEADERS: Readonly<Record<string, string>> = {
	"Cross-Origin-Opener-Policy": "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy": [
		...USED_PERMISSIONS.map((name) => `${name}=(self)`),
		...REFUSED_PERMISSIONS.map((name) => `${name}=()`),
	].join(", "),
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy": "no-referrer",
};

/** The security headers of the answer to a decoded path; undefined: to a request that has none. */
export function securityHeaders(
	path: string | undefined,
	furtherServers: readonly string[],
): Readonly<Record<string, string>> {
	return { "Content-Security-Policy": policyOf(path, furtherServers), ...COMMON_HEADERS };
}

function policyOf(path: string | undefined, furtherServers: readonly string[]): string {
	if (path?.startsWith(WORKER_FOLDER) === true) return WORKER_POLICY;
	if (path === SERVICE_WORKER) return SERVICE_WORKER_POLICY;
	return path?.startsWith(ARGON2_FOLDER) === true ? ARGON2_POLICY : pagePolicy(furtherServers);
}
