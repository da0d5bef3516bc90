/**
 * The sentences for codes of refusals and faults (`errorText`), for screens: most are never seen, so their table is loaded
 * after the first screen, or when one is asked for. A refused command is answered when it is there (`nodeClient`).
 */
import { m } from "./paraglide/messages.js";

type Sentences = typeof import("./errorText.js");

let sentences = $state.raw<Sentences>();
let loading: Promise<Sentences> | undefined;

/** Never rejects: without the table there is still a sentence that names the code. The next call tries again. */
export async function loadSentences(): Promise<void> {
	try {
		loading ??= import("./errorText.js");
		sentences = await loading;
	} catch {
		loading = undefined;
	}
}

/** The sentence for a code, in the language of the screens. Reactive: until the table is there it names the code. */
export function codeText(code: string): string {
	if (sentences !== undefined) return sentences.codeText(code);
	void loadSentences();
	return m.error_fallback({ code });
}
