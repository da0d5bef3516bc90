/** What a server says at /metrics: the text, and its values by name (with labels, without the common prefix). */
export async function readMetrics(url: string): Promise<{ text: string; values: Record<string, number> }> {
	const text = await (await fetch(`${url}/metrics`)).text();
	const values: Record<string, number> = {};
	for (const [, name = "", value] of text.matchAll(/^nabostrom_signaling_(\S+) (\S+)$/gm)) values[name] = Number(value);
	return { text, values };
}
