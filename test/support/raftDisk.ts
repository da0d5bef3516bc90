/** What a device has written: all that survives a crash. */
import type { Certificate } from "../../src/block/certificate.js";
import type { RaftRestart } from "../../src/consensus/raft.js";
import type { LogBase, Persist } from "../../src/consensus/state.js";
import type { Entry } from "../../src/message/message.js";
import { baseAt } from "./raft.js";

export interface Disk {
	readonly votes: Persist["votes"];
	readonly base: LogBase;
	readonly certificate: Certificate | undefined;
	readonly votersCertificate: Certificate | undefined;
	readonly tail: readonly Entry[];
}

export function emptyDisk(base: LogBase): Disk {
	const votes = { term: 0, votedFor: undefined, lastSigned: undefined, suspended: undefined };
	return { votes, base, certificate: undefined, votersCertificate: undefined, tail: [] };
}

/** What the core starts with. */
export function restartFrom(self: number, { votes, tail, ...rest }: Disk): RaftRestart {
	return { self, ...votes, ...rest, tail: [...tail] };
}

/** After one more write. */
export function written(disk: Disk, { votes, truncateFrom, append, commit }: Persist): Disk {
	let { base, certificate, votersCertificate, tail } = disk;
	if (truncateFrom !== undefined) tail = tail.filter(({ block }) => block.index < truncateFrom);
	if (append !== undefined) tail = [...tail, append];
	if (commit !== undefined) {
		certificate = commit.certificate;
		if (commit.changesVoters) votersCertificate = certificate;
		const { index } = certificate;
		base = tail.filter(({ block }) => block.index <= index).reduce((below, entry) => baseAt(entry, below), base);
		tail = tail.filter(({ block }) => block.index > index);
	}
	return { votes, base, certificate, votersCertificate, tail };
}

/** After another's certified blocks were copied. */
export function copied(disk: Disk, { base, certificate, votersCertificate }: Disk): Disk {
	const tail = disk.tail.filter(({ block }) => block.index > base.index);
	return { ...disk, base, certificate, votersCertificate, tail };
}
