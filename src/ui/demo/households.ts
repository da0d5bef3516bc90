/** Who lives in the demo street: ten households, half of them with solar panels. */
import type { HouseholdProfile } from "../../node/protocol.js";

export interface DemoHousehold {
	name: string;
	profile: HouseholdProfile;
	/** Prosumers: what they ask, µNOK/Wh. */
	priceMicroNokPerWh: number;
	/** Consumers: whose offer they accept, as an index of this list. */
	sellerIndex: number;
}

export const DEMO_NEIGHBOURHOOD = {
	name: "Solbakken",
	moneyKind: "trial",
	retailMicroNokPerWh: 1450,
	feedInMicroNokPerWh: 600,
	localFeeMicroNokPerWh: 0,
	market: { choice: "midMarket", intervalMinutes: 15, buysUnderContract: false },
} as const;

/** How much faster than real time: one minute of the street in two seconds. */
export const DEMO_TIME_SCALE = 30;
export const DEMO_PURCHASE_MICRO_NOK = 200_000_000;

export const DEMO_HOUSEHOLDS: readonly DemoHousehold[] = [
	prosumer("Bjørkeveien 1", 980),
	consumer("Bjørkeveien 2", 0),
	prosumer("Bjørkeveien 3", 1010),
	consumer("Bjørkeveien 4", 2),
	prosumer("Bjørkeveien 5", 950),
	consumer("Bjørkeveien 6", 4),
	prosumer("Bjørkeveien 7", 1050),
	consumer("Bjørkeveien 8", 6),
	prosumer("Bjørkeveien 9", 1100),
	consumer("Bjørkeveien 10", 8),
];

function prosumer(name: string, priceMicroNokPerWh: number): DemoHousehold {
	return { name, profile: "prosumer", priceMicroNokPerWh, sellerIndex: -1 };
}

function consumer(name: string, sellerIndex: number): DemoHousehold {
	return { name, profile: "consumer", priceMicroNokPerWh: 0, sellerIndex };
}
