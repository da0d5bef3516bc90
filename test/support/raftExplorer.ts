/**
 * Explores every order of events of a few cores within bounds (a small scope): who stands when, which message arrives
 * next or never, who proposes, crashes, starts again. A world that was seen is not entered again. Every world must have
 * the properties of raftProperties.ts; a violation comes with its story.
 *
 * What is abstract: time (an election time-out may pass at any moment, and nobody has heard a leader lately, so more
 * elections are possible than in truth), pre-votes (always granted: safety does not rest on them), validation (always
 * valid) and catching up (certified blocks are copied from another's disk). A message waits until it arrives: one that
 * waits for ever is lost. It does not arrive twice, except where it is sent twice.
 */
import { hash53, Keys } from "./raftKeys.js";
import { Moves } from "./raftMoves.js";
import { Violation } from "./raftProperties.js";
import { type Bounds, type Core, NOTHING_LEFT, REAL_CORE } from "./raftScope.js";
import type { Budget, World } from "./raftWorld.js";

export interface Explored {
	states: number;
	transitions: number;
	/** Transitions to a world that was seen before. */
	repeated: number;
	longestStory: number;
	/** Whether all worlds within the bounds were seen. */
	isComplete: boolean;
	seconds: number;
	violation: string | undefined;
}

/** How a world came about. */
interface Story {
	readonly label: string;
	readonly length: number;
	readonly before: Story | undefined;
}

const BUDGETS = Object.keys(NOTHING_LEFT) as (keyof Budget)[];

export class RaftExplorer {
	readonly #bounds: Bounds;
	readonly #core: Core;
	readonly #keys = new Keys();

	constructor(bounds: Bounds, core: Core = REAL_CORE) {
		this.#bounds = bounds;
		this.#core = core;
	}

	explore(): Explored {
		const beginMs = performance.now();
		const stats = { states: 1, transitions: 0, repeated: 0, longestStory: 0, isComplete: true };
		const moves = new Moves(this.#bounds, this.#core, this.#keys);
		const seen = new Set<number>();
		const frontier: ({ world: World; story: Story } | undefined)[] = [];
		let story: Story = { label: "start", length: 0, before: undefined };
		const finish = (violation?: string): Explored => ({
			...stats,
			seconds: (performance.now() - beginMs) / 1_000,
			violation,
		});
		try {
			const start = moves.start();
			seen.add(this.#hash(start));
			frontier.push({ world: start, story });
			for (let at = 0; at < frontier.length; ) {
				// The oldest first finds the shortest story; the newest first remembers least.
				const isOldest = this.#bounds.breadthFirst === true;
				const next = isOldest ? frontier[at] : frontier.pop();
				if (next === undefined) break;
				if (isOldest) frontier[at++] = undefined;
				story = next.story;
				for (const world of moves.next(next.world)) {
					stats.transitions += 1;
					const hash = this.#hash(world);
					if (seen.has(hash)) {
						stats.repeated += 1;
						continue;
					}
					seen.add(hash);
					stats.states += 1;
					const length = story.length + 1;
					stats.longestStory = Math.max(stats.longestStory, length);
					frontier.push({ world, story: { label: moves.label, length, before: story } });
				}
				if (stats.states < (this.#bounds.maxStates ?? Number.POSITIVE_INFINITY)) continue;
				stats.isComplete = false;
				break;
			}
		} catch (error) {
			// A tripped assertion of the core is a violation as well.
			if (!(error instanceof Error)) throw error;
			stats.isComplete = false;
			const kind = error instanceof Violation ? "" : "the core: ";
			return finish(`${kind}${error.message}\n${[...labelsOf(story), moves.label].join("\n")}`);
		}
		return finish();
	}

	#hash({ devices, network, left, leaders, certified }: World): number {
		const head = certified.at(-1);
		const numbers = [network.length, head === undefined ? 0 : this.#keys.hash(head.hash)];
		for (const { key } of devices) numbers.push(key);
		for (const { key } of network) numbers.push(key);
		for (const kind of BUDGETS) numbers.push(left[kind]);
		for (const [term, leader] of [...leaders].sort(([a], [b]) => a - b)) numbers.push(term, leader);
		return hash53(numbers);
	}
}

function labelsOf(story: Story): string[] {
	const labels: string[] = [];
	for (let at: Story | undefined = story; at !== undefined; at = at.before) labels.unshift(at.label);
	return labels;
}
