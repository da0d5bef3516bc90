import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { limitsFor } from "../../signaling/limits.js";
import { killPrograms, startSignaling } from "../unit/signaling/program.js";
import { readMetrics } from "../unit/signaling/readMetrics.js";
import { freePort } from "../unit/signaling/stockServer.js";
import { type Crowd, gather, published } from "./signaling/crowd.js";

/**
 * Ten thousand real sockets at the real server, in neighbourhoods of twenty. What is counted is asserted; what is timed
 * is printed, since the clients share the server's processors.
 */
const SOCKETS = Number(process.env.NABOSTROM_SIGNALING_SOCKETS ?? 10_000);
const NEIGHBOURHOOD = 20;
const MESSAGE_BYTES = 1_024;
/** "1": over https, as neighbours come; each handshake costs the processors that the clients use as well. */
const IS_SECURE = process.env.NABOSTROM_SIGNALING_TLS === "1";
/** Receivers who do not read: what each may leave waiting is more than all together may. */
const SLOW = 400;
/** Some for the program itself. */
const DESCRIPTORS = SOCKETS + SLOW + 200;

const MB = 1_048_576;
const limits = limitsFor(SOCKETS + SLOW);
const descriptors = Number(spawnSync("sh", ["-c", "ulimit -Hn"]).stdout.toString().replace("unlimited", "Infinity"));
const canRun = descriptors >= DESCRIPTORS && process.platform === "linux";
if (!canRun)
	console.log(`Skipped: ${SOCKETS} sockets need Linux and ulimit -n ${DESCRIPTORS}; here it is ${descriptors}.`);

let url: string;
let crowdUrl: string;
let crowd: Crowd;
let emptyBytes: number;

const topicOf = (n: number) => `street ${Math.floor(n / NEIGHBOURHOOD)}`;
const metrics = async () => (await readMetrics(url)).values;
const residentBytes = async () => (await metrics()).resident_memory_bytes ?? 0;
const inMB = (bytes: number) => `${(bytes / MB).toFixed(0)} MB`;
const percentile = (sorted: readonly number[], share: number) =>
	(sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until as many more deliveries were heard. */
async function heard(before: number, count: number): Promise<void> {
	await expect.poll(crowd.delivered, { timeout: 300_000, interval: 10 }).toBeGreaterThanOrEqual(before + count);
}

describe.skipIf(!canRun)(`${SOCKETS} sockets`, () => {
	beforeAll(async () => {
		const tlsPort = await freePort();
		const program = await startSignaling("--sockets", String(SOCKETS + SLOW), "--tls-port", String(tlsPort));
		url = program.url;
		crowdUrl = IS_SECURE ? `https://127.0.0.1:${tlsPort}` : url;
		emptyBytes = await residentBytes();
		crowd = await gather({ url: crowdUrl, sockets: SOCKETS, topicOf, firstAddress: 1 });
	}, 300_000);
	afterAll(() => {
		crowd.close();
		killPrograms();
	});

	it("are all taken, each in its street", async () => {
		const { sockets, topics } = await metrics();
		expect({ sockets, topics }).toEqual({ sockets: SOCKETS, topics: Math.ceil(SOCKETS / NEIGHBOURHOOD) });
		const bytes = await residentBytes();
		const each = ((bytes - emptyBytes) / SOCKETS / 1024).toFixed(1);
		console.log(`${SOCKETS} sockets: ${inMB(bytes)} resident, ${inMB(emptyBytes)} before them, ${each} kB each`);
	});

	it("publish once each, all at the same moment, and every neighbour hears it", async () => {
		const deliveries = SOCKETS * NEIGHBOURHOOD;
		const [before, beginMs] = [crowd.delivered(), performance.now()];
		for (const [n, socket] of crowd.sockets.entries()) {
			socket.send(published(topicOf(n), MESSAGE_BYTES));
			// Over TLS a turn's writes all count as waiting, and of what is more than may wait messages are lost.
			if (IS_SECURE && n % 50 === 49) await pause(100);
		}
		await heard(before, deliveries);
		const seconds = (performance.now() - beginMs) / 1000;
		await pause(500);
		expect(crowd.delivered() - before).toBe(deliveries);
		const tookMs = crowd.takeDeliveries();
		expect(await metrics()).toMatchObject({
			sockets: SOCKETS,
			published_messages_total: SOCKETS,
			delivered_messages_total: deliveries,
			buffered_bytes: 0,
		});
		console.log(
			`${IS_SECURE ? "500 a second" : "all at once"}: ${(SOCKETS / seconds).toFixed(0)} published and ${(deliveries / seconds).toFixed(0)} delivered a second; ` +
				`a delivery took ${percentile(tookMs, 0.5)} ms (median), ${percentile(tookMs, 0.99)} ms (99 %); ${inMB(await residentBytes())}`,
		);
	});

	it("hear one another quickly while some two hundred publish each second", async () => {
		const before = crowd.delivered();
		const count = Math.min(1_000, SOCKETS);
		for (let i = 0; i < count; i++) {
			const n = (i * 7_919) % SOCKETS;
			crowd.sockets[n]?.send(published(topicOf(n), MESSAGE_BYTES));
			await pause(5);
		}
		await heard(before, count * NEIGHBOURHOOD);
		const tookMs = crowd.takeDeliveries();
		expect(tookMs).toHaveLength(count * NEIGHBOURHOOD);
		console.log(`in calm: ${percentile(tookMs, 0.5)} ms (median), ${percentile(tookMs, 0.99)} ms (99 %) a delivery`);
	});

	// Over TLS 250 MB more were resident where 24 MB waited; which part of it is OpenSSL's has not been found out yet.
	it.skipIf(IS_SECURE)(
		`stay, and so does the bound on memory, while ${SLOW} more subscribe and do not read`,
		async () => {
			const slow = await gather({ url: crowdUrl, sockets: SLOW, topicOf: (n) => `slow ${n}`, firstAddress: 101 });
			for (const socket of slow.sockets) socket.pause();
			const before = await residentBytes();
			let [mostBuffered, mostResident, sent] = [0, 0, 0];
			// Each says as much as its bucket holds, and the system's own buffers have to be filled first.
			for (const socket of crowd.sockets) {
				for (let i = 0; i < MESSAGES_EACH; i++) socket.send(published(`slow ${sent++ % SLOW}`, LONG_BYTES));
				if (sent % (20 * MESSAGES_EACH) !== 0) continue;
				await drained(socket);
				const { buffered_bytes = 0, resident_memory_bytes = 0, ...counts } = await metrics();
				mostBuffered = Math.max(mostBuffered, buffered_bytes);
				mostResident = Math.max(mostResident, resident_memory_bytes);
				if ((counts['refusals_total{code="slow-receiver"}'] ?? 0) > 0) break;
			}
			const after = await metrics();
			const [cut = 0, idle = 0] = ["slow-receiver", "idle"].map((code) => after[`refusals_total{code="${code}"}`]);
			console.log(
				`${SLOW} that do not read: ${sent} messages of ${LONG_BYTES} bytes, at most ${inMB(mostBuffered)} waited, ${cut} were cut off; ` +
					`at most ${inMB(mostResident)} resident, ${inMB(before)} before`,
			);
			expect(cut).toBeGreaterThan(0);
			expect(mostBuffered).toBeGreaterThan(limits.bufferedBytes / 4);
			expect(mostBuffered).toBeLessThanOrEqual(limits.bufferedBytes);
			expect(mostResident - before).toBeLessThan(limits.bufferedBytes + GARBAGE_BYTES);
			expect(after.sockets).toBe(SOCKETS + SLOW - cut - idle);
			expect(crowd.sockets.filter(({ readyState, OPEN }) => readyState !== OPEN)).toHaveLength(0);
			slow.close();
		},
	);
});

const LONG_BYTES = 16_000;
/** 16 tokens each, of a thousand. */
const MESSAGES_EACH = 40;
/** What is no longer used and not yet collected. */
const GARBAGE_BYTES = 128 * MB;

/** Until all that this socket said has been heard. */
async function drained(socket: WebSocket): Promise<void> {
	await new Promise((resolve) => socket.send('{"type":"ping"}', resolve));
	await new Promise((resolve) => socket.once("message", resolve));
}
