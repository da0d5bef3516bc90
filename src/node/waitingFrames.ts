/**
 * Frames that wait for their turn while nobody knows whose they are: who is behind a channel is proven in the same queue.
 * A node that is busy takes so much of each channel and no more.
 */

/** What may follow a proof that waits itself: a hello, a proposal, a leader's blocks, what waits at the other side. */
const MAX_FRAMES = 256;
const MAX_BYTES = 1_024 * 1_024;

export class WaitingFrames {
	readonly #byChannel = new Map<string, { frames: number; bytes: number }>();

	/** A frame comes to wait; false: too much of its channel waits already. */
	add(channel: string, bytes: number): boolean {
		const waiting = this.#byChannel.get(channel) ?? { frames: 0, bytes: 0 };
		if (waiting.frames >= MAX_FRAMES || waiting.bytes + bytes > MAX_BYTES) return false;
		this.#byChannel.set(channel, { frames: waiting.frames + 1, bytes: waiting.bytes + bytes });
		return true;
	}

	/** The turn of one that was added has come. */
	taken(channel: string, bytes: number): void {
		const waiting = this.#byChannel.get(channel);
		if (waiting === undefined || waiting.frames === 1) this.#byChannel.delete(channel);
		else this.#byChannel.set(channel, { frames: waiting.frames - 1, bytes: waiting.bytes - bytes });
	}
}
