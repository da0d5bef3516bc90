/**
 * A street as large as one gets, in the simulator's world: real nodes with virtual clocks, disks and channels. Thirty
 * found it, as many as a lobby takes; the others come by invitation. Every third household sells to two others.
 */
import type { Ledger } from "../../../src/contract/ledger.js";
import type { Command } from "../../../src/node/protocol.js";
import { assert } from "../../../src/primitives/assert.js";
import { equalBytes, toHex } from "../../../src/primitives/bytes.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE, minuteOf } from "../../../src/primitives/units.js";
import { Disk } from "../../simulation/disk.js";
import { found, inviteLater } from "../../simulation/founding.js";
import type { House } from "../../simulation/house.js";
import { readingOf } from "../../simulation/people.js";
import { type Reply, World } from "../../simulation/world.js";
import { SharedRecords } from "./sharedRecords.js";

const FOUNDERS = 30;
export const VOTERS = 25;
const INVITATION_EVERY_MS = 10;
const PATIENCE_MS = 5 * MS_PER_MINUTE;
const SELLER_EVERY = 3;
const CONTRACT_DAYS = 30;
/** Every buyer can pay for all that it could use. */
const TOKENS_MICRO_NOK = 1_000_000_000_000;

/** Founds a street of so many households, of whom the first 25 vote; each acts about every so often, if it lives. */
export async function foundLargeStreet(households: number, actEveryMs = 0): Promise<World> {
	const founders = Math.min(households, FOUNDERS);
	const shared = new SharedRecords();
	const plan = {
		seed: 1,
		households: founders,
		alwaysOn: Array.from({ length: founders }, (_, at) => at < VOTERS),
		joinAtMs: [],
		settings: {},
		realSignatures: false,
		tickMs: 250,
		writeMs: 5,
		stormMs: 0,
		actEveryMs,
		retentionDays: [],
		faults: [],
	};
	const world = new World(plan, () => new Disk(false, (writing) => shared.keptAs(writing)));
	await found(world);
	for (let at = founders; at < households; at++) {
		await inviteLater(world, world.nowMs + (at - founders) * INVITATION_EVERY_MS, () => false);
	}
	await until(world, "everybody is a member", () => {
		return world.houses.length === households && world.houses.every(({ street }) => street?.member !== undefined);
	});
	return world;
}

/** Lets the world go on until something holds. */
export async function until(world: World, what: string, holds: () => boolean, limitMs = PATIENCE_MS): Promise<void> {
	assert(await world.run(world.nowMs + limitMs, holds, 50), what);
}

/** Asks a house's node for something that it signs; settles when it is in a block and its own head is there. */
export async function act(world: World, house: House, command: Command): Promise<string> {
	let reply: Reply | undefined;
	await world.command(house, command, (given) => {
		reply = given;
	});
	await until(world, `${command.type} is answered`, () => reply !== undefined);
	assert(reply?.ok === true && reply.value.type === "signed", `${command.type} is signed: ${JSON.stringify(reply)}`);
	await until(world, `${command.type} is committed`, () => house.street?.mayAct === true);
	return reply.value.id;
}

/** The houses of a street with a number of their own: sellers, and each one's two buyers. */
function tradesOf(world: World): { seller: House; buyers: House[] }[] {
	return world.houses.flatMap((seller, at) =>
		at % SELLER_EVERY === 0 ? [{ seller, buyers: world.houses.slice(at + 1, at + SELLER_EVERY) }] : [],
	);
}

/** Buyers get tokens, sellers make an offer each, their two buyers accept: all at once, as people do. */
export async function makeContracts(world: World): Promise<void> {
	const [operator] = world.houses;
	assert(operator !== undefined, "somebody founded the street");
	const trades = tradesOf(world);
	const buyers = trades.flatMap((trade) => trade.buyers);
	const amountMicroNok = TOKENS_MICRO_NOK;
	for (const buyer of buyers) await signed(world, buyer, { type: "buy", amountMicroNok });
	await until(world, "everybody has ordered", () => ledgerOf(operator).orders.size === buyers.length);
	for (const orderId of [...ledgerOf(operator).orders.keys()]) {
		await act(world, operator, { type: "issue", orderId, amountMicroNok, reference: orderId.slice(0, 12) });
	}
	const minute = minuteOf(operator.chainMs);
	for (const [at, { seller }] of trades.entries()) {
		await signed(world, seller, {
			type: "offer",
			priceMicroNokPerWh: 500 + at,
			fromMinute: minute,
			untilMinute: minute + CONTRACT_DAYS * MINUTES_PER_DAY,
			noticeMinutes: 0,
		});
	}
	await until(world, "every seller's offer is open", () => ledgerOf(operator).offers.size === trades.length);
	for (const { seller, buyers } of trades) {
		const [offerId] = [...ledgerOf(operator).offers].find(([, { seller: by }]) => by === seller.street?.member) ?? [];
		assert(offerId !== undefined, "a seller's offer is open");
		for (const buyer of buyers) await signed(world, buyer, { type: "accept", offerId });
	}
	await until(world, "every contract is made", () => ledgerOf(operator).contracts.length === buyers.length);
	await until(world, "everybody knows", () => isAtRest(world));
}

async function signed(world: World, house: House, command: Command): Promise<void> {
	await world.command(house, command, (reply) => assert(reply.ok, `${command.type}: ${JSON.stringify(reply)}`));
}

/** The ledger at a house's committed head. */
export function ledgerOf({ street }: House): Ledger {
	assert(street !== undefined, "the house is in its street");
	return street.chain.head.ledger;
}

/** Hands a run of minutes in, as the house's meter counted them. */
export function handIn(world: World, house: House, fromMinute: number, untilMinute: number): Promise<void> {
	const readings = Array.from({ length: untilMinute - fromMinute }, (_, at) => readingOf(house.index, fromMinute + at));
	return world.arrive(house, { type: "readings", readings });
}

/** How many readings wait in the houses' outboxes. */
export function waitingReadings(world: World): number {
	return world.houses.reduce((sum, { street }) => sum + (street?.outbox.readings ?? 0), 0);
}

/** Everybody has the same certified chain, and nothing waits. */
export function isAtRest(world: World): boolean {
	const head = world.houses[0]?.street?.chain.head;
	return world.houses.every(({ street, isBusy }) => {
		if (head === undefined || street === undefined || isBusy || street.outbox.size > 0) return false;
		return equalBytes(street.chain.head.hash, head.hash);
	});
}

/** What the street's settlement has come to, by household and by contract. */
export function settlementOf(ledger: Ledger): object {
	return {
		households: ledger.households.map(({ nonce: _nonce, publicKey, seen, ...household }) => ({
			...household,
			publicKey: toHex(publicKey),
			seen: seen.map(([from, to]) => [from, to]),
		})),
		contracts: ledger.contracts.map(({ id, offerId, ...contract }) => ({
			...contract,
			id: toHex(id),
			offerId: toHex(offerId),
		})),
	};
}
