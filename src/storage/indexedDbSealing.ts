/**
 * Records with keys or bank accounts in them lie in the database sealed under a key of the browser's own, which no script can take out of
 * it (WebCrypto, `extractable: false`): a copy of the database's values alone is worth nothing. Who can run code at this
 * origin, or copies the whole profile, can use that key as we do.
 */

/** What is stored in place of the record. */
export interface SealedRecord {
	/** 12 bytes. */
	nonce: Uint8Array<ArrayBuffer>;
	sealed: ArrayBuffer;
}

const ALGORITHM = "AES-GCM";
const NONCE_BYTES = 12;

export function createSealingKey(): Promise<CryptoKey> {
	return crypto.subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ["encrypt", "decrypt"]);
}

/** Seals a record; `place`: where it lies, so that it is worth nothing elsewhere. */
export async function sealStored(key: CryptoKey, place: string, record: Uint8Array): Promise<SealedRecord> {
	const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
	return { nonce, sealed: await crypto.subtle.encrypt(cipher(nonce, place), key, record.slice()) };
}

/** The record; empty, which no record is, where it was changed or lay elsewhere. Earlier versions sealed none. */
export async function openStored(
	key: CryptoKey,
	place: string,
	stored: Uint8Array | SealedRecord | undefined,
): Promise<Uint8Array | undefined> {
	if (stored === undefined || stored instanceof Uint8Array) return stored;
	try {
		return new Uint8Array(await crypto.subtle.decrypt(cipher(stored.nonce, place), key, stored.sealed));
	} catch {
		return new Uint8Array();
	}
}

function cipher(nonce: Uint8Array<ArrayBuffer>, place: string): AesGcmParams {
	return { name: ALGORITHM, iv: nonce, additionalData: new TextEncoder().encode(place) };
}
