import type { Cluster } from "./cluster.js";

/**
 * The operator gives notice, and when it is over the household begins to move out; gives the id of the act. For tests
 * in which a notice is short: seven days of blocks take too long.
 */
export async function removeHousehold(cluster: Cluster, household: number, operator = 0): Promise<string> {
	const id = await cluster.act(operator, { type: "remove", household });
	const hasBegun = () => cluster.view(operator).members[household]?.movingOut !== undefined;
	await cluster.until(hasBegun, "the notice is over", 240_000, 1_000);
	await cluster.settle();
	return id;
}
