import { describe, expect, it } from "vitest";
import { decodeLink, encodeJoinLink, type JoinLink } from "../../../src/node/link.js";
import { type Cluster, foundedStreet, invite } from "../../support/cluster.js";

const join = (link: string) => ({
	type: "join" as const,
	link,
	householdName: "Lie",
	alwaysOn: false,
	signalingUrls: [],
});
const joining = (cluster: Cluster, at: number) => {
	const view = cluster.house(at).node.view();
	return view.stage === "joining" ? (view.code ?? view.state) : view.stage;
};

async function streetWithGuest(): Promise<{ cluster: Cluster; link: string }> {
	const cluster = await foundedStreet(3);
	await cluster.add();
	return { cluster, link: await invite(cluster) };
}

/** The same link with something else in it. */
function altered(link: string, change: Partial<JoinLink>): string {
	const decoded = decodeLink(link);
	if (!decoded.ok || decoded.value.kind !== "join") throw new Error("an invitation");
	return encodeJoinLink({ ...decoded.value, ...change });
}

describe("joining by invitation", () => {
	it("makes a guest an observing member: it fetches the chain, hands in its join, and is in", async () => {
		const { cluster, link } = await streetWithGuest();
		expect(await cluster.outcome(3, join(link))).toBe("ok");
		expect(joining(cluster, 3)).toBe("searching");
		await cluster.until(() => joining(cluster, 3) === "street", "the guest is a member");
		await cluster.settle();
		const view = cluster.view(3);
		expect(view.self).toMatchObject({ index: 3, name: "Lie", operator: false });
		expect(view.chain).toMatchObject({ role: "observer", voters: 3 });
		expect(cluster.view(0).members.map(({ name }) => name)).toContain("Lie");
		// Nobody's channel had to be closed for it.
		expect(cluster.houses.flatMap(({ closed }) => closed)).toEqual([]);

		// From now on it takes part: its reading, its acts.
		await cluster.nextMinute(1_000);
		const minute = Math.floor(cluster.chainMs / 60_000) - 1;
		await cluster.nextMinute(1_000);
		await cluster.read(3, minute + 1, 25);
		await cluster.nextMinute();
		await cluster.act(3, { type: "buy", amountMicroNok: 1_000_000 });
		expect(cluster.street(0).chain.head.ledger.households[3]?.importWh).toBe(25);
		expect(cluster.view(3).chain.role).toBe("observer");
	});

	it("is heard though it reaches no voter: another observer hands on what it says", async () => {
		const cluster = await foundedStreet(5, {}, 3);
		const isObserver = (at: number) => cluster.view(at).chain.role === "observer";
		const all = cluster.houses.map(({ index }) => index);
		const [told, author] = all.filter(isObserver);
		if (told === undefined || author === undefined) throw new Error("two of five observe");
		cluster.cut(
			[author],
			all.filter((at) => !isObserver(at)),
		);
		await cluster.run(20_000);
		cluster.ask(author, { type: "buy", amountMicroNok: 7 });
		const orders = () => cluster.street(told).chain.head.ledger.orders.size;
		await cluster.until(() => orders() === 1, "the order is in a block", 5_000);
	});

	it("follows the chain as an observer without a vote, and is one again after a restart", async () => {
		const { cluster, link } = await streetWithGuest();
		await cluster.command(3, join(link));
		await cluster.until(() => joining(cluster, 3) === "street", "the guest is a member");
		cluster.off(3);
		await cluster.on(3);
		await cluster.nextMinute();
		await cluster.settle();
		expect(cluster.view(3).chain.role).toBe("observer");
		// Two of three voters gone: an observer makes no majority.
		const height = cluster.height(3);
		cluster.off(1);
		cluster.off(2);
		await cluster.run(60_000, 500);
		expect(cluster.height(0)).toBe(height);
		expect(cluster.view(3).chain.leader).toBeUndefined();
	});

	it("says of a wrong or damaged link that it is one, and keeps nothing", async () => {
		const { cluster, link } = await streetWithGuest();
		for (const [text, code] of [
			["", "link-unknown"],
			["https://example.org/", "link-unknown"],
			[link.slice(0, -9), "link-damaged"],
			[`${link.slice(0, 40)}A${link.slice(41)}`, "link-damaged"],
			[link.replace("join=", "lobby="), "link-damaged"],
		] as const) {
			const outcome = await cluster.outcome(3, join(text));
			if (code === "link-damaged" && outcome === "ok") await cluster.command(3, { type: "abandon" });
			else expect([text, outcome]).toEqual([text, code]);
		}
		expect(cluster.house(3).node.view().stage).toBe("welcome");
		expect(await cluster.outcome(3, { ...join(link), householdName: "" })).toBe("bad-name");
		// With the whole address before it, the link is good.
		expect(await cluster.outcome(3, join(`https://192.168.1.7:4443/#/${link}`))).toBe("ok");
		expect(await cluster.outcome(3, join(link))).toBe("already-in-a-neighbourhood");
	});

	it("is refused with an invitation that somebody used before", async () => {
		const { cluster, link } = await streetWithGuest();
		await cluster.add();
		await cluster.command(3, join(link));
		await cluster.until(() => joining(cluster, 3) === "street", "the first one is a member");
		await cluster.command(4, { ...join(link), householdName: "Moe" });
		await cluster.until(() => joining(cluster, 4) === "invitation-used", "the second one is told why");
		// It can go back to the beginning and take another link.
		expect(await cluster.outcome(4, { type: "abandon" })).toBe("ok");
		await cluster.command(4, { ...join(await invite(cluster)), householdName: "Moe" });
		await cluster.until(() => joining(cluster, 4) === "street", "with a new one it is a member");
	});

	it("is refused at once with an invitation that has expired", async () => {
		const { cluster, link } = await streetWithGuest();
		const week = 7 * 24 * 3_600_000;
		cluster.chainMs += week + 60_000;
		await cluster.run(30_000);
		expect(await cluster.outcome(3, join(link))).toBe("invitation-expired");
	});

	it("is refused with an invitation of somebody who is no operator, or that was changed", async () => {
		const { cluster, link } = await streetWithGuest();
		expect(await cluster.outcome(1, { type: "invite" })).toBe("not-operator");
		const decoded = decodeLink(link);
		if (!decoded.ok || decoded.value.kind !== "join") throw new Error("an invitation");
		const { invitation } = decoded.value;
		const later = altered(link, { invitation: { ...invitation, expiryMinute: invitation.expiryMinute + 9_999 } });
		await cluster.command(3, join(later));
		await cluster.until(() => joining(cluster, 3) === "bad-signature", "the guest is told why");
	});

	it("does not believe a chain whose pinned block differs", async () => {
		const { cluster, link } = await streetWithGuest();
		const decoded = decodeLink(link);
		if (!decoded.ok || decoded.value.kind !== "join") throw new Error("an invitation");
		const pin = { index: decoded.value.pin.index, hash: new Uint8Array(16) };
		await cluster.command(3, join(altered(link, { pin })));
		await cluster.run(5_000);
		expect(cluster.house(3).closed).toContain("pinned-block-differs");
		expect(joining(cluster, 3)).not.toBe("street");
	});

	it("finds nobody with the link of another neighbourhood's chain", async () => {
		const { cluster, link } = await streetWithGuest();
		await cluster.command(3, join(altered(link, { gridId: new Uint8Array(32).fill(1) })));
		await cluster.run(5_000);
		expect(joining(cluster, 3)).toBe("elsewhere");
		expect(cluster.house(3).closed).toContain("other-neighbourhood");
	});

	it("goes on where it was when it was switched off before the genesis, or before its block", async () => {
		const { cluster, link } = await streetWithGuest();
		cluster.isolate(3);
		await cluster.command(3, join(link));
		cluster.off(3);
		await cluster.on(3);
		expect(joining(cluster, 3)).toBe("searching");
		cluster.mend();
		await cluster.until(() => cluster.house(3).node.street !== undefined, "the genesis is here");
		cluster.off(3);
		await cluster.on(3);
		await cluster.until(() => joining(cluster, 3) === "street", "the guest is a member");
		expect(cluster.street(0).chain.head.ledger.households).toHaveLength(4);
	});
});
