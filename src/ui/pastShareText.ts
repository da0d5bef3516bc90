/** What an offer would have meant for this household's last 30 days, in a sentence. */
import type { PastShare } from "../node/protocol.js";
import { formatKroner, formatKwh, formatMinutes } from "./format.js";
import { m } from "./paraglide/messages.js";

/** `name`: the seller. */
export function pastShareText(past: PastShare, name: string): string {
	const { minutes, importWh, shareWh, wouldCostMicroNok, didCostMicroNok } = past;
	if (minutes === 0) return m.past_unknown();
	if (shareWh === 0) return m.past_nothing({ name });
	const difference = didCostMicroNok - wouldCostMicroNok;
	const said = {
		measured: formatMinutes(minutes),
		share: formatKwh(shareWh),
		all: formatKwh(importWh),
		would: formatKroner(wouldCostMicroNok),
		did: formatKroner(didCostMicroNok),
		difference: formatKroner(Math.abs(difference)),
	};
	return difference >= 0 ? m.past_saved(said) : m.past_dearer(said);
}
