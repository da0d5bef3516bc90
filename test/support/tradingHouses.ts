/** Houses of a cluster that trade: house 2 sells to house 1, which has ordered tokens from house 0. */
import { type Cluster, FIRST_MINUTE } from "./cluster.js";

export const OPERATOR = 0;
export const BUYER = 1;
export const SELLER = 2;

/** Tokens are ordered and issued, an offer is put out and accepted. */
export async function agreeToTrade(cluster: Cluster): Promise<void> {
	const orderId = await cluster.act(BUYER, { type: "buy", amountMicroNok: 5_000_000 });
	await cluster.act(OPERATOR, { type: "issue", orderId, amountMicroNok: 5_000_000, reference: "KID 7" });
	const terms = { priceMicroNokPerWh: 1_000, fromMinute: FIRST_MINUTE, untilMinute: FIRST_MINUTE + 1_000 };
	const offerId = await cluster.act(SELLER, { type: "offer", ...terms, noticeMinutes: 0 });
	await cluster.act(BUYER, { type: "accept", offerId });
}

/** So many minutes are metered by both, and settle. */
export async function trade(cluster: Cluster, minutes: number): Promise<void> {
	for (let at = 0; at < minutes; at++) {
		const minute = Math.floor(cluster.chainMs / 60_000);
		await cluster.nextMinute(1_000);
		await cluster.read(BUYER, minute, 30 + at, 0);
		await cluster.read(SELLER, minute, 0, 20 + 3 * at);
		await cluster.run(10_000, 500);
	}
	await cluster.settle();
}
