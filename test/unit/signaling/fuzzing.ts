/** Sends damage to a live server, and says what became of it: how much the server must have refused. */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { parseMessage } from "../../../signaling/message.js";
import type { Random } from "../../support/xorshift.js";
import { rawUpgrade } from "./frames.js";
import { garbage, mutatedFrames, mutatedText, mutatedUpgrade } from "./mutation.js";
import { connect } from "./testSocket.js";

/** A socket is forgiven a hundred refusals. */
const TEXTS_PER_SOCKET = 20;
const AT_ONCE = 20;

/** Text messages over good sockets; gives how many have to be refused for each code. */
export async function sendTexts(url: string, count: number, random: Random): Promise<Record<string, number>> {
	const expected: Record<string, number> = {};
	await inRow(count / TEXTS_PER_SOCKET, 5, async () => {
		const client = await connect(url);
		for (let i = 0; i < TEXTS_PER_SOCKET; i++) {
			const text = mutatedText(random);
			client.socket.send(text);
			const parsed = parseMessage(text);
			if (!parsed.ok) expected[parsed.error.code] = (expected[parsed.error.code] ?? 0) + 1;
		}
		// Answered only after all of that.
		client.socket.close(1000);
		await client.closed;
	});
	return expected;
}

/** Bytes after a good upgrade; gives how many sockets the server closed because of what they sent. */
export async function sendFrames(url: string, count: number, random: Random): Promise<number> {
	let closed = 0;
	await inRow(count, AT_ONCE, async () => {
		const bytes = random(4) === 0 ? garbage(random) : mutatedFrames(random);
		const answer = await exchange(url, Buffer.concat([Buffer.from(rawUpgrade()), bytes]));
		if (FAULT_CODES.has(closeCodeOf(answer) ?? 0)) closed += 1;
	});
	return closed;
}

/** Requests that are damaged; gives how many the server refused, by an answer or by silence. */
export async function sendUpgrades(url: string, count: number, random: Random): Promise<number> {
	let refused = 0;
	await inRow(count, AT_ONCE, async () => {
		const request = mutatedUpgrade(random);
		const answer = (await exchange(url, request)).toString("latin1");
		const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
		if (request.length > 0 && !GOOD_STATUSES.has(status)) refused += 1;
	});
	return refused;
}

/** RFC 6455 §7.4.1: what an endpoint closes with because of the other's frames. */
const FAULT_CODES: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009]);
const GOOD_STATUSES: ReadonlySet<number> = new Set([101, 200, 404]);

async function inRow(count: number, atOnce: number, act: () => Promise<void>): Promise<void> {
	for (let done = 0; done < count; done += atOnce) {
		await Promise.all(Array.from({ length: Math.min(atOnce, count - done) }, act));
	}
}

/** Says all of it, then that this was all, and hears the server out. */
async function exchange(url: string, bytes: Buffer): Promise<Buffer> {
	const socket = connectTcp({ port: Number(new URL(url).port), host: "127.0.0.1", allowHalfOpen: true });
	const heard: Buffer[] = [];
	socket.on("error", () => {});
	socket.on("data", (chunk) => heard.push(chunk));
	socket.on("end", () => socket.end());
	socket.end(bytes);
	if (!socket.destroyed) await once(socket, "close");
	return Buffer.concat(heard);
}

/** Of the close frame that the server sent after its answer to the upgrade, past other frames. */
function closeCodeOf(answer: Buffer): number | undefined {
	let at = answer.indexOf("\r\n\r\n") + 4;
	while (at + 1 < answer.length) {
		const opcode = (answer[at] ?? 0) & 0x0f;
		const short = (answer[at + 1] ?? 0) & 0x7f;
		const headerBytes = short === 126 ? 4 : 2;
		if (opcode === 8) return short >= 2 ? answer.readUInt16BE(at + 2) : undefined;
		at += headerBytes + (short === 126 ? answer.readUInt16BE(at + 2) : short);
	}
	return undefined;
}
