/**
 * What was sent and not yet taken by the system's socket buffers: bounded for each receiver, and for all together, so
 * that many receivers who do not read cannot fill the memory between them.
 */
import { WebSocket } from "ws";
import type { RelayLimits } from "./limits.js";
import type { RefusalCode } from "./refusals.js";
import type { Subscriber } from "./subscriber.js";

export type BacklogLimits = Pick<RelayLimits, "bufferedBytesPerSocket" | "bufferedBytes">;

export class Backlog {
	readonly #limits: BacklogLimits;
	readonly #receivers: ReadonlySet<Subscriber>;
	readonly #cut: (receiver: Subscriber, code: RefusalCode) => void;
	#bufferedBytes = 0;

	/** `receivers`: all there are. `cut` closes one at once, takes it out of them, and calls {@link forget}. */
	constructor(
		limits: BacklogLimits,
		receivers: ReadonlySet<Subscriber>,
		cut: (receiver: Subscriber, code: RefusalCode) => void,
	) {
		this.#limits = limits;
		this.#receivers = receivers;
		this.#cut = cut;
	}

	get bufferedBytes(): number {
		return this.#bufferedBytes;
	}

	/** Sends text, given as UTF-8 so that all receivers share it. False: the receiver is gone, or was too slow. */
	send(receiver: Subscriber, text: Buffer): boolean {
		const { socket } = receiver;
		if (!this.#receivers.has(receiver) || socket.readyState !== WebSocket.OPEN) return false;
		this.#measure(receiver);
		if (receiver.bufferedBytes + text.length > this.#limits.bufferedBytesPerSocket) {
			this.#cut(receiver, "slow-receiver");
			return false;
		}
		if (this.#bufferedBytes + text.length > this.#limits.bufferedBytes) this.#makeRoom();
		if (!this.#receivers.has(receiver)) return false;
		socket.send(text, TEXT, () => this.#measure(receiver));
		this.#measure(receiver);
		return true;
	}

	/** Its memory is given back with its connection. */
	forget(receiver: Subscriber): void {
		this.#bufferedBytes -= receiver.bufferedBytes;
		receiver.bufferedBytes = 0;
	}

	#measure(receiver: Subscriber): void {
		if (!this.#receivers.has(receiver)) return;
		const bytes = receiver.socket.bufferedAmount;
		this.#bufferedBytes += bytes - receiver.bufferedBytes;
		receiver.bufferedBytes = bytes;
	}

	/** Cuts off those for whom most waits. Down to half, so that the sorting is paid for by as much again that was sent. */
	#makeRoom(): void {
		for (const receiver of this.#receivers) this.#measure(receiver);
		const slowest = [...this.#receivers].sort((a, b) => b.bufferedBytes - a.bufferedBytes);
		for (const receiver of slowest) {
			if (this.#bufferedBytes <= this.#limits.bufferedBytes / 2) return;
			this.#cut(receiver, "backlog-full");
		}
	}
}

const TEXT = { binary: false };
