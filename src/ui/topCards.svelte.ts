/**
 * Cards that Home begins with, of which most households have none, so that their code is not Home's own. Who has one gets it
 * before Home is shown, because later it would push down all that somebody has begun to read.
 */
import type { Component } from "svelte";
import type { StreetView } from "../node/view.js";

/** By what they are about in the view. */
const CARDS = {
	moneyProposal: () => import("./components/MoneyProposalCard.svelte"),
	firstWeek: () => import("./components/FirstWeekCard.svelte"),
};
type Subject = keyof typeof CARDS;

const SUBJECTS = Object.keys(CARDS) as Subject[];
let loaded = $state.raw<{ readonly [subject in Subject]?: Component }>({});

/** Loads what a household has of them. Never rejects: without them Home is shown all the same. */
export async function loadTopCards(street: Pick<StreetView, Subject>): Promise<void> {
	await Promise.all(SUBJECTS.map((subject) => street[subject] !== undefined && load(subject)));
}

async function load(subject: Subject): Promise<void> {
	if (loaded[subject] !== undefined) return;
	try {
		const { default: card } = await CARDS[subject]();
		loaded = { ...loaded, [subject]: card };
	} catch {
		// Asked for again when it is to be shown the next time.
	}
}

/** Absent until it is loaded. Reactive. */
export function topCard(subject: Subject): Component | undefined {
	const card = loaded[subject];
	if (card === undefined) void load(subject);
	return card;
}
