import { cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { killPrograms, project, run, server } from "./program.js";
import { freePort } from "./stockServer.js";
import { connect, settled } from "./testSocket.js";

afterEach(killPrograms);

const patient = { timeout: 60_000 };

describe("the server as a program", () => {
	it("prints both addresses, a QR code and how to trust the certificate, and stops when asked", patient, async () => {
		const program = server("--port", "0", "--host", "127.0.0.1");
		await expect.poll(program.out, patient).toContain("Ctrl+C");
		expect(program.out()).toMatch(/On this computer: +http:\/\/127\.0\.0\.1:\d+/);
		// Bound to this computer alone there is no address for the others, and nothing to trust.
		expect(program.out()).toContain("neighbours cannot reach it");
		program.child.kill("SIGTERM");
		expect(await program.exit).toBe(0);
		expect(program.err()).toBe("");

		const network = server("--port", "0");
		await expect.poll(network.out, patient).toContain("Ctrl+C");
		const [, lanUrl] = /For the neighbours: +(https:\/\/\S+)/.exec(network.out()) ?? [];
		if (lanUrl !== undefined) {
			expect(network.out()).toMatch(/[█▀▄]{20}/);
			expect(network.out()).toContain(`open ${lanUrl}/certificate.crt`);
			expect(network.out()).toMatch(/([0-9A-F]{2}:){31}[0-9A-F]{2}/);
			const [localUrl] = /http:\/\/\S+/.exec(network.out()) ?? [];
			expect(await (await fetch(`${localUrl}/config.json`)).json()).toEqual({ lanUrl, furtherServers: [] });
		}
		network.child.kill("SIGINT");
		expect(await network.exit).toBe(0);
	});

	it("says nothing about who asks for what, and says goodbye to its sockets", patient, async () => {
		const program = server("--port", "0", "--host", "127.0.0.1", "--signaling-only");
		await expect.poll(program.out, patient).toContain("Ctrl+C");
		const [url = ""] = /ws:\/\/\S+/.exec(program.out()) ?? [];
		const before = program.out();
		const client = await connect(url);
		client.say({ type: "subscribe", topics: ["secret topic"] });
		client.socket.send("nonsense");
		await settled(client);
		program.child.kill("SIGTERM");
		expect(await client.closed).toBe(1001);
		expect(await program.exit).toBe(0);
		expect(program.out() + program.err()).toBe(before);
	});

	it("ends with code 2 and one sentence where a port is taken", patient, async () => {
		const other = createServer();
		await new Promise<void>((resolve) => other.listen(0, "0.0.0.0", resolve));
		const address = other.address();
		const taken = String(typeof address === "object" ? address?.port : "");
		for (const args of [
			["--port", taken, "--tls-port", "0"],
			["--port", "0", "--tls-port", taken],
		]) {
			const program = server(...args);
			expect(await program.exit).toBe(2);
			expect(program.out()).toBe("");
			expect(program.err()).toMatch(/^Port \d+ is taken by another program.*\n$/);
			for (const part of [taken, "another origin with an empty node", "--port N"])
				expect(program.err()).toContain(part);
		}
		other.close();
	});

	it("ends with code 2 and one sentence where an option is wrong", patient, async () => {
		for (const [args, sentence] of [
			[["--port", "x"], "--port x is not a port (1 to 65535).\n"],
			[["--cert", "missing.pem", "--key", "missing.key"], "The file missing.pem cannot be read.\n"],
			[["--port", "0", "--host", "203.0.113.99"], /^This computer cannot listen on 203\.0\.113\.99.*\n$/],
		] as const) {
			const program = server(...args);
			expect(await program.exit).toBe(2);
			expect(program.err()).toMatch(sentence);
		}
	});
});

describe("npm start", () => {
	/** A project of which only `start.mjs` is real: its vite notes that it ran, its server says what it was given. */
	async function makeProject(): Promise<string> {
		const folder = await mkdtemp(join(tmpdir(), "start-"));
		for (const name of ["signaling", "src/ui/paraglide", "public", "node_modules/vite/bin"]) {
			await mkdir(join(folder, name), { recursive: true });
		}
		await cp(join(project, "signaling/start.mjs"), join(folder, "signaling/start.mjs"));
		await symlink(join(project, "node_modules/tsx"), join(folder, "node_modules/tsx"));
		await writeFile(join(folder, "package.json"), '{"type":"module"}');
		await writeFile(join(folder, "package-lock.json"), "{}");
		await writeFile(join(folder, "src/app.ts"), "");
		await writeFile(
			join(folder, "signaling/server.ts"),
			"console.log('server ' + (process.argv.slice(2) as string[]));",
		);
		await writeFile(
			join(folder, "node_modules/vite/bin/vite.js"),
			`import { existsSync, mkdirSync, writeFileSync } from "node:fs";
			if (existsSync("broken")) process.exit(3);
			mkdirSync("dist", { recursive: true });
			writeFileSync("dist/index.html", "");
			console.log("vite", process.argv.slice(2).join(" "));`,
		);
		return folder;
	}

	async function start(folder: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
		const program = run([join(folder, "signaling/start.mjs"), ...args], tmpdir());
		const code = await program.exit;
		return { code, out: program.out(), err: program.err() };
	}

	const touch = (path: string) => utimes(path, new Date(), new Date(Date.now() + 5_000));

	it(
		"builds where the app is missing or older than what it is made of, and passes the options on",
		patient,
		async () => {
			const folder = await makeProject();
			const first = await start(folder, "--port", "8080");
			expect(first.out).toMatch(/building the app.*vite build.*server --port,8080/s);
			expect((await start(folder)).out).toBe("server \n");
			await touch(join(folder, "src/ui/paraglide"));
			expect((await start(folder)).out).not.toContain("vite");
			for (const path of ["src/app.ts", "public", "package-lock.json"]) {
				await touch(join(folder, "dist/index.html"));
				await utimes(join(folder, path), new Date(), new Date(Date.now() + 60_000));
				expect((await start(folder)).out).toContain("vite build");
				await utimes(join(folder, path), new Date(0), new Date(0));
			}
			await rm(join(folder, "dist"), { recursive: true });
			expect((await start(folder, "--signaling-only")).out).toBe("server --signaling-only\n");
			await rm(folder, { recursive: true });
		},
	);

	it("stops where the app cannot be built", patient, async () => {
		const folder = await makeProject();
		await writeFile(join(folder, "broken"), "");
		const { code, out, err } = await start(folder);
		expect(code).toBe(3);
		expect(err).toContain("could not be built");
		expect(out).not.toContain("server");
		await rm(folder, { recursive: true });
	});

	it("ends when the server ends, with its code", patient, async () => {
		const folder = await makeProject();
		await writeFile(join(folder, "signaling/server.ts"), "process.exitCode = 2;");
		expect((await start(folder, "--signaling-only")).code).toBe(2);
		const port = await freePort();
		await writeFile(
			join(folder, "signaling/server.ts"),
			`import { writeFileSync } from "node:fs";
			process.once("SIGTERM", () => { writeFileSync("${join(folder, "stopped")}", ""); process.exit(0); });
			setInterval(() => {}, 1000); console.log("up ${port}");`,
		);
		const program = run([join(folder, "signaling/start.mjs"), "--signaling-only"]);
		await expect.poll(program.out, patient).toContain("up");
		program.child.kill("SIGTERM");
		expect(await program.exit).toBe(0);
		expect(await readFile(join(folder, "stopped"), "utf8")).toBe("");
		await rm(folder, { recursive: true });
	});
});
