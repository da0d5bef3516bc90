import { describe, expect, it } from "vitest";
import type { Block } from "../../../src/block/block.js";
import { type Acknowledged, acknowledgementDigest, type Certificate } from "../../../src/block/certificate.js";
import { transactionId } from "../../../src/block/transaction.js";
import type { Message } from "../../../src/message/message.js";
import { foundedStreet } from "../../support/cluster.js";
import { acknowledge, expectRefused, heartbeat, type Scene, signedBy, street } from "../../support/wrongNeighbour.js";

describe("an acknowledgement", () => {
	it("with a bad signature does not count", async () => {
		const scene = await street();
		const { cluster, leader } = scene;
		const others = cluster.houses.map(({ index }) => index).filter((at) => at !== leader);
		for (const at of others) cluster.isolate(at);
		const reply = await cluster.command(leader, { type: "buy", amountMicroNok: 1 });
		expect(reply.ok).toBe(true);
		const { raft, gridId } = cluster.street(leader);
		const entry = raft?.tail.at(-1);
		if (entry === undefined) throw new Error("a block is open");
		const height = cluster.height(leader);
		for (const at of others) {
			const { term, index } = entry.block;
			// Signed by the right key over another neighbourhood's digest, as a lazy thief would.
			const digest = acknowledgementDigest(new Uint8Array(32), { index, term, hash: entry.hash }, at);
			expect(digest).not.toEqual(acknowledgementDigest(gridId, { index, term, hash: entry.hash }, at));
			await cluster.say(at, leader, acknowledge(cluster, at, { index, term, hash: entry.hash }, digest));
		}
		expect(cluster.height(leader)).toBe(height);
		expect(cluster.view(leader).refusals["bad-acknowledgement"]).toBe(3);
		cluster.mend();
		await cluster.until(() => cluster.height(leader) > height, "with real ones it counts");
	});
});

describe("what cannot count in an election or for a block", () => {
	interface CountScene extends Scene {
		/** A member's device that does not vote. */
		observer: number;
		head: Acknowledged;
		/** The leader's open block, in a scene that has one. */
		open: Acknowledged;
	}

	const place = ({ index, term }: Block, hash: Uint8Array): Acknowledged => ({ index, term, hash });

	/** Four voters and a phone; the block before the head is remembered, too. */
	async function scene(): Promise<CountScene> {
		const cluster = await foundedStreet(5, {}, 4);
		await cluster.nextMinute();
		await cluster.settle();
		const { voters } = cluster.street(0).chain.head.ledger;
		const observer = [0, 1, 2, 3, 4].find((at) => !voters.includes(at)) ?? 4;
		const leader = cluster.leader();
		const [victim = 0, other = 0] = voters.filter((at) => at !== leader);
		const { block, hash } = cluster.street(leader).chain.head;
		const head = place(block, hash);
		return { cluster, leader, victim, other, observer, head, open: head };
	}

	/** The leader is the victim: it has a block out that nobody has acknowledged yet. */
	async function withOpenBlock(): Promise<CountScene> {
		const made = await scene();
		const { cluster, leader } = made;
		cluster.isolate(leader);
		expect(await cluster.outcome(leader, { type: "buy", amountMicroNok: 1 })).toBe("ok");
		const entry = cluster.street(leader).raft?.tail.at(-1);
		if (entry === undefined) throw new Error("a block is open");
		return { ...made, victim: leader, open: place(entry.block, entry.hash) };
	}

	type Row = [what: string, code: string, closes: boolean, made: () => Promise<CountScene>, Work];
	type Work = (scene: CountScene) => Promise<void>;

	const send =
		(from: "leader" | "other" | "observer", message: (scene: CountScene) => Message): Work =>
		(made) =>
			made.cluster.say(made[from], made.victim, message(made));
	const show = (certificate: (scene: CountScene) => Certificate): Work =>
		send("leader", (made) => {
			const { block, hash } = made.cluster.street(made.leader).chain.head;
			return { ...heartbeat({ block, hash }), term: block.term, certificate: certificate(made) };
		});
	const foreign = new Uint8Array(32).fill(1);
	const refusal = ({ cluster, other, open }: CountScene, refusedIds: readonly Uint8Array[]): Message => {
		return { ...acknowledge(cluster, other, open), status: "refused", acknowledgement: undefined, refusedIds };
	};
	const idsOfOpen = ({ cluster, leader }: CountScene) => {
		const { raft, gridId } = cluster.street(leader);
		return raft?.tail.at(-1)?.block.transactions.map((transaction) => transactionId(transaction, gridId)) ?? [];
	};
	const forged = (signed: Acknowledged) => ({ ...signed, signatures: [{ voter: 0, signature: new Uint8Array(65) }] });
	const below = ({ index, term }: Acknowledged) => ({ index: index - 1, term, hash: foreign });

	it.each<Row>([
		[
			"an acknowledgement of a voter whose own is counted already",
			"acknowledgement-repeated",
			false,
			async () => {
				const made = await withOpenBlock();
				await made.cluster.say(made.other, made.victim, acknowledge(made.cluster, made.other, made.open));
				expect(made.cluster.street(made.victim).raft?.acknowledgements.has(made.other)).toBe(true);
				return made;
			},
			send("other", ({ cluster, other, open }) => acknowledge(cluster, other, open)),
		],
		[
			"an acknowledgement that was heard before, played again when its block is certified",
			"acknowledgement-repeated",
			false,
			withOpenBlock,
			send("other", ({ cluster, other, head }) => acknowledge(cluster, other, head)),
		],
		[
			"an acknowledgement in another term",
			"acknowledgement-of-other-term",
			false,
			withOpenBlock,
			send("other", ({ cluster, other, open }) => acknowledge(cluster, other, { ...open, term: open.term - 1 })),
		],
		[
			"an acknowledgement of another block than the one that is out",
			"acknowledgement-unasked",
			false,
			withOpenBlock,
			send("other", ({ cluster, other, open }) => acknowledge(cluster, other, { ...open, hash: foreign })),
		],
		[
			"an acknowledgement to who does not lead",
			"acknowledgement-unasked",
			false,
			scene,
			send("other", ({ cluster, other, head }) => acknowledge(cluster, other, { ...head, index: head.index + 1 })),
		],
		[
			"an acknowledgement of a device that does not vote",
			"acknowledgement-of-observer",
			false,
			withOpenBlock,
			send("observer", ({ cluster, observer, open }) => acknowledge(cluster, observer, open)),
		],
		[
			"what a device that does not vote refuses of the open block",
			"refusal-unasked",
			false,
			withOpenBlock,
			send("observer", (made) => refusal(made, idsOfOpen(made))),
		],
		[
			"what a voter refuses of something that is not in the open block",
			"refusal-unasked",
			false,
			withOpenBlock,
			send("other", (made) => refusal(made, [foreign])),
		],
		[
			"a vote of a device that does not vote",
			"vote-of-observer",
			false,
			scene,
			send("observer", ({ head }) => ({ type: "voteReply", term: head.term, granted: true })),
		],
		[
			"the answer to a pre-vote, in a later term, of a device that does not vote",
			"vote-of-observer",
			false,
			scene,
			send("observer", ({ cluster, head }) => {
				return { type: "preVoteReply", term: head.term + 5, granted: false, chainMs: cluster.chainMs };
			}),
		],
		[
			"a certificate with one signer twice",
			"bad-message-shape",
			true,
			scene,
			show(({ cluster, head }) => signedBy(cluster, { ...head, index: head.index + 1 }, [0, 1, 1])),
		],
		[
			"a certificate of too few for the block after the head",
			"certificate-without-majority",
			false,
			scene,
			show(({ cluster, head }) => signedBy(cluster, { ...head, index: head.index + 1, hash: foreign }, [0, 1])),
		],
		[
			"a certificate of too few for the head",
			"certificate-without-majority",
			false,
			scene,
			show(({ cluster, head }) => signedBy(cluster, head, [0])),
		],
		["a forged certificate for the head", "certificate-bad-signature", true, scene, show(({ head }) => forged(head))],
		[
			"a forged certificate for another block in the head's place",
			"certificate-bad-signature",
			true,
			scene,
			show(({ head }) => forged({ ...head, hash: foreign })),
		],
		[
			"a forged certificate below the head",
			"certificate-bad-signature",
			true,
			scene,
			show(({ head }) => forged(below(head))),
		],
		[
			"a certificate at the head by who was never admitted",
			"certificate-of-stranger",
			true,
			scene,
			show(({ head }) => ({ ...head, signatures: [{ voter: 99, signature: new Uint8Array(65) }] })),
		],
	])("%s is refused as %s, and changes nothing", async (_what, code, closes, made, work) => {
		const given = await made();
		await expectRefused(given, code, closes, async () => {
			await work(given);
			given.cluster.mend();
		});
		expect(given.cluster.house(given.victim).faults).toEqual([]);
	});
});
