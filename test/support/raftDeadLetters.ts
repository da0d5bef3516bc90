/** Messages that can change nothing any more: without them there are fewer worlds to see. */
import type { RaftState } from "../../src/consensus/state.js";
import type { Keys } from "./raftKeys.js";
import { Violation } from "./raftProperties.js";
import type { Core } from "./raftScope.js";
import { cloneDevice, type Device, type Letter, timeless, type World } from "./raftWorld.js";

/** Whether a message can change nothing any more: then the world is the same without it. */
export function isDead(
	letter: Letter,
	{ devices, left }: Pick<World, "devices" | "left">,
	core: Core,
	keys: Keys,
): boolean {
	const { to, message } = letter;
	const device = devices[to] as Device;
	const mayForget = left.crashes > 0 || devices.some(({ isUp }) => !isUp);
	const { state, disk, isUp } = device;
	if (!isUp) return false;
	const term = Math.min(state.term, disk.votes.term);
	switch (message.type) {
		case "appendReply":
			return (
				message.term < term ||
				(message.term === term && (state.role !== "leader" || (!mayForget && isOld(letter, state))))
			);
		case "voteReply":
			return message.term < term || (message.term === term && (state.role !== "candidate" || !message.granted));
		case "timeoutNow":
			return message.term < term;
		case "requestVote":
			// The vote of this term is given.
			if (message.term === term && (disk.votes.votedFor ?? letter.from) !== letter.from) return true;
			return message.term < term && isPowerless(letter, device, core, keys);
		case "appendEntries":
			return message.term < term && isPowerless(letter, device, core, keys);
		default:
			return false;
	}
}

/** A leader learned all of it already. Only if nobody can start again, after which it begins to count anew. */
function isOld({ from, message }: Letter, { progress, base, acknowledgements }: RaftState): boolean {
	if (message.type !== "appendReply" || message.status !== "match") return false;
	const known = progress.get(from);
	if (known === undefined || message.matchIndex > known.matchIndex || message.commitIndex > known.commitIndex)
		return false;
	return message.acknowledgement === undefined || message.matchIndex <= base.index || acknowledgements.has(from);
}

/** A message of the past is answered, and that is all: the answer's newer term its sender may learn otherwise. */
function isPowerless({ from, to, message, key }: Letter, device: Device, core: Core, keys: Keys): true {
	if (!keys.isNew(`${key} to ${device.key}`)) return true;
	const copy = cloneDevice(device);
	const effects = core.step(copy.state, { type: "message", from, message });
	timeless(copy.state);
	if (keys.device(copy) !== device.key || effects.some(({ type }) => type !== "send")) {
		throw new Violation(`${to} is changed by a message of the past: ${message.type} of term ${message.term}`);
	}
	return true;
}
