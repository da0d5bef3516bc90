/** Every screen with every state that it can be in, as the preview (`test/ui-preview`) shows them: a scene and a route. */

export interface ShownScreen {
	readonly scene: string;
	/** What stands behind `#/`. */
	readonly route: string;
}

const of = (scene: string, ...routes: string[]): ShownScreen[] => routes.map((route) => ({ scene, route }));

export const SHOWN_SCREENS: readonly ShownScreen[] = [
	...of("welcome", "", "found", "join"),
	...of("welcomeDamaged", ""),
	...of("lobby", ""),
	...of("guest", ""),
	...of("joining", ""),
	...of("refused", ""),
	...of("claiming", ""),
	...of("keyAnnounced", ""),
	...of("foundedAgainMeanwhile", ""),
	...of(
		"street",
		"",
		"usage",
		"meter",
		"market",
		"balance",
		"chain",
		"operations",
		"network",
		"members",
		"neighbourhood",
		"treasury",
		"more",
		"statement",
		"export",
		"inbox",
		"kiosk",
	),
	...of("consumer", "", "usage", "market", "balance", "chain", "more", "kiosk"),
	...of("doubtfulMeter", "meter"),
	...of("unrecognizedMeter", "meter"),
	...of("troubled", "", "chain", "operations", "kiosk"),
	...of("households", "operations"),
	...of("suspended", ""),
	...of("movingOut", "more"),
	...of("movedOut", ""),
	...of("bankedOperator", "treasury"),
	...of("banked", "balance"),
	...of("paidOperator", "operations", "treasury"),
	...of("paid", "balance"),
	...of("monthlyOperator", "treasury"),
	...of("monthly", "balance"),
	...of("moneyOperator", "treasury"),
	...of("moneyAsked", ""),
	...of("keyNotice", "chain"),
	...of("ownRemovalNotice", ""),
	...of("noPassword", ""),
	...of("noWords", ""),
	...of("refoundingPossible", "", "operations"),
	...of("refoundingProposed", "refounding"),
	...of("refoundingFounded", "refounding"),
	...of("outOfUse", ""),
	...of("demo", ""),
];
