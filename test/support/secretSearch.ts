/** Searches what was sent for a secret, in whatever way either of its halves may be written. */

/**
 * All text and all bytes of a value that a worker posts, as one string with a character for each byte. A view of a
 * buffer counts as the whole buffer, since all of it is copied to the other side. Runs in a page, too, by itself.
 */
export function flattened(value: unknown): string {
	const parts: string[] = [];
	const addBytes = (bytes: Iterable<number>) => {
		let text = "";
		for (const byte of bytes) text += String.fromCharCode(byte);
		parts.push(text);
	};
	const isByte = (each: unknown) => Number.isInteger(each) && Number(each) >= 0 && Number(each) < 256;
	const visit = (each: unknown): void => {
		if (typeof each !== "object" || each === null) parts.push(String(each));
		else if (each instanceof ArrayBuffer) addBytes(new Uint8Array(each));
		else if (ArrayBuffer.isView(each)) addBytes(new Uint8Array(each.buffer));
		else if (Array.isArray(each) && each.every(isByte)) addBytes(each);
		else if (each instanceof Map || each instanceof Set || Array.isArray(each)) for (const part of each) visit(part);
		else for (const [key, part] of Object.entries(each)) visit([key, part]);
	};
	visit(value);
	return parts.join("\n");
}

/** What to look for in a flattened value: raw, hex, base64 and base64url at any offset, and as a number. */
export function formsOf(secret: Uint8Array): string[] {
	const half = secret.length / 2;
	const forms = [secret.subarray(0, half), secret.subarray(half)].flatMap((part) => {
		const bytes = Buffer.from(part);
		const hex = bytes.toString("hex");
		return [bytes.toString("latin1"), hex, hex.toUpperCase(), ...[0, 1, 2].flatMap((shift) => inBase64(bytes, shift))];
	});
	return [...forms, BigInt(`0x${Buffer.from(secret).toString("hex")}`).toString()];
}

/** The characters that stand for these bytes alone, `shift` bytes after the beginning of a group of three. */
function inBase64(bytes: Buffer, shift: number): string[] {
	const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
	const whole = text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
	return [whole, whole.replaceAll("+", "-").replaceAll("/", "_")];
}
