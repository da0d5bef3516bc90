/** commitIndex moves only by a certificate, in one strict write with it. */
import type { Certificate } from "../block/certificate.js";
import { voterChangeOf } from "../block/voters.js";
import { assert } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { hasEveryMajority } from "./quorum.js";
import { becomeFollower } from "./roles.js";
import { baseAfter, hashAt, persist, type RaftState, type Turn, voterSetsUpTo } from "./state.js";

/** Why a voter does not vote after a part of its log could not be read: until it holds again what it acknowledged. */
export const LOG_DAMAGED = "log-damaged";

/**
 * Everything that was acknowledged before the damage is covered by a certificate, or here again: what was signed last
 * and whatever lies below it.
 */
export function recoverLog(state: RaftState): void {
	const { base, lastSigned, suspended } = state;
	if (suspended !== LOG_DAMAGED) return;
	const held = lastSigned === undefined ? undefined : hashAt(state, lastSigned.index);
	const isHeld = lastSigned === undefined || (held !== undefined && equalBytes(held, lastSigned.hash));
	if (isHeld || base.index >= lastSigned.index) state.suspended = undefined;
}

/** Commits everything up to a certified entry of the own log. `beforeWrite` may send what does not depend on the write. */
export function commitTo(turn: Turn, certificate: Certificate, beforeWrite: () => void): void {
	const { state } = turn;
	const count = certificate.index - state.base.index;
	const entries = state.tail.slice(0, count);
	const last = entries.at(-1);
	assert(
		last !== undefined && equalBytes(last.hash, certificate.hash),
		"only a certified entry of the log is committed",
	);
	state.tail = state.tail.slice(count);
	const { index } = last.block;
	const changesVoters = entries.some(({ block }) => voterChangeOf(block) !== undefined);
	state.base = entries.reduce(baseAfter, state.base);
	state.certificate = certificate;
	if (changesVoters) state.votersCertificate = certificate;
	if (state.ahead !== undefined && state.ahead.index <= index) state.ahead = undefined;
	recoverLog(state);
	beforeWrite();
	persist(turn, { commit: { certificate, changesVoters } });
	turn.effects.push({ type: "commit", entries, certificate });
}

/**
 * A certificate was heard of, its signatures verified. Commits what it covers in the own log; one for a block that is
 * not held waits: who had to sign it is known when the blocks below it are here.
 */
export function onCertificate(turn: Turn, from: number, certificate: Certificate): void {
	const { state } = turn;
	checkOwnSignature(turn, certificate);
	if (certificate.index < state.base.index) return;
	const own = hashAt(state, certificate.index);
	const isOwn = own !== undefined && equalBytes(own, certificate.hash);
	if (isOwn && !isCovered(state, certificate)) return;
	if (certificate.index === state.base.index) {
		if (!isOwn && isCovered(state, certificate))
			turn.effects.push({ type: "evidence", code: "conflicting-certificates", certificate });
		return;
	}
	if (isOwn) {
		commitTo(turn, certificate, () => {});
		return;
	}
	if (state.ahead === undefined || state.ahead.index < certificate.index) state.ahead = certificate;
	turn.effects.push({ type: "behind", from, certificate });
}

/** The covering rule: a majority of every voter set in force since the last certified block. */
function isCovered(state: RaftState, { index, signatures }: Certificate): boolean {
	return hasEveryMajority(voterSetsUpTo(state, index), (voter) => signatures.some((signed) => signed.voter === voter));
}

/** A signature of the own key that this device does not know of: a twin or an older life of it votes elsewhere. */
export function checkOwnSignature(turn: Turn, certificate: Certificate): void {
	const { state } = turn;
	if (state.suspended !== undefined || !certificate.signatures.some((signed) => signed.voter === state.self)) return;
	const known = state.lastSigned;
	const isKnown =
		known !== undefined &&
		(certificate.term < known.term ||
			(certificate.term === known.term && certificate.index < known.index) ||
			(certificate.term === known.term &&
				certificate.index === known.index &&
				equalBytes(certificate.hash, known.hash)));
	if (isKnown) return;
	state.suspended = "unknown-own-signature";
	becomeFollower(turn, "suspended");
	persist(turn, {});
	turn.effects.push({ type: "evidence", code: "unknown-own-signature", certificate });
}
