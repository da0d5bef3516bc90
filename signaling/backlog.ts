/**
 * What was sent and not yet taken by the system's socket buffers: bounded for each receiver, and for all together, so
 * that many receivers who do not read cannot fill the memory between them.
 */
import { WebSocket } from "ws";
import type { RelayLimits } from "./limits.js";
import type { RefusalCode, Refusals } from "./refusals.js";
import type { Subscriber } from "./subscriber.js";

export type BacklogLimits = Pick<RelayLimits, "bufferedBytesPerSocket" | "bufferedBytes">;

export class Backlog {
	readonly #limits: BacklogLimits;
	readonly #receivers: ReadonlySet<Subscriber>;
	readonly #cut: (receiver: Subscriber, code: RefusalCode) => void;
	readonly #refusals: Refusals;
	#bufferedBytes = 0;
	/** Who is not listened to until what waits has become less, and since when there is such a one. */
	readonly #held = new Set<Subscriber>();
	#heldSinceMs = 0;

	/** `receivers`: all there are. `cut` closes one at once, takes it out of them, and calls {@link forget}. */
	constructor(
		limits: BacklogLimits,
		receivers: ReadonlySet<Subscriber>,
		cut: (receiver: Subscriber, code: RefusalCode) => void,
		refusals: Refusals,
	) {
		this.#limits = limits;
		this.#receivers = receivers;
		this.#cut = cut;
		this.#refusals = refusals;
	}

	get bufferedBytes(): number {
		return this.#bufferedBytes;
	}

	/** Sends text, given as UTF-8 so that all receivers share it. False: the receiver is gone, or too much waits. */
	send(receiver: Subscriber, text: Buffer): boolean {
		const { socket } = receiver;
		if (!this.#receivers.has(receiver) || socket.readyState !== WebSocket.OPEN) return false;
		this.#measure(receiver);
		if (receiver.bufferedBytes + text.length > this.#limits.bufferedBytesPerSocket) {
			this.#cut(receiver, "slow-receiver");
			return false;
		}
		// Over TLS nothing counts as written before the next turn: whoever is slow shows only with time.
		if (this.#bufferedBytes + text.length > this.#limits.bufferedBytes) {
			this.#refusals.add("backlog-full");
			return false;
		}
		socket.send(text, TEXT, () => this.#measure(receiver));
		this.#measure(receiver);
		return true;
	}

	/**
	 * Where much waits, a sender is not listened to for a while: when ten thousand speak at once, nobody is slow, and
	 * nobody has to be cut off, if only no more is taken in than goes out.
	 */
	hold(sender: Subscriber, nowMs: number): void {
		if (this.#bufferedBytes <= this.#limits.bufferedBytes / 2 || !this.#receivers.has(sender)) return;
		if (this.#held.size === 0) this.#heldSinceMs = nowMs;
		this.#held.add(sender);
		sender.socket.pause();
	}

	/** Senders wait for receivers who read, not for those who do not. To be called now and then. */
	endLongHold(nowMs: number): void {
		if (this.#held.size > 0 && nowMs - this.#heldSinceMs >= HOLD_MS) this.#makeRoom();
	}

	/** Its memory is given back with its connection. */
	forget(receiver: Subscriber): void {
		this.#held.delete(receiver);
		this.#bufferedBytes -= receiver.bufferedBytes;
		receiver.bufferedBytes = 0;
	}

	#measure(receiver: Subscriber): void {
		if (!this.#receivers.has(receiver)) return;
		const bytes = receiver.socket.bufferedAmount;
		this.#bufferedBytes += bytes - receiver.bufferedBytes;
		receiver.bufferedBytes = bytes;
		if (this.#held.size > 0 && this.#isLow) this.#release();
	}

	get #isLow(): boolean {
		return this.#bufferedBytes <= this.#limits.bufferedBytes / 4;
	}

	#release(): void {
		for (const { socket } of this.#held) socket.resume();
		this.#held.clear();
	}

	/** Cuts off those for whom most waits, until little does: the sorting is paid for by all that has to come again. */
	#makeRoom(): void {
		for (const receiver of this.#receivers) this.#measure(receiver);
		const slowest = [...this.#receivers].sort((a, b) => b.bufferedBytes - a.bufferedBytes);
		for (const receiver of slowest) {
			if (this.#isLow) break;
			this.#cut(receiver, "slow-receiver");
		}
		this.#release();
	}
}

const HOLD_MS = 1_000;
const TEXT = { binary: false };
