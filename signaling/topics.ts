/** Who subscribes to what. A topic without subscribers does not exist. */
import type { RelayLimits } from "./limits.js";
import type { RefusalCode } from "./refusals.js";
import type { Subscriber } from "./subscriber.js";

export type TopicLimits = Pick<RelayLimits, "topicsPerSocket" | "topics" | "socketsPerTopic">;

export class Topics {
	readonly #limits: TopicLimits;
	readonly #subscribers = new Map<string, Set<Subscriber>>();

	constructor(limits: TopicLimits) {
		this.#limits = limits;
	}

	get size(): number {
		return this.#subscribers.size;
	}

	subscribersOf(topic: string): ReadonlySet<Subscriber> {
		return this.#subscribers.get(topic) ?? NOBODY;
	}

	/** Subscribes, or says why not. Who subscribes already goes on as before. */
	enter(subscriber: Subscriber, topic: string): RefusalCode | undefined {
		if (subscriber.topics.has(topic)) return undefined;
		if (subscriber.topics.size >= this.#limits.topicsPerSocket) return "too-many-topics";
		const subscribers = this.#subscribers.get(topic);
		if (subscribers === undefined) {
			if (this.#subscribers.size >= this.#limits.topics) return "topics-full";
			this.#subscribers.set(topic, new Set([subscriber]));
		} else {
			if (subscribers.size >= this.#limits.socketsPerTopic) return "topic-full";
			subscribers.add(subscriber);
		}
		subscriber.topics.add(topic);
		return undefined;
	}

	leave(subscriber: Subscriber, topic: string): void {
		if (!subscriber.topics.delete(topic)) return;
		const subscribers = this.#subscribers.get(topic);
		subscribers?.delete(subscriber);
		if (subscribers?.size === 0) this.#subscribers.delete(topic);
	}

	leaveAll(subscriber: Subscriber): void {
		for (const topic of subscriber.topics) this.leave(subscriber, topic);
	}
}

const NOBODY: ReadonlySet<Subscriber> = new Set();
