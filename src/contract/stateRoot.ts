/**
 * The state root: an RFC 6962 root over the block's settlement results, the range of all earlier block hashes, the
 * globals, and one leaf per household and per contract. One settled minute, one balance or one old block can be proved
 * alone against any certified block.
 */
import { merkleLeaf, merkleRoot, rangeRoot } from "../block/merkle.js";
import { QUALITIES } from "../block/reading.js";
import { MONEY_KINDS } from "../block/transaction.js";
import { assert } from "../primitives/assert.js";
import { fromHex } from "../primitives/bytes.js";
import { type CborValue, encode } from "../primitives/codec.js";
import type { Contract, Household, Ledger } from "./ledger.js";
import type { SettledMinute, SettlementResults, UtilityRest } from "./settlement.js";

/** Root of the ledger after a block, with that block's settlement results. */
export function stateRoot(ledger: Ledger, results: SettlementResults): Uint8Array {
	return merkleRoot([
		merkleLeaf(resultsRoot(results)),
		merkleLeaf(encode([ledger.history.count, rangeRoot(ledger.history)])),
		merkleLeaf(encode(globalFields(ledger))),
		remembered(ledger.devices, () => [...ledger.devices.map(deviceFields)]),
		remembered(ledger.offers, () => [...ledger.offers.values()].map(offerFields)),
		remembered(ledger.orders, () => [...ledger.orders.values()].map(orderFields)),
		...ledger.households.map((household) => remembered(household, () => householdFields(household))),
		...ledger.contracts.map((contract) => remembered(contract, () => contractFields(contract))),
	]);
}

/** Root over a block's results: a leaf per settled minute, then a leaf per utility rest. */
export function resultsRoot(results: SettlementResults): Uint8Array {
	return merkleRoot([
		...results.settled.map((minute) => merkleLeaf(encode(settledFields(minute)))),
		...results.rests.map((rest) => merkleLeaf(encode(restFields(rest)))),
	]);
}

/** Leaf hashes of what did not change since they were last asked for: ledgers share it. */
const leaves = new WeakMap<object, Uint8Array>();

function remembered(part: object, fields: () => CborValue): Uint8Array {
	let leaf = leaves.get(part);
	if (leaf === undefined) {
		leaf = merkleLeaf(encode(fields()));
		leaves.set(part, leaf);
	}
	return leaf;
}

function globalFields(ledger: Ledger): CborValue {
	const { parameters } = ledger;
	const invitations = [...ledger.usedInvitations].map(([id, expiryMinute]): CborValue => {
		const bytes = fromHex(id);
		assert(bytes.ok, "ids in the ledger are hex");
		return [bytes.value, expiryMinute];
	});
	return [
		ledger.index,
		ledger.timestampMs,
		ledger.genesisTimestampMs,
		MONEY_KINDS.indexOf(parameters.moneyKind),
		parameters.retailMicroNokPerWh,
		parameters.feedInMicroNokPerWh,
		parameters.localFeeMicroNokPerWh,
		ledger.issuedMicroNok,
		ledger.voters,
		ledger.votersSinceIndex,
		ledger.counted,
		invitations,
		ledger.households.length,
		ledger.contracts.length,
	];
}

function deviceFields(device: Ledger["devices"][number]): CborValue {
	return [device.household, device.publicKey, device.alwaysOn ? 1 : 0, device.revoked ? 1 : 0];
}

function offerFields(offer: Ledger["offers"] extends ReadonlyMap<string, infer O> ? O : never): CborValue {
	return [
		offer.id,
		offer.seller,
		offer.priceMicroNokPerWh,
		offer.fromMinute,
		offer.untilMinute,
		offer.energyLimitWh,
		offer.noticeMinutes,
		offer.buyer === undefined ? [] : [offer.buyer],
		offer.maxBuyers,
		offer.accepted,
	];
}

function orderFields(order: Ledger["orders"] extends ReadonlyMap<string, infer O> ? O : never): CborValue {
	return [order.id, order.member, order.amountMicroNok, order.timestampMs];
}

function householdFields(household: Household): CborValue {
	return [
		"household",
		household.index,
		household.name,
		household.publicKey,
		household.operator ? 1 : 0,
		household.meteringDevice,
		household.joinedMinute,
		household.nonce,
		household.balanceMicroNok,
		household.importWh,
		household.exportWh,
		household.boughtWh,
		household.soldWh,
		household.utilityImportWh,
		household.utilityExportWh,
		household.settledUntilMinute,
		household.seen,
		household.pending.map((reading) => [
			reading.minute,
			reading.importWh,
			reading.exportWh,
			QUALITIES.indexOf(reading.quality),
			reading.boughtWh,
			reading.soldWh,
		]),
	];
}

function contractFields(contract: Contract): CborValue {
	return [
		"contract",
		contract.index,
		contract.id,
		contract.offerId,
		contract.seller,
		contract.buyer,
		contract.priceMicroNokPerWh,
		contract.fromMinute,
		contract.untilMinute,
		contract.ended ? 1 : 0,
		contract.energyLimitWh,
		contract.noticeMinutes,
		contract.deliveredWh,
		contract.amountMicroNok,
		contract.lastDeliveryMinute,
	];
}

function settledFields(settled: SettledMinute): CborValue {
	return [
		"settled",
		settled.seller,
		settled.minute,
		settled.availableWh,
		settled.deliveries.map((delivery) => [
			delivery.contract,
			delivery.buyer,
			delivery.energyWh,
			delivery.amountMicroNok,
		]),
	];
}

function restFields(rest: UtilityRest): CborValue {
	return ["rest", rest.household, rest.minute, rest.importWh, rest.exportWh];
}
