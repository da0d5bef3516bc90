/**
 * Leaves of a state root alone, with what leads from them to the root: who a household and a device are, what a contract
 * says, who votes, and by the range of the past any older block. Nothing else of the state is told.
 */
import * as v from "valibot";
import { blob, natural } from "../block/fieldShapes.js";
import { type MountainRange, merkleLeaf, narrowProof, provenRoot, rememberingMerkleProof } from "../block/merkle.js";
import { assert } from "../primitives/assert.js";
import { joinBytes } from "../primitives/bytes.js";
import { type CborValue, encode } from "../primitives/codec.js";
import { HASH_BYTES } from "../primitives/hash.js";
import { GLOBALS_LEAF, type Globals, HISTORY_LEAF } from "./globalLeaves.js";
import type { Contract, Device, Household, Ledger } from "./ledger.js";
import { CONTRACT_LEAF } from "./marketLeaves.js";
import { DEVICE_LEAF, HOUSEHOLD_LEAF } from "./memberLeaves.js";
import type { SettlementResults } from "./settlement.js";
import { stateLeafHashes, visitLeaves } from "./stateRoot.js";

/** Kinds of leaves that are proven alone. In a proof a kind is its place here: append only. */
const KINDS = ["history", "globals", "device", "household", "contract"] as const;
type Kind = (typeof KINDS)[number];

export interface StateProof {
	/** Leaves of the state root. */
	readonly leaves: number;
	/** Hashes, one after the other. */
	readonly path: Uint8Array;
	/** By place ascending; at least one. The fields begin with the leaf's kind. */
	readonly proven: readonly (readonly [place: number, fields: readonly CborValue[]])[];
}

/** What the leaves of a proof say. */
export interface ProvenState {
	readonly history: MountainRange | undefined;
	readonly globals: Globals | undefined;
	readonly devices: readonly Device[];
	readonly households: readonly Household[];
	readonly contracts: readonly Contract[];
}

/**
 * Proves some parts of a ledger after a block: its `history`, devices, households and contracts, or for its globals the
 * ledger itself. `results`: of that block. At least one must be wanted.
 */
export function proveState(ledger: Ledger, results: SettlementResults, wanted: ReadonlySet<object>): StateProof {
	const proven: (readonly [number, readonly CborValue[]])[] = [];
	let place = 0;
	visitLeaves(ledger, (part, fieldsOf) => {
		place += 1;
		if (!wanted.has(part)) return;
		const fields = fieldsOf(part);
		assert(Array.isArray(fields) && isKind(fields[0]), "a leaf that is proven alone is of a kind that is");
		proven.push([place, fields]);
	});
	const hashes = stateLeafHashes(ledger, results);
	const path = rememberingMerkleProof(
		hashes,
		proven.map(([at]) => at),
	);
	return { leaves: hashes.length, path: joinBytes(path), proven };
}

/** The same proof of some of its leaves alone; undefined: of none. */
export function narrowState(proof: StateProof, isWanted: (state: ProvenState) => boolean): StateProof | undefined {
	const proven = proof.proven.filter((leaf) => {
		const state = openState([leaf]);
		return state !== undefined && isWanted(state);
	});
	if (proven.length === 0) return undefined;
	const places = proven.map(([place]) => place);
	const path = narrowProof(proof.leaves, leavesOf(proof), hashesOf(proof.path), places);
	return path === undefined ? undefined : { leaves: proof.leaves, path: joinBytes(path), proven };
}

/** The state root to which a proof leads; undefined: to none. */
export function provenStateRoot(proof: StateProof): Uint8Array | undefined {
	return provenRoot(proof.leaves, leavesOf(proof), hashesOf(proof.path));
}

function leavesOf({ proven }: Pick<StateProof, "proven">): (readonly [place: number, leaf: Uint8Array])[] {
	return proven.map(([place, fields]) => [place, merkleLeaf(encode(fields))] as const);
}

/** Hashes that stand one after the other. */
export function hashesOf(joined: Uint8Array): Uint8Array[] {
	const count = Math.ceil(joined.length / HASH_BYTES);
	return Array.from({ length: count }, (_, at) => joined.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

/** Reads leaves by their kinds; undefined: one of them is none that any ledger writes. */
export function openState(proven: StateProof["proven"]): ProvenState | undefined {
	const devices: Device[] = [];
	const households: Household[] = [];
	const contracts: Contract[] = [];
	let history: MountainRange | undefined;
	let globals: Globals | undefined;
	for (const [, fields] of proven) {
		const read = { ...readLeaf(fields) };
		if (read.history !== undefined) history = read.history;
		else if (read.globals !== undefined) globals = read.globals;
		else if (read.device !== undefined) devices.push(read.device);
		else if (read.household !== undefined) households.push(read.household);
		else if (read.contract !== undefined) contracts.push(read.contract);
		else return undefined;
	}
	return { history, globals, devices, households, contracts };
}

interface ReadLeaf {
	history?: MountainRange | undefined;
	globals?: Globals | undefined;
	device?: Device | undefined;
	household?: Household | undefined;
	contract?: Contract | undefined;
}

function readLeaf(fields: readonly CborValue[]): ReadLeaf | undefined {
	const [kind] = fields;
	if (!isKind(kind)) return undefined;
	switch (kind) {
		case "history":
			return { history: shaped(HISTORY_LEAF.shape, fields) };
		case "globals":
			return { globals: shaped(GLOBALS_LEAF.shape, fields) };
		case "device":
			return { device: shaped(DEVICE_LEAF.shape, fields) };
		case "household":
			return { household: shaped(HOUSEHOLD_LEAF.shape, fields) };
		case "contract":
			return { contract: shaped(CONTRACT_LEAF.shape, fields) };
	}
}

function shaped<T>(shape: v.GenericSchema<unknown, T>, fields: readonly CborValue[]): T | undefined {
	const read = v.safeParse(shape, fields, { abortEarly: true });
	return read.success ? read.output : undefined;
}

function isKind(value: unknown): value is Kind {
	return KINDS.some((kind) => kind === value);
}

/** The proof as it is stored, each leaf's kind as a number. */
export function stateProofFields({ leaves, path, proven }: StateProof): CborValue[] {
	return [
		leaves,
		path,
		proven.map(
			([place, [kind, ...rest]]): CborValue => [place, KINDS.indexOf(isKind(kind) ? kind : "history"), ...rest],
		),
	];
}

export const stateProofShape = v.pipe(
	v.strictTuple([
		natural,
		v.pipe(
			blob,
			v.check((joined) => joined.length % HASH_BYTES === 0),
		),
		v.pipe(v.array(v.tupleWithRest([natural, v.picklist(KINDS.map((_, at) => at))], v.unknown())), v.minLength(1)),
	]),
	v.transform(
		([leaves, path, proven]): StateProof => ({
			leaves,
			path,
			// Whatever else stands there was decoded: the leaf's own shape says whether it is one.
			proven: proven.map(([place, kind, ...rest]) => [place, [KINDS[kind] ?? "history", ...(rest as CborValue[])]]),
		}),
	),
);
