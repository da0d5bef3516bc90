import { describe, expect, it } from "vitest";
import { blockHash } from "../../../src/block/block.js";
import { merkleLeaf, merkleRoot, rangeRoot } from "../../../src/block/merkle.js";
import type { MatchedInterval } from "../../../src/contract/automaticMarket.js";
import { householdOf, type Ledger } from "../../../src/contract/ledger.js";
import { NO_RESULTS, type SettlementResults } from "../../../src/contract/settlement.js";
import { stateRoot } from "../../../src/contract/stateRoot.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const M = FIRST_MINUTE;

/** A street with everything in it: an open offer, an open order, a contract, a pending and a settled reading. */
function busyStreet(): TestNeighbourhood {
	const street = new TestNeighbourhood(3);
	street.giveTokens(1, 1_000_000);
	street.contractBetween(0, 1);
	street.block(street.head.timestampMs + 1, [street.act("offer", 0), street.act("buy", 2)]);
	street.minute(M);
	street.minute(M + 1, [street.reading(0, M + 1, 0, 5), street.reading(1, M + 1, 5, 0)]);
	street.minute(M + 2, [street.reading(0, M + 2, 0, 5)]);
	return street;
}

const rootOf = (ledger: Ledger, results = NO_RESULTS) => toHex(stateRoot(ledger, results));

describe("the state root", () => {
	const { ledger } = busyStreet();

	it("is the same for the same blocks in two nodes", () => {
		expect(rootOf(busyStreet().ledger)).toBe(rootOf(ledger));
	});

	const changeHousehold = (change: object): Ledger => ({
		...ledger,
		households: ledger.households.map((each) => (each.index === 1 ? { ...each, ...change } : each)),
	});
	const changeContract = (change: object): Ledger => ({
		...ledger,
		contracts: ledger.contracts.map((each) => ({ ...each, ...change })),
	});
	const [offer] = ledger.offers;
	const [order] = ledger.orders;
	if (offer === undefined || order === undefined) throw new Error("an offer and an order");
	const withOffer = (change: object): Ledger => ({
		...ledger,
		offers: new Map([[offer[0], { ...offer[1], ...change }]]),
	});
	const withOrder = (change: object): Ledger => ({
		...ledger,
		orders: new Map([[order[0], { ...order[1], ...change }]]),
	});
	const other = new Uint8Array(32).fill(9);
	const key = new Uint8Array(33).fill(9);
	const household = householdOf(ledger, 0);
	const [pending] = household.pending;
	if (pending === undefined) throw new Error("a pending reading");

	it.each<[string, Ledger]>([
		["the index", { ...ledger, index: ledger.index + 1 }],
		["the time", { ...ledger, timestampMs: ledger.timestampMs + 1 }],
		["the kind of money", { ...ledger, parameters: { ...ledger.parameters, moneyKind: "trial" } }],
		["the tariff", { ...ledger, parameters: { ...ledger.parameters, retailMicroNokPerWh: 1 } }],
		["the feed-in tariff", { ...ledger, parameters: { ...ledger.parameters, feedInMicroNokPerWh: 1 } }],
		["the local fee", { ...ledger, parameters: { ...ledger.parameters, localFeeMicroNokPerWh: 1 } }],
		["the circulation", { ...ledger, issuedMicroNok: 1 }],
		["the voters", { ...ledger, voters: [0, 1] }],
		["the counted blocks", { ...ledger, counted: [[1, 2]] }],
		["how many blocks counted", { ...ledger, countedTotal: 99 }],
		["the neighbourhood", { ...ledger, gridId: other }],
		["the invitations that were used", { ...ledger, usedInvitations: new Map([["07", 5]]) }],
		["the history", { ...ledger, history: { count: 1, peaks: [other] } }],
		["a device", { ...ledger, devices: ledger.devices.map((device) => ({ ...device, publicKey: key })) }],
		[
			"whether a device is always on",
			{ ...ledger, devices: ledger.devices.map((each) => ({ ...each, alwaysOn: false })) },
		],
		["an offer's price", withOffer({ priceMicroNokPerWh: 7 })],
		["an offer's period", withOffer({ untilMinute: 7 })],
		["an offer's limit", withOffer({ energyLimitWh: 7 })],
		["an offer's notice", withOffer({ noticeMinutes: 7 })],
		["an offer's buyer", withOffer({ buyer: 2 })],
		["an offer's number of buyers", withOffer({ maxBuyers: 7 })],
		["who accepted an offer", withOffer({ accepted: [2] })],
		["that an offer is gone", { ...ledger, offers: new Map() }],
		["an order's amount", withOrder({ amountMicroNok: 7 })],
		["an order's household", withOrder({ member: 0 })],
		["that an order is gone", { ...ledger, orders: new Map() }],
		["a name", changeHousehold({ name: "Hus 9" })],
		["a household's key", changeHousehold({ publicKey: key })],
		["a role", changeHousehold({ operator: true })],
		["a metering device", changeHousehold({ meteringDevice: 2 })],
		["a nonce", changeHousehold({ nonce: 99 })],
		["a balance", changeHousehold({ balanceMicroNok: 99 })],
		["metered import", changeHousehold({ importWh: 99 })],
		["metered export", changeHousehold({ exportWh: 99 })],
		["energy bought", changeHousehold({ boughtWh: 99 })],
		["energy sold", changeHousehold({ soldWh: 99 })],
		["the utility's import", changeHousehold({ utilityImportWh: 99 })],
		["the utility's export", changeHousehold({ utilityExportWh: 99 })],
		["a settlement cursor", changeHousehold({ settledUntilMinute: 99 })],
		["minutes seen", changeHousehold({ seen: [] })],
		["a pending reading", changeHousehold({ pending: [{ ...pending, exportWh: 99 }] })],
		["a pending reading's quality", changeHousehold({ pending: [{ ...pending, quality: "gap" }] })],
		["a contract's price", changeContract({ priceMicroNokPerWh: 99 })],
		["a contract's end", changeContract({ untilMinute: 99 })],
		["that a contract was ended", changeContract({ ended: true })],
		["a contract's limit", changeContract({ energyLimitWh: 99 })],
		["a contract's notice", changeContract({ noticeMinutes: 99 })],
		["energy delivered", changeContract({ deliveredWh: 99 })],
		["a contract's amount", changeContract({ amountMicroNok: 99 })],
		["a contract's last delivery", changeContract({ lastDeliveryMinute: 99 })],
		["a contract's parties", changeContract({ buyer: 2 })],
	])("depends on %s", (_, changed) => {
		expect(rootOf(changed)).not.toBe(rootOf(ledger));
	});

	it("depends on the settlement results of its block", () => {
		const rest = { household: 1, minute: M, importWh: 5, exportWh: 0 };
		const settled = { seller: 0, minute: M, availableWh: 5, deliveries: [] };
		const delivery = { contract: 0, buyer: 1, energyWh: 5, amountMicroNok: 5_000 };
		const share = { household: 1, boughtWh: 0, paidMicroNok: 0, soldWh: 5, earnedMicroNok: 5 };
		const interval: MatchedInterval = {
			fromMinute: M,
			untilMinute: M + 15,
			choice: "midMarket",
			priceMicroNokPerWh: 1,
			shares: [share],
		};
		const roots: SettlementResults[] = [
			NO_RESULTS,
			{ settled: [settled], rests: [], matched: [], ordered: [] },
			{ settled: [{ ...settled, availableWh: 6 }], rests: [], matched: [], ordered: [] },
			{ settled: [{ ...settled, deliveries: [delivery] }], rests: [], matched: [], ordered: [] },
			{ settled: [{ ...settled, deliveries: [{ ...delivery, energyWh: 4 }] }], rests: [], matched: [], ordered: [] },
			{ settled: [], rests: [rest], matched: [], ordered: [] },
			{ settled: [], rests: [{ ...rest, importWh: 4 }], matched: [], ordered: [] },
			{ settled: [settled], rests: [rest], matched: [], ordered: [] },
			{ settled: [], rests: [], matched: [interval], ordered: [] },
			{ settled: [], rests: [], matched: [{ ...interval, priceMicroNokPerWh: 2 }], ordered: [] },
			{ settled: [], rests: [], matched: [{ ...interval, shares: [{ ...share, soldWh: 6 }] }], ordered: [] },
		];
		expect(new Set(roots.map((results) => rootOf(ledger, results))).size).toBe(roots.length);
	});

	it("holds the range of all earlier block hashes, so that an old block can be proved alone", () => {
		const street = busyStreet();
		const hashes = street.blocks.slice(0, -1).map((block) => merkleLeaf(blockHash(block)));
		expect(street.ledger.history.count).toBe(street.blocks.length - 1);
		expect(toHex(rangeRoot(street.ledger.history))).toBe(toHex(merkleRoot(hashes)));
	});

	it("is of version 1: another value here makes another version, and old chains would no longer open", () => {
		const street = busyStreet();
		expect({
			gridId: toHex(street.ledger.gridId),
			headHash: toHex(blockHash(street.head)),
			stateRoot: toHex(street.head.stateRoot),
		}).toEqual({
			gridId: "4018f117c47be7662f2270a9ea0b25afda55a873bd01415b0cb841b71287394c",
			headHash: "797fb73c7a4141129c8f221c6e2216fc4649e56565a2e5ee0880a0ecc1410031",
			stateRoot: "072ca2ab0c9f3706cba1ed2bf969f403a672a15842ead406f25b17169b586c42",
		});
	});
});
