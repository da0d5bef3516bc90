/**
 * The household's key is opened by its password for what a person signs, and locked again soon. Whoever tries passwords
 * waits ever longer. All else (metering, voting) is the device's own key's, which needs nobody.
 */
import { equalBytes } from "../../primitives/bytes.js";
import { wordsOf } from "../../primitives/recoveryWords.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import type { StretchedPasswords } from "../passwords.js";
import type { CommandError } from "../protocol.js";
import { NO_WRONG_PASSWORDS } from "../records.js";
import { DONE, type Reply } from "../reply.js";
import { changePassword, createVault, type HouseholdRecord, openVault, type StretchedPassword } from "../vault.js";
import type { LockView } from "../view.js";
import type { StreetContext } from "./context.js";

/** The key stays open for so long after it was last used. */
const OPEN_MS = 120_000;
/** So many wrong passwords in a row cost nothing. */
const FREE_TRIES = 5;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 3_600_000;

export class Unlocking {
	readonly #context: StreetContext;
	readonly #onUnlocked: () => Promise<void>;
	/** By both clocks: either may stand still while the device sleeps, or be set. */
	#openUntil = { monotonicMs: 0, chainMs: 0 };
	/** In this run no clock that a person sets shortens a wait. */
	#waitUntilMs = 0;

	constructor(context: StreetContext, onUnlocked: () => Promise<void>) {
		this.#context = context;
		this.#onUnlocked = onUnlocked;
	}

	get view(): Omit<LockView, "wantedFor"> {
		const { config, household } = this.#context;
		const { wordsKept } = config;
		if (this.#record.vault === undefined) return { state: "none", wordsKept };
		return { state: household.isLocked ? "locked" : "open", wordsKept };
	}

	get #record(): HouseholdRecord {
		return this.#context.config.keys.household;
	}

	/** For how long no password is looked at: too many were wrong. */
	get waitMs(): number {
		const { config, dependencies } = this.#context;
		const { chainMs, monotonicMs } = dependencies.clocks;
		const { count, lastMs } = config.wrongPasswords;
		const passedMs = Math.max(0, chainMs() - lastMs);
		return Math.max(0, waitAfter(count) - passedMs, this.#waitUntilMs - monotonicMs());
	}

	/** Opens the key, for what this household signs in the next two minutes. */
	async unlock(passwords: StretchedPasswords): Promise<Reply> {
		const opened = await this.open(passwords);
		if (!opened.ok) return opened;
		this.#context.household.unlock(opened.value);
		this.used();
		await this.#onUnlocked();
		return DONE;
	}

	/** Locks the key before its time. */
	lock(): Reply {
		if (this.#record.vault !== undefined && this.#record.seed === undefined) this.#context.household.lock();
		return DONE;
	}

	/** The key was used: somebody is there. */
	used(): void {
		const { clocks, settings } = this.#context.dependencies;
		const chainMs = clocks.chainMs() + OPEN_MS * settings.founding.timeScale;
		this.#openUntil = { monotonicMs: clocks.monotonicMs() + OPEN_MS, chainMs };
	}

	/** Before every input: what was opened a while ago is locked before anything is done with it. */
	lockInTime(): void {
		const { chainMs, monotonicMs } = this.#context.dependencies.clocks;
		const isOver = monotonicMs() >= this.#openUntil.monotonicMs || chainMs() >= this.#openUntil.chainMs;
		if (isOver && this.view.state === "open") this.lock();
	}

	async tick(): Promise<void> {
		this.lockInTime();
		const { config, dependencies } = this.#context;
		const { count, lastMs } = config.wrongPasswords;
		const chainMs = dependencies.clocks.chainMs();
		// The clock was ahead when the last one was typed: the wait begins now, not when that day comes.
		if (lastMs > chainMs) await this.#context.saveConfig({ wrongPasswords: { count, lastMs: chainMs } });
	}

	/** The household's words, for its paper. */
	async words(passwords: StretchedPasswords): Promise<Reply> {
		const opened = await this.open(passwords);
		return opened.ok ? ok({ type: "words", words: wordsOf(opened.value) }) : opened;
	}

	/** Somebody has shown that the words are on paper. */
	async wordsWereKept(): Promise<Reply> {
		return (await this.#context.saveConfig({ wordsKept: true })) ? DONE : WRITE_FAILED;
	}

	/** A password in place of the one so far, or of none. Other devices of the household keep theirs. */
	async changePassword(passwords: StretchedPasswords): Promise<Reply> {
		const { current, fresh } = passwords;
		if (fresh === undefined) return refused({ code: "password-missing" });
		const opened = await this.open(passwords);
		if (!opened.ok) return opened;
		return (await this.#keepUnder(opened.value, fresh, current?.key)) ? DONE : WRITE_FAILED;
	}

	#keepUnder(seed: Uint8Array, fresh: StretchedPassword, current: Uint8Array | undefined): Promise<boolean> {
		const { config, dependencies, household } = this.#context;
		const { publicKey } = household;
		const { randomBytes } = dependencies;
		const { vault } = this.#record;
		const changed =
			vault === undefined || current === undefined
				? createVault(seed, publicKey, fresh, randomBytes)
				: changePassword(vault, publicKey, current, fresh, randomBytes);
		if (changed === undefined) return Promise.resolve(false);
		// A first password leaves no key beside the vault, and the one in memory for two minutes.
		if (vault === undefined) this.used();
		const isKept = vault !== undefined && this.#record.seed !== undefined;
		const record = { publicKey, vault: changed, ...(isKept ? { seed } : {}) };
		return this.#context.saveConfig({ keys: { ...config.keys, household: record } });
	}

	/** The seed, by the stretched password; without a vault there is none to ask for. Wrong ones are counted. */
	async open({ current }: StretchedPasswords): Promise<Result<Uint8Array, CommandError>> {
		const record = this.#record;
		if (record.vault === undefined) return ok(record.seed);
		if (current === undefined) return refused({ code: "password-missing" });
		// The vault was sealed anew while this was stretched for the one before: it says nothing about the password.
		if (!equalBytes(current.salt, record.vault.salt)) return refused({ code: "password-busy" });
		if (this.waitMs > 0) return refused({ code: "password-wait", seconds: Math.ceil(this.waitMs / 1_000) });
		const { config, dependencies } = this.#context;
		const seed = openVault(record.vault, record.publicKey, current.key);
		const { count } = config.wrongPasswords;
		if (seed === undefined) {
			const wrongPasswords = { count: count + 1, lastMs: dependencies.clocks.chainMs() };
			this.#waitUntilMs = dependencies.clocks.monotonicMs() + waitAfter(count + 1);
			// Written before it is answered: switching the device off and on gives no further tries.
			if (!(await this.#context.saveConfig({ wrongPasswords }))) return WRITE_FAILED;
			return refused({ code: "password-wrong" });
		}
		if (count > 0 && !(await this.#context.saveConfig({ wrongPasswords: NO_WRONG_PASSWORDS }))) return WRITE_FAILED;
		return ok(seed);
	}

	/** The head moved: once this household's way in is on the chain, its key lies here sealed alone. */
	async onHead(): Promise<void> {
		const { awaitsAdmission, config, household, member } = this.#context;
		const record = this.#record;
		if (record.vault === undefined || record.seed === undefined || member === undefined || awaitsAdmission) return;
		const { publicKey, vault } = record;
		await this.#context.saveConfig({ keys: { ...config.keys, household: { publicKey, vault } } });
		household.lock();
	}
}

function waitAfter(wrongPasswords: number): number {
	if (wrongPasswords < FREE_TRIES) return 0;
	return Math.min(FIRST_WAIT_MS * 2 ** (wrongPasswords - FREE_TRIES), LONGEST_WAIT_MS);
}

const WRITE_FAILED = refused({ code: "storage-write-failed" });
