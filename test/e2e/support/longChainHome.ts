/** The database of a household of a long chain, as its node would have left it when it was last closed. */
import type { Page } from "playwright-core";
import {
	type ChainConfig,
	encodeConfig,
	encodeProfile,
	encodeVotes,
	type MeterSourceConfig,
	NO_WRONG_PASSWORDS,
} from "../../../src/node/records.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { publicKeyOf } from "../../../src/primitives/signature.js";
import { secretOf } from "../../support/ledger.js";
import type { LongChain } from "../../support/longChain.js";
import { fillDatabases } from "./fillDatabases.js";

/** Puts it into a browser, and gives the database's name without its prefix. The first household's device alone votes. */
export async function putHome(
	page: Page,
	url: string,
	chain: LongChain,
	{ member = 0, meterSource = { source: "none" } }: { member?: number; meterSource?: MeterSourceConfig } = {},
): Promise<string> {
	const keys = { household: { seed: secretOf(`household ${member}`) }, deviceSecret: secretOf(`device ${member}`) };
	const config: ChainConfig = {
		keys,
		networkKey: secretOf("network").slice(0, 16),
		keyGeneration: 0,
		signalingUrls: [url.replace("http", "ws")],
		iceServers: [],
		householdName: `Hus ${member}`,
		alwaysOn: member === 0,
		bootCount: 1,
		lobbyId: undefined,
		invitationLink: undefined,
		pin: undefined,
		meterSource,
		ownRetail: [],
		keptFromVoting: [],
		admission: undefined,
		retentionDays: undefined,
		fuseLimitW: 43_470,
		wrongPasswords: NO_WRONG_PASSWORDS,
		wordsKept: true,
		firstWeek: {},
	};
	const { index, hash } = chain.head;
	const votes =
		member === 0
			? { term: 1, votedFor: 0, lastSigned: { index, term: 1, hash }, suspended: undefined }
			: { term: 1, votedFor: undefined, lastSigned: undefined, suspended: undefined };
	const database = `${toHex(chain.gridId)}/${toHex(publicKeyOf(keys.deviceSecret))}`;
	await fillDatabases(page, url, {
		database,
		contents: {
			...chain.stores,
			config: [["config", encodeConfig(config)]],
			votes: [["votes", encodeVotes(votes)]],
		},
		profile: encodeProfile({ stage: "chain", database, gridId: chain.gridId }),
	});
	return database;
}
