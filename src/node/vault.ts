/**
 * A household's key as it is kept: sealed under a random key, which is itself sealed under what Argon2id makes of the
 * household's password (RFC 9106). A new password seals that random key anew; what lies under it stays as it is.
 */
import * as v from "valibot";
import { bytes, natural, publicKey as publicKeyShape } from "../block/fieldShapes.js";
import { assert } from "../primitives/assert.js";
import type { CborValue } from "../primitives/codec.js";
import { encode } from "../primitives/codec.js";
import { taggedHash } from "../primitives/hash.js";
import { LONG_SEED_BYTES, SEED_BYTES } from "../primitives/recoveryWords.js";
import { SEAL_KEY_BYTES, SEAL_NONCE_BYTES, SEAL_TAG_BYTES, seal, unseal } from "../primitives/sealing.js";
import { isSecretKey } from "../primitives/signature.js";

/** What Argon2id is run with. */
export interface StretchParameters {
	readonly memoryKib: number;
	readonly passes: number;
	readonly lanes: number;
}

/** RFC 9106 §4, second recommended option, with one lane: a browser has one thread for it. */
export const STRETCH_PARAMETERS: StretchParameters = { memoryKib: 64 * 1024, passes: 3, lanes: 1 };
/** A record that asks for less, or for more than a telephone has, is none of ours. */
const MIN_MEMORY_KIB = 19 * 1024;
const MIN_PASSES = 2;
const MAX_MEMORY_KIB = 256 * 1024;

export const SALT_BYTES = 16;

/** A password, stretched: what the random key is sealed under. */
export interface StretchedPassword {
	readonly salt: Uint8Array;
	readonly parameters: StretchParameters;
	/** 32 bytes. */
	readonly key: Uint8Array;
}

interface Sealed {
	readonly nonce: Uint8Array;
	readonly sealed: Uint8Array;
}

export interface Vault {
	readonly salt: Uint8Array;
	readonly parameters: StretchParameters;
	/** The random key, under the stretched password. */
	readonly wrappedKey: Sealed;
	/** The seed, under the random key. */
	readonly content: Sealed;
}

/** What a household's key is kept as. */
export type HouseholdRecord =
	/** No password seals it: a demo's, or one that is older than passwords. */
	| { readonly seed: Uint8Array; readonly vault?: undefined }
	/** `seed`: kept beside the vault until the household's way in is on the chain, for it has to be signed. */
	| { readonly publicKey: Uint8Array; readonly vault: Vault; readonly seed?: Uint8Array };

const VERSION = 1;
const hashSecret = taggedHash("household key");

/** The secret key that a seed stands for. A long seed is the key itself: it is older than the words. */
export function householdSecretOf(seed: Uint8Array): Uint8Array {
	const secret = seed.length === LONG_SEED_BYTES ? seed : hashSecret(seed);
	assert(isSecretKey(secret), "one seed in 2^128 stands for no key");
	return secret;
}

/** Without the seed, where there is a vault. */
export function sealedAlone(household: HouseholdRecord): HouseholdRecord {
	return household.vault === undefined ? household : { publicKey: household.publicKey, vault: household.vault };
}

type RandomBytes = (length: number) => Uint8Array;

/** Seals a seed under a password. `publicKey`: of the household, to which the vault is bound. */
export function createVault(
	seed: Uint8Array,
	publicKey: Uint8Array,
	password: StretchedPassword,
	randomBytes: RandomBytes,
): Vault {
	const key = randomBytes(SEAL_KEY_BYTES);
	const content = sealWith(key, boundTo("seed", publicKey), seed, randomBytes);
	return { ...wrap(key, publicKey, password, randomBytes), content };
}

/** The seed; undefined: the password is another one, or the record was changed. */
export function openVault(vault: Vault, publicKey: Uint8Array, passwordKey: Uint8Array): Uint8Array | undefined {
	const key = unwrap(vault, publicKey, passwordKey);
	if (key === undefined) return undefined;
	return unseal(key, vault.content.nonce, boundTo("seed", publicKey), vault.content.sealed);
}

/** The same vault under another password; undefined: the password so far is another one. */
export function changePassword(
	vault: Vault,
	publicKey: Uint8Array,
	passwordKey: Uint8Array,
	next: StretchedPassword,
	randomBytes: RandomBytes,
): Vault | undefined {
	const key = unwrap(vault, publicKey, passwordKey);
	return key === undefined ? undefined : { ...wrap(key, publicKey, next, randomBytes), content: vault.content };
}

function wrap(
	key: Uint8Array,
	publicKey: Uint8Array,
	{ salt, parameters, key: passwordKey }: StretchedPassword,
	randomBytes: RandomBytes,
): Omit<Vault, "content"> {
	const associated = boundTo("key", publicKey, salt, parametersFields(parameters));
	return { salt, parameters, wrappedKey: sealWith(passwordKey, associated, key, randomBytes) };
}

function unwrap(
	{ salt, parameters, wrappedKey }: Vault,
	publicKey: Uint8Array,
	passwordKey: Uint8Array,
): Uint8Array | undefined {
	const associated = boundTo("key", publicKey, salt, parametersFields(parameters));
	return unseal(passwordKey, wrappedKey.nonce, associated, wrappedKey.sealed);
}

function sealWith(key: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, randomBytes: RandomBytes): Sealed {
	const nonce = randomBytes(SEAL_NONCE_BYTES);
	return { nonce, sealed: seal(key, nonce, associated, plaintext) };
}

function boundTo(what: "seed" | "key", ...fields: CborValue[]): Uint8Array {
	return encode([VERSION, what, ...fields]);
}

// ── as a record ──────────────────────────────────────────────────────────────────────────────────────────────────

function parametersFields({ memoryKib, passes, lanes }: StretchParameters): CborValue {
	return [memoryKib, passes, lanes];
}

function vaultFields({ salt, parameters, wrappedKey, content }: Vault): CborValue {
	const fields = ({ nonce, sealed }: Sealed) => [nonce, sealed];
	return [VERSION, salt, parametersFields(parameters), fields(wrappedKey), fields(content)];
}

/** The seed alone; or public key and vault, and the seed where it is kept beside them. */
export function householdFields(household: HouseholdRecord): CborValue {
	if (household.vault === undefined) return household.seed;
	const sealed: CborValue[] = [household.publicKey, vaultFields(household.vault)];
	return household.seed === undefined ? sealed : [...sealed, household.seed];
}

/** A long seed is a secret key. */
const seedShape = v.union([
	bytes(SEED_BYTES),
	v.pipe(
		bytes(LONG_SEED_BYTES),
		v.check((seed) => isSecretKey(seed)),
	),
]);

function sealedShape(...lengths: number[]) {
	const plaintexts = lengths.map((length) => bytes(length + SEAL_TAG_BYTES));
	return v.pipe(
		v.strictTuple([bytes(SEAL_NONCE_BYTES), v.union(plaintexts)]),
		v.transform(([nonce, sealed]): Sealed => ({ nonce, sealed })),
	);
}

const within = (min: number, max: number) => v.pipe(natural, v.minValue(min), v.maxValue(max));

const vaultShape = v.pipe(
	v.strictTuple([
		v.literal(VERSION),
		bytes(SALT_BYTES),
		v.pipe(
			v.strictTuple([within(MIN_MEMORY_KIB, MAX_MEMORY_KIB), within(MIN_PASSES, 10), within(1, 4)]),
			v.transform(([memoryKib, passes, lanes]): StretchParameters => ({ memoryKib, passes, lanes })),
		),
		sealedShape(SEAL_KEY_BYTES),
		sealedShape(SEED_BYTES, LONG_SEED_BYTES),
	]),
	v.transform(([, salt, parameters, wrappedKey, content]): Vault => ({ salt, parameters, wrappedKey, content })),
);

export const householdShape = v.union([
	v.pipe(
		seedShape,
		v.transform((seed): HouseholdRecord => ({ seed })),
	),
	v.pipe(
		v.strictTuple([publicKeyShape, vaultShape]),
		v.transform(([publicKey, vault]): HouseholdRecord => ({ publicKey, vault })),
	),
	v.pipe(
		v.strictTuple([publicKeyShape, vaultShape, seedShape]),
		v.transform(([publicKey, vault, seed]): HouseholdRecord => ({ publicKey, vault, seed })),
	),
]);
