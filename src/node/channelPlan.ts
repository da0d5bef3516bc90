/**
 * Whom a device connects to. In a small street everybody with everybody. In a larger one the voters, who have to agree,
 * stay connected with one another, and each other device has channels to a few of them, through whom it hears everything.
 */
import { isInUse, type Ledger } from "../contract/ledger.js";
import { compareBytes, toHex } from "../primitives/bytes.js";
import { taggedHash } from "../primitives/hash.js";

/** One of them may be lost and another one lie, and there is still a third. */
export const VOTERS_OF_OBSERVER = 3;

/** Device ids are public keys in hex. `somebody`: a few of whoever is heard, for who does not know the street yet. */
export type ConnectTo = "everybody" | "somebody" | readonly string[];

/** What a plan is made of: by device index, and the indices of the voters. */
export type StreetDevices = Pick<Ledger, "devices" | "voters">;

const hashPair = taggedHash("channel");

/** Whether so few devices are in use that all of them are connected with one another. */
export function isFullMesh({ devices }: Pick<StreetDevices, "devices">, fullMeshDevices: number): boolean {
	let inUse = 0;
	for (const device of devices) if (isInUse(device)) inUse += 1;
	return inUse <= fullMeshDevices;
}

/**
 * In which order a device that is not a voter tries the others: voters first. Each device has an order of its own, drawn
 * from both keys (rendezvous hashing), so that the voters have about as many channels each, and a change of the voters
 * moves few of them.
 */
export function channelOrder({ devices, voters }: StreetDevices, self: Uint8Array): string[] {
	return devices
		.filter((device) => isInUse(device) && compareBytes(device.publicKey, self) !== 0)
		.map(({ index, publicKey }) => ({
			id: toHex(publicKey),
			isVoter: voters.includes(index),
			rank: hashPair(self, publicKey),
		}))
		.sort((a, b) => Number(b.isVoter) - Number(a.isVoter) || compareBytes(a.rank, b.rank))
		.map(({ id }) => id);
}

/**
 * The first of an order, until enough of them are there or may still come. Who is missing stays among them, because it
 * may come back; whoever came in its place is left again then. Where no voter answers the others are connected to: they
 * have to find one another to found the neighbourhood again.
 */
export function firstOf(order: readonly string[], isMissing: (device: string) => boolean): string[] {
	const first: string[] = [];
	let count = 0;
	for (const device of order) {
		if (count === VOTERS_OF_OBSERVER) break;
		first.push(device);
		if (!isMissing(device)) count += 1;
	}
	return first;
}
