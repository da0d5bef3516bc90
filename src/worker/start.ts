/**
 * The first message that a page posts to a worker, before any `NodeInput`: where the node keeps its data and how fast
 * its chain's clock runs.
 */
export interface WorkerStart {
	type: "start";
	/** demo: a database and locks with names of their own, deleted when the demo ends. */
	storage: "persistent" | "demo";
	/** Part of the names of database and locks; empty for the one persistent node of an origin. */
	name: string;
	/** How much faster than real time the chain's clock runs; 1 for a real neighbourhood. */
	timeScale: number;
}
