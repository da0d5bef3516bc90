/** The operator's screens, as the navigation within its part names them. */
import { m } from "./paraglide/messages.js";

export const OPERATOR_PLACES: readonly { path: string; name: () => string }[] = [
	{ path: "/operations", name: m.operator_nav_queues },
	{ path: "/network", name: m.network_title },
	{ path: "/treasury", name: m.nav_treasury },
	{ path: "/members", name: m.members_screen_title },
	{ path: "/neighbourhood", name: m.neighbourhood_title },
];

/** Whether an address is one of the operator's. */
export function isOperatorPlace(path: string): boolean {
	return OPERATOR_PLACES.some((place) => place.path === path);
}
