/** What GET /metrics answers: numbers only, in Prometheus' text format 0.0.4. No address, topic or content is in it. */
import { REFUSAL_CODES, type Refusals } from "./refusals.js";
import type { Traffic } from "./relay.js";

export interface Sample extends Traffic {
	sockets: number;
	topics: number;
	refusals: Refusals;
	uptimeSeconds: number;
	residentBytes: number;
}

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function metricsText(sample: Sample): string {
	const refused = REFUSAL_CODES.map((code) => `{code="${code}"} ${sample.refusals.count(code)}`);
	return [
		metric("sockets", "gauge", "WebSocket connections.", [` ${sample.sockets}`]),
		metric("topics", "gauge", "Topics with at least one subscriber.", [` ${sample.topics}`]),
		metric("buffered_bytes", "gauge", "What waits for slow receivers.", [` ${sample.bufferedBytes}`]),
		metric("published_messages_total", "counter", "Messages published.", [` ${sample.publishedMessages}`]),
		metric("published_bytes_total", "counter", "Bytes of these.", [` ${sample.publishedBytes}`]),
		metric("delivered_messages_total", "counter", "Messages sent to subscribers.", [` ${sample.deliveredMessages}`]),
		metric("delivered_bytes_total", "counter", "Bytes of these.", [` ${sample.deliveredBytes}`]),
		metric("refusals_total", "counter", "What was refused, by code.", refused),
		metric("uptime_seconds", "gauge", "Since the server started.", [` ${sample.uptimeSeconds.toFixed(1)}`]),
		metric("resident_memory_bytes", "gauge", "Memory of the process.", [` ${sample.residentBytes}`]),
	].join("");
}

/** `values`: each with its labels before it, or a space. */
function metric(name: string, type: "gauge" | "counter", help: string, values: readonly string[]): string {
	const full = `nabostrom_signaling_${name}`;
	const lines = [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...values.map((value) => full + value)];
	return `${lines.join("\n")}\n`;
}
