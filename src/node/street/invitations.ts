/** Ways in that a member gives: the operator's invitation link for a new household, and a link back. */
import { type Invitation, invitationDigest } from "../../block/invitation.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import { minuteOf } from "../../primitives/units.js";
import { encodeJoinLink, encodeRestoreLink } from "../link.js";
import type { CommandError } from "../protocol.js";
import type { HouseholdRecord } from "../vault.js";
import type { StreetContext } from "./context.js";

/** An invitation is good for a week. */
const INVITATION_MINUTES = 7 * 1_440;

/** Operator: a link for one new household. `observer`: its device is no candidate for a voter. */
export function createInvitationLink(
	context: StreetContext,
	observer: boolean,
): Result<{ type: "link"; link: string }, CommandError> {
	const { chain, dependencies, gridId, household, member } = context;
	const { ledger, block, hash } = chain.head;
	if (member === undefined || ledger.households[member]?.operator !== true) return refused({ code: "not-operator" });
	if (household.isLocked) return refused({ code: "locked" });
	const { signer, randomBytes, clocks } = dependencies;
	const oneTimeSecret = randomBytes(32);
	const unsigned = {
		id: randomBytes(16),
		operator: member,
		expiryMinute: minuteOf(clocks.chainMs()) + INVITATION_MINUTES,
		oneTimeKey: signer.publicKeyOf(oneTimeSecret),
		observer,
	};
	const signature = household.sign(invitationDigest(unsigned, gridId));
	const invitation: Invitation = { ...unsigned, signature };
	const pin = { index: block.index, hash: hash.slice(0, 16) };
	const mesh = { ...context.newestKey, iceServers: context.iceServers };
	const link = encodeJoinLink({ kind: "join", gridId, ...mesh, invitation, oneTimeSecret, pin });
	return ok({ type: "link", link });
}

/** A link back after a storage was lost. `household`: whose it is, with its key as it is kept; absent: anybody's. */
export function createRestoreLink(
	context: StreetContext,
	household: HouseholdRecord | undefined,
): Result<{ type: "link"; link: string }, CommandError> {
	const { chain, gridId, member } = context;
	if (member === undefined) return refused({ code: "not-a-member" });
	const { block, hash } = chain.head;
	const pin = { index: block.index, hash: hash.slice(0, 16) };
	const mesh = { ...context.newestKey, iceServers: context.iceServers };
	return ok({ type: "link", link: encodeRestoreLink({ kind: "restore", gridId, ...mesh, household, pin }) });
}
