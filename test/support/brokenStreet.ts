/** A neighbourhood that has lost the majority of its voters for good, and what its people do about it. */
import { expect } from "vitest";
import { encodeRestoreLink } from "../../src/node/link.js";
import type { RefoundingView } from "../../src/node/view.js";
import { toHex } from "../../src/primitives/bytes.js";
import { MS_PER_MINUTE } from "../../src/primitives/units.js";
import { type Cluster, foundedStreet } from "./cluster.js";

export const ledgerOf = (cluster: Cluster, at: number) => cluster.street(at).chain.head.ledger;
export const gridOf = (cluster: Cluster, at: number) => toHex(cluster.street(at).gridId);
export const balances = (cluster: Cluster, at: number) =>
	ledgerOf(cluster, at).households.map(({ balanceMicroNok }) => balanceMicroNok);
const lastMinute = (cluster: Cluster) => Math.floor(cluster.chainMs / MS_PER_MINUTE) - 1;

export function refoundingOf(cluster: Cluster, at: number): RefoundingView {
	const view = cluster.house(at).node.view();
	const refounding = view.stage === "street" || view.stage === "joining" ? view.refounding : undefined;
	if (refounding === undefined) throw new Error(`house ${at} has nothing to found again`);
	return refounding;
}

/** What whoever proposed it asks for; a person adds on another device that the one which proposed is lost for good. */
export const TAKEN_BACK = { type: "withdrawRefounding" } as const;

export const stateAt = (cluster: Cluster, at: number) => {
	const view = cluster.house(at).node.view();
	return view.stage === "street" || view.stage === "joining" ? (view.refounding?.state ?? "none") : view.stage;
};

/** A person reads the card and says yes. */
export async function confirm(cluster: Cluster, at: number): Promise<string> {
	const { proposal } = refoundingOf(cluster, at);
	return cluster.outcome(at, { type: "confirmRefounding", proposal: proposal ?? "" });
}

interface BrokenStreet {
	cluster: Cluster;
	/** Houses whose devices voted and are gone for good, and those that are left, the operator first. */
	lost: number[];
	left: number[];
	seller: number;
	buyer: number;
	/** The seller's minute that has not settled: only the buyer's reading is in a block. */
	openMinute: number;
}

/** Seven households, three devices vote; one household sells to another; then two of the voters are gone for good. */
export async function brokenStreet(settings: Parameters<typeof foundedStreet>[1] = {}): Promise<BrokenStreet> {
	const cluster = await foundedStreet(7, settings, 3);
	const voters = ledgerOf(cluster, 0).voters;
	const phones = [1, 2, 3, 4, 5, 6].filter((at) => !voters.includes(at));
	const [seller, buyer] = phones;
	if (seller === undefined || buyer === undefined) throw new Error("there are phones");
	const order = await cluster.act(buyer, { type: "buy", amountMicroNok: 1_000_000 });
	await cluster.act(0, { type: "issue", orderId: order, amountMicroNok: 1_000_000, reference: "KID 1" });
	const offerId = await cluster.act(seller, offer(cluster));
	await cluster.act(buyer, { type: "accept", offerId });
	await trade(cluster, seller, buyer, 30, 20);
	await trade(cluster, seller, buyer, 30, 20);
	await cluster.until(() => balances(cluster, 0)[seller] === 20_000, "a minute has settled");
	await cluster.settle();
	// A minute of which only the buyer's reading gets through.
	await cluster.nextMinute(1_000);
	const openMinute = lastMinute(cluster);
	await cluster.read(buyer, openMinute, 7);
	await cluster.nextMinute();
	await cluster.until(() => cluster.street(buyer).outbox.size === 0, "the buyer's reading is in");
	await cluster.settle();
	const lost = voters.filter((voter) => voter !== 0);
	for (const at of lost) cluster.off(at);
	await cluster.run(12_000, 500);
	return { cluster, lost, left: [0, ...phones], seller, buyer, openMinute };
}

export const offer = (cluster: Cluster) => ({
	type: "offer" as const,
	priceMicroNokPerWh: 1_000,
	fromMinute: lastMinute(cluster),
	untilMinute: lastMinute(cluster) + 100_000,
	noticeMinutes: 0,
});

/** The next minute of both meters. */
export async function trade(
	cluster: Cluster,
	seller: number,
	buyer: number,
	soldWh: number,
	boughtWh: number,
): Promise<void> {
	await cluster.nextMinute(1_000);
	await cluster.read(seller, lastMinute(cluster), 0, soldWh);
	await cluster.read(buyer, lastMinute(cluster), boughtWh);
	await cluster.nextMinute();
}

export async function propose(cluster: Cluster, at = 0): Promise<void> {
	expect(await cluster.outcome(at, { type: "refound" })).toBe("ok");
}

/** A lost household's way back, on a browser that knows nothing. Gives its house. */
export async function restore(cluster: Cluster, lost: number): Promise<number> {
	const { config, gridId, chain } = cluster.street(lost);
	const { networkKey, keyGeneration, keys } = config;
	const pin = { index: chain.head.block.index, hash: chain.head.hash.slice(0, 16) };
	const { household } = keys;
	const mesh = { networkKey, keyGeneration, iceServers: [] };
	const link = encodeRestoreLink({ kind: "restore", gridId, ...mesh, household, pin });
	const { index } = await cluster.add();
	expect(await cluster.outcome(index, { type: "restore", link, alwaysOn: true, signalingUrls: [] })).toBe("ok");
	return index;
}
