/**
 * The demo street: ten real nodes in ten workers of this tab, real WebRTC between them. It is founded, metered and set
 * trading through the same commands that people use; only the clock and the meters differ from the real thing.
 */
import type { Command } from "../../node/protocol.js";
import type { StreetView, View } from "../../node/view.js";
import { MINUTES_PER_DAY, minuteOf } from "../../primitives/units.js";
import { createHouse, type House, type HouseParts } from "./house.svelte.js";
import { DEMO_HOUSEHOLDS, DEMO_NEIGHBOURHOOD, DEMO_PURCHASE_MICRO_NOK } from "./households.js";
import { type WaitResult, waitFor } from "./waitFor.js";

export type DemoStep = "starting" | "gathering" | "founding" | "meters" | "offers" | "tokens" | "contracts";

export type DemoProgress =
	| { type: "step"; step: DemoStep; done: number; total: number }
	| { type: "running" }
	| { type: "failed"; code: string };

export interface DemoStreet {
	readonly houses: readonly House[];
	/** Ends every node. */
	stop(): void;
}

/** Ten meshes on one page take a while to find one another. */
const STAGE_TIMEOUT_MS = 120_000;
const OFFER_DAYS = 30;
const OFFER_NOTICE_MINUTES = 60;

/** A step that cannot go on, with the code that says why. */
class DemoFailure extends Error {
	constructor(readonly code: string) {
		super(code);
	}
}

/** Starts the ten houses and sets them trading. `onProgress` ends with `running` or `failed`. */
export function startStreet(
	parts: HouseParts,
	signalingUrl: string,
	onProgress: (progress: DemoProgress) => void,
): DemoStreet {
	const houses = DEMO_HOUSEHOLDS.map((household, index) => createHouse(index, household, parts));
	let stopped = false;

	function report(progress: DemoProgress): void {
		if (!stopped) onProgress(progress);
	}

	run(houses, signalingUrl, report).then(
		() => report({ type: "running" }),
		(error: unknown) => report({ type: "failed", code: error instanceof DemoFailure ? error.code : String(error) }),
	);
	return {
		houses,
		stop() {
			stopped = true;
			for (const house of houses) house.switchOff();
		},
	};
}

/** A house that was switched on again reads its meter again as soon as its node is back. */
export async function resumeMeter(house: House): Promise<void> {
	const street = await waitFor(house.client, streetOf, STAGE_TIMEOUT_MS);
	if (street.ok && street.value.meter.source === "none") await house.client.command(meterCommand(house));
}

async function run(
	houses: readonly House[],
	signalingUrl: string,
	onProgress: (progress: DemoProgress) => void,
): Promise<void> {
	const founder = houses[0];
	if (founder === undefined) return;
	const guests = houses.slice(1);

	/** All houses at once, as in a real street; the counter on the screen goes along. */
	async function each(step: DemoStep, chosen: readonly House[], act: (house: House) => Promise<void>): Promise<void> {
		let done = 0;
		const report = () => onProgress({ type: "step", step, done, total: chosen.length });
		report();
		await Promise.all(
			chosen.map(async (house) => {
				await act(house);
				done += 1;
				report();
			}),
		);
	}

	await each("starting", houses, async (house) => void (await wait(house, (view) => view)));
	const signalingUrls = [signalingUrl];
	const founding = { householdName: founder.household.name, alwaysOn: true, signalingUrls };
	await order(founder, { type: "openLobby", neighbourhood: { ...DEMO_NEIGHBOURHOOD }, ...founding });
	const { link } = await wait(founder, (view) => (view.stage === "lobby" ? view : undefined));
	await each("gathering", guests, async (house) => {
		const { name } = house.household;
		await order(house, { type: "enterLobby", link, householdName: name, alwaysOn: true, signalingUrls });
		await wait(founder, (view) => (view.stage === "lobby" && hasMember(view, name) ? view : undefined));
	});
	await order(founder, { type: "start" });
	await each("founding", houses, async (house) => void (await wait(house, streetOf)));
	await each("meters", houses, (house) => order(house, meterCommand(house)));
	await trade(houses, founder, each);
}

async function trade(
	houses: readonly House[],
	operator: House,
	each: (step: DemoStep, chosen: readonly House[], act: (house: House) => Promise<void>) => Promise<void>,
): Promise<void> {
	const prosumers = houses.filter(({ household }) => household.profile === "prosumer");
	const consumers = houses.filter(({ household }) => household.profile === "consumer");
	await each("offers", prosumers, async (house) => {
		const { chainMs } = await wait(house, streetOf);
		await order(house, offerCommand(house, chainMs));
	});
	await each("tokens", consumers, async (house) => {
		const { self } = await wait(house, streetOf);
		await order(house, { type: "buy", amountMicroNok: DEMO_PURCHASE_MICRO_NOK });
		const waiting = await wait(operator, (view) =>
			streetOf(view)?.operator?.orders.find(({ member }) => member === self.index),
		);
		const { id: orderId, amountMicroNok } = waiting;
		await order(operator, { type: "issue", orderId, amountMicroNok, reference: `Demo ${house.index + 1}` });
	});
	await each("contracts", consumers, async (house) => {
		const sellerName = houses[house.household.sellerIndex]?.household.name;
		const offer = await wait(house, (view) => {
			const street = streetOf(view);
			const seller = street?.members.find(({ name }) => name === sellerName)?.index;
			return street?.market.offers.find((found) => found.seller === seller && found.refusal === undefined);
		});
		await order(house, { type: "accept", offerId: offer.id });
	});
}

async function order(house: House, command: Command): Promise<void> {
	const result = await house.client.command(command);
	if (!result.ok) throw new DemoFailure(result.error.code);
}

async function wait<T>(house: House, pick: (view: View) => T | undefined): Promise<T> {
	const result: WaitResult<T> = await waitFor(house.client, pick, STAGE_TIMEOUT_MS);
	if (!result.ok) throw new DemoFailure(result.error.code);
	return result.value;
}

function streetOf(view: View): StreetView | undefined {
	return view.stage === "street" ? view : undefined;
}

function hasMember(view: Extract<View, { stage: "lobby" }>, name: string): boolean {
	return view.members.some((member) => member.name === name);
}

function meterCommand({ index, household }: House): Command {
	return { type: "meterSource", source: "simulated", seed: index + 1, profile: household.profile };
}

function offerCommand({ household }: House, chainMs: number): Command {
	const fromMinute = minuteOf(chainMs) + 1;
	return {
		type: "offer",
		priceMicroNokPerWh: household.priceMicroNokPerWh,
		fromMinute,
		untilMinute: fromMinute + OFFER_DAYS * MINUTES_PER_DAY,
		noticeMinutes: OFFER_NOTICE_MINUTES,
	};
}
