import { describe, expect, it } from "vitest";
import {
	type ChainConfig,
	decodeConfig,
	decodeProfile,
	encodeConfig,
	encodeProfile,
	encodeRecord,
	type LobbyProfile,
} from "../../../src/node/records.js";
import { fromHex } from "../../../src/primitives/bytes.js";
import { type CborValue, decode } from "../../../src/primitives/codec.js";
import type { LocalTimeRule } from "../../../src/primitives/localTime.js";

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);

const CONFIG: ChainConfig = {
	keys: { household: { seed: fill(32, 1) }, deviceSecret: fill(32, 2) },
	networkKey: fill(16, 3),
	keyGeneration: 0,
	signalingUrls: ["wss://signal.example"],
	iceServers: [],
	householdName: "Lie",
	alwaysOn: true,
	bootCount: 7,
	lobbyId: fill(32, 4),
	invitationLink: undefined,
	pin: { index: 1440, hash: fill(16, 5) },
	meterSource: { source: "simulated", seed: 9, profile: "prosumer" },
	ownRetail: [
		{ fromMinute: 0, retailMicroNokPerWh: 1234 },
		{ fromMinute: 29_400_000, retailMicroNokPerWh: 0 },
	],
	keptFromVoting: [3, 5],
	admission: { member: 2, replaces: 4, beside: false },
	retentionDays: 31,
	fuseLimitW: 17_250,
	wrongPasswords: { count: 3, lastMs: 1_740_000_000_000 },
	wordsKept: true,
	firstWeek: {
		register: {
			atMs: 1_740_000_000_000,
			importWh: { displayWh: 1_903_000, registerWh: 1_903_410 },
			exportWh: { displayWh: 402_000, registerWh: 402_118 },
		},
		minutesMs: 1_740_086_400_000,
	},
};
/** What earlier versions said of it: no passwords, the usual fuse, and before that the usual retention. */
const BEFORE_PASSWORDS: ChainConfig = {
	...CONFIG,
	wrongPasswords: { count: 0, lastMs: 0 },
	wordsKept: false,
	firstWeek: {},
};
const BEFORE_FUSE: ChainConfig = { ...BEFORE_PASSWORDS, fuseLimitW: 43_470 };
const BEFORE_RETENTION: ChainConfig = {
	...BEFORE_FUSE,
	retentionDays: undefined,
	ownRetail: [{ fromMinute: 0, retailMicroNokPerWh: 1234 }],
};

/** As the version wrote it that knew thirteen fields: keys made up. */
const WITH_ADMISSION =
	"31354cb6d5f26a368d82582001010101010101010101010101010101010101010101010101010101010101015820020202020202020202020202" +
	"02020202020202020202020202020202020202025003030303030303030303030303030303817477" +
	"73733a2f2f7369676e616c2e6578616d706c65634c69650107815820040404040404040404040404" +
	"04040404040404040404040404040404040404048081821905a050050505050505050505050505050505058369" +
	"73696d756c61746564096870726f73756d65721904d2820305818281028104";

/** The fields that the first version wrote. */
const FIRST_FIELDS: CborValue[] = [
	[fill(32, 1), fill(32, 2)],
	fill(16, 3),
	["wss://signal.example"],
	"Lie",
	1,
	7,
	[fill(32, 4)],
	[],
	[[1440, fill(16, 5)]],
	["simulated", 9, "prosumer"],
	1234,
];

describe("a config record", () => {
	it("is read as it was written", () => {
		expect(decodeConfig(encodeConfig(CONFIG))).toEqual({ ok: true, value: CONFIG });
	});

	it("holds how often the key that it has was changed", () => {
		for (const keyGeneration of [1, 300]) {
			const changed = { ...CONFIG, keyGeneration };
			expect(decodeConfig(encodeConfig(changed))).toEqual({ ok: true, value: changed });
		}
	});

	it("of the version that knew of admissions, and nothing later, still opens", () => {
		const record = fromHex(WITH_ADMISSION);
		expect(record.ok && decodeConfig(record.value)).toEqual({ ok: true, value: BEFORE_RETENTION });
	});

	it("of the first version, without what was added since, still opens", () => {
		const without = { ok: true, value: { ...BEFORE_RETENTION, keptFromVoting: [], admission: undefined } };
		expect(decodeConfig(encodeRecord(FIRST_FIELDS))).toEqual(without);
		const withoutOwnPrice = { ok: true, value: { ...without.value, ownRetail: [] } };
		expect(decodeConfig(encodeRecord(FIRST_FIELDS.with(10, 0)))).toEqual(withoutOwnPrice);
		const withVoters = { ok: true, value: { ...BEFORE_RETENTION, admission: undefined } };
		expect(decodeConfig(encodeRecord([...FIRST_FIELDS, [3, 5]]))).toEqual(withVoters);
	});

	it("that no version wrote is damaged", () => {
		const damaged = { ok: false, error: { code: "record-damaged" } };
		expect(decodeConfig(encodeRecord(FIRST_FIELDS.slice(0, -1)))).toEqual(damaged);
		expect(decodeConfig(encodeRecord([...FIRST_FIELDS, [3, 5], [], [], 1, [], [0, 0], 0, [[], []], []]))).toEqual(
			damaged,
		);
		expect(decodeConfig(encodeRecord(FIRST_FIELDS.with(10, "dear")))).toEqual(damaged);
		expect(decodeConfig(encodeRecord(FIRST_FIELDS.with(1, [fill(16, 3), 0])))).toEqual(damaged);
	});
});

describe("a lobby's record", () => {
	it("is read as it was written", () => {
		const { keys, networkKey, keyGeneration, signalingUrls, iceServers, householdName, alwaysOn } = CONFIG;
		const known = { keys, networkKey, keyGeneration, signalingUrls, iceServers, householdName, alwaysOn };
		const lobby: LobbyProfile = { ...known, lobbyId: fill(32, 4), founderPin: fill(16, 5), founding: undefined };
		const profile = { stage: "lobby" as const, lobby };
		expect(decodeProfile(encodeProfile(profile))).toEqual({ ok: true, value: profile });
	});

	it("of a founder holds what the neighbourhood will be founded on; of an earlier version, with Norway's time", () => {
		const { keys, networkKey, keyGeneration, signalingUrls, iceServers, householdName, alwaysOn } = CONFIG;
		const known = { keys, networkKey, keyGeneration, signalingUrls, iceServers, householdName, alwaysOn };
		const prices = { retailMicroNokPerWh: 2_000, feedInMicroNokPerWh: 400, localFeeMicroNokPerWh: 0 };
		const founding = (localTime: LocalTimeRule) => ({
			name: "Lia",
			moneyKind: 0,
			...prices,
			terms: { localTime, market: undefined },
		});
		const profileWith = (localTime: LocalTimeRule) => ({
			stage: "lobby" as const,
			lobby: { ...known, lobbyId: fill(32, 4), founderPin: fill(16, 5), founding: founding(localTime) },
		});
		const helsinki = { offsetMinutes: 120, summerTime: true };
		const record = encodeProfile(profileWith(helsinki));
		expect(decodeProfile(record)).toEqual({ ok: true, value: profileWith(helsinki) });
		const fields = decode(record.subarray(8), record.length);
		if (!fields.ok || !Array.isArray(fields.value)) throw new Error("a list");
		const earlier = encodeRecord(fields.value.with(8, [["Lia", 0, 2_000, 400, 0]]));
		const usual = { offsetMinutes: 60, summerTime: true };
		expect(decodeProfile(earlier)).toEqual({ ok: true, value: profileWith(usual) });
	});
});
