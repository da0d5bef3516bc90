/** Households and their devices. */

import { MAX_MEMBERS } from "../block/fieldShapes.js";
import type { JoinTransaction } from "../block/kinds/members.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { minuteOf } from "../primitives/units.js";
import type { Draft } from "./ledger.js";
import type { Refusal } from "./refusal.js";
import { isActingOperator, isHouseholdKey, ORDINARY } from "./standing.js";

/** An invitation that has expired is refused for that: whether it was used need not be remembered. */
export function forgetExpired(draft: Draft): void {
	const minute = minuteOf(draft.timestampMs);
	const remembered = [...draft.usedInvitations].filter(([, expiryMinute]) => expiryMinute >= minute);
	if (remembered.length < draft.usedInvitations.size) draft.usedInvitations = new Map(remembered);
}

/** Admits a household whose invitation (outside of genesis) an operator signed. Its device observes. */
export function applyJoin(draft: Draft, join: JoinTransaction): Refusal | undefined {
	const { invitation } = join;
	const minute = minuteOf(draft.timestampMs);
	if (draft.index > 0) {
		if (invitation === undefined) return { code: "invitation-missing" };
		if (!isActingOperator(draft, invitation.operator)) return { code: "not-operator" };
		if (draft.usedInvitations.has(toHex(invitation.id))) return { code: "invitation-used" };
		if (invitation.expiryMinute < minute) {
			return { code: "invitation-expired", expiryMinute: invitation.expiryMinute };
		}
		if (invitation.observer && join.alwaysOn) return { code: "invitation-observer" };
	}
	if (draft.households.length >= MAX_MEMBERS) return { code: "too-many-members", limit: MAX_MEMBERS };
	const isKnown =
		isHouseholdKey(draft, join.householdKey) ||
		draft.devices.some((device) => equalBytes(device.publicKey, join.deviceKey));
	if (isKnown) return { code: "already-member" };
	const member = draft.households.length;
	const device = draft.devices.length;
	draft.households.push({
		index: member,
		name: join.name,
		publicKey: join.householdKey,
		// The founder is the operator; more are made by `role`.
		operator: member === 0,
		...ORDINARY,
		meteringDevice: device,
		joinedMinute: minute,
		nonce: 0,
		balanceMicroNok: 0,
		creditMicroNok: 0,
		importWh: 0,
		exportWh: 0,
		boughtWh: 0,
		soldWh: 0,
		utilityImportWh: 0,
		utilityExportWh: 0,
		settledUntilMinute: minute,
		seen: [],
		pending: [],
		trading: [],
		open: [],
	});
	draft.devices = [
		...draft.devices,
		{ index: device, household: member, publicKey: join.deviceKey, alwaysOn: join.alwaysOn, revokedIndex: undefined },
	];
	if (invitation !== undefined) {
		draft.usedInvitations = new Map(draft.usedInvitations).set(toHex(invitation.id), invitation.expiryMinute);
	}
	return undefined;
}
