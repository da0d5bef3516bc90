import { expect, it } from "vitest";
import type { WebSocket } from "ws";
import { Backlog } from "../../../signaling/backlog.js";
import { Refusals } from "../../../signaling/refusals.js";
import type { Subscriber } from "../../../signaling/subscriber.js";
import { TokenBucket } from "../../../src/primitives/tokenBucket.js";

/** A socket that keeps what it is sent until the test lets it go. */
class HoardingSocket {
	readonly readyState = 1;
	bufferedAmount = 0;
	isPaused = false;
	#onSent: () => void = () => {};

	send(text: Buffer, _options: object, onSent: () => void): void {
		this.bufferedAmount += text.length;
		this.#onSent = onSent;
	}
	pause(): void {
		this.isPaused = true;
	}
	resume(): void {
		this.isPaused = false;
	}
	letGo(): void {
		this.bufferedAmount = 0;
		this.#onSent();
	}
}

function subscriber(socket: HoardingSocket): Subscriber {
	const bucket = new TokenBucket(1, 1, 0);
	const times = { heardMs: 0, pongMs: 0, pingMs: 0, topiclessSinceMs: 0 };
	const fake = socket as unknown as WebSocket;
	return {
		socket: fake,
		address: "",
		topics: new Set(),
		messages: bucket,
		forgiveness: bucket,
		...times,
		bufferedBytes: 0,
	};
}

function prepare(count: number) {
	const sockets = Array.from({ length: count }, () => new HoardingSocket());
	const receivers = sockets.map(subscriber);
	const all = new Set(receivers);
	const cut: number[] = [];
	const refusals = new Refusals();
	const backlog = new Backlog(
		{ bufferedBytesPerSocket: 600, bufferedBytes: 1_000 },
		all,
		(receiver) => {
			cut.push(receivers.indexOf(receiver));
			all.delete(receiver);
			backlog.forget(receiver);
		},
		refusals,
	);
	const send = (n: number, bytes: number) => backlog.send(receivers[n] as Subscriber, Buffer.alloc(bytes));
	const hold = (n: number, nowMs: number) => backlog.hold(receivers[n] as Subscriber, nowMs);
	return { sockets, backlog, refusals, cut, send, hold };
}

it("never lets more wait than it may: for one receiver it is cut off, for all a message is lost", () => {
	const { backlog, refusals, cut, send } = prepare(4);
	expect([send(0, 400), send(1, 500), send(2, 100), send(3, 1)]).toEqual([true, true, true, false]);
	expect([backlog.bufferedBytes, cut, refusals.toJSON()]).toEqual([1_000, [], { "backlog-full": 1 }]);
	expect(send(1, 101)).toBe(false);
	expect([backlog.bufferedBytes, cut, send(1, 1), send(3, 1)]).toEqual([500, [1], false, true]);
});

it("does not listen to senders while more than half waits, and does again when little does", () => {
	const { sockets, cut, send, hold } = prepare(3);
	send(0, 500);
	hold(2, 0);
	expect(sockets[2]?.isPaused).toBe(false);
	send(1, 300);
	hold(2, 0);
	expect(sockets[2]?.isPaused).toBe(true);
	sockets[1]?.letGo();
	expect(sockets[2]?.isPaused).toBe(true);
	sockets[0]?.letGo();
	expect([sockets[2]?.isPaused, cut]).toEqual([false, []]);
});

it("cuts off the slowest, and only those, when senders have waited for a second", () => {
	const { sockets, backlog, cut, send, hold } = prepare(3);
	send(0, 500);
	send(1, 200);
	hold(2, 100);
	backlog.endLongHold(1_099);
	expect(cut).toEqual([]);
	backlog.endLongHold(1_100);
	expect([cut, sockets[2]?.isPaused, backlog.bufferedBytes]).toEqual([[0], false, 200]);
});
