/** Records: what is stored, as checksum and deterministic CBOR. A damaged one is noticed before it is believed. */
import * as v from "valibot";
import { type Certificate, certificateFields, certificateShape } from "../block/certificate.js";
import { type DoubleSignature, doubleSignatureFields, doubleSignatureShape } from "../block/evidence.js";
import { bytes, flag, hash, natural, perhaps } from "../block/fieldShapes.js";
import { type IceServer, iceServerFields, iceServersShape } from "../block/iceServer.js";
import { type FoundingTerms, termsFields, termsShape } from "../block/kinds/founding.js";
import { LINE_NAMES, type LineName } from "../meter/lineNames.js";
import { DEFAULT_FUSE_LIMIT_W } from "../meter/meterPipeline.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { type CborValue, decode, encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { CENTRAL_EUROPEAN_TIME } from "../primitives/localTime.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { SECRET_KEY_BYTES } from "../primitives/signature.js";
import type { FirstWeekMemory } from "./firstWeek.js";
import { type NetworkKey, networkKeyField, networkKeyShape } from "./networkKeys.js";
import type { OwnRetailStep } from "./protocol.js";
import type { Votes } from "./storage.js";
import { type HouseholdRecord, householdFields, householdShape } from "./vault.js";
import type { ComparedRegister, RegisterComparison } from "./view.js";

const CHECKSUM_BYTES = 8;
const MAX_RECORD_BYTES = 1024 * 1024;
const hashRecord = taggedHash("record");

export type RecordError = { code: "record-damaged" };

/** Puts the checksum before the content. */
export function sealRecord(content: Uint8Array): Uint8Array {
	const record = new Uint8Array(CHECKSUM_BYTES + content.length);
	record.set(hashRecord(content).subarray(0, CHECKSUM_BYTES));
	record.set(content, CHECKSUM_BYTES);
	return record;
}

/** The content of a record whose checksum is right. */
export function openRecord(record: Uint8Array): Result<Uint8Array, RecordError> {
	const content = record.subarray(CHECKSUM_BYTES);
	const checksum = record.subarray(0, CHECKSUM_BYTES);
	if (!equalBytes(hashRecord(content).subarray(0, CHECKSUM_BYTES), checksum))
		return refused({ code: "record-damaged" });
	return ok(content);
}

/** The content of a record whose checksum nobody has looked at: only to decide whether to open it. */
export function peekRecord(record: Uint8Array): Uint8Array {
	return record.subarray(CHECKSUM_BYTES);
}

/** Fields as a record. */
export function encodeRecord(fields: CborValue): Uint8Array {
	return sealRecord(encode(fields));
}

/** A record whose checksum is right and whose fields have a shape. */
export function decodeRecord<T>(record: Uint8Array, shape: v.GenericSchema<unknown, T>): Result<T, RecordError> {
	const content = openRecord(record);
	if (!content.ok) return content;
	const value = decode(content.value, MAX_RECORD_BYTES);
	if (!value.ok) return refused({ code: "record-damaged" });
	const shaped = v.safeParse(shape, value.value);
	return shaped.success ? ok(shaped.output) : refused({ code: "record-damaged" });
}

// ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A field that may be absent: empty, or its value alone. */
export const optional = (value: CborValue | undefined): CborValue => (value === undefined ? [] : [value]);

const acknowledgedShape = v.pipe(
	v.strictTuple([natural, natural, hash]),
	v.transform(([index, term, hash]) => ({ index, term, hash })),
);

// ── votes ────────────────────────────────────────────────────────────────────────────────────────────────────────

const votesShape = v.pipe(
	v.strictTuple([natural, perhaps(natural), perhaps(acknowledgedShape), perhaps(v.string())]),
	v.transform(([term, votedFor, lastSigned, suspended]): Votes => ({ term, votedFor, lastSigned, suspended })),
);

export function encodeVotes(votes: Votes): Uint8Array {
	const { term, votedFor, lastSigned, suspended } = votes;
	return encodeRecord([
		term,
		optional(votedFor),
		optional(lastSigned === undefined ? undefined : [lastSigned.index, lastSigned.term, lastSigned.hash]),
		optional(suspended),
	]);
}

export function decodeVotes(record: Uint8Array): Result<Votes, RecordError> {
	return decodeRecord(record, votesShape);
}

// ── certificates ─────────────────────────────────────────────────────────────────────────────────────────────────

export function encodeCertificateRecord(certificate: Certificate): Uint8Array {
	return encodeRecord(certificateFields(certificate));
}

export function decodeCertificateRecord(record: Uint8Array): Result<Certificate, RecordError> {
	return decodeRecord(record, certificateShape);
}

// ── evidence ─────────────────────────────────────────────────────────────────────────────────────────────────────

export function encodeEvidenceRecord(evidence: DoubleSignature): Uint8Array {
	return encodeRecord(doubleSignatureFields(evidence));
}

export function decodeEvidenceRecord(record: Uint8Array): Result<DoubleSignature, RecordError> {
	return decodeRecord(record, doubleSignatureShape);
}

// ── profile: where this browser stands ───────────────────────────────────────────────────────────────────────────

/** The keys of a household and its device. */
export interface Keys {
	household: HouseholdRecord;
	deviceSecret: Uint8Array;
}

/** What leads to the neighbours. */
export interface MeshKeys extends NetworkKey {
	signalingUrls: string[];
	/** Until the chain says others: what the way in said. */
	iceServers: readonly IceServer[];
}

export type Profile =
	| { stage: "lobby"; lobby: LobbyProfile }
	/** In a neighbourhood, whose database has this name. */
	| { stage: "chain"; database: string; gridId: Uint8Array };

/** Databases carry grid id and device id in their names. */
export function databaseName(gridId: Uint8Array, deviceKey: Uint8Array): string {
	return `${toHex(gridId)}/${toHex(deviceKey)}`;
}

export interface LobbyProfile extends MeshKeys {
	keys: Keys;
	/** 32 random bytes that name the lobby. */
	lobbyId: Uint8Array;
	householdName: string;
	alwaysOn: boolean;
	/** First 16 bytes of the hash of the founder's household key: pinned by the link. */
	founderPin: Uint8Array;
	/** Only the founder's: what the neighbourhood will be founded on. */
	founding: FoundingSettings | undefined;
}

export interface FoundingSettings {
	name: string;
	moneyKind: number;
	retailMicroNokPerWh: number;
	feedInMicroNokPerWh: number;
	localFeeMicroNokPerWh: number;
	terms: FoundingTerms;
}

const keysShape = v.pipe(
	v.strictTuple([householdShape, bytes(SECRET_KEY_BYTES)]),
	v.transform(([household, deviceSecret]): Keys => ({ household, deviceSecret })),
);

function keysFields({ household, deviceSecret }: Keys): CborValue {
	return [householdFields(household), deviceSecret];
}

/** Earlier versions wrote no terms: a lobby that they opened is founded on the usual ones. */
const FOUNDING_FIELDS_BEFORE_TERMS = 5;
const USUAL_TERMS: FoundingTerms = { localTime: CENTRAL_EUROPEAN_TIME, market: undefined };

const foundingShape = v.pipe(
	v.array(v.unknown()),
	v.transform((fields) =>
		fields.length === FOUNDING_FIELDS_BEFORE_TERMS ? [...fields, termsFields(USUAL_TERMS)] : fields,
	),
	v.strictTuple([v.string(), natural, natural, natural, natural, termsShape]),
	v.transform(
		([name, moneyKind, retail, feedIn, fee, terms]): FoundingSettings => ({
			name,
			moneyKind,
			retailMicroNokPerWh: retail,
			feedInMicroNokPerWh: feedIn,
			localFeeMicroNokPerWh: fee,
			terms,
		}),
	),
);

/** Earlier versions wrote no ICE servers. */
const LOBBY_FIELDS_BEFORE_SERVERS = 9;

const profileShape = v.union([
	v.pipe(
		v.array(v.unknown()),
		v.transform((fields) => (fields.length === LOBBY_FIELDS_BEFORE_SERVERS ? [...fields, []] : fields)),
		v.strictTuple([
			v.literal("lobby"),
			keysShape,
			networkKeyShape,
			v.array(v.string()),
			bytes(32),
			v.string(),
			flag,
			bytes(16),
			perhaps(foundingShape),
			iceServersShape,
		]),
		v.transform(
			([, keys, key, signalingUrls, lobbyId, householdName, alwaysOn, founderPin, founding, iceServers]): Profile => ({
				stage: "lobby",
				lobby: { keys, ...key, signalingUrls, lobbyId, householdName, alwaysOn, founderPin, founding, iceServers },
			}),
		),
	),
	v.pipe(
		v.strictTuple([v.literal("chain"), v.string(), hash]),
		v.transform(([, database, gridId]): Profile => ({ stage: "chain", database, gridId })),
	),
	v.pipe(
		v.strictTuple([v.literal("none")]),
		v.transform(() => undefined),
	),
]);

/** Undefined: left everything; the next start is a first start. */
export function encodeProfile(profile: Profile | undefined): Uint8Array {
	if (profile === undefined) return encodeRecord(["none"]);
	if (profile.stage === "chain") return encodeRecord(["chain", profile.database, profile.gridId]);
	const { keys, signalingUrls, lobbyId, householdName, alwaysOn, founderPin, founding } = profile.lobby;
	const { iceServers } = profile.lobby;
	return encodeRecord([
		"lobby",
		keysFields(keys),
		networkKeyField(profile.lobby),
		signalingUrls,
		lobbyId,
		householdName,
		alwaysOn ? 1 : 0,
		founderPin,
		optional(
			founding === undefined
				? undefined
				: [
						founding.name,
						founding.moneyKind,
						founding.retailMicroNokPerWh,
						founding.feedInMicroNokPerWh,
						founding.localFeeMicroNokPerWh,
						termsFields(founding.terms),
					],
		),
		iceServerFields(iceServers),
	]);
}

export function decodeProfile(record: Uint8Array): Result<Profile | undefined, RecordError> {
	return decodeRecord(record, profileShape);
}

// ── config: one neighbourhood's settings on this device ──────────────────────────────────────────────────────────

export interface ChainConfig extends MeshKeys {
	keys: Keys;
	/** Name of the household, until the chain says it. */
	householdName: string;
	alwaysOn: boolean;
	/** Counts the starts of this device: the higher one is the living one. */
	bootCount: number;
	/** Lobby in which the neighbourhood was founded: a late guest is handed the genesis. */
	lobbyId: Uint8Array | undefined;
	/** Invited: the link that is not used up yet. */
	invitationLink: string | undefined;
	/** The block that the invitation pins. */
	pin: { index: number; hash: Uint8Array } | undefined;
	meterSource: MeterSourceConfig;
	/** What the household says that it pays the utility, and since when, ascending; none: the neighbourhood's retail price. */
	ownRetail: readonly OwnRetailStep[];
	/** Operator: devices that were taken off the list of voters by hand, and are not put on it again by themselves. */
	keptFromVoting: number[];
	/** Its household is a member already: this device comes in by a `device` transaction, if it is not in yet. */
	admission: Admission | undefined;
	/** For so many days full blocks are kept; 0: for ever; undefined: as long as is usual for this household's role. */
	retentionDays: number | undefined;
	/** Power above which a reading is asked about first, W: what the household's main fuse lets through. */
	fuseLimitW: number;
	/** Wrong passwords in a row, and when the last one was typed (chain time, ms). */
	wrongPasswords: WrongPasswords;
	/** Whether somebody has written the household's words down, and shown it. */
	wordsKept: boolean;
	/** What was done of the first week's list. */
	firstWeek: FirstWeekMemory;
}

export interface WrongPasswords {
	count: number;
	lastMs: number;
}

export const NO_WRONG_PASSWORDS: WrongPasswords = { count: 0, lastMs: 0 };

/** How a new device of a member comes in. */
export interface Admission {
	/** The household's member index where this browser knew it before; undefined: it came by a restore link. */
	member: number | undefined;
	/** The device whose place it takes; undefined: the only one in use, if it came by a restore link, else none. */
	replaces: number | undefined;
	/** A further device of the household: it takes no other's place, and does not meter. */
	beside: boolean;
}

export type MeterSourceConfig =
	| { source: "none" }
	/** `line`: as a person has set it; absent: it is found out. */
	| { source: "serial"; line?: LineName }
	| { source: "simulated"; seed: number; profile: "consumer" | "prosumer" };

/** What stands for the fields that earlier versions did not write, by the order in which they were added; append only. */
const ABSENT_CONFIG_FIELDS: readonly CborValue[] = [
	// keptFromVoting
	[],
	// admission
	[],
	// retentionDays
	[],
	// fuseLimitW
	DEFAULT_FUSE_LIMIT_W,
	// iceServers
	[],
	// wrongPasswords
	[0, 0],
	// wordsKept
	0,
	// firstWeek
	[[], []],
];
const CONFIG_FIELDS = 19;

/** Earlier versions wrote one price, 0 for the neighbourhood's, and not since when it is paid. */
const ownRetailShape = v.union([
	v.pipe(
		natural,
		v.transform((price): OwnRetailStep[] => (price === 0 ? [] : [{ fromMinute: 0, retailMicroNokPerWh: price }])),
	),
	v.array(
		v.pipe(
			v.strictTuple([natural, natural]),
			v.transform(([fromMinute, retailMicroNokPerWh]): OwnRetailStep => ({ fromMinute, retailMicroNokPerWh })),
		),
	),
]);

/** Fields as an earlier version wrote them, with what is absent at their end; what is no such version's stays as it is. */
function withAbsentFields(fields: unknown[]): unknown[] {
	const absent = CONFIG_FIELDS - fields.length;
	if (absent <= 0 || absent > ABSENT_CONFIG_FIELDS.length) return fields;
	return [...fields, ...ABSENT_CONFIG_FIELDS.slice(-absent)];
}

const comparedShape = v.pipe(
	v.strictTuple([natural, natural]),
	v.transform(([displayWh, registerWh]): ComparedRegister => ({ displayWh, registerWh })),
);

const firstWeekShape = v.pipe(
	v.strictTuple([
		perhaps(
			v.pipe(
				v.strictTuple([natural, comparedShape, perhaps(comparedShape)]),
				v.transform(
					([atMs, importWh, exportWh]): RegisterComparison => ({
						atMs,
						importWh,
						...(exportWh === undefined ? {} : { exportWh }),
					}),
				),
			),
		),
		perhaps(natural),
	]),
	v.transform(
		([register, minutesMs]): FirstWeekMemory => ({
			...(register === undefined ? {} : { register }),
			...(minutesMs === undefined ? {} : { minutesMs }),
		}),
	),
);

const configShape = v.pipe(
	v.array(v.unknown()),
	v.transform(withAbsentFields),
	v.strictTuple([
		keysShape,
		networkKeyShape,
		v.array(v.string()),
		v.string(),
		flag,
		natural,
		perhaps(bytes(32)),
		perhaps(v.string()),
		perhaps(
			v.pipe(
				v.strictTuple([natural, bytes(16)]),
				v.transform(([index, hash]) => ({ index, hash })),
			),
		),
		v.union([
			v.pipe(
				v.strictTuple([v.literal("none")]),
				v.transform(([source]): MeterSourceConfig => ({ source })),
			),
			// Earlier versions knew one line only.
			v.pipe(
				v.union([v.strictTuple([v.literal("serial")]), v.strictTuple([v.literal("serial"), v.picklist(LINE_NAMES)])]),
				v.transform(([source, line]): MeterSourceConfig => (line === undefined ? { source } : { source, line })),
			),
			v.pipe(
				v.strictTuple([v.literal("simulated"), natural, v.picklist(["consumer", "prosumer"])]),
				v.transform(([source, seed, profile]): MeterSourceConfig => ({ source, seed, profile })),
			),
		]),
		ownRetailShape,
		v.array(natural),
		perhaps(
			v.pipe(
				v.union([
					v.strictTuple([perhaps(natural), perhaps(natural), flag]),
					// Earlier versions knew no further devices.
					v.pipe(
						v.strictTuple([perhaps(natural), perhaps(natural)]),
						v.transform(([member, replaces]) => [member, replaces, false] as const),
					),
				]),
				v.transform(([member, replaces, beside]): Admission => ({ member, replaces, beside })),
			),
		),
		perhaps(natural),
		natural,
		iceServersShape,
		v.pipe(
			v.strictTuple([natural, natural]),
			v.transform(([count, lastMs]): WrongPasswords => ({ count, lastMs })),
		),
		flag,
		firstWeekShape,
	]),
	v.transform(
		([
			keys,
			key,
			signalingUrls,
			householdName,
			alwaysOn,
			bootCount,
			lobbyId,
			invitationLink,
			pin,
			meterSource,
			ownRetail,
			keptFromVoting,
			admission,
			retentionDays,
			fuseLimitW,
			iceServers,
			wrongPasswords,
			wordsKept,
			firstWeek,
		]): ChainConfig => ({
			keys,
			...key,
			signalingUrls,
			householdName,
			alwaysOn,
			bootCount,
			lobbyId,
			invitationLink,
			pin,
			meterSource,
			ownRetail,
			keptFromVoting,
			admission,
			retentionDays,
			fuseLimitW,
			iceServers,
			wrongPasswords,
			wordsKept,
			firstWeek,
		}),
	),
);

export function encodeConfig(config: ChainConfig): Uint8Array {
	const { admission, keys, meterSource, pin } = config;
	return encodeRecord([
		keysFields(keys),
		networkKeyField(config),
		config.signalingUrls,
		config.householdName,
		config.alwaysOn ? 1 : 0,
		config.bootCount,
		optional(config.lobbyId),
		optional(config.invitationLink),
		optional(pin === undefined ? undefined : [pin.index, pin.hash]),
		meterSourceFields(meterSource),
		config.ownRetail.map(({ fromMinute, retailMicroNokPerWh }) => [fromMinute, retailMicroNokPerWh]),
		config.keptFromVoting,
		optional(admission === undefined ? undefined : admissionFields(admission)),
		optional(config.retentionDays),
		config.fuseLimitW,
		iceServerFields(config.iceServers),
		[config.wrongPasswords.count, config.wrongPasswords.lastMs],
		config.wordsKept ? 1 : 0,
		firstWeekFields(config.firstWeek),
	]);
}

function firstWeekFields({ minutesMs, register }: FirstWeekMemory): CborValue {
	const compared = ({ displayWh, registerWh }: ComparedRegister): CborValue => [displayWh, registerWh];
	return [
		optional(
			register === undefined
				? undefined
				: [
						register.atMs,
						compared(register.importWh),
						optional(register.exportWh === undefined ? undefined : compared(register.exportWh)),
					],
		),
		optional(minutesMs),
	];
}

function admissionFields({ member, replaces, beside }: Admission): CborValue {
	return [optional(member), optional(replaces), beside ? 1 : 0];
}

function meterSourceFields(meterSource: MeterSourceConfig): CborValue {
	const { source } = meterSource;
	if (source === "simulated") return [source, meterSource.seed, meterSource.profile];
	return source === "serial" && meterSource.line !== undefined ? [source, meterSource.line] : [source];
}

export function decodeConfig(record: Uint8Array): Result<ChainConfig, RecordError> {
	return decodeRecord(record, configShape);
}
