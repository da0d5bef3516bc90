import { describe, expect, it } from "vitest";
import { isInUse } from "../../../src/contract/ledger.js";
import { decodeLink } from "../../../src/node/link.js";
import type { Command } from "../../../src/node/protocol.js";
import { encodeConfig, encodeProfile } from "../../../src/node/records.js";
import { changePassword, createVault, openVault, STRETCH_PARAMETERS, type Vault } from "../../../src/node/vault.js";
import { wordsOf } from "../../../src/primitives/recoveryWords.js";
import { publicKeyOf } from "../../../src/primitives/signature.js";
import { brokenStreet, confirm, gridOf, propose } from "../../support/brokenStreet.js";
import { type Cluster, foundedStreet, invite } from "../../support/cluster.js";

const PASSWORD = "blåbær trapp kanon";
const OTHER = "tre små fugler til";

let drawn = 0;
const randomBytes = (length: number) => new Uint8Array(length).map((_, at) => (++drawn * 31 + at) % 256);
const seed = new Uint8Array(16).fill(5);
const publicKey = publicKeyOf(new Uint8Array(32).fill(9));
const stretched = (value: number) => ({
	salt: new Uint8Array(16).fill(value),
	parameters: STRETCH_PARAMETERS,
	key: new Uint8Array(32).fill(value),
});
const vault = createVault(seed, publicKey, stretched(1), randomBytes);

describe("a vault", () => {
	it("gives the seed for its password's key alone, and to its household alone", () => {
		expect(openVault(vault, publicKey, stretched(1).key)).toEqual(seed);
		expect(openVault(vault, publicKey, stretched(2).key)).toBeUndefined();
		const another = publicKeyOf(new Uint8Array(32).fill(8));
		expect(openVault(vault, another, stretched(1).key)).toBeUndefined();
	});

	it.each<[string, Vault]>([
		["salt", { ...vault, salt: new Uint8Array(16) }],
		["cost", { ...vault, parameters: { ...STRETCH_PARAMETERS, passes: 1 } }],
		["wrapped key", { ...vault, wrappedKey: { ...vault.wrappedKey, sealed: vault.wrappedKey.sealed.with(3, 0) } }],
		["content", { ...vault, content: { ...vault.content, sealed: vault.content.sealed.with(3, 0) } }],
		["parts", { ...vault, content: vault.wrappedKey }],
	])("gives nothing once its %s was changed", (_part, changed) => {
		expect(openVault(changed, publicKey, stretched(1).key)).toBeUndefined();
	});

	it("under another password gives the same seed, and no more for the one before", () => {
		const changed = changePassword(vault, publicKey, stretched(1).key, stretched(2), randomBytes);
		if (changed === undefined) throw new Error("the password was right");
		expect(openVault(changed, publicKey, stretched(2).key)).toEqual(seed);
		expect(openVault(changed, publicKey, stretched(1).key)).toBeUndefined();
		expect(changePassword(vault, publicKey, stretched(3).key, stretched(2), randomBytes)).toBeUndefined();
	});
});

/** Gives the reply's code, or what the value is. */
async function reply(cluster: Cluster, at: number, command: Command): Promise<unknown> {
	const result = await cluster.command(at, command);
	return result.ok ? result.value : result.error;
}

const codeOf = async (cluster: Cluster, at: number, command: Command) => {
	const given = await reply(cluster, at, command);
	return (given as { code?: string }).code ?? "ok";
};

const unlock = (password: string): Command => ({ type: "unlock", password });
const buy: Command = { type: "buy", amountMicroNok: 100_000_000 };
const lockOf = (cluster: Cluster, at: number) => cluster.view(at).lock;

async function startAgain(cluster: Cluster, at: number): Promise<void> {
	cluster.off(at);
	await cluster.on(at);
}

/** A street of three in which house 1's household has a password. */
async function sealedStreet(): Promise<Cluster> {
	const cluster = await foundedStreet(3);
	expect(await codeOf(cluster, 1, { type: "changePassword", newPassword: PASSWORD })).toBe("ok");
	expect(await codeOf(cluster, 1, { type: "lock" })).toBe("ok");
	return cluster;
}

/** A second device of house 1's household, beside the first; its key must be open. */
async function furtherDevice(cluster: Cluster): Promise<number> {
	const made = await cluster.command(1, { type: "restoreLink" });
	const link = made.ok && made.value.type === "link" ? made.value.link : "";
	const { index } = await cluster.add();
	const command = {
		type: "restore" as const,
		link,
		password: PASSWORD,
		beside: true,
		alwaysOn: false,
		signalingUrls: [],
	};
	expect(await codeOf(cluster, index, command)).toBe("ok");
	await cluster.until(() => cluster.house(index).node.view().stage === "street", "the further device is in");
	return index;
}

describe("a household with a password", () => {
	it("signs nothing while its key is locked, and for two minutes after it was last used", async () => {
		const cluster = await sealedStreet();
		expect(await codeOf(cluster, 1, buy)).toBe("locked");
		expect(await codeOf(cluster, 1, unlock("not the password"))).toBe("password-wrong");
		expect(await codeOf(cluster, 1, buy)).toBe("locked");
		expect(await codeOf(cluster, 1, unlock(PASSWORD))).toBe("ok");
		await cluster.run(110_000, 1_000);
		expect(await codeOf(cluster, 1, buy)).toBe("ok");
		await cluster.run(110_000, 1_000);
		expect(lockOf(cluster, 1).state).toBe("open");
		await cluster.run(20_000, 1_000);
		expect(lockOf(cluster, 1).state).toBe("locked");
		expect(await codeOf(cluster, 1, buy)).toBe("locked");
	});

	it("meters, votes and is settled with its key locked, after a start too, and keeps no key but sealed", async () => {
		const cluster = await sealedStreet();
		await startAgain(cluster, 1);
		expect(lockOf(cluster, 1)).toEqual({ state: "locked", wordsKept: false });
		const { household } = cluster.street(1).config.keys;
		expect(household.seed).toBeUndefined();
		await cluster.nextMinute(1_000);
		await cluster.read(1, Math.floor(cluster.chainMs / 60_000) - 1, 25);
		const importWhOf = () => cluster.street(0).chain.head.ledger.households[1]?.importWh;
		await cluster.until(() => importWhOf() === 25, "the reading is in a block");
	});

	it("is not guessed: after five wrong passwords the right one has to wait, ever longer, through a start", async () => {
		const cluster = await sealedStreet();
		for (let attempt = 0; attempt < 5; attempt++) {
			expect(await codeOf(cluster, 1, unlock(`wrong ${attempt}`))).toBe("password-wrong");
		}
		expect(await reply(cluster, 1, unlock(PASSWORD))).toEqual({ code: "password-wait", seconds: 30 });
		expect(await codeOf(cluster, 1, { type: "words", password: PASSWORD })).toBe("password-wait");
		await startAgain(cluster, 1);
		expect(await codeOf(cluster, 1, unlock(PASSWORD))).toBe("password-wait");
		await cluster.run(31_000, 1_000);
		expect(await codeOf(cluster, 1, unlock("wrong again"))).toBe("password-wrong");
		await cluster.run(31_000, 1_000);
		expect(await codeOf(cluster, 1, unlock(PASSWORD))).toBe("password-wait");
		await cluster.run(31_000, 1_000);
		expect(await codeOf(cluster, 1, unlock(PASSWORD))).toBe("ok");
		expect(cluster.street(1).config.wrongPasswords.count).toBe(0);
	});

	it("counts wrong passwords where a device is to be taken into use again, too, and waits by no clock that is set", async () => {
		const cluster = await sealedStreet();
		await cluster.run(60_000, 1_000);
		await codeOf(cluster, 1, unlock(PASSWORD));
		const phone = await furtherDevice(cluster);
		const { devices } = cluster.street(0).chain.head.ledger;
		const first = devices.find(({ household }) => household === 1)?.index ?? -1;
		expect(await codeOf(cluster, phone, unlock(PASSWORD))).toBe("ok");
		expect(await codeOf(cluster, phone, { type: "revoke", device: first })).toBe("ok");
		await cluster.until(() => cluster.street(1).outOfUse !== undefined, "the first device is out of use");
		for (let attempt = 0; attempt < 5; attempt++) {
			expect(await codeOf(cluster, 1, { type: "admitAnew", password: `wrong one ${attempt}` })).toBe("password-wrong");
		}
		expect(await codeOf(cluster, 1, { type: "admitAnew", password: PASSWORD })).toBe("password-wait");
		cluster.chainMs += 3_600_000;
		expect(await codeOf(cluster, 1, { type: "admitAnew", password: PASSWORD })).toBe("password-wait");
	});

	it("signs nothing that was asked for while its key was locked", async () => {
		const cluster = await sealedStreet();
		await codeOf(cluster, 1, unlock(PASSWORD));
		for (const at of [0, 2]) cluster.off(at);
		expect(await codeOf(cluster, 1, buy)).toBe("ok");
		await codeOf(cluster, 1, { type: "lock" });
		// The order before it waits for its block: this one is not put behind it.
		expect(await codeOf(cluster, 1, buy)).toBe("locked");
	});

	it("whose chain was cut off below its join by damage starts all the same", async () => {
		const cluster = await foundedStreet(3);
		const link = await invite(cluster);
		const { index } = await cluster.add();
		const way = { householdName: "Lie", alwaysOn: false, signalingUrls: [], newPassword: PASSWORD };
		expect(await codeOf(cluster, index, { type: "join", link, ...way })).toBe("ok");
		await cluster.until(() => cluster.house(index).node.view().stage === "street", "it is a member");
		cluster.off(index);
		const { storage } = cluster.house(index);
		const chain = await storage.openChain([...storage.names][0] ?? "");
		if (!chain.ok) throw new Error(chain.error.code);
		const { config } = cluster.street(index);
		// What is left is the genesis: as a browser that lost the blocks' records would find it.
		const genesis = await chain.value.readBlocks(0, 1);
		if (!genesis.ok) throw new Error(genesis.error.code);
		const empty = await cluster.add();
		const other = await cluster.house(empty.index).storage.openChain("left/of it");
		if (!other.ok) throw new Error(other.error.code);
		const install = { blocks: genesis.value, upToIndex: 0, certificate: undefined };
		await other.value.write({ config: encodeConfig(config), install });
		const profile = encodeProfile({ stage: "chain", database: "left/of it", gridId: cluster.street(0).gridId });
		await cluster.house(empty.index).storage.saveProfile(profile);
		await startAgain(cluster, empty.index);
		await cluster.until(() => cluster.house(empty.index).node.view().stage === "street", "it is a member again");
		expect(lockOf(cluster, empty.index).state).toBe("locked");
	});

	it("takes no short password, and none without the one before", async () => {
		const cluster = await sealedStreet();
		const change = (password: string, newPassword: string) =>
			codeOf(cluster, 1, { type: "changePassword", password, newPassword });
		expect(await reply(cluster, 1, { type: "changePassword", password: PASSWORD, newPassword: "kort" })).toEqual({
			code: "password-short",
			min: 10,
		});
		expect(await codeOf(cluster, 1, { type: "changePassword", newPassword: OTHER })).toBe("password-missing");
		expect(await change("wrong password", OTHER)).toBe("password-wrong");
		expect(await change(PASSWORD, OTHER)).toBe("ok");
		expect(await codeOf(cluster, 1, unlock(PASSWORD))).toBe("password-wrong");
		expect(await codeOf(cluster, 1, unlock(OTHER))).toBe("ok");
	});

	it("joins by an invitation while its seed lies beside the vault, and not one block longer", async () => {
		const cluster = await foundedStreet(3);
		const link = await invite(cluster);
		const { index } = await cluster.add();
		const way = { householdName: "Lie", alwaysOn: false, signalingUrls: [], newPassword: PASSWORD };
		expect(await codeOf(cluster, index, { type: "join", link, ...way })).toBe("ok");
		await cluster.until(() => cluster.house(index).node.view().stage === "street", "it is a member");
		expect(cluster.street(index).config.keys.household.seed).toBeUndefined();
		expect(lockOf(cluster, index).state).toBe("locked");
		expect(await codeOf(cluster, index, unlock(PASSWORD))).toBe("ok");
		expect(await codeOf(cluster, index, buy)).toBe("ok");
	});
});

describe("the operator's key, locked", () => {
	it("keeps nobody from voting: the operator's device alone puts those on the list that keep up", async () => {
		const cluster = await foundedStreet(3, {}, 1);
		expect(cluster.street(0).chain.head.ledger.voters).toEqual([0]);
		const links = [await invite(cluster), await invite(cluster)];
		expect(await codeOf(cluster, 0, { type: "changePassword", newPassword: PASSWORD })).toBe("ok");
		expect(await codeOf(cluster, 0, { type: "lock" })).toBe("ok");
		expect(await codeOf(cluster, 0, { type: "invite" })).toBe("locked");
		for (const link of links) {
			const { index } = await cluster.add();
			const way = { householdName: `Hus ${index}`, alwaysOn: true, signalingUrls: [] };
			expect(await codeOf(cluster, index, { type: "join", link, ...way })).toBe("ok");
		}
		const votersOf = () => cluster.street(0).chain.head.ledger.voters;
		await cluster.until(() => votersOf().length === 3, "the two that stay on vote", 900_000);
		expect(lockOf(cluster, 0).state).toBe("locked");
	});
});

describe("the way back of a household with a password", () => {
	async function linkOf(cluster: Cluster, at: number, type: "restoreLink" | "wayBackLink"): Promise<string> {
		const result = await cluster.command(at, { type });
		if (!result.ok || result.value.type !== "link") throw new Error("no link");
		return result.value.link;
	}

	const at = { alwaysOn: true, signalingUrls: [] };

	it("is a link that is worth nothing without the password", async () => {
		const cluster = await sealedStreet();
		expect(await codeOf(cluster, 1, { type: "restoreLink" })).toBe("locked");
		await codeOf(cluster, 1, unlock(PASSWORD));
		const link = await linkOf(cluster, 1, "restoreLink");
		const decoded = decodeLink(link);
		expect(decoded.ok && decoded.value.kind === "restore" && decoded.value.household?.seed).toBeUndefined();
		const { index } = await cluster.add();
		const read = await reply(cluster, index, { type: "readLink", link });
		expect(read).toEqual({ type: "linkRead", content: { kind: "restore", needs: "password" } });
		expect(await codeOf(cluster, index, { type: "restore", link, ...at })).toBe("password-missing");
		expect(await codeOf(cluster, index, { type: "restore", link, password: "wrong password", ...at })).toBe(
			"password-wrong",
		);
		expect(await codeOf(cluster, index, { type: "restore", link, password: PASSWORD, beside: true, ...at })).toBe("ok");
		await cluster.until(() => cluster.house(index).node.view().stage === "street", "the further device is in");
		const { devices, households } = cluster.street(0).chain.head.ledger;
		expect(devices.filter((device) => device.household === 1 && isInUse(device))).toHaveLength(2);
		expect(households[1]?.meteringDevice).toBe(1);
		expect(cluster.street(index).config.keys.household.seed).toBeUndefined();
		expect(await codeOf(cluster, index, unlock(PASSWORD))).toBe("ok");
	});

	it("is its words and a neighbour's link, where all else is lost", async () => {
		const cluster = await sealedStreet();
		const shown = await reply(cluster, 1, { type: "words", password: PASSWORD });
		const { words } = shown as { words: string[] };
		expect(words).toHaveLength(12);
		expect(await codeOf(cluster, 1, { type: "words" })).toBe("password-missing");
		cluster.off(1);
		const link = await linkOf(cluster, 2, "wayBackLink");
		const { index } = await cluster.add();
		const come = (typed: string) =>
			codeOf(cluster, index, { type: "restore", link, words: typed, newPassword: OTHER, ...at });
		expect(await codeOf(cluster, index, { type: "restore", link, ...at })).toBe("words-missing");
		expect(await come(words.slice(1).join(" "))).toBe("words-count");
		expect(await come(words.with(3, "zzzz").join(" "))).toBe("word-unknown");
		expect(await come([...words.slice(1), words[0]].join(" "))).toBe("words-wrong");
		expect(await come(words.join("  ").toUpperCase())).toBe("ok");
		await cluster.until(() => cluster.house(index).node.view().stage === "street", "the household is back");
		expect(cluster.street(index).member).toBe(1);
		expect(await codeOf(cluster, index, unlock(OTHER))).toBe("ok");
	});

	it("takes no other household's words for the link's", async () => {
		const cluster = await sealedStreet();
		await codeOf(cluster, 1, unlock(PASSWORD));
		const link = await linkOf(cluster, 1, "restoreLink");
		const { index } = await cluster.add();
		const words = wordsOf(new Uint8Array(16).fill(3)).join(" ");
		const command: Command = { type: "restore", link, words, newPassword: OTHER, ...at };
		expect(await codeOf(cluster, index, command)).toBe("words-of-another");
	});
});

describe("an observer's invitation", () => {
	it("lets no device in that is to vote", async () => {
		const cluster = await foundedStreet(3);
		const made = await cluster.command(0, { type: "invite", observer: true });
		const link = made.ok && made.value.type === "link" ? made.value.link : "";
		const { index } = await cluster.add();
		const way = { type: "join" as const, link, householdName: "Lie", signalingUrls: [] };
		expect(await codeOf(cluster, index, { ...way, alwaysOn: true })).toBe("invitation-observer");
		expect(await codeOf(cluster, index, { ...way, alwaysOn: false })).toBe("ok");
		await cluster.until(() => cluster.house(index).node.view().stage === "street", "it is a member");
	});
});

describe("founding again, with keys locked", () => {
	it("waits for the proposer's password with the last word, and goes on by itself then", async () => {
		const { cluster, left } = await brokenStreet();
		const oldGrid = gridOf(cluster, 0);
		await propose(cluster);
		expect(await codeOf(cluster, 0, { type: "changePassword", newPassword: PASSWORD })).toBe("ok");
		expect(await codeOf(cluster, 0, { type: "lock" })).toBe("ok");
		await startAgain(cluster, 0);
		await cluster.run(5_000, 500);
		for (const at of left.slice(1)) expect(await confirm(cluster, at)).toBe("ok");
		await cluster.run(5_000, 500);
		expect(gridOf(cluster, 0)).toEqual(oldGrid);
		expect(lockOf(cluster, 0).wantedFor).toBe("seal");
		expect(await codeOf(cluster, 0, unlock(PASSWORD))).toBe("ok");
		await cluster.until(() => gridOf(cluster, 0) !== oldGrid, "the new chain is there");
	});
});
