/** A hundred disks in one process hold the same blocks: each is kept once. */
import { equalBytes, toHex } from "../../../src/primitives/bytes.js";
import type { Writing } from "../../support/interceptedStorage.js";

/** A record begins with its checksum. */
const CHECKSUM_BYTES = 8;

export class SharedRecords {
	readonly #records = new Map<string, Uint8Array>();

	/** The same writing, with block records that are the same objects in every disk. */
	keptAs(writing: Writing): Writing {
		if (!("chain" in writing)) return writing;
		const { chain, change } = writing;
		const { append, install } = change;
		return {
			chain,
			change: {
				...change,
				...(append === undefined ? {} : { append: { ...append, record: this.#shared(append.record) } }),
				...(install === undefined
					? {}
					: {
							install: {
								...install,
								blocks: install.blocks.map(({ index, record }) => ({ index, record: this.#shared(record) })),
							},
						}),
			},
		};
	}

	#shared(record: Uint8Array): Uint8Array {
		const name = toHex(record.subarray(0, CHECKSUM_BYTES));
		const known = this.#records.get(name);
		if (known !== undefined && equalBytes(known, record)) return known;
		this.#records.set(name, record);
		return record;
	}
}
