/**
 * The first message that a page posts to a worker, before any `NodeInput`: where the node keeps its data and how its
 * chain's clock runs.
 */
export interface WorkerStart {
	type: "start";
	/** Before the names of all databases: `nabostrom/` for the one persistent node of an origin, another for a demo's. */
	databasePrefix: string;
	clock: ChainClock;
}

/** The chain's time is `chainMs` when the world's is `realMs` (both ms since the epoch), and runs `timeScale` times as fast. */
export interface ChainClock {
	realMs: number;
	chainMs: number;
	/** 1 for a real neighbourhood. */
	timeScale: number;
}

/** The world's own time. */
export const REAL_CLOCK: ChainClock = { realMs: 0, chainMs: 0, timeScale: 1 };

export const PERSISTENT_PREFIX = "nabostrom/";
export const DEMO_PREFIX = "nabostrom-demo/";
