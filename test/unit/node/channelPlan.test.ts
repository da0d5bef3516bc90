import { describe, expect, it } from "vitest";
import type { Device } from "../../../src/contract/ledger.js";
import { channelOrder, firstOf, isFullMesh, VOTERS_OF_OBSERVER } from "../../../src/node/channelPlan.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { taggedHash } from "../../../src/primitives/hash.js";

const hashKey = taggedHash("test key");

/** Keys as good as any: a prefix, and 32 bytes that nobody chose. */
const keyOf = (index: number) => Uint8Array.of(2, ...hashKey(Uint8Array.of(index)));
const devicesOf = (count: number): Device[] =>
	Array.from({ length: count }, (_, index) => ({
		index,
		household: index,
		publicKey: keyOf(index),
		alwaysOn: true,
		revokedIndex: undefined,
	}));
const idOf = (index: number) => toHex(keyOf(index));
const votersOf = (count: number) => Array.from({ length: count }, (_, index) => index);
const nobody = () => false;

describe("in a small street", () => {
	it("everybody connects to everybody: up to so many devices in use", () => {
		const devices = devicesOf(32);
		expect(isFullMesh({ devices: devices.slice(0, 30) }, 30)).toBe(true);
		expect(isFullMesh({ devices: devices.slice(0, 31) }, 30)).toBe(false);
		const [first, second, ...rest] = devices;
		if (first === undefined || second === undefined) throw new Error("there are 32");
		expect(isFullMesh({ devices: [{ ...first, revokedIndex: 7 }, { ...second, revokedIndex: 7 }, ...rest] }, 30)).toBe(
			true,
		);
	});
});

describe("who observes in a large street", () => {
	it("connects to three voters, the same at every time", () => {
		const street = { devices: devicesOf(100), voters: votersOf(25) };
		const order = channelOrder(street, keyOf(40));
		const chosen = firstOf(order, nobody);
		expect(chosen).toHaveLength(VOTERS_OF_OBSERVER);
		for (const id of chosen) expect(votersOf(25).map(idOf)).toContain(id);
		expect(firstOf(channelOrder(street, keyOf(40)), nobody)).toEqual(chosen);
		expect(order).toHaveLength(99);
		expect(order.slice(0, 25).toSorted()).toEqual(votersOf(25).map(idOf).toSorted());
	});

	it("connects to another one in place of each that is missing, and leaves that again when the first comes back", () => {
		const order = channelOrder({ devices: devicesOf(100), voters: votersOf(25) }, keyOf(40));
		const [first, second, third, fourth, fifth] = order;
		expect(firstOf(order, (id) => id === second)).toEqual([first, second, third, fourth]);
		expect(firstOf(order, (id) => id === second || id === fourth)).toEqual([first, second, third, fourth, fifth]);
		expect(firstOf(order, nobody)).toEqual([first, second, third]);
	});

	it("connects to others that observe where no voter answers, and to nobody out of use", () => {
		const devices = devicesOf(40).map((device) => ({ ...device, revokedIndex: device.index === 35 ? 7 : undefined }));
		const order = channelOrder({ devices, voters: votersOf(3) }, keyOf(20));
		expect(order).not.toContain(idOf(35));
		const reached = firstOf(order, (id) => votersOf(3).map(idOf).includes(id));
		expect(reached).toHaveLength(6);
		for (const id of reached.slice(3)) expect(votersOf(3).map(idOf)).not.toContain(id);
	});

	it("loads the voters about alike, and a new voter moves few", () => {
		const devices = devicesOf(200);
		const plan = (voters: number[]) =>
			devices.slice(25).map(({ publicKey }) => firstOf(channelOrder({ devices, voters }, publicKey), nobody));
		const before = plan(votersOf(24));
		const load = votersOf(24).map((voter) => before.filter((chosen) => chosen.includes(idOf(voter))).length);
		const mean = (175 * VOTERS_OF_OBSERVER) / 24;
		console.log(
			`175 observers, 24 voters: ${Math.min(...load)} to ${Math.max(...load)} observers each, ${mean} on average`,
		);
		expect(Math.max(...load)).toBeLessThan(2 * mean);
		expect(Math.min(...load)).toBeGreaterThan(mean / 2);
		const after = plan(votersOf(25));
		const moved = after.filter((chosen, at) => chosen.join() !== before[at]?.join());
		// It takes its share, and nobody else changes anything.
		expect(moved.every((chosen) => chosen.includes(idOf(24)))).toBe(true);
		expect(moved.length).toBeLessThan(2 * mean);
	});
});
