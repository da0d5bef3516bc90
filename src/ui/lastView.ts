/**
 * What Home showed last, kept in this browser: it is shown again, with its time, until the node has opened its storage
 * and says how things stand now.
 */
import type { StreetView, View } from "../node/view.js";
import { keepText, readText } from "./keptText.js";

const KEY = "nabostrom/last-view";
/** A browser that is switched off loses so much of it. */
const KEEP_EVERY_MS = 60_000;

interface LastView {
	/** Of the app that kept it: another one's view may be of another shape. */
	version: string;
	street: StreetView;
}

export interface LastViewStore {
	/** What the same version of the app kept before this page was opened. */
	readonly street: StreetView | undefined;
	/**
	 * To be told of every view: it is kept at once, and then once a minute. Without a household, or of a demo, there is none.
	 * `isLeaving`: the page is hidden, and may never be seen again.
	 */
	keep(view: View, isLeaving?: boolean): void;
}

/**
 * Takes what was kept: a view that cannot be drawn is tried once, and the node's own is kept again as soon as it comes.
 * `version` is another one whenever the app is.
 */
export function openLastView(version: string, nowMs: () => number): LastViewStore {
	let keptMs: number | undefined;
	return {
		street: take(version),
		keep(view, isLeaving = false) {
			if (view.stage !== "street") {
				keepText(KEY, undefined);
				keptMs = undefined;
				return;
			}
			const isDue = isLeaving || keptMs === undefined || nowMs() - keptMs >= KEEP_EVERY_MS;
			if (view.timeScale === 1 && isDue) {
				keptMs = nowMs();
				keepText(KEY, JSON.stringify({ version, street: openOf(view) } satisfies LastView));
			}
		},
	};
}

/**
 * Without what storage keeps sealed (`storage/indexedDbSealing`), which is not to lie open here: bank accounts, and the
 * words by which the neighbourhood's TURN servers know it. Home shows none of it.
 */
function openOf({ accounts: _accounts, operator: _operator, ...street }: StreetView): StreetView {
	return street;
}

function take(version: string): StreetView | undefined {
	const text = readText(KEY);
	if (text === null) return undefined;
	keepText(KEY, undefined);
	const last = parse(text);
	return last?.version === version ? last.street : undefined;
}

function parse(text: string): LastView | undefined {
	try {
		return JSON.parse(text) as LastView;
	} catch {
		return undefined;
	}
}
