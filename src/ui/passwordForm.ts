/** Passwords as they are typed, and what is wrong with them. */
import { type CommandError, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "../node/protocol.js";
import { ok, type Result, refused } from "../primitives/result.js";
import { formatCount } from "./format.js";
import { codeText } from "./lateText.svelte.js";
import { m } from "./paraglide/messages.js";

/** A new password, typed twice. */
export interface NewPassword {
	first: string;
	second: string;
}

export type NewPasswordError = { code: "password-short" } | { code: "password-long" } | { code: "passwords-differ" };

export function readNewPassword({ first, second }: NewPassword): Result<string, NewPasswordError> {
	const length = [...first.normalize("NFKC")].length;
	if (length < MIN_PASSWORD_LENGTH) return refused({ code: "password-short" });
	if (length > MAX_PASSWORD_LENGTH) return refused({ code: "password-long" });
	return first === second ? ok(first) : refused({ code: "passwords-differ" });
}

export function newPasswordText({ code }: NewPasswordError): string {
	return code === "passwords-differ" ? m.passwords_differ() : codeText(code);
}

/** The sentence for what the node says to a password or to words, with what it says beside the code. */
export function secretText(error: CommandError): string {
	switch (error.code) {
		case "password-wait":
			return m.error_password_wait_seconds({ seconds: formatCount(Number(error.seconds)) });
		case "word-unknown":
			return m.error_word_unknown_at({ at: formatCount(Number(error.at)), word: String(error.word) });
		case "words-count":
			return m.error_words_count_of({ count: formatCount(Number(error.count)) });
		default:
			return codeText(error.code);
	}
}
