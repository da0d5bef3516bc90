/** Hands a file to the browser, whole or in parts, which asks where to put it or puts it among the downloads. */
export function saveFile(name: string, text: string | string[], type: string): void {
	const url = URL.createObjectURL(new Blob(typeof text === "string" ? [text] : text, { type }));
	const link = document.createElement("a");
	link.href = url;
	link.download = name;
	link.click();
	// The browser has taken hold of it by then.
	setTimeout(() => URL.revokeObjectURL(url), RELEASE_MS);
}

const RELEASE_MS = 60_000;
