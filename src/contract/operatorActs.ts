/** What the operator decides for the neighbourhood. */
import type { IceServersTransaction } from "../block/transaction.js";
import type { Draft } from "./ledger.js";
import type { Refusal } from "./refusal.js";

/** Through which servers the devices are to reach one another, in place of those before. */
export function applyIceServers(draft: Draft, { member, servers }: IceServersTransaction): Refusal | undefined {
	if (draft.households[member]?.operator !== true) return { code: "not-operator" };
	draft.iceServers = servers;
	return undefined;
}
