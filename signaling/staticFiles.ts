/** Serves the built app: the files of one folder, and nothing outside it. */
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { ok, type Result, refused } from "../src/primitives/result.js";

/** Answers a GET or HEAD request for `path` (decoded, from {@link pathOf}) with a file of `folder`, or with 404. */
export async function serveFile(
	folder: string,
	path: string,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const file = await findFile(folder, path === "/" ? "/index.html" : path);
	if (file === undefined) {
		response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("Not found\n");
		return;
	}
	const type = typeOf(file.path);
	const isCompressed = COMPRESSED.test(type) && /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
	const etag = `"${file.version}${isCompressed ? "-gzip" : ""}"`;
	response.setHeader("ETag", etag);
	response.setHeader("Vary", "Accept-Encoding");
	// Vite puts a hash of the content into the names under assets/, so those never change.
	const hashed = path.startsWith("/assets/");
	response.setHeader("Cache-Control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
	if (request.headers["if-none-match"] === etag) {
		response.writeHead(304).end();
		return;
	}
	if (isCompressed) {
		const bytes = await compressed(file);
		response.writeHead(200, { "Content-Type": type, "Content-Encoding": "gzip", "Content-Length": bytes.length });
		response.end(request.method === "HEAD" ? undefined : bytes);
		return;
	}
	response.writeHead(200, { "Content-Type": type, "Content-Length": file.bytes });
	if (request.method === "HEAD") {
		response.end();
		return;
	}
	await pipeline(createReadStream(file.path), response);
}

/**
 * The decoded path of a request's target, or a refusal: `..`, names with a leading dot, backslashes, NUL and
 * malformed escapes have no business in it, whatever they would lead to.
 */
export function pathOf(target: string): Result<string, { code: "bad-path" }> {
	const encoded = target.split(/[?#]/, 1)[0] ?? "";
	let path: string;
	try {
		path = decodeURIComponent(encoded);
	} catch {
		return refused({ code: "bad-path" });
	}
	if (!path.startsWith("/") || path.includes("\\") || path.includes("\0")) return refused({ code: "bad-path" });
	const segments = path.slice(1).split("/");
	return segments.some((segment) => segment.startsWith(".")) ? refused({ code: "bad-path" }) : ok(path);
}

interface FoundFile {
	path: string;
	bytes: number;
	/** Another one when the file is another. */
	version: string;
}

/** Text; pictures and fonts are packed already. */
const COMPRESSED = /^text\/|json|svg/;
const gzipped = promisify(gzip);
/** By path, each once, as it was last asked for: the app is some megabytes. */
const packed = new Map<string, { version: string; bytes: Promise<Buffer> }>();

function compressed({ path, version }: FoundFile): Promise<Buffer> {
	const kept = packed.get(path);
	if (kept?.version === version) return kept.bytes;
	const bytes = readFile(path).then((content) => gzipped(content, { level: 9 }));
	packed.set(path, { version, bytes });
	// A file that vanished while it was read is not to be missed for ever.
	bytes.catch(() => packed.delete(path));
	return bytes;
}

async function findFile(folder: string, path: string): Promise<FoundFile | undefined> {
	try {
		const root = await realpath(folder);
		const found = await realpath(join(root, path));
		// A link inside the folder may point out of it.
		if (!found.startsWith(root + sep)) return undefined;
		const status = await stat(found);
		if (!status.isFile()) return undefined;
		const version = `${status.size.toString(36)}-${Math.floor(status.mtimeMs).toString(36)}`;
		return { path: found, bytes: status.size, version };
	} catch {
		return undefined;
	}
}

function typeOf(path: string): string {
	return TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";
}

const TYPES: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".json": "application/json; charset=utf-8",
	".map": "application/json; charset=utf-8",
	".webmanifest": "application/manifest+json; charset=utf-8",
	".txt": "text/plain; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
	".jpg": "image/jpeg",
	".webp": "image/webp",
	".ico": "image/x-icon",
	".woff2": "font/woff2",
	".wasm": "application/wasm",
};
