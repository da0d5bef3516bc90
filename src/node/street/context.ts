/**
 * What the parts of a running street share: who this device is, the executed chain, the transactions that wait, and the
 * one way to the database. Each part keeps its own state to itself; what lies here is read by several.
 */

import type { Certificate } from "../../block/certificate.js";
import type { IceServer } from "../../block/iceServer.js";
import type { Transaction, Unsigned } from "../../block/transaction.js";
import { transactionId } from "../../block/transaction.js";
import {
	type CertificateError,
	checkCertificate,
	checkSignatures as checkCertificateSignatures,
} from "../../consensus/certificate.js";
import { type Device, isInUse, type KeySalt, type Ledger } from "../../contract/ledger.js";
import type { Refusal } from "../../contract/refusal.js";
import { checkSignatures, requiredSignatures } from "../../contract/signers.js";
import { tariffAt } from "../../contract/tariff.js";
import { assert } from "../../primitives/assert.js";
import { equalBytes, toHex } from "../../primitives/bytes.js";
import type { Result } from "../../primitives/result.js";
import { minuteOf } from "../../primitives/units.js";
import type { Chain } from "../chain.js";
import { isFullMesh } from "../channelPlan.js";
import type { NodeDependencies } from "../dependencies.js";
import type { HoursAsked } from "../history.js";
import { HouseholdKey } from "../householdKey.js";
import { idOf, idsOf, Mempool } from "../mempool.js";
import { type NetworkKey, newestKey } from "../networkKeys.js";
import { Outbox } from "../outbox.js";
import type { Peer, Peers } from "../peers.js";
import { type ChainConfig, encodeConfig } from "../records.js";
import { retentionDaysOf } from "../retention.js";
import type { ChainChange, ChainStorage } from "../storage.js";
import type { Fault } from "../view.js";
import { Entitlement } from "./entitlement.js";

/** A channel whose device has proven its key. */
export type ProvenPeer = Peer & { device: string };

/** What the street tells its node. */
export interface StreetEvents {
	/** The committed head moved. */
	onHead(): void;
	/** This household became a member. */
	onMember(): void;
	/** Something from outside was refused; counted by code. */
	onRefused(code: string): void;
	onFault(fault: Fault): void;
	/** More of what is shown as under way is done. */
	onProgress(): void;
}

/** What a street is opened with. */
export interface StreetParts {
	readonly dependencies: NodeDependencies;
	readonly storage: ChainStorage;
	readonly gridId: Uint8Array;
	readonly peers: Peers;
	readonly events: StreetEvents;
}

const NO_SALTS: readonly KeySalt[] = [];

/** Devices by their key in hex: asked for with every message. Ledgers share the list while it stays the same. */
const devicesByName = new WeakMap<readonly Device[], ReadonlyMap<string, Device>>();

function namedDevices(devices: readonly Device[]): ReadonlyMap<string, Device> {
	let named = devicesByName.get(devices);
	if (named === undefined) {
		named = new Map(devices.map((device) => [toHex(device.publicKey), device]));
		devicesByName.set(devices, named);
	}
	return named;
}

export class StreetContext {
	readonly dependencies: NodeDependencies;
	readonly storage: ChainStorage;
	readonly peers: Peers;
	readonly events: StreetEvents;
	readonly gridId: Uint8Array;
	readonly deviceKey: Uint8Array;
	readonly #deviceName: string;
	/** This household's key, which a password opens. */
	readonly household: HouseholdKey;
	readonly chain: Chain;
	readonly outbox = new Outbox();
	readonly mempool = new Mempool();
	/** What the others may have of the chain. */
	readonly entitlement = new Entitlement(this);
	#config: ChainConfig;
	#halted = false;

	constructor(parts: StreetParts, config: ChainConfig, chain: Chain) {
		const { signer } = parts.dependencies;
		this.dependencies = parts.dependencies;
		this.storage = parts.storage;
		this.peers = parts.peers;
		this.events = parts.events;
		this.gridId = parts.gridId;
		this.deviceKey = signer.publicKeyOf(config.keys.deviceSecret);
		this.#deviceName = toHex(this.deviceKey);
		this.household = new HouseholdKey(config.keys.household, signer);
		this.chain = chain;
		this.#config = config;
	}

	// ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────

	/** This device's index, once the chain knows it. */
	get device(): number | undefined {
		return this.deviceIndexOf(this.#deviceName);
	}

	get householdKey(): Uint8Array {
		return this.household.publicKey;
	}

	/** This household's member index, once the chain knows it. */
	get member(): number | undefined {
		const { households } = this.chain.head.ledger;
		return households.find((household) => equalBytes(household.publicKey, this.householdKey))?.index;
	}

	/** Whether this household runs the neighbourhood. */
	get isOperator(): boolean {
		const { member } = this;
		return member !== undefined && this.chain.head.ledger.households[member]?.operator === true;
	}

	/** For how many days this device keeps full blocks; 0: for ever. */
	get retentionDays(): number {
		return retentionDaysOf(this.config.retentionDays, this.isOperator);
	}

	/** By which clock and prices this device sums up days by the hour. */
	get hoursAsked(): HoursAsked {
		const { ledger } = this.chain.head;
		return {
			localTime: this.dependencies.localTime,
			ownMember: this.member,
			ownRetail: this.config.ownRetail,
			otherwise: tariffAt(ledger, minuteOf(ledger.timestampMs)),
		};
	}

	/** The index of a device in use, by its key in hex; undefined for a guest, and for a device that was revoked. */
	deviceIndexOf(device: string): number | undefined {
		const known = this.knownDevice(device);
		return isInUse(known) ? known.index : undefined;
	}

	/** A device by its key in hex, in use or not; undefined for a guest. */
	knownDevice(device: string): Device | undefined {
		return namedDevices(this.chain.head.ledger.devices).get(device);
	}

	/** Whether this household took this device out of use. */
	get isRevoked(): boolean {
		return this.knownDevice(this.#deviceName)?.revokedIndex !== undefined;
	}

	/** Whether this device's household has another key than the one that is known here. */
	get isRebound(): boolean {
		return this.member === undefined && this.isRevoked;
	}

	/** Why this device is out of use: its household moved out, has another key, or has taken it out of use. */
	get whyRevoked(): "moved-out" | "household-rebound" | "device-revoked" {
		if (this.isRebound) return "household-rebound";
		const { member } = this;
		const removal = member === undefined ? undefined : this.chain.head.ledger.households[member]?.removal;
		return removal?.completed === true ? "moved-out" : "device-revoked";
	}

	/** Whether this device of a member is still to be admitted. */
	get awaitsAdmission(): boolean {
		return this.#config.admission !== undefined && this.knownDevice(this.#deviceName) === undefined;
	}

	/** Whether everybody is connected with everybody, as far as they can. */
	get isFullMesh(): boolean {
		return isFullMesh(this.chain.head.ledger, this.dependencies.settings.fullMeshDevices);
	}

	/** Whether the chain counts this device's readings. */
	get isMetering(): boolean {
		const { device, member } = this;
		return member !== undefined && this.chain.head.ledger.households[member]?.meteringDevice === device;
	}

	/** The key, in hex, of a device that the log knows: one that is to vote may have joined in a block that is not yet certified. */
	deviceNameOf(index: number): string {
		const device = this.chain.last.ledger.devices[index];
		assert(device !== undefined, `device ${index} exists`);
		return toHex(device.publicKey);
	}

	// ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────

	/** Through which neighbours that cannot be seen are reached: the chain's, or, while it says nothing, those of the way in. */
	get iceServers(): readonly IceServer[] {
		return this.chain.head.ledger.iceServers ?? this.#config.iceServers;
	}

	/** What was mixed into the network key, as far as it is known here: the same list while it stays the same. */
	get keySalts(): readonly KeySalt[] {
		return this.chain.head.ledger.keyRotations?.salts ?? NO_SALTS;
	}

	/** The network key that whoever comes in now is given. */
	get newestKey(): NetworkKey {
		return newestKey(this.#config, this.keySalts);
	}

	/** This device's settings and keys. */
	get config(): ChainConfig {
		return this.#config;
	}

	/** Set when the database failed: nothing is promised to anybody any more until the next start. */
	get halted(): boolean {
		return this.#halted;
	}

	/** Another device takes this one's place: nothing is written, sent or promised any more. */
	close(): void {
		this.#halted = true;
		this.storage.close();
	}

	/** One strict write. A database that fails ends this run: nothing may be promised that is not kept. */
	async write(change: ChainChange): Promise<boolean> {
		if (this.#halted) return false;
		const written = await this.storage.write(change);
		if (written.ok) return true;
		this.#halted = true;
		const reason = "reason" in written.error ? written.error.reason : "";
		this.events.onFault({ code: written.error.code, reason });
		return false;
	}

	/** Changes this device's settings, strictly. */
	async saveConfig(change: Partial<ChainConfig>): Promise<boolean> {
		this.#config = { ...this.#config, ...change };
		return this.write({ config: encodeConfig(this.#config) });
	}

	// ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────

	idOf(transaction: Transaction): string {
		return idOf(transaction, this.gridId);
	}

	/** By place in their list. */
	idsOf(transactions: readonly Transaction[]): readonly string[] {
		return idsOf(transactions, this.gridId);
	}

	sign(unsigned: Unsigned<Transaction>, secretKey: Uint8Array): Uint8Array {
		return this.dependencies.signer.sign(transactionId(unsigned, this.gridId), secretKey);
	}

	/** With this device's own key, which no password guards. */
	signAsDevice(unsigned: Unsigned<Transaction>): Uint8Array {
		return this.sign(unsigned, this.#config.keys.deviceSecret);
	}

	/** With the household's key, which must be open. */
	signAsHousehold(unsigned: Unsigned<Transaction>): Uint8Array {
		return this.household.sign(transactionId(unsigned, this.gridId));
	}

	/**
	 * Whether a block's transaction, of this id, is signed as it must be. What lies in the mempool was checked when it came, by
	 * the keys of the committed head: where a block below changed devices, and with them perhaps a household's key, it is
	 * checked again.
	 */
	checkSignatures(ledger: Ledger, transaction: Transaction, id: string | undefined): Refusal | undefined {
		const isChecked = ledger.devices === this.chain.head.ledger.devices;
		if (isChecked && id !== undefined && this.mempool.has(id, transaction)) return undefined;
		return checkSignatures(ledger, transaction, this.dependencies.verifier);
	}

	/** Whether a transaction could be signed as it must be. Its signatures themselves are not looked at. */
	checkSigners(ledger: Ledger, transaction: Transaction): Refusal | undefined {
		const required = requiredSignatures(ledger, transaction);
		return "code" in required ? required : undefined;
	}

	/**
	 * Whether a majority of the voters stands behind a run of blocks: of those before it, and of those after each change
	 * in it. `run`: the ledgers of its blocks, executed on the committed head.
	 */
	checkCertificate(certificate: Certificate, run: readonly Ledger[]): Result<Certificate, CertificateError> {
		const { head } = this.chain;
		const changed = run.filter(({ index, votersSinceIndex }) => votersSinceIndex === index);
		const sets = [head.ledger, ...changed].map(({ voters }) => voters);
		const { devices } = run.at(-1) ?? head.ledger;
		const keyOf = (voter: number) => devices[voter]?.publicKey;
		return checkCertificate(certificate, sets, keyOf, this.gridId, this.dependencies.verifier);
	}

	/** Whether the signatures of a certificate are good, whoever had to sign it. */
	checkCertificateSignatures(certificate: Certificate): Result<true, CertificateError> {
		const { devices } = this.chain.last.ledger;
		const keyOf = (voter: number) => devices[voter]?.publicKey;
		return checkCertificateSignatures(certificate, keyOf, this.gridId, this.dependencies.verifier);
	}

	/** The timestamp by which a transaction is judged now: the clock's, but above the committed head's. */
	judgingMs(): number {
		return Math.max(this.dependencies.clocks.chainMs(), this.chain.head.ledger.timestampMs + 1);
	}
}
