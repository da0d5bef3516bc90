/**
 * A neighbourhood for tests of the ledger: founded with signed joins, then fed with blocks of signed transactions. Every
 * block takes the way that a follower's takes: signatures, parent, rules.
 */
import { BLOCK_VERSION, type Block, blockHash, transactionsRoot, validateAgainst } from "../../src/block/block.js";
import { claimDigest } from "../../src/block/claim.js";
import { type Invitation, invitationDigest } from "../../src/block/invitation.js";
import type { FoundingParameters, FoundTransaction } from "../../src/block/kinds/founding.js";
import type { DeviceTransaction, JoinTransaction, RebindTransaction } from "../../src/block/kinds/members.js";
import type { ReadingTransaction } from "../../src/block/kinds/metering.js";
import type { VotersTransaction } from "../../src/block/kinds/network.js";
import type { Quality } from "../../src/block/reading.js";
import type { ActTransaction, Transaction, Unsigned } from "../../src/block/transaction.js";
import { transactionId } from "../../src/block/transaction.js";
import { type Executed, executeBlock } from "../../src/contract/execute.js";
import { createGenesis, openGenesis } from "../../src/contract/genesis.js";
import { type Contract, contractOf, type Household, householdOf, type Ledger } from "../../src/contract/ledger.js";
import { noticeBlocks } from "../../src/contract/notices.js";
import type { Refusal, Wait } from "../../src/contract/refusal.js";
import { checkSignatures } from "../../src/contract/signers.js";
import { assert } from "../../src/primitives/assert.js";
import { taggedHash, ZERO_HASH } from "../../src/primitives/hash.js";
import { publicKeyOf, sign, rememberingVerifier as verifier } from "./rememberedSignatures.js";

/** Minute 29,000,000 of the epoch: 19 February 2025, 21:20 UTC, a Wednesday. The neighbourhood is founded at its beginning. */
export const FIRST_MINUTE = 29_000_000;
export const FOUNDED_MS = FIRST_MINUTE * 60_000;
/** The signature of what is given to rules that do not look at signatures. */
export const NO_SIGNATURE = new Uint8Array(65);
const NO_KEY = new Uint8Array(33);
export const DEFAULT_PARAMETERS: FoundingParameters = {
	name: "Solbakken",
	moneyKind: "prepaid",
	retailMicroNokPerWh: 2_000,
	feedInMicroNokPerWh: 400,
	localFeeMicroNokPerWh: 0,
	blockIntervalMs: 60_000,
	settlementGraceBlocks: 3,
	readingWindowBlocks: 100,
	checkpointBlocks: 10,
	timeScale: 1,
	salt: new Uint8Array(16),
	terms: undefined,
};

/** The block of a minute is stamped when the minute has ended. */
export const blockMsOf = (minute: number) => (minute + 1) * 60_000;

const hashSecret = taggedHash("test secret");

/** A secret key that is always the same for its name. */
export function secretOf(name: string): Uint8Array {
	return hashSecret(new TextEncoder().encode(name));
}

const householdSecret = (member: number) => secretOf(`household ${member}`);
const deviceSecret = (member: number) => secretOf(`device ${member}`);

export function signedFound(
	parameters: Partial<FoundingParameters> = {},
	secret: Uint8Array = householdSecret(0),
): FoundTransaction {
	const unsigned = { kind: "found" as const, ...DEFAULT_PARAMETERS, ...parameters };
	return { ...unsigned, signature: sign(transactionId(unsigned, ZERO_HASH), secret) };
}

/** A founding join, or with an invitation and its one-time secret a later one. */
export function signedJoin(
	member: number,
	gridId: Uint8Array = ZERO_HASH,
	change: Partial<Pick<JoinTransaction, "name" | "alwaysOn">> = {},
	invited?: { invitation: Invitation; oneTimeSecret: Uint8Array },
): JoinTransaction {
	const unsigned: Unsigned<JoinTransaction> = {
		kind: "join",
		name: `Hus ${member}`,
		householdKey: publicKeyOf(householdSecret(member)),
		deviceKey: publicKeyOf(deviceSecret(member)),
		alwaysOn: true,
		...change,
		invitation: invited?.invitation,
	};
	const digest = transactionId(unsigned, gridId);
	return {
		...unsigned,
		signatures: {
			household: sign(digest, householdSecret(member)),
			device: sign(digest, deviceSecret(member)),
			oneTime: invited === undefined ? undefined : sign(digest, invited.oneTimeSecret),
		},
	};
}

export function signedInvitation(
	gridId: Uint8Array,
	change: Partial<Pick<Invitation, "id" | "operator" | "expiryMinute">> = {},
	signer = 0,
): { invitation: Invitation; oneTimeSecret: Uint8Array } {
	const oneTimeSecret = secretOf("one time");
	const unsigned = {
		id: new Uint8Array(16).fill(7),
		operator: 0,
		expiryMinute: FIRST_MINUTE + 60,
		oneTimeKey: publicKeyOf(oneTimeSecret),
		observer: false,
		...change,
	};
	const signature = sign(invitationDigest(unsigned, gridId), householdSecret(signer));
	return { invitation: { ...unsigned, signature }, oneTimeSecret };
}

export function genesisOf(parameters: Partial<FoundingParameters>, joins: readonly JoinTransaction[]): Block {
	const genesis = createGenesis(signedFound(parameters), joins, FOUNDED_MS);
	assert(genesis.ok, "the test's genesis is in order");
	return genesis.value;
}

/** What an act says beside its member and nonce. */
type Fields<K extends ActTransaction["kind"]> = Omit<
	Extract<ActTransaction, { kind: K }>,
	"kind" | "member" | "nonce" | "signature" | "deviceSignature"
>;

const ACT_DEFAULTS: { [K in ActTransaction["kind"]]: Fields<K> } = {
	offer: {
		priceMicroNokPerWh: 1_000,
		fromMinute: FIRST_MINUTE,
		untilMinute: FIRST_MINUTE + 100_000,
		energyLimitWh: 0,
		noticeMinutes: 0,
		buyer: undefined,
		maxBuyers: 0,
		schedule: undefined,
	},
	withdraw: { offerId: ZERO_HASH },
	accept: { offerId: ZERO_HASH, expiryMinute: FIRST_MINUTE + 1_000_000 },
	end: { contractId: ZERO_HASH },
	buy: { amountMicroNok: 1_000_000, expiryMinute: FIRST_MINUTE + 1_000_000 },
	issue: {
		orderId: ZERO_HASH,
		amountMicroNok: 1_000_000,
		reference: "KID 1",
		expiryMinute: FIRST_MINUTE + 1_000_000,
	},
	voters: { added: [], removed: [], device: undefined },
	device: { deviceKey: new Uint8Array(33), alwaysOn: false, metering: false, replaces: undefined },
	revoke: { device: 0 },
	iceServers: { servers: [] },
	rename: { household: 0, name: "Lie" },
	role: { household: 0, operator: true },
	suspend: { household: 1, suspended: true },
	remove: { household: 1 },
	appoint: { household: 1 },
	rebind: { household: 1, householdKey: NO_KEY, keySignature: NO_SIGNATURE },
	contest: { household: 1 },
	redeem: { amountMicroNok: 1_000_000, expiryMinute: FIRST_MINUTE + 1_000_000 },
	cancel: { orderId: ZERO_HASH },
	leave: {},
	limits: { buyBelowMicroNokPerWh: 0, sellAboveMicroNokPerWh: 0, paysMoreForLocal: false },
	market: { choice: "midMarket", fromMinute: FIRST_MINUTE + 10 },
	tariff: { steps: [] },
	bank: {
		expiryMinute: FIRST_MINUTE + 1_000_000,
		minute: FIRST_MINUTE,
		balanceMicroNok: 0,
		feesMicroNok: 0,
		interestMicroNok: 0,
		unmatchedMicroNok: 0,
		clearedMicroNok: 0,
	},
	bankConfirm: { statementId: ZERO_HASH },
	correct: {
		expiryMinute: FIRST_MINUTE + 1_000_000,
		counterparty: 1,
		fromMinute: FIRST_MINUTE,
		untilMinute: FIRST_MINUTE + 2,
		reason: "wrongRegister",
		energyWh: 10,
		amountMicroNok: 1_000,
		isPayer: true,
		note: undefined,
	},
	answer: { expiryMinute: FIRST_MINUTE + 1_000_000, correctionId: ZERO_HASH, isAgreed: true, note: undefined },
	money: {
		proposed: { moneyKind: "prepaid", reason: "We share one meter." },
		expiryMinute: FIRST_MINUTE + 1_000_000,
	},
	credit: { household: 1, creditMicroNok: 1_000_000, expiryMinute: FIRST_MINUTE + 1_000_000 },
	moneyConfirm: { proposalId: ZERO_HASH, expiryMinute: FIRST_MINUTE + 1_000_000 },
	payout: {
		lockId: ZERO_HASH,
		amountMicroNok: 1_000_000,
		reference: "KID 2",
		expiryMinute: FIRST_MINUTE + 1_000_000,
	},
};

export class TestNeighbourhood {
	ledger: Ledger;
	readonly blocks: Block[];
	readonly results: Executed["results"][] = [];
	/** Acts that each member signed since the last block. */
	readonly #signed = new Map<number, number>();

	/** `voters`: so many of the households have a device that is always on. */
	constructor(households: number, parameters: Partial<FoundingParameters> = {}, voters = households) {
		const joins = Array.from({ length: households }, (_, member) =>
			signedJoin(member, ZERO_HASH, { alwaysOn: member < voters }),
		);
		const genesis = genesisOf(parameters, joins);
		const opened = openGenesis(genesis, verifier);
		assert(opened.ok, "the test's genesis opens");
		this.ledger = opened.value;
		this.blocks = [genesis];
	}

	get head(): Block {
		const head = this.blocks.at(-1);
		assert(head !== undefined, "there is a genesis");
		return head;
	}

	household(member: number): Household {
		return householdOf(this.ledger, member);
	}

	balances(): number[] {
		return this.ledger.households.map(({ balanceMicroNok }) => balanceMicroNok);
	}

	contract(index: number): Contract {
		return contractOf(this.ledger, index);
	}

	id(transaction: Unsigned<Transaction>): Uint8Array {
		return transactionId(transaction, this.ledger.gridId);
	}

	reading(
		member: number,
		minute: number,
		importWh: number,
		exportWh: number,
		quality: Quality = "measured",
	): ReadingTransaction {
		const unsigned = { kind: "reading" as const, member, minute, importWh, exportWh, quality };
		return { ...unsigned, signature: sign(this.id(unsigned), deviceSecret(member)) };
	}

	/** A signed act with the household's next nonce, or the one given. */
	act<K extends ActTransaction["kind"]>(
		kind: K,
		member: number,
		fields: Partial<Fields<K>> = {},
		nonce?: number,
	): Extract<ActTransaction, { kind: K }> {
		const before = this.#signed.get(member) ?? 0;
		if (nonce === undefined) this.#signed.set(member, before + 1);
		const unsigned = {
			kind,
			member,
			nonce: nonce ?? (this.ledger.households[member]?.nonce ?? 0) + before + 1,
			...ACT_DEFAULTS[kind],
			...fields,
		} as unknown as Unsigned<ActTransaction>;
		const signature = sign(this.id(unsigned), householdSecret(member));
		return { ...unsigned, signature } as unknown as Extract<ActTransaction, { kind: K }>;
	}

	/** A device named so, admitted by its household and signed by itself. */
	admission(
		member: number,
		name: string,
		change: Partial<Pick<DeviceTransaction, "alwaysOn" | "metering" | "replaces">> = {},
	): DeviceTransaction {
		const act = this.act("device", member, { deviceKey: publicKeyOf(secretOf(name)), ...change });
		return { ...act, deviceSignature: sign(this.id(act), secretOf(name)) };
	}

	/** A change of voters that a device signs by itself, for the set that there is. */
	keptVoters(
		added: readonly number[],
		removed: readonly number[] = [],
		change: Partial<Pick<VotersTransaction, "member" | "nonce" | "device">> = {},
	): VotersTransaction {
		const member = change.member ?? 0;
		const unsigned = {
			kind: "voters" as const,
			member,
			nonce: this.ledger.votersSinceIndex + 1,
			added: added.map((device) => ({ device, publicKey: this.ledger.devices[device]?.publicKey ?? NO_KEY })),
			removed,
			device: member,
			...change,
		};
		return { ...unsigned, signature: sign(this.id(unsigned), deviceSecret(member)) };
	}

	/** Notice of another key for a household, by an operator: the key of this name. */
	rebinding(household: number, name: string, member = 0): RebindTransaction {
		const householdKey = publicKeyOf(secretOf(name));
		const keySignature = sign(claimDigest(householdKey, this.ledger.gridId), secretOf(name));
		return this.act("rebind", member, { household, householdKey, keySignature });
	}

	/** A change of voters: devices by index. */
	voters(added: readonly number[], removed: readonly number[] = []): VotersTransaction {
		const keyed = added.map((device) => ({ device, publicKey: this.ledger.devices[device]?.publicKey ?? NO_KEY }));
		return this.act("voters", 0, { added: keyed, removed });
	}

	/** Appends a block; it must be in order. */
	block(timestampMs: number, transactions: readonly Transaction[] = []): Executed {
		const head = this.head;
		const parentHash = blockHash(head);
		for (const transaction of transactions) {
			const cause = checkSignatures(this.ledger, transaction, verifier);
			assert(cause === undefined, `the ${transaction.kind} is signed: ${cause?.code}`);
		}
		const frame = { index: head.index + 1, previousHash: parentHash, timestampMs };
		const executed = executeBlock(this.ledger, frame, transactions);
		if (!executed.ok) throw new Error(`refused: ${JSON.stringify(executed.error)}`);
		const block: Block = {
			version: BLOCK_VERSION,
			...frame,
			term: 1,
			proposer: 0,
			transactionsRoot: transactionsRoot(transactions, timestampMs),
			stateRoot: executed.value.stateRoot,
			transactions,
		};
		const valid = validateAgainst(head, parentHash, block);
		assert(valid.ok, "the test's block follows its parent");
		this.ledger = executed.value.ledger;
		this.blocks.push(block);
		this.results.push(executed.value.results);
		this.#signed.clear();
		return executed.value;
	}

	/** Appends the block of a minute. */
	minute(minute: number, transactions: readonly Transaction[] = []): Executed {
		return this.block(blockMsOf(minute), transactions);
	}

	/** As if so many more blocks had counted. */
	pass(blocks: number): void {
		this.ledger = { ...this.ledger, countedTotal: this.ledger.countedTotal + blocks };
	}

	/** As if nobody had objected to any notice that stands: in the next block they are over. */
	passNotice(): void {
		this.pass(noticeBlocks(this.ledger.parameters) + 1);
	}

	/** Why the last of these is refused in a block of this time; all before it must be in order. Changes nothing. */
	refusal(timestampMs: number, transactions: readonly Transaction[]): Refusal | Wait | undefined {
		this.#signed.clear();
		const frame = { index: this.head.index + 1, previousHash: blockHash(this.head), timestampMs };
		const executed = executeBlock(this.ledger, frame, transactions);
		if (executed.ok) return undefined;
		assert(
			executed.error.at === transactions.length - 1,
			`only the last is refused: ${JSON.stringify(executed.error)}`,
		);
		return executed.error.cause;
	}

	/** Tokens through `buy` and `issue`, in a block of their own just after the head. */
	giveTokens(member: number, amountMicroNok: number): void {
		const buy = this.act("buy", member, { amountMicroNok });
		const issue = this.act("issue", 0, { orderId: this.id(buy), amountMicroNok });
		this.block(this.head.timestampMs + 1, [buy, issue]);
	}

	/** An offer and its acceptance, in a block of their own just after the head. Gives the contract's index. */
	contractBetween(seller: number, buyer: number, terms: Partial<Fields<"offer">> = {}): number {
		const offer = this.act("offer", seller, { buyer, ...terms });
		const accept = this.act("accept", buyer, { offerId: this.id(offer) });
		this.block(this.head.timestampMs + 1, [offer, accept]);
		return this.ledger.contracts.length - 1;
	}
}
