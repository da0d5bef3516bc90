import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { localCertificate } from "../../../signaling/certificate.js";
import { type Service, type ServiceOptions, startService } from "../../../signaling/service.js";
import { readMetrics } from "./readMetrics.js";
import { connect, settled } from "./testSocket.js";

let service: Service | undefined;
afterEach(() => service?.stop());

async function serve(options: Partial<ServiceOptions> = {}): Promise<Service> {
	const started = await startService({ port: 0, ...options });
	if (!started.ok) throw new Error(started.error.code);
	service = started.value;
	return service;
}

describe("GET /metrics", () => {
	it("counts sockets, topics, what was published and delivered, and what was refused", async () => {
		const begunMs = performance.now();
		const { localUrl } = await serve();
		const clients = [await connect(localUrl), await connect(localUrl), await connect(localUrl)];
		for (const client of clients) client.say({ type: "subscribe", topics: ["secret street"] });
		for (const client of clients) await settled(client);
		const published = { type: "publish", topic: "secret street", data: "secret words é" };
		clients[0]?.say(published);
		for (const client of clients) await client.next();
		clients[0]?.socket.send("secret nonsense");
		await settled(clients[0] as (typeof clients)[0]);
		const { text, values } = await readMetrics(localUrl);
		const deliveredBytes = 3 * Buffer.byteLength(JSON.stringify({ ...published, clients: 3 }));
		expect(values).toMatchObject({
			sockets: 3,
			topics: 1,
			buffered_bytes: 0,
			published_messages_total: 1,
			published_bytes_total: Buffer.byteLength(JSON.stringify(published)),
			delivered_messages_total: 3,
			delivered_bytes_total: deliveredBytes,
			'refusals_total{code="message-not-json"}': 1,
			'refusals_total{code="too-many-sockets"}': 0,
		});
		expect(values.resident_memory_bytes).toBeGreaterThan(1_000_000);
		// In tenths of a second: it may have been up for none.
		expect(values.uptime_seconds).toBeGreaterThanOrEqual(0);
		expect(values.uptime_seconds).toBeLessThanOrEqual((performance.now() - begunMs) / 1_000 + 0.05);
		expect(text).not.toMatch(/secret|127\.0\.0\.1/);
	});

	it("is in Prometheus' text format", async () => {
		const { localUrl } = await serve();
		const response = await fetch(`${localUrl}/metrics`);
		expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
		const lines = (await response.text()).split("\n");
		expect(lines.pop()).toBe("");
		let declared = "";
		for (const line of lines) {
			const [, name] = /^# TYPE (\w+) (?:gauge|counter)$/.exec(line) ?? [];
			if (name !== undefined) declared = name;
			else if (line.startsWith("#")) expect(line).toMatch(/^# HELP [a-z_]+ \S.*\.$/);
			else {
				const [, metric] = /^([a-z_]+)(?:\{code="[a-z-]+"\})? \d+(?:\.\d+)?$/.exec(line) ?? [];
				expect([line, metric]).toEqual([line, declared]);
			}
		}
	});

	it("is for this computer only, unless the operator opens it", async () => {
		const folder = await mkdtemp(join(tmpdir(), "metrics-"));
		const certificate = await localCertificate(folder, { hosts: ["localhost"], addresses: ["127.0.0.1"] }, Date.now());
		const tls = { port: 0, host: "127.0.0.1", certificate };
		for (const openMetrics of [false, true]) {
			const { localUrl, lanUrl, stop } = await serve({ tls, lanName: "127.0.0.1", openMetrics });
			expect((await fetch(`${localUrl}/metrics`)).status).toBe(200);
			const status = await new Promise((resolve) =>
				get(`${lanUrl}/metrics`, { ca: certificate.authority, agent: false }, (response) => {
					response.resume();
					resolve(response.statusCode);
				}),
			);
			expect(status).toBe(openMetrics ? 200 : 404);
			await stop();
		}
		await rm(folder, { recursive: true });
	});
});
