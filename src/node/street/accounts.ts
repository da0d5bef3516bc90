/**
 * Bank accounts of households, which are on no chain. An operator's, to which members pay, is for all members: each keeps
 * it and tells those that it meets, so that it is known while the operator's devices sleep. Any other household's, to which
 * it is paid out, is for operators' devices and its own alone, and nobody else is told as much as that there is one.
 *
 * Two devices that meet say by ids what they keep that the other may hear, and each tells what the other lacks. So what an
 * operator's device has said that it keeps it is not told again, and what it has lost, or could not take yet, it is.
 */
import * as v from "valibot";
import type { BankAccount, StatedAccount } from "../../block/statedAccount.js";
import { holderShape, isNewer, isSameAccount, statedAccountId } from "../../block/statedAccount.js";
import { householdOf, isInUse } from "../../contract/ledger.js";
import { isActingOperator } from "../../contract/standing.js";
import { MAX_ACCOUNTS } from "../../message/accountWire.js";
import type { AccountsKeptMessage } from "../../message/message.js";
import { assert } from "../../primitives/assert.js";
import { type BankAccountError, parseBankAccount } from "../../primitives/bankAccount.js";
import { equalBytes, fromHex, toHex } from "../../primitives/bytes.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import {
	type AccountsRecord,
	encodeAccounts,
	type KeptAccount,
	NO_ACCOUNTS,
	type UnsignedAccount,
} from "../accountsRecord.js";
import type { CommandError } from "../protocol.js";
import type { ChainChange } from "../storage.js";
import type { ProvenPeer, StreetContext } from "./context.js";

/** Devices that find one another have clocks that are nearer than this; real time, whatever the chain's runs at. */
const MAX_AHEAD_MS = 600_000;
/** One of them is there, sooner or later, and hands it to the others. */
const MAX_WANTED = 4;
/** Who could not take something, because it was behind, may be able to by now. */
const RETELL_MS = 60_000;

/** What is known of a neighbour's device on the channel that is open. */
interface Listener {
	/** Ids in hex of what it keeps; undefined: it has not said so yet. */
	keeps: Set<string> | undefined;
	/** By id in hex: when it was told, monotonic ms. */
	readonly toldMs: Map<string, number>;
}

export class Accounts {
	readonly #context: StreetContext;
	/** By member index: its newest word. */
	readonly #kept = new Map<number, KeptAccount>();
	/** In hex: operators' devices that keep this household's newest word. */
	readonly #heldBy: Set<string>;
	#unsigned: UnsignedAccount | undefined;
	/** By device. */
	readonly #listeners = new Map<string, Listener>();
	/** As it was at the last head. */
	#wasOperator: boolean | undefined;
	#nextTellMs = 0;

	constructor(context: StreetContext, { kept, heldBy, unsigned }: AccountsRecord) {
		this.#context = context;
		for (const each of kept) this.#kept.set(each.stated.member, each);
		this.#heldBy = new Set(heldBy.map(toHex));
		this.#unsigned = unsigned;
	}

	// ── what is seen from outside ────────────────────────────────────────────────────────────────────────────────

	/** A household's newest word, where this device may know it. */
	of(member: number): KeptAccount | undefined {
		const kept = this.#kept.get(member);
		return kept !== undefined && this.#isStillForUs(kept) ? kept : undefined;
	}

	/** This household's account while its signature waits for its key to be opened. */
	get unsigned(): UnsignedAccount | undefined {
		return this.#unsigned;
	}

	/** Whether a device of an operator has said that it keeps this household's newest word. */
	get isHeld(): boolean {
		return [...this.#heldBy].some((device) => this.#isOperators(device));
	}

	/**
	 * Devices, by their keys in hex, that this one has to meet beside those through whom it hears everything: an operator's,
	 * while none has said that it keeps this household's word.
	 */
	get wanted(): readonly string[] {
		const { chain, member } = this.#context;
		const { ledger } = chain.head;
		const own = member === undefined ? undefined : this.of(member);
		if (own === undefined || member === undefined || isActingOperator(ledger, member) || this.isHeld) return [];
		const operators = ledger.devices.filter((device) => isInUse(device) && isActingOperator(ledger, device.household));
		return operators.slice(0, MAX_WANTED).map(({ publicKey }) => toHex(publicKey));
	}

	// ── this household's ─────────────────────────────────────────────────────────────────────────────────────────

	/** States this household's account, or takes back what it had stated; settles when that is written. */
	async state(typed: BankAccount | undefined): Promise<Result<{ type: "done" }, CommandError>> {
		const { awaitsAdmission, chain, dependencies, halted, household, member } = this.#context;
		if (member === undefined) return refused({ code: "not-a-member" });
		if (halted) return refused({ code: "storage-write-failed" });
		if (awaitsAdmission) return refused({ code: "awaits-admission" });
		if (!this.#isBanked) return refused({ code: "play-money" });
		if (chain.head.ledger.households[member]?.removal?.completed === true)
			return refused({ code: "moved-out", member });
		const account = typed === undefined ? ok(undefined) : readAccount(typed);
		if (!account.ok) return refused({ ...account.error });
		if (household.isLocked) return refused({ code: "locked" });
		const before = this.#kept.get(member);
		const timestampMs = Math.max(dependencies.clocks.chainMs(), (before?.stated.timestampMs ?? -1) + 1);
		if (!(await this.#sign(member, account.value, timestampMs))) return refused({ code: "storage-write-failed" });
		return ok({ type: "done" });
	}

	/** The household's key is open: what waited for it is signed, as of when it was stated. */
	async onUnlocked(): Promise<void> {
		const { halted, household, member } = this.#context;
		const unsigned = this.#unsigned;
		if (unsigned === undefined || halted || member === undefined || household.isLocked || !this.#isBanked) return;
		const { account, timestampMs, changedMs } = unsigned;
		await this.#sign(member, account, timestampMs, changedMs);
	}

	async #sign(
		member: number,
		account: BankAccount | undefined,
		timestampMs: number,
		changedMs?: number,
	): Promise<boolean> {
		const { dependencies, gridId, household, householdKey } = this.#context;
		const said = { member, timestampMs, account };
		const id = statedAccountId(said, gridId);
		const signature = household.sign(id);
		// A signature that a fault spoilt could give the key away: it must not leave this device.
		assert(dependencies.verifier.verify(signature, id, householdKey), "the account that was signed here verifies");
		this.#take({ ...said, signature }, id, householdKey, changedMs);
		if (!(await this.#write())) return false;
		this.#tellAll();
		return true;
	}

	// ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────

	/** The record for the device that takes this one's place in this browser. */
	get forSuccessor(): Pick<ChainChange, "accounts"> {
		return this.#isEmpty ? {} : { accounts: encodeAccounts({ ...this.#record, heldBy: [] }) };
	}

	/**
	 * The record for the chain that the neighbourhood was founded again with: signatures hold for one chain only, so this
	 * household's word goes along, and the others give theirs anew.
	 */
	onward(gridId: Uint8Array): Pick<ChainChange, "accounts"> {
		const { household, householdKey, member } = this.#context;
		const own = member === undefined ? undefined : this.#kept.get(member);
		const { account, timestampMs } = this.#unsigned ?? own?.stated ?? {};
		const { changedMs } = this.#unsigned ?? own ?? {};
		if (account === undefined || timestampMs === undefined || changedMs === undefined || member === undefined)
			return {};
		if (household.isLocked)
			return { accounts: encodeAccounts({ ...NO_ACCOUNTS, unsigned: { account, timestampMs, changedMs } }) };
		const said = { member, timestampMs, account };
		const id = statedAccountId(said, gridId);
		const kept = { stated: { ...said, signature: household.sign(id) }, id, householdKey, changedMs };
		return { accounts: encodeAccounts({ ...NO_ACCOUNTS, kept: [kept] }) };
	}

	/** This street is left for good: nothing of it stays in its database. */
	async forget(): Promise<void> {
		if (this.#isEmpty) return;
		this.#kept.clear();
		this.#heldBy.clear();
		this.#unsigned = undefined;
		await this.#write();
	}

	get #isEmpty(): boolean {
		return this.#kept.size === 0 && this.#unsigned === undefined;
	}

	get #record(): AccountsRecord {
		const heldBy = [...this.#heldBy].flatMap((device) => {
			const key = fromHex(device);
			return key.ok ? [key.value] : [];
		});
		return { kept: [...this.#kept.values()], heldBy, unsigned: this.#unsigned };
	}

	#write(): Promise<boolean> {
		return this.#context.write({ accounts: encodeAccounts(this.#record) });
	}

	/** The newest word of its household from now on. `changedMs`: since when its account holds; undefined: it is reckoned here. */
	#take(stated: StatedAccount, id: Uint8Array, householdKey: Uint8Array, changedMs?: number): void {
		const { dependencies, member } = this.#context;
		const before = this.#kept.get(stated.member);
		const nowMs = dependencies.clocks.chainMs();
		// Whoever has got hold of the household's key may say that it was long ago.
		const heardMs = before === undefined ? stated.timestampMs : Math.max(stated.timestampMs, nowMs);
		const isSame = before !== undefined && isSameAccount(before.stated.account, stated.account);
		const sinceMs = changedMs ?? (isSame ? before.changedMs : heardMs);
		this.#kept.set(stated.member, { stated, id, householdKey, changedMs: sinceMs });
		if (stated.member !== member) return;
		this.#heldBy.clear();
		// Where another device of the household was faster, this one has nothing to sign any more.
		if (stated.timestampMs >= (this.#unsigned?.timestampMs ?? 0)) this.#unsigned = undefined;
	}

	// ── whom it concerns ─────────────────────────────────────────────────────────────────────────────────────────

	/** Trial kroner go through no bank. */
	get #isBanked(): boolean {
		return this.#context.chain.head.ledger.parameters.moneyKind !== "trial";
	}

	/** Whether a household's word is for another household's devices. */
	#isFor(household: number, member: number): boolean {
		const { ledger } = this.#context.chain.head;
		return household === member || isActingOperator(ledger, member) || isActingOperator(ledger, household);
	}

	/** Whether a household's word is for this device: not where one of the two has moved out. */
	#isForUs(member: number): boolean {
		const { households } = this.#context.chain.head.ledger;
		const own = this.#context.member;
		const isThere = (index: number) => households[index] !== undefined && households[index].removal?.completed !== true;
		return own !== undefined && isThere(own) && isThere(member) && this.#isFor(own, member);
	}

	/** The same of what is kept, which is worth nothing where the household has another key since. */
	#isStillForUs({ stated, householdKey }: KeptAccount): boolean {
		const household = this.#context.chain.head.ledger.households[stated.member];
		return this.#isForUs(stated.member) && household !== undefined && equalBytes(household.publicKey, householdKey);
	}

	/** Whether the chain here says anything about it: after damage it may end before the two came. */
	#isKnown({ stated }: KeptAccount): boolean {
		return (
			this.#context.member !== undefined && this.#context.chain.head.ledger.households[stated.member] !== undefined
		);
	}

	/** The household of a device in use. */
	#householdOf(device: string): number | undefined {
		if (this.#context.deviceIndexOf(device) === undefined) return undefined;
		return this.#context.knownDevice(device)?.household;
	}

	#isOperators(device: string): boolean {
		const household = this.#householdOf(device);
		return household !== undefined && isActingOperator(this.#context.chain.head.ledger, household);
	}

	// ── neighbours ───────────────────────────────────────────────────────────────────────────────────────────────

	/** A device is there: a member's hears what is kept here, and says the same. */
	greet(device: string): void {
		const { device: own, halted } = this.#context;
		if (!this.#isBanked || halted || own === undefined || this.#householdOf(device) === undefined) return;
		if (this.#listeners.has(device)) return;
		this.#listeners.set(device, { keeps: undefined, toldMs: new Map() });
		this.#sayWhatIsKept(device);
	}

	/** A device's channel is gone. */
	onGone(device: string): void {
		this.#listeners.delete(device);
	}

	/** The head moved: what is not for this device any more is dropped, and who is new here, or became an operator, hears. */
	async onHead(): Promise<void> {
		const { chain, member, peers } = this.#context;
		const isOperator = member !== undefined && isActingOperator(chain.head.ledger, member);
		const gone = [...this.#kept.values()].filter((kept) => this.#isKnown(kept) && !this.#isStillForUs(kept));
		for (const { stated } of gone) this.#kept.delete(stated.member);
		const isOut = member !== undefined && chain.head.ledger.households[member]?.removal?.completed === true;
		const isForgotten = isOut && this.#unsigned !== undefined;
		if (isForgotten) this.#unsigned = undefined;
		if ((gone.length > 0 || isForgotten) && !(await this.#write())) return;
		const isChanged = gone.length > 0 || (this.#wasOperator ?? isOperator) !== isOperator;
		this.#wasOperator = isOperator;
		if (!this.#isBanked) return;
		// What the others know of this device holds no more: it keeps less, or may hear more.
		if (isChanged) for (const device of this.#listeners.keys()) this.#sayWhatIsKept(device);
		for (const { device } of peers.authenticated()) this.greet(device);
		this.#tellAll();
	}

	/** Now and then what was not taken is told again, and who did not say what it keeps is asked again. */
	tick(nowMs: number): void {
		if (nowMs < this.#nextTellMs) return;
		this.#nextTellMs = nowMs + RETELL_MS;
		for (const [device, { keeps }] of this.#listeners) if (keeps === undefined) this.#sayWhatIsKept(device);
		this.#tellAll();
	}

	/** A neighbour says what it keeps of what this device may hear. */
	async onKept({ device }: ProvenPeer, { asks, ids }: Pick<AccountsKeptMessage, "asks" | "ids">): Promise<void> {
		const { dependencies, events, peers } = this.#context;
		const listener = this.#listenerOf(device);
		if (listener === undefined) return;
		if (!peers.conduct.spend(device, "requests", 1, dependencies.clocks.monotonicMs())) {
			events.onRefused("too-many-requests");
			return;
		}
		listener.keeps = new Set(ids.map(toHex));
		// What it drops later it is told at once when it may have it again.
		for (const id of listener.keeps) listener.toldMs.delete(id);
		if (asks) this.#sayWhatIsKept(device);
		if (this.#noteWhetherHeld(device, listener.keeps)) await this.#write();
		this.#tell(device);
	}

	/** Whether it is news, of an operator's device, that it keeps this household's word, or does not. */
	#noteWhetherHeld(device: string, keeps: ReadonlySet<string>): boolean {
		const { member } = this.#context;
		const own = member === undefined ? undefined : this.#kept.get(member);
		const isHeld = own !== undefined && keeps.has(toHex(own.id)) && this.#isOperators(device);
		if (isHeld === this.#heldBy.has(device)) return false;
		if (isHeld) this.#heldBy.add(device);
		else this.#heldBy.delete(device);
		return true;
	}

	/** A neighbour tells households' words. What is taken is written before anybody hears that it is kept. */
	async onAccounts(peer: ProvenPeer, accounts: readonly StatedAccount[]): Promise<void> {
		const listener = this.#listenerOf(peer.device);
		if (listener === undefined) return;
		let isChanged = false;
		for (const stated of accounts) {
			const id = statedAccountId(stated, this.#context.gridId);
			const refusal = this.#refusalOf(peer, stated, id);
			if (refusal === undefined) {
				this.#take(stated, id, householdOf(this.#context.chain.head.ledger, stated.member).publicKey);
				isChanged = true;
			} else if (refusal !== "known") this.#context.events.onRefused(refusal);
			// Of all that it may invent nothing is remembered.
			const kept = this.#kept.get(stated.member);
			if (kept !== undefined && equalBytes(kept.id, id)) listener.keeps?.add(toHex(id));
		}
		if (isChanged && !(await this.#write())) return;
		this.#sayWhatIsKept(peer.device);
		if (isChanged) this.#tellAll();
		else this.#tell(peer.device);
	}

	/** Why a household's word is not taken; undefined: it is. */
	#refusalOf(peer: ProvenPeer, stated: StatedAccount, id: Uint8Array): string | undefined {
		const { chain, dependencies, peers } = this.#context;
		const before = this.#kept.get(stated.member);
		if (before !== undefined && !isNewer([stated, id], [before.stated, before.id])) return "known";
		const household = chain.head.ledger.households[stated.member];
		// An honest neighbour may be ahead, or behind.
		if (household === undefined || !this.#isForUs(stated.member)) return "account-not-for-us";
		const { clocks, settings } = dependencies;
		const aheadMs = stated.timestampMs - clocks.chainMs();
		if (aheadMs > MAX_AHEAD_MS * settings.founding.timeScale) return "account-ahead";
		const nowMs = clocks.monotonicMs();
		const mayTell = peers.conduct.has(peer.device, "badSignatures", nowMs);
		if (!mayTell || !peers.conduct.spend(peer.device, "accounts", 1, nowMs)) return "too-many-accounts";
		if (dependencies.verifier.verify(stated.signature, id, household.publicKey)) return undefined;
		peers.conduct.spend(peer.device, "badSignatures", 1, nowMs);
		return "account-forged";
	}

	/** Of a member's device; one that this device did not greet yet, because it spoke first, is greeted now. */
	#listenerOf(device: string): Listener | undefined {
		if (!this.#isBanked || this.#householdOf(device) === undefined) {
			this.#context.events.onRefused("account-of-stranger");
			return undefined;
		}
		this.greet(device);
		return this.#listeners.get(device);
	}

	/** Kept here, and for a device of a household to hear. */
	*#forHousehold(household: number): Iterable<KeptAccount> {
		for (const kept of this.#kept.values()) {
			if (this.#isStillForUs(kept) && this.#isFor(household, kept.stated.member)) yield kept;
		}
	}

	#sayWhatIsKept(device: string): void {
		const { peers } = this.#context;
		const [peer, household] = [peers.toDevice(device), this.#householdOf(device)];
		// What could not be written is not kept.
		if (peer === undefined || household === undefined || this.#context.halted) return;
		const ids = [...this.#forHousehold(household)].map(({ id }) => id);
		peers.send(peer, { type: "accountsKept", ids, asks: this.#listeners.get(device)?.keeps === undefined });
	}

	#tellAll(): void {
		if (!this.#isEmpty) for (const device of this.#listeners.keys()) this.#tell(device);
	}

	/** Tells a device what it lacks, once it has said what it keeps. */
	#tell(device: string): void {
		const { dependencies, halted, peers } = this.#context;
		const listener = this.#listeners.get(device);
		const [peer, household] = [peers.toDevice(device), this.#householdOf(device)];
		if (listener?.keeps === undefined || peer === undefined || household === undefined || halted) return;
		const { keeps, toldMs } = listener;
		const nowMs = dependencies.clocks.monotonicMs();
		const lacking = [...this.#forHousehold(household)].filter(({ id }) => {
			const name = toHex(id);
			return !keeps.has(name) && nowMs - (toldMs.get(name) ?? Number.NEGATIVE_INFINITY) >= RETELL_MS;
		});
		for (const { id } of lacking) toldMs.set(toHex(id), nowMs);
		for (let from = 0; from < lacking.length; from += MAX_ACCOUNTS) {
			const accounts = lacking.slice(from, from + MAX_ACCOUNTS).map(({ stated }) => stated);
			peers.send(peer, { type: "accounts", accounts });
		}
	}
}

/** What a person typed, as it is signed. */
function readAccount({ holder, number }: BankAccount): Result<BankAccount, BankAccountError | { code: "bad-holder" }> {
	const name = holder.trim();
	if (!v.safeParse(holderShape, name).success) return refused({ code: "bad-holder" });
	const parsed = parseBankAccount(number);
	return parsed.ok ? ok({ holder: name, number: parsed.value }) : parsed;
}
