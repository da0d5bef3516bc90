/**
 * Checkpoints on this device: written when a committed block is one, and opened again instead of executing everything
 * below it. Of what is opened nothing is believed that does not lead to the block's state root.
 */
import * as v from "valibot";
import { type Block, blockHash, decodeBlock, encodeBlock } from "../block/block.js";
import type { Certificate } from "../block/certificate.js";
import { blob, hash } from "../block/fieldShapes.js";
import { isCheckpoint } from "../contract/checkpoint.js";
import { checkManifest, chunkLeaves, joinChunks, manifestOf } from "../contract/chunks.js";
import type { Ledger } from "../contract/ledger.js";
import { NO_RESULTS } from "../contract/settlement.js";
import { openSnapshot, snapshotOf } from "../contract/snapshot.js";
import { assert } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { minuteOf } from "../primitives/units.js";
import type { Link } from "./chain.js";
import type { History, HoursAsked } from "./history.js";
import { dayOf, type IntervalHistory, KEPT_INTERVAL_DAYS } from "./intervalHistory.js";
import {
	decodeCertificateRecord,
	decodeRecord,
	encodeCertificateRecord,
	encodeRecord,
	openRecord,
	type RecordError,
	sealRecord,
} from "./records.js";
import type { Statement } from "./statement.js";
import type { ChainChange, CheckpointRecords } from "./storage.js";

/** Gathers what has to be kept of the checkpoints that the committed head passes. */
export class CheckpointKeeper {
	readonly #history: History;
	readonly #statement: Statement;
	readonly #intervals: IntervalHistory;
	/** Passed and not yet written, ascending: what lies below them may wait long for its verification. */
	#kept: {
		checkpoint: NonNullable<ChainChange["checkpoint"]>;
		days: ReturnType<History["takeChangedDays"]>;
		intervals: NonNullable<ChainChange["intervals"]>;
	}[] = [];

	constructor(history: History, statement: Statement, intervals: IntervalHistory) {
		this.#history = history;
		this.#statement = statement;
		this.#intervals = intervals;
	}

	/**
	 * The head moved to a link, which history, statement and intervals have taken in and nothing above it; `certificate` is the
	 * first at or above it. `hoursAsked`: by which clock and prices days are summed up.
	 */
	passed(parent: Ledger, link: Link, certificate: Certificate, hoursAsked: () => HoursAsked): void {
		if (!isCheckpoint(parent, link.ledger)) return;
		assert(certificate.index >= link.block.index, "a certificate covers the blocks below it");
		const { leaves } = snapshotOf(link.ledger, link.results);
		this.#kept.push({
			checkpoint: {
				index: link.block.index,
				block: encodeCheckpointBlock(link.block),
				certificate: encodeCertificateRecord(certificate),
				manifest: sealRecord(manifestOf(leaves)),
				derived: this.#statement.toRecord(),
				chunks: chunkLeaves(leaves).map((chunk, number) => ({ number, record: sealRecord(chunk) })),
			},
			days: this.#history.takeChangedDays(hoursAsked()),
			intervals: {
				days: this.#intervals.takeChangedDays(),
				keepFromDay: Math.max(0, dayOf(minuteOf(link.block.timestampMs)) - KEPT_INTERVAL_DAYS),
			},
		});
	}

	/** What the next write has to keep; empty where no checkpoint below an index was passed since this was last asked for. */
	take(belowIndex: number): Pick<ChainChange, "checkpoint" | "days" | "hours" | "intervals"> {
		const taken = this.#kept.filter(({ checkpoint }) => checkpoint.index < belowIndex);
		const newest = taken.at(-1);
		if (newest === undefined) return {};
		this.#kept = this.#kept.slice(taken.length);
		const intervals = taken.flatMap((each) => each.intervals.days);
		return {
			checkpoint: newest.checkpoint,
			days: taken.flatMap(({ days }) => days.days),
			hours: taken.flatMap(({ days }) => days.hours),
			...(intervals.length === 0 ? {} : { intervals: { ...newest.intervals, days: intervals } }),
		};
	}
}

/** A block by itself: with its parent's hash, which blocks in a row leave out. */
export function encodeCheckpointBlock(block: Block): Uint8Array {
	return encodeRecord([block.previousHash, encodeBlock(block)]);
}

export function decodeCheckpointBlock(record: Uint8Array): Result<Block, RecordError> {
	const fields = decodeRecord(record, blockShape);
	if (!fields.ok) return fields;
	const [previousHash, bytes] = fields.value;
	const block = decodeBlock(bytes, previousHash);
	return block.ok ? block : refused({ code: "record-damaged" });
}

/** What can be read of a stored checkpoint. */
export function openCheckpointRecords(stored: CheckpointRecords): {
	block: Block | undefined;
	certificate: Certificate | undefined;
	manifest: Uint8Array | undefined;
} {
	const block = decodeCheckpointBlock(stored.block);
	const certificate = decodeCertificateRecord(stored.certificate);
	const manifest = openRecord(stored.manifest);
	return {
		block: block.ok ? block.value : undefined,
		certificate: certificate.ok ? certificate.value : undefined,
		manifest: manifest.ok ? manifest.value : undefined,
	};
}

const blockShape = v.strictTuple([hash, blob]);

/** The link that a checkpoint and all its chunks make. Signatures were checked before it was stored. */
export function openCheckpoint(
	stored: CheckpointRecords & { index: number },
	chunks: readonly Uint8Array[],
	genesis: Ledger,
): Result<Link, { code: string }> {
	const block = decodeCheckpointBlock(stored.block);
	if (!block.ok) return block;
	const hash = blockHash(block.value);
	const certificate = decodeCertificateRecord(stored.certificate);
	if (!certificate.ok) return certificate;
	const { index } = certificate.value;
	const isCovered = index > stored.index || (index === stored.index && equalBytes(certificate.value.hash, hash));
	if (block.value.index !== stored.index || !isCovered) return refused({ code: "record-damaged" });
	const manifest = openRecord(stored.manifest);
	if (!manifest.ok) return manifest;
	const matches = checkManifest(manifest.value, block.value.stateRoot);
	if (!matches.ok) return matches;
	const opened: Uint8Array[] = [];
	for (const record of chunks) {
		const chunk = openRecord(record);
		if (!chunk.ok) return chunk;
		opened.push(chunk.value);
	}
	const leaves = joinChunks(opened, manifest.value);
	if (!leaves.ok) return leaves;
	const ledger = openSnapshot(genesis, leaves.value);
	if (!ledger.ok) return ledger;
	if (ledger.value.index !== stored.index) return refused({ code: "record-damaged" });
	// What the block itself settled was taken in before the checkpoint was written.
	return ok({ block: block.value, hash, ledger: ledger.value, results: NO_RESULTS, resultsRoot: leaves.value[0] });
}
