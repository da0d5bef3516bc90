import { describe, expect, it } from "vitest";
import { decodeLink } from "../../../src/node/link.js";
import { type Cluster, foundedStreet, invite } from "../../support/cluster.js";

const TURN = { urls: "turn:192.0.2.1:3478", username: "solbakken", credential: "hemmelig" };
const STUN = { urls: "stun:192.0.2.2", username: "", credential: "" };
const inUse = (cluster: Cluster) => cluster.houses.map(({ network }) => network?.iceServers);

describe("servers through which devices connect that cannot see each other", () => {
	it("are the operator's to say: every device uses them, also after a start, and invitations name them", async () => {
		const cluster = await foundedStreet(3);
		expect(inUse(cluster)).toEqual([[], [], []]);
		await cluster.act(0, { type: "iceServers", servers: [TURN, STUN] });
		expect(inUse(cluster)).toEqual([
			[TURN, STUN],
			[TURN, STUN],
			[TURN, STUN],
		]);
		expect(cluster.view(0).operator?.iceServers).toEqual([TURN, STUN]);
		cluster.off(1);
		await cluster.on(1);
		expect(inUse(cluster)[1]).toEqual([TURN, STUN]);

		const link = await invite(cluster);
		const decoded = decodeLink(link);
		expect(decoded.ok && decoded.value).toMatchObject({ kind: "join", iceServers: [TURN, STUN] });
		const { index } = await cluster.add();
		const join = { type: "join", link, householdName: "Lie", alwaysOn: false, signalingUrls: [] as string[] } as const;
		expect(await cluster.outcome(index, join)).toBe("ok");
		// Before it knows the chain, by which it could find the others otherwise?
		expect(inUse(cluster)[index]).toEqual([TURN, STUN]);
	});

	it("are none any more when the operator says so, whatever the way in had named", async () => {
		const cluster = await foundedStreet(3, { iceServers: [TURN] });
		expect(cluster.view(0).operator?.iceServers).toEqual([TURN]);
		await cluster.act(0, { type: "iceServers", servers: [] });
		expect(inUse(cluster)).toEqual([[], [], []]);
		cluster.off(1);
		await cluster.on(1);
		expect(inUse(cluster)[1]).toEqual([]);
		const decoded = decodeLink(await invite(cluster));
		expect(decoded.ok && decoded.value).toMatchObject({ iceServers: [] });
	});

	it("may be named at the founding, for the guests of the lobby", async () => {
		const cluster = await foundedStreet(3, { iceServers: [TURN] });
		expect(inUse(cluster)).toEqual([[TURN], [TURN], [TURN]]);
		const decoded = decodeLink(await invite(cluster));
		expect(decoded.ok && decoded.value).toMatchObject({ iceServers: [TURN] });
	});

	it("are not anybody's to say, nor anything", async () => {
		const cluster = await foundedStreet(3);
		expect(await cluster.outcome(1, { type: "iceServers", servers: [TURN] })).toBe("not-operator");
		const wrong = [
			[{ ...TURN, urls: "https://192.0.2.1" }],
			[{ ...TURN, username: "" }],
			[{ ...STUN, credential: "x" }],
			[STUN, STUN, STUN, STUN],
		];
		for (const servers of wrong) {
			expect(await cluster.outcome(0, { type: "iceServers", servers })).toBe("bad-ice-server");
		}
	});
});
