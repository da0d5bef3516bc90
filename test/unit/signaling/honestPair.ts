/** Two clients that publish to one another for as long as they are asked to. */
import { connect, settled, type TestSocket } from "./testSocket.js";

export interface HonestPair {
	/** Goes on until {@link rest}. */
	begin(): void;
	/** How long each exchange took, there and back, in milliseconds; throws where one was lost or altered. */
	rest(): Promise<number[]>;
	close(): void;
}

const PAUSE_MS = 25;

export async function startHonestPair(url: string): Promise<HonestPair> {
	const topic = "two honest neighbours";
	const [a, b] = [await connect(url), await connect(url)];
	for (const client of [a, b]) {
		client.say({ type: "subscribe", topics: [topic] });
		await settled(client);
	}
	let exchanges = 0;
	let isGoing = false;
	let going: Promise<number[]> = Promise.resolve([]);

	async function exchange(from: TestSocket): Promise<void> {
		exchanges += 1;
		const said = { type: "publish", topic, data: exchanges };
		from.say(said);
		for (const heard of [await a.next(), await b.next()]) {
			if (JSON.stringify(heard) !== JSON.stringify({ ...said, clients: 2 })) throw new Error(JSON.stringify(heard));
		}
	}

	async function go(): Promise<number[]> {
		const tookMs: number[] = [];
		while (isGoing) {
			const beginMs = performance.now();
			await exchange(a);
			await exchange(b);
			tookMs.push(performance.now() - beginMs);
			await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
		}
		return tookMs;
	}

	return {
		begin() {
			isGoing = true;
			going = go();
		},
		rest() {
			isGoing = false;
			return going;
		},
		close() {
			for (const { socket } of [a, b]) socket.close();
		},
	};
}

export function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
