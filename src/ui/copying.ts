/** Copies what a field shows, which is selected first: a person can go on by hand. Gives the sentence that says how it went. */
import { m } from "./paraglide/messages.js";

export async function copyFrom(
	field: HTMLInputElement | HTMLTextAreaElement | undefined,
	text: string,
): Promise<string> {
	field?.select();
	try {
		await navigator.clipboard.writeText(text);
		return m.copied();
	} catch {
		return m.copy_failed();
	}
}
