import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localCertificate } from "../../../signaling/certificate.js";
import { type Service, startService } from "../../../signaling/service.js";

let folder: string;
let service: Service;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "static-"));
	await mkdir(join(folder, "dist/assets/worker"), { recursive: true });
	await mkdir(join(folder, "dist/.hidden"));
	const files = {
		"secret.txt": "secret",
		"dist/index.html": "<!doctype html>",
		"dist/sw.js": "sw",
		"dist/manifest.webmanifest": "{}",
		"dist/icon.svg": "<svg/>",
		"dist/data.xyz": "?",
		"dist/blå side.html": "blue",
		"dist/.hidden/key": "secret",
		"dist/assets/index-Dk3f9a.js": "app",
		"dist/assets/index-Dk3f9a.css": "body{}",
		"dist/assets/worker/main-Dk3f9a.js": "worker",
		"dist/assets/font-1.woff2": "font",
	};
	for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
	await symlink(join(folder, "secret.txt"), join(folder, "dist/link.txt"));
	await symlink(folder, join(folder, "dist/up"));
	const started = await startService({ port: 0, staticFolder: join(folder, "dist") });
	if (!started.ok) throw new Error(started.error.code);
	service = started.value;
});

afterAll(async () => {
	await service.stop();
	await rm(folder, { recursive: true });
});

interface Answer {
	status: number | undefined;
	headers: IncomingHttpHeaders;
	body: string;
}

/** Sends the path as it stands: `fetch` would tidy it up first. */
function get(
	path: string,
	method = "GET",
	headers: Record<string, string> = {},
	localUrl = service.localUrl,
): Promise<Answer> {
	const { hostname, port } = new URL(localUrl);
	return new Promise((resolve, reject) => {
		const sent = request({ hostname, port, path, method, headers }, (response) => {
			let body = "";
			response.on("data", (chunk) => {
				body += chunk;
			});
			response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
		});
		sent.on("error", reject);
		sent.end();
	});
}

it("packs text for who can unpack it, under an ETag of its own, and gives it as it is to others", async () => {
	const packed = await fetch(service.localUrl, { headers: { "Accept-Encoding": "br, gzip" } });
	const plain = await get("/");
	expect(await packed.text()).toBe(plain.body);
	expect(packed.headers.get("content-encoding")).toBe("gzip");
	expect([packed.headers.get("vary"), plain.headers.vary]).toEqual(["Accept-Encoding", "Accept-Encoding"]);
	expect([plain.headers["content-encoding"], plain.headers["content-length"]]).toEqual([undefined, "15"]);
	const etag = packed.headers.get("etag") ?? "";
	expect(etag).not.toBe(plain.headers.etag);
	expect((await get("/", "GET", { "Accept-Encoding": "gzip", "If-None-Match": etag })).status).toBe(304);
	expect((await get("/", "GET", { "If-None-Match": etag })).status).toBe(200);
	expect((await get("/", "HEAD", { "Accept-Encoding": "gzip" })).body).toBe("");
});

describe("the app's files", () => {
	it.each([
		["/", "text/html; charset=utf-8"],
		["/index.html?from=link", "text/html; charset=utf-8"],
		["/sw.js", "text/javascript; charset=utf-8"],
		["/assets/index-Dk3f9a.css", "text/css; charset=utf-8"],
		["/assets/font-1.woff2", "font/woff2"],
		["/manifest.webmanifest", "application/manifest+json; charset=utf-8"],
		["/icon.svg", "image/svg+xml"],
		["/data.xyz", "application/octet-stream"],
		["/bl%C3%A5%20side.html", "text/html; charset=utf-8"],
	])("serves %s as %s", async (path, type) => {
		const { status, headers } = await get(path);
		expect([status, headers["content-type"]]).toEqual([200, type]);
	});

	it("lets browsers keep what carries a hash in its name, and asks them to look again for the rest", async () => {
		expect((await get("/assets/index-Dk3f9a.js")).headers["cache-control"]).toBe("public, max-age=31536000, immutable");
		for (const path of ["/", "/sw.js"]) expect((await get(path)).headers["cache-control"]).toBe("no-cache");
	});

	it("answers 304 to who has the file already", async () => {
		const { headers } = await get("/");
		const again = await get("/", "GET", { "If-None-Match": headers.etag ?? "" });
		expect([again.status, again.body]).toEqual([304, ""]);
		expect((await get("/", "GET", { "If-None-Match": '"other"' })).status).toBe(200);
	});

	it("answers HEAD without a body", async () => {
		const { status, headers, body } = await get("/", "HEAD");
		expect([status, headers["content-length"], body]).toEqual([200, "15", ""]);
	});

	it.each(["/missing.js", "/assets", "/assets/", "/index.html/x"])("answers 404 to %s", async (path) => {
		expect((await get(path)).status).toBe(404);
	});

	it.each([
		"/../secret.txt",
		"/assets/../../secret.txt",
		"/%2e%2e/secret.txt",
		"/..%2fsecret.txt",
		"/%2e%2e%5csecret.txt",
		"/..\\secret.txt",
		"/%252e%252e/secret.txt",
		"//../secret.txt",
		"/link.txt",
		"/up/secret.txt",
		"/.hidden/key",
		"/index.html%00.txt",
		"/%ff",
		"/%",
		"http://127.0.0.1/secret.txt",
		"*",
	])("never leaves the folder: %s", async (path) => {
		const { status, body } = await get(path);
		expect([400, 404]).toContain(status);
		expect(body).not.toContain("secret");
	});

	it.each(["/index.html%00", "/%ff", "/%"])("answers 400 to what is no path: %s", async (path) => {
		expect((await get(path)).status).toBe(400);
	});

	it("refuses other methods", async () => {
		for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
			expect((await get("/", method)).status).toBe(405);
	});
});

describe("the security headers", () => {
	const answers: [kind: string, path: string, method: string, status: number][] = [
		["the page", "/", "GET", 200],
		["a script", "/assets/index-Dk3f9a.js", "GET", 200],
		["a worker's script", "/assets/worker/main-Dk3f9a.js", "GET", 200],
		["the service worker", "/sw.js", "GET", 200],
		["the script that stretches passwords", "/assets/argon2/argon2-Dk3f9a.js", "GET", 404],
		["a worker's script that is missing", "/assets/worker/missing.js", "GET", 404],
		["a style sheet", "/assets/index-Dk3f9a.css", "GET", 200],
		["a picture", "/icon.svg", "GET", 200],
		["the server's JSON", "/config.json", "GET", 200],
		["its health", "/health", "GET", 200],
		["headers alone", "/", "HEAD", 200],
		["what is missing", "/missing", "GET", 404],
		["a folder", "/assets", "GET", 404],
		["what is no path", "/%", "GET", 400],
		["another method", "/", "POST", 405],
	];

	it.each(answers)("go with %s", async (_kind, path, method, status) => {
		expectSecured(path, await get(path, method), status);
	});

	it("go with a file that has not changed", async () => {
		for (const path of ["/", "/assets/worker/main-Dk3f9a.js"]) {
			const { headers } = await get(path);
			expectSecured(path, await get(path, "GET", { "If-None-Match": headers.etag ?? "" }), 304);
		}
	});

	it("go with what is answered where there is no app, and with the certificate", async () => {
		const certificate = await localCertificate(
			join(folder, "certificate"),
			{ hosts: ["localhost"], addresses: ["127.0.0.1"] },
			Date.now(),
		);
		const started = await startService({ port: 0, tls: { port: 0, host: "127.0.0.1", certificate } });
		if (!started.ok) throw new Error(started.error.code);
		for (const [path, status] of [
			["/", 200],
			["/certificate.crt", 200],
			["/index.html", 404],
		] as const) {
			expectSecured(path, await get(path, "GET", {}, started.value.localUrl), status);
		}
		await started.value.stop();
	});

	/** Nothing is sent on to another address, which a policy would have to name. */
	function expectSecured(path: string, { status: given, headers }: Answer, status: number): void {
		expect([given, headers.location]).toEqual([status, undefined]);
		expect(headers).toMatchObject({
			"cross-origin-opener-policy": "same-origin",
			"cross-origin-embedder-policy": "require-corp",
			"cross-origin-resource-policy": "same-origin",
			"x-content-type-options": "nosniff",
			"referrer-policy": "no-referrer",
		});
		const permissions = String(headers["permissions-policy"]).split(", ");
		expect(permissions).toEqual(
			expect.arrayContaining(["serial=(self)", "usb=(self)", "camera=(self)", "microphone=()", "geolocation=()"]),
		);
		expect(String(headers["content-security-policy"]).split("; ")).toEqual(rulesOf(path));
	}

	it("lets the page connect to the signaling servers that it was told of, and the worker to none", async () => {
		const furtherServers = ["wss://b.example", "wss://c.example:8443"];
		const started = await startService({ port: 0, furtherServers });
		if (!started.ok) throw new Error(started.error.code);
		const policyAt = async (path: string) =>
			(await fetch(`${started.value.localUrl}${path}`)).headers.get("content-security-policy");
		expect(await policyAt("/")).toContain("; connect-src 'self' wss://b.example wss://c.example:8443;");
		expect(await policyAt("/assets/worker/main.js")).not.toContain("wss:");
		expect(await (await fetch(`${started.value.localUrl}/config.json`)).json()).toEqual({
			lanUrl: null,
			furtherServers,
		});
		await started.value.stop();
	});

	const PAGE_RULES = [
		"default-src 'none'",
		"script-src 'self'",
		"worker-src 'self'",
		"connect-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		"font-src 'self'",
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"object-src 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types nabostrom-worker nabostrom-service-worker svelte-trusted-html",
	];
	const WORKER_RULES = [
		"default-src 'none'",
		"script-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types nabostrom-argon2",
	];
	const SERVICE_WORKER_RULES = [
		"default-src 'none'",
		"script-src 'self'",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	];
	/** The one place where bytes become code. */
	const ARGON2_RULES = [
		"default-src 'none'",
		"script-src 'self' 'wasm-unsafe-eval'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	];

	function rulesOf(path: string): string[] {
		if (path.startsWith("/assets/worker/")) return WORKER_RULES;
		if (path === "/sw.js") return SERVICE_WORKER_RULES;
		return path.startsWith("/assets/argon2/") ? ARGON2_RULES : PAGE_RULES;
	}
});

it("tells the app that there is no address on the network, and says how it is", async () => {
	expect(JSON.parse((await get("/config.json")).body)).toEqual({ lanUrl: null, furtherServers: [] });
	const before = JSON.parse((await get("/health")).body).refused["bad-path"] ?? 0;
	await get("/%");
	const { ok, sockets, topics, refused } = JSON.parse((await get("/health")).body);
	expect({ ok, sockets, topics }).toEqual({ ok: true, sockets: 0, topics: 0 });
	expect(refused["bad-path"]).toBe(before + 1);
});

it("serves no files when it does signaling only", async () => {
	const started = await startService({ port: 0 });
	if (!started.ok) throw new Error(started.error.code);
	const { localUrl } = started.value;
	expect(await (await fetch(localUrl)).text()).toBe("Nabostrøm signaling\n");
	expect((await fetch(`${localUrl}/index.html`)).status).toBe(404);
	expect((await fetch(`${localUrl}/health`)).status).toBe(200);
	await started.value.stop();
});
