/** A household's devices: admitted and taken out of use by its own key. */

import { MAX_DEVICES } from "../block/fieldShapes.js";
import type { DeviceTransaction, RevokeTransaction } from "../block/kinds/members.js";
import { equalBytes } from "../primitives/bytes.js";
import { changeHousehold, type Device, type Draft, householdOf, isInUse, type Ledger } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { majorityRefusal } from "./voters.js";

/** Devices that a household has in use at once. */
export const MAX_DEVICES_OF_HOUSEHOLD = 8;

/** The devices of a household that are in use. */
export function devicesOf(ledger: Ledger, member: number): readonly Device[] {
	return ledger.devices.filter((device) => device.household === member && isInUse(device));
}

/** Whether the newest block of a ledger took a device out of use. */
export function hasRevoked({ devices, index }: Pick<Ledger, "devices" | "index">): boolean {
	return devices.some(({ revokedIndex }) => revokedIndex === index);
}

/** Admits a device, which observes until the operator lets it vote. */
export function applyDevice(draft: Draft, admission: DeviceTransaction): Refusal | undefined {
	const { member, deviceKey, alwaysOn, metering, replaces } = admission;
	if (draft.devices.some((device) => equalBytes(device.publicKey, deviceKey))) return { code: "known-device" };
	const refusal = replaces === undefined ? undefined : revokeRefusal(draft, member, replaces);
	if (refusal !== undefined) return refusal;
	const left = devicesOf(draft, member).filter((device) => device.index !== replaces);
	if (left.length >= MAX_DEVICES_OF_HOUSEHOLD) {
		return { code: "too-many-devices", limit: MAX_DEVICES_OF_HOUSEHOLD };
	}
	if (draft.devices.length >= MAX_DEVICES) return { code: "too-many-devices", limit: MAX_DEVICES };
	const index = draft.devices.length;
	const device: Device = { index, household: member, publicKey: deviceKey, alwaysOn, revokedIndex: undefined };
	draft.devices = [...draft.devices, device];
	if (metering) changeHousehold(draft, member, { meteringDevice: index });
	if (replaces !== undefined) revoke(draft, member, replaces);
	return undefined;
}

/**
 * Takes a device out of use, unless the chain would stand still without its vote. Was it the metering one, the oldest
 * that is left takes its place.
 */
export function applyRevoke(draft: Draft, { member, device }: RevokeTransaction): Refusal | undefined {
	const refusal = revokeRefusal(draft, member, device);
	if (refusal === undefined) revoke(draft, member, device);
	return refusal;
}

function revokeRefusal(ledger: Ledger, member: number, index: number): Refusal | undefined {
	const device = ledger.devices[index];
	if (device === undefined) return { code: "unknown-device", device: index };
	if (device.household !== member) return { code: "not-your-device", device: index };
	if (!isInUse(device)) return { code: "device-revoked", device: index };
	// Who does not vote takes no vote along.
	return ledger.voters.includes(index) ? majorityRefusal(withoutUse(ledger, index), ledger.voters) : undefined;
}

/** All devices of a household go out of use. */
export function revokeAll(draft: Draft, member: number): void {
	draft.devices = draft.devices.map((each) =>
		each.household === member && isInUse(each) ? { ...each, revokedIndex: draft.index } : each,
	);
}

function withoutUse(
	{ devices, index: revokedIndex }: Pick<Ledger, "devices" | "index">,
	index: number,
): readonly Device[] {
	return devices.map((each) => (each.index === index ? { ...each, revokedIndex } : each));
}

function revoke(draft: Draft, member: number, index: number): void {
	draft.devices = withoutUse(draft, index);
	const [oldest] = devicesOf(draft, member);
	if (householdOf(draft, member).meteringDevice === index && oldest !== undefined) {
		changeHousehold(draft, member, { meteringDevice: oldest.index });
	}
}
