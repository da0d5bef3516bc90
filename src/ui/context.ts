/** What the screens of one household reach without passing it through every component. */
import { createContext } from "svelte";
import type { StreetView } from "../node/view.js";
import type { InboxKeeper } from "./inbox/keeper.svelte.js";
import type { MeterPort } from "./meterPort.js";
import type { NodeClient } from "./nodeClient.svelte.js";
import type { Review } from "./review.js";

export interface Household {
	readonly client: NodeClient;
	/** The client's view, which is a street as long as these screens are shown. */
	readonly street: StreetView;
	/** It is from before this page was opened, and shown while the node starts. Reactive. */
	readonly isLast: boolean;
	/** Another tab of this browser runs the node. */
	readonly elsewhere: boolean;
	/** Reads the meter's port where a person has to choose it. */
	readonly meterPort: MeterPort;
	/** The chain's clock, which goes on between two views. Reactive, once a second. */
	readonly chainNowMs: number;
	readonly inbox: InboxKeeper;
	/** Has an act reviewed, done and acknowledged above all screens: what asked for it may be gone by then. */
	review(review: Review): void;
}

export const [household, setHousehold] = createContext<Household>();
