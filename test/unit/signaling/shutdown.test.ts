import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { startService } from "../../../signaling/service.js";
import { killPrograms, startSignaling } from "./program.js";
import { freePort } from "./stockServer.js";
import { connect, settled } from "./testSocket.js";

afterEach(killPrograms);

/** Less than what a half TLS handshake is given, so that waiting for one would be noticed. */
const patient = { timeout: 9_000 };

describe("stopping", () => {
	for (const signal of ["SIGTERM", "SIGINT"] as const) {
		it(`says goodbye on ${signal}, waits for nobody who does not answer, and ends with 0`, patient, async () => {
			const tlsPort = await freePort();
			const program = await startSignaling("--tls-port", String(tlsPort));
			const [polite, deaf] = [await connect(program.url), await connect(program.url)];
			for (const client of [polite, deaf]) {
				client.say({ type: "subscribe", topics: ["street"] });
				await settled(client);
			}
			deaf.socket.pause();
			const halfRequest = connectTcp(Number(new URL(program.url).port), "127.0.0.1");
			const halfHandshake = connectTcp(tlsPort, "127.0.0.1");
			for (const socket of [halfRequest, halfHandshake]) {
				socket.on("error", () => {});
				await once(socket, "connect");
				socket.resume();
			}
			halfRequest.write("GET / HTTP/1.1\r\n");
			halfHandshake.write(Uint8Array.of(0x16, 0x03));
			program.child.kill(signal);
			expect(await polite.closed).toBe(1001);
			expect(await program.exit).toBe(0);
			expect(program.err()).toBe("");
			deaf.socket.terminate();
		});
	}

	it("ends at once on a second signal", patient, async () => {
		const program = await startSignaling();
		const polite = await connect(program.url);
		const slow = connectTcp(Number(new URL(program.url).port), "127.0.0.1");
		slow.on("error", () => {});
		slow.write("GET / HTTP/1.1\r\n");
		await settled(polite);
		program.child.kill("SIGINT");
		// The server has begun to stop, and waits for the rest of the request.
		await polite.closed;
		program.child.kill("SIGTERM");
		expect(await program.exit).toBe(null);
		expect(program.child.signalCode).toBe("SIGTERM");
	});

	it("lets an answer that has begun come to its end", patient, async () => {
		const folder = await mkdtemp(join(tmpdir(), "shutdown-"));
		// More than the sockets hold by themselves, and little enough to be read within the time that is left for it.
		const bytes = 12_000_000;
		await writeFile(join(folder, "large.bin"), Buffer.alloc(bytes));
		const started = await startService({ port: 0, staticFolder: folder });
		if (!started.ok) throw new Error(started.error.code);
		const { localUrl, stop } = started.value;
		const response = await new Promise<IncomingMessage>((resolve) => get(`${localUrl}/large.bin`, resolve));
		const stopped = stop();
		let received = 0;
		for await (const chunk of response) received += (chunk as Buffer).length;
		expect(received).toBe(bytes);
		await stopped;
		await expect(fetch(localUrl)).rejects.toThrow();
		await rm(folder, { recursive: true });
	});
});
