import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { get as httpsGet } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addressFor, fingerprintOf, localCertificate, ownCertificate } from "../../../signaling/certificate.js";
import { type Service, startService } from "../../../signaling/service.js";
import { connect, settled } from "./testSocket.js";

const NAMES = { hosts: ["localhost", "kitchen-pc"], addresses: ["127.0.0.1", "192.168.1.20"] };
const NOW_MS = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "certificate-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("the local certificate", () => {
	it("states this computer's names and addresses, and is signed by its authority", async () => {
		const { cert, authority = "", kept } = await localCertificate(folder, NAMES, NOW_MS);
		const parsed = new X509Certificate(cert);
		const issuer = new X509Certificate(authority);
		expect(parsed.subjectAltName).toBe("DNS:localhost, DNS:kitchen-pc, IP Address:127.0.0.1, IP Address:192.168.1.20");
		expect([parsed.ca, issuer.ca, kept]).toEqual([false, true, true]);
		expect(parsed.checkIssued(issuer) && parsed.verify(issuer.publicKey)).toBe(true);
		// More than 825 days are refused by Apple's systems.
		expect((Date.parse(parsed.validTo) - Date.parse(parsed.validFrom)) / DAY_MS).toBeLessThanOrEqual(825);
	});

	it("is the same at the next start, also with fewer addresses", async () => {
		const first = await localCertificate(folder, NAMES, NOW_MS);
		expect(await localCertificate(folder, NAMES, NOW_MS + DAY_MS)).toEqual(first);
		expect(await localCertificate(folder, { ...NAMES, addresses: ["127.0.0.1"] }, NOW_MS)).toEqual(first);
	});

	it("is made anew for another address, near its end, and when the clock is before its beginning", async () => {
		const first = await localCertificate(folder, NAMES, NOW_MS);
		const moved = await localCertificate(folder, { ...NAMES, addresses: ["192.168.1.21"] }, NOW_MS);
		expect(moved.cert).not.toBe(first.cert);
		const later = await localCertificate(folder, { ...NAMES, addresses: ["192.168.1.21"] }, NOW_MS + 771 * DAY_MS);
		expect(later.cert).not.toBe(moved.cert);
		const back = await localCertificate(folder, { ...NAMES, addresses: ["192.168.1.21"] }, NOW_MS);
		expect(back.cert).not.toBe(later.cert);
	});

	it("is made anew where its files are damaged or do not belong together", async () => {
		const first = await localCertificate(folder, NAMES, NOW_MS);
		await writeFile(join(folder, "server.pem"), "damaged");
		const second = await localCertificate(folder, NAMES, NOW_MS);
		expect(second.cert).not.toBe(first.cert);
		await writeFile(join(folder, "server.key"), first.key);
		const third = await localCertificate(folder, NAMES, NOW_MS);
		expect(third.cert).not.toBe(second.cert);
		await rm(join(folder, "authority.crt"));
		expect((await localCertificate(folder, NAMES, NOW_MS)).cert).not.toBe(third.cert);
	});

	it("is readable by its owner only, and the authority's key is nowhere", async () => {
		const { key } = await localCertificate(folder, NAMES, NOW_MS);
		expect((await stat(folder)).mode & 0o777).toBe(0o700);
		expect((await stat(join(folder, "server.key"))).mode & 0o777).toBe(0o600);
		expect(await readFile(join(folder, "server.key"), "utf8")).toBe(key);
		expect(await readFile(join(folder, "authority.crt"), "utf8")).not.toContain("PRIVATE");
	});

	it("works without being kept where the folder cannot be written", async () => {
		await writeFile(join(folder, "file"), "");
		const { kept, cert } = await localCertificate(join(folder, "file"), NAMES, NOW_MS);
		expect([kept, fingerprintOf(cert)?.length]).toEqual([false, 95]);
	});
});

describe("a certificate of one's own", () => {
	it("is taken as it is, or the fault has a code", async () => {
		const { cert, key } = await localCertificate(folder, NAMES, NOW_MS);
		const other = await localCertificate(folder, { ...NAMES, addresses: ["10.0.0.1"] }, NOW_MS);
		const path = (name: string) => join(folder, name);
		await writeFile(path("my.pem"), cert);
		await writeFile(path("my.key"), key);
		await writeFile(path("other.key"), other.key);
		await writeFile(path("text"), "hello");
		expect(await ownCertificate(path("my.pem"), path("my.key"))).toEqual({
			ok: true,
			value: { cert, key, kept: true },
		});
		const codes = async (certFile: string, keyFile: string) => {
			const result = await ownCertificate(path(certFile), path(keyFile));
			return result.ok ? "ok" : [result.error.code, result.error.file];
		};
		expect(await codes("missing", "my.key")).toEqual(["unreadable", path("missing")]);
		expect(await codes("my.pem", "missing")).toEqual(["unreadable", path("missing")]);
		expect(await codes("text", "my.key")).toEqual(["not-a-certificate", path("text")]);
		expect(await codes("my.pem", "text")).toEqual(["not-its-key", path("text")]);
		expect(await codes("my.pem", "other.key")).toEqual(["not-its-key", path("other.key")]);
	});

	it("decides which name invitations carry", async () => {
		const { cert } = await localCertificate(folder, { hosts: ["strom.example"], addresses: ["192.168.1.20"] }, NOW_MS);
		expect(addressFor(cert, ["10.0.0.1", "192.168.1.20"])).toBe("192.168.1.20");
		expect(addressFor(cert, ["strom.example"])).toBe("strom.example");
		expect(addressFor(cert, ["10.0.0.1"])).toBe("strom.example");
		expect(addressFor("nothing", ["10.0.0.1"])).toBeUndefined();
	});
});

describe("https", () => {
	const names = { hosts: ["localhost"], addresses: ["127.0.0.1"] };
	let service: Service;

	async function serve(): Promise<string> {
		const certificate = await localCertificate(folder, names, Date.now());
		const tls = { port: 0, host: "127.0.0.1", certificate };
		const started = await startService({ port: 0, tls, lanName: "127.0.0.1" });
		if (!started.ok) throw new Error(started.error.code);
		service = started.value;
		return service.lanUrl ?? "";
	}

	function get(url: string, ca: string): Promise<{ body: string; fingerprint: string }> {
		return new Promise((resolve, reject) => {
			httpsGet(url, { ca, agent: false }, (response) => {
				const socket = response.socket as import("node:tls").TLSSocket;
				const fingerprint = socket.getPeerCertificate().fingerprint256;
				let body = "";
				response.on("data", (chunk) => {
					body += chunk;
				});
				response.on("end", () => resolve({ body, fingerprint }));
			}).on("error", reject);
		});
	}

	it("shows the same certificate after a restart, trusted by who trusts its authority", async () => {
		const first = await serve();
		const authority = await readFile(join(folder, "authority.crt"), "utf8");
		const before = await get(`${first}/health`, authority);
		expect((await get(`${first}/certificate.crt`, authority)).body).toBe(authority);
		await service.stop();
		const again = await serve();
		expect((await get(`${again}/health`, authority)).fingerprint).toBe(before.fingerprint);
		await expect(get(`${again}/health`, "")).rejects.toThrow();
		await service.stop();
	});

	it("relays between sockets of both addresses, and tells the app the https address", async () => {
		const lanUrl = await serve();
		const ca = await readFile(join(folder, "authority.crt"), "utf8");
		expect(JSON.parse((await get(`${lanUrl}/config.json`, ca)).body)).toEqual({ lanUrl, furtherServers: [] });
		const [local, remote] = [await connect(service.localUrl), await connect(lanUrl, { ca })];
		for (const client of [local, remote]) client.say({ type: "subscribe", topics: ["street"] });
		await settled(local);
		await settled(remote);
		local.say({ type: "publish", topic: "street", data: "hello" });
		expect(await remote.next()).toEqual({ type: "publish", topic: "street", data: "hello", clients: 2 });
		await service.stop();
		expect(await remote.closed).toBe(1001);
	});
});
