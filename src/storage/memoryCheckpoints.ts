/** Checkpoints, what is staged of one, and days, in memory: `storage/indexedDbCheckpoints` with maps. */
import {
	type ChainChange,
	type CheckpointRecords,
	KEPT_CHECKPOINTS,
	type StagedCheckpoint,
	type StoredCheckpoint,
	type StoredDay,
	type StoredHours,
} from "../node/storage.js";

type Chunks = Map<number, Uint8Array>;

export class MemoryCheckpoints {
	readonly #checkpoints = new Map<number, { checkpoint: StoredCheckpoint; chunks: Chunks }>();
	#staging: { index: number; checkpoint: CheckpointRecords; chunks: Chunks } | undefined;
	/** By day, then by member. */
	readonly #days = new Map<number, Map<number, Uint8Array>>();
	/** By member, then by local day. */
	readonly #hours = new Map<number, Map<number, Uint8Array>>();

	/** Whether all that a change takes from the staging is there. */
	hasStaged({ stage, unstage, installCheckpoint }: ChainChange): boolean {
		const hasStage = stage === undefined || stage.checkpoint !== undefined || this.#staging?.index === stage.index;
		if (installCheckpoint === undefined) return hasStage;
		const index = unstage === true ? undefined : hasStage ? (stage?.index ?? this.#staging?.index) : undefined;
		return hasStage && index === installCheckpoint.index;
	}

	/** `stage`, `unstage` and `installCheckpoint` of a change. */
	stage({ stage, unstage, installCheckpoint }: ChainChange): void {
		if (stage?.checkpoint !== undefined) {
			const { block, certificate, manifest } = stage.checkpoint;
			const chunks: Chunks = this.#staging?.index === stage.index ? this.#staging.chunks : new Map();
			this.#staging = { index: stage.index, checkpoint: { block, certificate, manifest }, chunks };
		}
		for (const { number, record } of stage?.chunks ?? []) this.#staging?.chunks.set(number, record);
		if (unstage === true) this.#staging = undefined;
		if (installCheckpoint === undefined || this.#staging === undefined) return;
		const { index, checkpoint, chunks } = this.#staging;
		this.#staging = undefined;
		const { derived } = installCheckpoint;
		this.#put({ index, ...checkpoint, ...(derived === undefined ? {} : { derived }) }, chunks);
	}

	/** `checkpoint`, `days`, `hours` and `forgetDays` of a change. */
	keep({ checkpoint, days, hours, forgetDays }: ChainChange): void {
		if (checkpoint !== undefined) {
			const { chunks, ...stored } = checkpoint;
			this.#put(stored, new Map(chunks.map(({ number, record }) => [number, record])));
		}
		for (const { member, day, record } of days ?? []) {
			const members = this.#days.get(day) ?? new Map<number, Uint8Array>();
			this.#days.set(day, members.set(member, record));
		}
		for (const { member, day, record } of hours ?? []) {
			const ofMember = this.#hours.get(member) ?? new Map<number, Uint8Array>();
			this.#hours.set(member, ofMember.set(day, record));
		}
		if (forgetDays === undefined) return;
		for (const [member, ofMember] of this.#hours) {
			if (member === forgetDays.exceptMember) continue;
			for (const day of [...ofMember.keys()]) if (day < forgetDays.belowDay) ofMember.delete(day);
		}
		for (const [day, members] of this.#days) {
			if (day >= forgetDays.belowDay) continue;
			for (const member of [...members.keys()]) if (member !== forgetDays.exceptMember) members.delete(member);
		}
	}

	#put(checkpoint: StoredCheckpoint, chunks: Chunks): void {
		this.#checkpoints.set(checkpoint.index, { checkpoint, chunks });
		const indices = [...this.#checkpoints.keys()].sort((a, b) => a - b);
		for (const index of indices.slice(0, -KEPT_CHECKPOINTS)) this.#checkpoints.delete(index);
	}

	newest(belowIndex = Number.POSITIVE_INFINITY): StoredCheckpoint | undefined {
		const index = Math.max(-1, ...[...this.#checkpoints.keys()].filter((kept) => kept < belowIndex));
		return this.#checkpoints.get(index)?.checkpoint;
	}

	chunk(index: number, number: number): Uint8Array | undefined {
		return this.#checkpoints.get(index)?.chunks.get(number);
	}

	staged(): StagedCheckpoint | undefined {
		if (this.#staging === undefined) return undefined;
		const { index, checkpoint, chunks } = this.#staging;
		return { index, ...checkpoint, chunks: [...chunks.keys()].sort((a, b) => a - b) };
	}

	stagedChunk(number: number): Uint8Array | undefined {
		return this.#staging?.chunks.get(number);
	}

	days(fromDay: number, untilDay = Number.MAX_SAFE_INTEGER): StoredDay[] {
		const days = [...this.#days].flatMap(([day, members]) =>
			day < fromDay || day >= untilDay ? [] : [...members].map(([member, record]) => ({ member, day, record })),
		);
		return days.sort((a, b) => a.day - b.day || a.member - b.member);
	}

	hours(member: number, fromDay: number, untilDay: number): StoredHours[] {
		const stored = [...(this.#hours.get(member) ?? [])].map(([day, record]) => ({ member, day, record }));
		return stored.filter(({ day }) => day >= fromDay && day < untilDay).sort((a, b) => a.day - b.day);
	}
}
