/** commitIndex moves only by a certificate, in one strict write with it. */
import type { Certificate } from "../block/certificate.js";
import { assert } from "../primitives/assert.js";
import { equalBytes } from "../primitives/bytes.js";
import { hasMajority } from "./quorum.js";
import { hashAt, persist, type RaftState, type Turn } from "./state.js";

/** Why a voter does not vote after a part of its log could not be read: until certified blocks fill the hole. */
export const LOG_DAMAGED = "log-damaged";

/** Everything that was acknowledged before the damage is covered by a certificate again. */
export function recoverLog(state: RaftState): void {
	if (state.suspended === LOG_DAMAGED && state.base.index >= (state.lastSigned?.index ?? 0))
		state.suspended = undefined;
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
	const { index, term, timestampMs } = last.block;
	state.base = { index, hash: last.hash, term, timestampMs };
	state.certificate = certificate;
	if (state.ahead !== undefined && state.ahead.index <= index) state.ahead = undefined;
	recoverLog(state);
	beforeWrite();
	persist(turn, { commit: { certificate } });
	turn.effects.push({ type: "commit", entries, certificate });
}

/**
 * A certificate was heard of, its signatures verified. Commits what it covers in the own log; one for a block that is
 * not held waits.
 */
export function onCertificate(turn: Turn, from: number, certificate: Certificate): void {
	const { state } = turn;
	if (!hasMajority(state.voters, (voter) => certificate.signatures.some((signed) => signed.voter === voter))) return;
	checkOwnSignature(turn, certificate);
	const own = hashAt(state, certificate.index);
	if (certificate.index <= state.base.index) {
		if (certificate.index === state.base.index && own !== undefined && !equalBytes(own, certificate.hash)) {
			turn.effects.push({ type: "evidence", code: "conflicting-certificates", certificate });
		}
		return;
	}
	if (own !== undefined && equalBytes(own, certificate.hash)) {
		commitTo(turn, certificate, () => {});
		return;
	}
	if (state.ahead === undefined || state.ahead.index < certificate.index) state.ahead = certificate;
	turn.effects.push({ type: "behind", from, certificate });
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
	persist(turn, {});
	turn.effects.push({ type: "evidence", code: "unknown-own-signature", certificate });
}
