/** Text of bytes. */

/** In every platform, and in none of the core's type libraries. */
declare const TextDecoder: new (
	label: "utf-8" | "latin1",
	options?: { fatal: true; ignoreBOM: true },
) => { decode(bytes: Uint8Array): string };

/** Throws where it is no UTF-8. A byte order mark is part of its text: what was written is read again. */
export const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A character for each byte; below 80 it is ASCII's. */
export const latin1 = new TextDecoder("latin1");
