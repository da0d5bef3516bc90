/** The Web Locks of one origin, for one name: a holder, a line, and stealing (https://w3c.github.io/web-locks). */

interface Waiting {
	callback: LockGrantedCallback<unknown>;
	resolve(value: unknown): void;
	reject(error: unknown): void;
}

export class FakeLocks {
	#holder: Waiting | undefined;
	#line: Waiting[] = [];

	/** The locks as one tab sees them. */
	tab(): FakeTabLocks {
		return new FakeTabLocks(this);
	}

	request(options: LockOptions, waiting: Waiting): void {
		if (options.steal === true) {
			const robbed = this.#holder;
			this.#holder = undefined;
			robbed?.reject(new DOMException("stolen", "AbortError"));
			this.#grant(waiting);
		} else if (this.#holder === undefined) {
			this.#grant(waiting);
		} else if (options.ifAvailable === true) {
			waiting.resolve(waiting.callback(null));
		} else {
			this.#line.push(waiting);
			options.signal?.addEventListener("abort", () => {
				this.#line = this.#line.filter((other) => other !== waiting);
				waiting.reject(new DOMException("aborted", "AbortError"));
			});
		}
	}

	#grant(waiting: Waiting): void {
		this.#holder = waiting;
		void Promise.resolve(waiting.callback({ name: "", mode: "exclusive" })).then((value) => {
			if (this.#holder !== waiting) return;
			waiting.resolve(value);
			this.leave(waiting);
		});
	}

	/** It gave the lock back, or its tab is gone. */
	leave(waiting: Waiting): void {
		this.#line = this.#line.filter((other) => other !== waiting);
		if (this.#holder !== waiting) return;
		this.#holder = undefined;
		const next = this.#line.shift();
		if (next !== undefined) this.#grant(next);
	}
}

export class FakeTabLocks implements LockManager {
	readonly #locks: FakeLocks;
	readonly #requests: Waiting[] = [];
	#frozen: (() => void)[] | undefined;

	constructor(locks: FakeLocks) {
		this.#locks = locks;
	}

	request = ((_name: string, options: LockOptions, callback: LockGrantedCallback<unknown>) =>
		new Promise((resolve, reject) => {
			const waiting: Waiting = {
				callback,
				resolve,
				reject: (error) => (this.#frozen === undefined ? reject(error) : this.#frozen.push(() => reject(error))),
			};
			this.#requests.push(waiting);
			queueMicrotask(() => this.#locks.request(options, waiting));
		})) as LockManager["request"];

	query(): Promise<LockManagerSnapshot> {
		return Promise.reject(new Error("not asked for"));
	}

	/** The tab closes: the browser takes back what it holds and waits for. */
	close(): void {
		for (const waiting of this.#requests) this.#locks.leave(waiting);
	}

	/** The tab stands still: it hears that it was robbed when it thaws. */
	freeze(): void {
		this.#frozen = [];
	}

	thaw(): void {
		const late = this.#frozen ?? [];
		this.#frozen = undefined;
		for (const tell of late) tell();
	}
}
