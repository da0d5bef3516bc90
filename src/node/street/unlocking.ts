/**
 * The household's key is opened by its password for what a person signs, and locked again soon. Whoever tries passwords
 * waits ever longer. All else (metering, voting) is the device's own key's, which needs nobody.
 */
import { wordsOf } from "../../primitives/recoveryWords.js";
import { ok, refused } from "../../primitives/result.js";
import type { StretchedPasswords } from "../passwords.js";
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
	#openUntilMs = 0;

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
		const { count, lastMs } = config.wrongPasswords;
		if (count < FREE_TRIES) return 0;
		const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (count - FREE_TRIES), LONGEST_WAIT_MS);
		const passedMs = Math.max(0, dependencies.clocks.chainMs() - lastMs);
		return Math.max(0, waitMs - passedMs);
	}

	/** Opens the key, for what this household signs in the next two minutes. */
	async unlock({ current }: StretchedPasswords): Promise<Reply> {
		const opened = await this.#open(current);
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
		this.#openUntilMs = this.#context.dependencies.clocks.monotonicMs() + OPEN_MS;
	}

	tick(nowMs: number): void {
		if (nowMs >= this.#openUntilMs && this.view.state === "open") this.lock();
	}

	/** The household's words, for its paper. */
	async words({ current }: StretchedPasswords): Promise<Reply> {
		const opened = await this.#open(current);
		return opened.ok ? ok({ type: "words", words: wordsOf(opened.value) }) : opened;
	}

	/** Somebody has shown that the words are on paper. */
	async wordsWereKept(): Promise<Reply> {
		return (await this.#context.saveConfig({ wordsKept: true })) ? DONE : WRITE_FAILED;
	}

	/** A password in place of the one so far, or of none. Other devices of the household keep theirs. */
	async changePassword({ current, fresh }: StretchedPasswords): Promise<Reply> {
		if (fresh === undefined) return refused({ code: "password-missing" });
		const opened = await this.#open(current);
		if (!opened.ok) return opened;
		return (await this.#keepUnder(opened.value, fresh, current)) ? DONE : WRITE_FAILED;
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

	/** The seed, by the stretched password; without a vault there is none to ask for. */
	async #open(current: Uint8Array | undefined) {
		const record = this.#record;
		if (record.vault === undefined) return ok(record.seed);
		if (current === undefined) return refused({ code: "password-missing" });
		const { config, dependencies } = this.#context;
		const seed = openVault(record.vault, record.publicKey, current);
		const { count } = config.wrongPasswords;
		if (seed === undefined) {
			const wrongPasswords = { count: count + 1, lastMs: dependencies.clocks.chainMs() };
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

const WRITE_FAILED = refused({ code: "storage-write-failed" });
