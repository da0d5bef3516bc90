/** What can go wrong in the street, and how it is put right. */
import type { House } from "./house.js";
import type { Random } from "./random.js";
import type { Street } from "./street.js";

export interface Fault {
	/** What happens, for the report. */
	readonly what: string;
	/** Whom it takes out of the street. */
	readonly houses: readonly House[];
	begin(): Promise<void>;
	/** What puts it right, for the report. */
	readonly cure: string;
	end(): Promise<void>;
}

const names = (houses: readonly House[]) => houses.map(({ name }) => name.replace("Bjørkeveien ", "")).join(", ");

/** The page's process is killed, and the page opened again. */
export function pageKilled(street: Street, house: House): Fault {
	return {
		what: `page of ${names([house])} killed`,
		houses: [house],
		begin: () => street.killPage(house),
		cure: `page of ${names([house])} opened`,
		end: () => street.openHouse(house),
	};
}

/** The whole browser is killed, and started with its profiles; its pages are opened one after the other. */
export function browserKilled(street: Street, hostAt: number): Fault {
	const houses = street.on(hostAt);
	return {
		what: `browser of ${names(houses)} killed`,
		houses,
		begin: () => street.killBrowser(hostAt),
		cure: `browser of ${names(houses)} started`,
		async end() {
			await street.startBrowser(hostAt);
			for (const house of houses) await street.openHouse(house);
		},
	};
}

/** Neither the page nor its worker get to do anything. */
export function pageFrozen(street: Street, house: House): Fault {
	return {
		what: `page of ${names([house])} frozen`,
		houses: [house],
		begin: () => street.freeze(house),
		cure: `page of ${names([house])} thawed`,
		end: () => street.thaw(house),
	};
}

/** A computer is cut off: its cable is pulled (it sees that), or the access point drops everything (it does not). */
export function hostCut(street: Street, hostAt: number, how: "unplug" | "mute"): Fault {
	const houses = street.on(hostAt);
	return {
		what: `host of ${names(houses)} cut off (${how === "unplug" ? "link down" : "packets dropped"})`,
		houses,
		begin: async () => street.host(hostAt)[how](),
		cure: `host of ${names(houses)} connected`,
		end: async () => street.host(hostAt).connect(),
	};
}

/** Some computers are cut off together, with one another but without the server; none of them sees it. */
export function split(street: Street, hostsAway: readonly number[]): Fault {
	const houses = hostsAway.flatMap((at) => street.on(at));
	const stay = street.houses.filter((house) => !houses.includes(house));
	return {
		what: `split ${names(stay)} | ${names(houses)}`,
		houses,
		begin: async () => {
			for (const at of hostsAway) street.host(at).moveAway();
		},
		cure: `split healed, ${names(houses)} back`,
		end: async () => {
			for (const at of hostsAway) street.host(at).connect();
		},
	};
}

/** One that leaves a majority in the street and touches nobody whom another has; undefined: there is none. */
export function nextFault(
	street: Street,
	random: Random,
	active: readonly Fault[],
	leader: House | undefined,
): Fault | undefined {
	const away = new Set(active.flatMap(({ houses }) => houses));
	const room = street.houses.length - street.quorum - away.size;
	const fits = (fault: Fault) => fault.houses.length <= room && fault.houses.every((house) => !away.has(house));
	const hosts = [...new Set(street.houses.map(({ hostAt }) => hostAt))];
	const free = street.houses.filter((house) => !away.has(house));
	// The leader is worth more than any other: half of the time it is hit.
	const house = leader !== undefined && free.includes(leader) && random.next() < 0.5 ? leader : random.pick(free);
	const hostAt = random.pick(hosts) ?? 0;
	const kinds: Fault[] = [
		...(house === undefined ? [] : [pageKilled(street, house), pageFrozen(street, house)]),
		browserKilled(street, hostAt),
		hostCut(street, hostAt, random.next() < 0.5 ? "unplug" : "mute"),
		split(street, hosts.slice(-2)),
	].filter(fits);
	return random.pick(kinds);
}
