/**
 * A database that failed is tried again by itself: a kiosk's page has nobody who would reload it. What it may promise is
 * read back from what was written, as after any other start.
 */
import type { NodeDependencies } from "./dependencies.js";
import { databaseName } from "./records.js";
import type { Stages } from "./stages.js";

const RETRY_MS = 60_000;
/** What may pass: a full disk, a browser under pressure. A damaged record, or another tab's hold, does not. */
const PASSING = new Set<string | undefined>(["storage-unavailable", "storage-write-failed"]);

export class Recovery {
	readonly #dependencies: Pick<NodeDependencies, "clocks">;
	readonly #stages: Stages;
	#retryAtMs: number | undefined;

	constructor(dependencies: Pick<NodeDependencies, "clocks">, stages: Stages) {
		this.#dependencies = dependencies;
		this.#stages = stages;
	}

	/** Time passed: opens the street anew, or what could not be opened at all, if it is time. */
	async tick(): Promise<void> {
		const { street, unopened } = this.#stages;
		if (street?.halted !== true && !PASSING.has(unopened)) {
			this.#retryAtMs = undefined;
			return;
		}
		const nowMs = this.#dependencies.clocks.monotonicMs();
		this.#retryAtMs ??= nowMs + RETRY_MS;
		if (nowMs < this.#retryAtMs) return;
		this.#retryAtMs = nowMs + RETRY_MS;
		if (street === undefined) {
			await this.#stages.open();
			return;
		}
		const database = databaseName(street.gridId, street.deviceKey);
		// The profile is written as it is: a tab whose place was taken cannot, and stays out.
		const isWritable = await this.#stages.saveProfile({ stage: "chain", database, gridId: street.gridId });
		if (isWritable.ok) await this.#stages.startAgain(street, database, "started-again");
	}
}
