/** The inbox of these screens: in step with the view, kept in this browser, and said aloud by the system where that is wanted. */
import type { StreetView } from "../../node/view.js";
import { decodeInbox, type Entry, encodeInbox, type Inbox, lookAt, unreadOf, withAllRead } from "./inbox.js";
import { occasionsOf } from "./occasion.js";

/** Where its text is kept; absent: for as long as the screens are shown. */
export interface InboxStore {
	read(): string | null;
	keep(text: string): void;
}

export interface InboxKeeper {
	/** Newest first. Reactive. */
	readonly entries: readonly Entry[];
	readonly unread: number;
	/** Takes up what another tab wrote: the one that runs the node looks for all. */
	refresh(): void;
	/** Takes in a view. Gives what is new in it; while the chain is fetched nothing is: what it shows is long past. */
	look(street: StreetView, chainNowMs: number): readonly Entry[];
	readAll(): void;
}

export function createInboxKeeper(store?: InboxStore): InboxKeeper {
	let text = store?.read() ?? null;
	let inbox = $state.raw(decodeInbox(text));

	function refresh(): void {
		const latest = store?.read() ?? text;
		if (latest === text) return;
		text = latest;
		inbox = decodeInbox(text);
	}

	function keep(next: Inbox): void {
		if (next === inbox) return;
		inbox = next;
		text = encodeInbox(next);
		store?.keep(text);
	}

	return {
		get entries() {
			return inbox.entries;
		},
		get unread() {
			return unreadOf(inbox);
		},
		refresh,
		look(street, chainNowMs) {
			if (street.chain.sync !== undefined) return [];
			refresh();
			const looked = lookAt(inbox, occasionsOf(street, chainNowMs), chainNowMs);
			keep(looked.inbox);
			return looked.told;
		},
		readAll() {
			refresh();
			if (unreadOf(inbox) > 0) keep(withAllRead(inbox));
		},
	};
}
