/**
 * Passwords that come with commands. What Argon2id makes of one takes most of a second, in which the node must go on: it
 * is made beside the queue of inputs, one command at a time, and the command is carried out with it afterwards.
 */
import { ok, type Result, refused } from "../primitives/result.js";
import type { NodeDependencies } from "./dependencies.js";
import { type Command, type CommandError, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "./protocol.js";
import { SALT_BYTES, STRETCH_PARAMETERS, type StretchedPassword, type Vault } from "./vault.js";

/** What was made of the passwords of a command. */
export interface StretchedPasswords {
	/** Of the password that is in use, with the salt of the vault that it was stretched for. */
	readonly current?: Pick<StretchedPassword, "salt" | "key">;
	/** Of the password that is to be. */
	readonly fresh?: StretchedPassword;
}

export const NO_PASSWORDS: StretchedPasswords = {};

export class Passwords {
	readonly #dependencies: NodeDependencies;
	#isBusy = false;

	constructor(dependencies: NodeDependencies) {
		this.#dependencies = dependencies;
	}

	/** Stretches the passwords of a command; undefined: there is none. `vault`: what the one in use opens. */
	stretch(command: Command, vault: Vault | undefined): Promise<Result<StretchedPasswords, CommandError>> | undefined {
		const password = "password" in command && vault !== undefined ? command.password : undefined;
		const newPassword = "newPassword" in command ? command.newPassword : undefined;
		if (password === undefined && newPassword === undefined) return undefined;
		const missing = password === "" ? { code: "password-missing" } : undefined;
		const refusal =
			missing ?? newPasswordRefusal(newPassword) ?? (this.#isBusy ? { code: "password-busy" } : undefined);
		if (refusal !== undefined) return Promise.resolve(refused(refusal));
		this.#isBusy = true;
		return this.#stretchBoth(password, vault, newPassword);
	}

	/** The command is carried out, or refused: the next one's turn. One that was stretched meanwhile would not be counted. */
	done(): void {
		this.#isBusy = false;
	}

	async #stretchBoth(
		password: string | undefined,
		vault: Vault | undefined,
		newPassword: string | undefined,
	): Promise<Result<StretchedPasswords, CommandError>> {
		let stretched = NO_PASSWORDS;
		if (password !== undefined && vault !== undefined) {
			const current = await this.#stretchOne(password, vault);
			if (!current.ok) return current;
			stretched = { current: { salt: vault.salt, key: current.value } };
		}
		if (newPassword !== undefined) {
			const parts = { salt: this.#dependencies.randomBytes(SALT_BYTES), parameters: STRETCH_PARAMETERS };
			const key = await this.#stretchOne(newPassword, parts);
			if (!key.ok) return key;
			stretched = { ...stretched, fresh: { ...parts, key: key.value } };
		}
		return ok(stretched);
	}

	#stretchOne(
		password: string,
		{ salt, parameters }: Pick<Vault, "salt" | "parameters">,
	): Promise<Result<Uint8Array, CommandError>> {
		// However a keyboard writes an ø or an é, it is the same password.
		return this.#dependencies.stretchPassword(password.normalize("NFKC"), salt, parameters);
	}
}

function newPasswordRefusal(password: string | undefined): CommandError | undefined {
	if (password === undefined) return undefined;
	const length = [...password.normalize("NFKC")].length;
	if (length < MIN_PASSWORD_LENGTH) return { code: "password-short", min: MIN_PASSWORD_LENGTH };
	return length > MAX_PASSWORD_LENGTH ? { code: "password-long", max: MAX_PASSWORD_LENGTH } : undefined;
}
