/**
 * A household's key as words that a person can write on paper (BIP-39, English list): twelve of them hold 128 bits and a
 * checksum. A seed of 256 bits, of which keys were made before there were words, is twenty-four.
 */
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { ok, type Result, refused } from "./result.js";
import { isSecretKey } from "./signature.js";

export const SEED_BYTES = 16;
export const LONG_SEED_BYTES = 32;

export type WordsError =
	/** Neither twelve nor twenty-four. */
	| { code: "words-count"; count: number }
	/** `at`: its place, from 1 on. */
	| { code: "word-unknown"; at: number; word: string }
	/** Each is a word of the list, but together they are none of ours: two may have changed places. */
	| { code: "words-wrong" };

const KNOWN = new Set(wordlist);

/** The words of a seed (16 or 32 bytes). */
export function wordsOf(seed: Uint8Array): string[] {
	return entropyToMnemonic(seed, wordlist).split(" ");
}

/** The seed that words stand for, however they are spaced and whatever their case. */
export function seedOfWords(text: string): Result<Uint8Array, WordsError> {
	const words = text
		.normalize("NFKD")
		.toLowerCase()
		.split(/[\s,.;0-9]+/)
		.filter((word) => word !== "");
	if (words.length !== 12 && words.length !== 24) return refused({ code: "words-count", count: words.length });
	const unknown = words.findIndex((word) => !KNOWN.has(word));
	if (unknown >= 0)
		return refused({ code: "word-unknown", at: unknown + 1, word: words[unknown]?.normalize("NFC") ?? "" });
	const seed = entropyOf(words.join(" "));
	const isSeed = seed !== undefined && (seed.length === SEED_BYTES || isSecretKey(seed));
	return isSeed ? ok(seed) : refused({ code: "words-wrong" });
}

/** Undefined: the last word's checksum is another. */
function entropyOf(words: string): Uint8Array | undefined {
	try {
		return mnemonicToEntropy(words, wordlist);
	} catch {
		return undefined;
	}
}
