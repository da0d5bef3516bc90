import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Service, startService } from "../../../signaling/service.js";

let folder: string;
let service: Service;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "static-"));
	await mkdir(join(folder, "dist/assets"), { recursive: true });
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
function get(path: string, method = "GET", headers: Record<string, string> = {}): Promise<Answer> {
	const { hostname, port } = new URL(service.localUrl);
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

it("sends the security headers with every answer", async () => {
	for (const path of ["/", "/missing", "/%", "/health", "/config.json"]) {
		const { headers } = await get(path);
		expect(headers).toMatchObject({
			"cross-origin-opener-policy": "same-origin",
			"cross-origin-embedder-policy": "require-corp",
			"x-content-type-options": "nosniff",
			"referrer-policy": "no-referrer",
		});
		const policy = String(headers["content-security-policy"]);
		for (const rule of [
			"default-src 'none'",
			"script-src 'self'",
			"connect-src 'self' ws: wss:",
			"frame-ancestors 'none'",
		]) {
			expect(policy.split("; ")).toContain(rule);
		}
		expect(policy).not.toContain("unsafe");
	}
});

it("tells the app that there is no address on the network, and says how it is", async () => {
	expect(JSON.parse((await get("/config.json")).body)).toEqual({ lanUrl: null });
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
