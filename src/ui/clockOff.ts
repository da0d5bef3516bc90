/** What a person is told whose device and the neighbours' do not find each other because of their clocks. */
import { m } from "./paraglide/messages.js";

const MS_PER_MINUTE = 60_000;

export function clockOffText(clockOffMs: number): string {
	const minutes = Math.round(Math.abs(clockOffMs) / MS_PER_MINUTE);
	return clockOffMs > 0 ? m.clock_ahead({ minutes }) : m.clock_behind({ minutes });
}
