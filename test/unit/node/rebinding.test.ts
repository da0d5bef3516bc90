import { describe, expect, it } from "vitest";
import { decodeClaim, encodeClaim } from "../../../src/node/claim.js";
import { idOf, Mempool } from "../../../src/node/mempool.js";
import type { JoiningView } from "../../../src/node/view.js";
import { type Cluster, foundedStreet } from "../../support/cluster.js";
import { FIRST_MINUTE, TestNeighbourhood } from "../../support/ledger.js";

const HERE = { alwaysOn: true, signalingUrls: [] };

/** Somebody of household 2 comes in on another browser, which makes a new key; gives that browser's house. */
async function claimant(cluster: Cluster): Promise<number> {
	const link = await cluster.command(1, { type: "wayBackLink" });
	if (!link.ok || link.value.type !== "link") throw new Error("any member gives the link");
	const { index } = await cluster.add();
	const command = { type: "restore" as const, link: link.value.link, newKey: true, newPassword: "tre små fugler" };
	expect(await cluster.outcome(index, { ...command, ...HERE })).toBe("ok");
	await cluster.until(() => joining(cluster, index).claim !== undefined, "the browser has a claim");
	return index;
}

function joining(cluster: Cluster, at: number): JoiningView {
	const view = cluster.house(at).node.view();
	if (view.stage !== "joining") throw new Error(`it is in stage ${view.stage}`);
	return view;
}

describe("a household that has lost its words", () => {
	it("shows a claim on a browser with new ones, of which the operator gives notice to everybody", async () => {
		const cluster = await foundedStreet(3);
		const at = await claimant(cluster);
		expect(joining(cluster, at)).toMatchObject({ state: "refused", code: "unknown-household" });
		const claim = joining(cluster, at).claim?.text ?? "";
		await cluster.act(0, { type: "rebind", household: 2, claim: ` ${claim}\n` });
		for (const house of [0, 1, 2]) {
			expect(cluster.view(house).members[2]?.notice?.minutesLeft).toBeGreaterThan(10_000);
		}
		await cluster.until(() => joining(cluster, at).claim?.notice !== undefined, "the browser hears of it");
		expect(joining(cluster, at).claim?.notice?.household).toBe(cluster.view(0).members[2]?.name);
		// Until then nothing of the household is its own.
		expect(joining(cluster, at).as).toBe("restored");
	});

	it("objects where it has not", async () => {
		const cluster = await foundedStreet(3);
		const at = await claimant(cluster);
		const claim = joining(cluster, at).claim?.text ?? "";
		await cluster.act(0, { type: "rebind", household: 2, claim });
		expect(await cluster.outcome(1, { type: "contest", household: 2 })).toBe("not-your-household");
		await cluster.act(2, { type: "contest", household: 2 });
		expect(cluster.view(0).members[2]?.notice).toBeUndefined();
		await cluster.until(() => joining(cluster, at).claim?.notice === undefined, "the browser hears of it");
	});

	it("is given no key by a claim that nobody signed, nor by one that is no claim", async () => {
		const cluster = await foundedStreet(3);
		const at = await claimant(cluster);
		const claim = decodeClaim(joining(cluster, at).claim?.text ?? "");
		if (!claim.ok) throw new Error(claim.error.code);
		const forged = encodeClaim({ ...claim.value, keySignature: claim.value.keySignature.with(5, 1) });
		for (const text of [forged, "", "A", forged.slice(1), `${forged}A`, "ø".repeat(131)]) {
			expect(await cluster.outcome(0, { type: "rebind", household: 2, claim: text })).toBe("bad-claim");
		}
	});
});

describe("what waits in the mempool", () => {
	it("goes where it was signed by a key that its household has no longer, and stays where others signed it", () => {
		const street = new TestNeighbourhood(4);
		street.block(street.head.timestampMs + 1, [street.voters([], [3])]);
		street.block(street.head.timestampMs + 1, [street.rebinding(3, "new words")]);
		const mempool = new Mempool();
		const acts = [street.act("buy", 3), street.act("buy", 1), street.reading(1, FIRST_MINUTE, 5, 0)];
		for (const act of acts) mempool.add(idOf(act, street.ledger.gridId), act);
		const before = street.ledger;
		street.minute(FIRST_MINUTE);
		mempool.dropSignedByOthers(before, street.ledger);
		expect(mempool.size).toBe(3);
		street.pass(10_080);
		const last = street.ledger;
		street.minute(FIRST_MINUTE + 1);
		mempool.dropSignedByOthers(last, street.ledger);
		expect(mempool.candidates(0).map((each) => "member" in each && each.member)).toEqual([1, 1]);
	});
});
