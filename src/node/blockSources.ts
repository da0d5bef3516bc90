/**
 * Who can be asked for blocks: which neighbour's chain ends where, as it says itself, who has let go of old blocks, who
 * failed. Any height can be said, and a stranger can come back under a new key: the chain's own devices are asked first.
 */
import { CAUGHT_UP_BLOCKS } from "./voterPolicy.js";

/** Who had no blocks from somewhere on is not asked for them again so soon. */
const LACKS_MS = 30_000;
/** For so long others are asked before one who did not answer, or answered wrongly, unless it does better meanwhile. */
const DISTRUST_MS = 10 * 60_000;
/** A slow neighbour's first answer may take so long. */
const SLOW_MS = 60_000;

/** A device and where its chain ends. */
type Head = readonly [device: string, headIndex: number];

export class BlockSources {
	readonly #isMember: (device: string) => boolean;
	/** Where each connected device last said that its chain ends. */
	readonly #heads = new Map<string, number>();
	/** Devices that had no block at an index, though their chains end above it: they let go of old blocks. */
	readonly #lacks = new Map<string, { fromIndex: number; untilMs: number }>();
	/** Since when devices have not answered, or given what is wrong, and when they last did so. */
	readonly #failures = new Map<string, { sinceMs: number; lastMs: number }>();

	/** `isMember`: whether the chain knows a device. */
	constructor(isMember: (device: string) => boolean) {
		this.#isMember = isMember;
	}

	/** A device said where its chain ends. */
	heard(device: string, headIndex: number): void {
		this.#heads.set(device, headIndex);
	}

	/** A device is gone. Its failures are remembered: it may come back. */
	forget(device: string): void {
		this.#heads.delete(device);
		this.#lacks.delete(device);
	}

	/** A device did not answer, or not as it should: others are asked first, whatever it says of its head. */
	failed(device: string, nowMs: number): void {
		const sinceMs = this.#isTrusted(device, nowMs) ? nowMs : (this.#failures.get(device)?.sinceMs ?? nowMs);
		for (const [each, { lastMs }] of this.#failures) if (nowMs - lastMs >= DISTRUST_MS) this.#failures.delete(each);
		this.#failures.set(device, { sinceMs, lastMs: nowMs });
	}

	/** A device answered as it should. */
	answered(device: string): void {
		this.#failures.delete(device);
	}

	/** A device had no block at an index. */
	lacks(device: string, fromIndex: number, nowMs: number): void {
		this.#lacks.set(device, { fromIndex, untilMs: nowMs + LACKS_MS });
	}

	/** The highest head among the neighbours, as they say. */
	get targetIndex(): number {
		return Math.max(0, ...this.#heads.values());
	}

	/** Whom to ask for blocks from an index on; undefined: nobody who is there says that it has them. */
	bestFor(fromIndex: number, nowMs: number): string | undefined {
		return this.#best(
			nowMs,
			([device, headIndex]) => headIndex >= fromIndex && !this.#isLacking(device, fromIndex, nowMs),
		);
	}

	/** Somebody else, but for some, who is likely to give what another gives slowly, or not at all. */
	replacementFor(slow: string, fromIndex: number, nowMs: number, except: ReadonlySet<string>): string | undefined {
		const slowFailedMs = this.#failedMs(slow, nowMs);
		const isLikely = ([device, headIndex]: Head) =>
			!except.has(device) &&
			headIndex >= fromIndex &&
			// Who had none of them does not have them now.
			(this.#lacks.get(device)?.fromIndex ?? -1) < fromIndex &&
			(this.#isTrusted(device, nowMs) || this.#failedMs(device, nowMs) < slowFailedMs) &&
			(this.#comesFirst(device, nowMs) || !this.#comesFirst(slow, nowMs));
		return this.#best(nowMs, isLikely);
	}

	/** Whom to ask for a checkpoint, but for some. */
	bestForCheckpoint(nowMs: number, except: ReadonlySet<string>): string | undefined {
		return this.#best(nowMs, ([device]) => !except.has(device));
	}

	/** The chain's devices first; then who did not fail, then whose failure is longest ago; then who is furthest. */
	#best(nowMs: number, mayBeAsked: (head: Head) => boolean): string | undefined {
		const rank = (device: string) => Number(this.#comesFirst(device, nowMs));
		const failedMs = (device: string) => this.#failedMs(device, nowMs);
		const [best] = [...this.#heads]
			.filter(mayBeAsked)
			.sort(([a, aIndex], [b, bIndex]) => rank(b) - rank(a) || failedMs(a) - failedMs(b) || bIndex - aIndex);
		return best?.[0];
	}

	/** One of the chain's own devices, unless it has been silent for long. */
	#comesFirst(device: string, nowMs: number): boolean {
		return this.#isMember(device) && !this.#isSilent(device, nowMs);
	}

	/** When a device that is not trusted failed last; 0 for the others. */
	#failedMs(device: string, nowMs: number): number {
		return this.#isTrusted(device, nowMs) ? 0 : (this.#failures.get(device)?.lastMs ?? 0);
	}

	/** Nobody has the blocks from an index on, of those who are ahead and not silent for long. */
	isMissing(fromIndex: number, nowMs: number): boolean {
		const ahead = [...this.#heads].flatMap(([device, headIndex]) => (headIndex >= fromIndex ? [device] : []));
		const speaking = ahead.filter((device) => !this.#isSilent(device, nowMs));
		const asked = speaking.length > 0 ? speaking : ahead;
		return asked.length > 0 && asked.every((device) => this.#isLacking(device, fromIndex, nowMs));
	}

	/**
	 * Whether a head stands where the neighbours stand: one of them at least is not ahead, and who says that it is has no
	 * blocks to show for it. The chain's devices count, where there are any.
	 */
	isCaughtUp(headIndex: number, nowMs: number): boolean {
		const all = [...this.#heads];
		const members = all.filter(([device]) => this.#isMember(device));
		const heads = members.length > 0 ? members : all;
		const isAhead = ([, theirs]: Head) => theirs - headIndex > CAUGHT_UP_BLOCKS;
		const mayHaveMore = (head: Head) =>
			isAhead(head) && this.#isTrusted(head[0], nowMs) && !this.#isLacking(head[0], headIndex + 1, nowMs);
		return heads.some((head) => head[1] > 0 && !isAhead(head)) && !heads.some(mayHaveMore);
	}

	/** Whether a device has not failed of late. */
	#isTrusted(device: string, nowMs: number): boolean {
		const failure = this.#failures.get(device);
		return failure === undefined || nowMs - failure.lastMs >= DISTRUST_MS;
	}

	#isSilent(device: string, nowMs: number): boolean {
		const failure = this.#failures.get(device);
		return failure !== undefined && !this.#isTrusted(device, nowMs) && nowMs - failure.sinceMs >= SLOW_MS;
	}

	#isLacking(device: string, fromIndex: number, nowMs: number): boolean {
		const lack = this.#lacks.get(device);
		return lack !== undefined && lack.fromIndex >= fromIndex && nowMs < lack.untilMs;
	}
}
