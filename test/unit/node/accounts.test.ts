import { describe, expect, it } from "vitest";
import { type BankAccount, type StatedAccount, statedAccountId } from "../../../src/block/statedAccount.js";
import { FrameAssembler } from "../../../src/message/frames.js";
import type { Message } from "../../../src/message/message.js";
import { decodeMessage } from "../../../src/message/wire.js";
import { decodeAccounts, encodeAccounts } from "../../../src/node/accountsRecord.js";
import { householdSecretOf } from "../../../src/node/vault.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE } from "../../../src/primitives/units.js";
import { confirm, gridOf, propose } from "../../support/brokenStreet.js";
import { type Cluster, type ClusterOptions, foundedStreet } from "../../support/cluster.js";
import { keyedSign } from "../../support/keyedSignatures.js";
import { seedOf } from "../../support/keys.js";

const OPERATOR: BankAccount = { holder: "Solbakken velforening", number: "12345678903" };
const OTHER: BankAccount = { holder: "Solbakken velforening", number: "NO9386011117947" };
const PAYOUT: BankAccount = { holder: "Kari Nordmann", number: "SE4550000000058398257466" };
const DAY_MS = MINUTES_PER_DAY * MS_PER_MINUTE;

const prepaidStreet = (count: number, options: ClusterOptions = {}, voters = count) =>
	foundedStreet(count, { moneyKind: "prepaid", ...options }, voters);

const state = (cluster: Cluster, at: number, account?: BankAccount) =>
	cluster.outcome(at, { type: "account", ...(account === undefined ? {} : { account }) });
const ownOf = (cluster: Cluster, at: number) => cluster.view(at).accounts?.own;
const operatorsOf = (cluster: Cluster, at: number) =>
	cluster.view(at).accounts?.operators.map(({ holder, number }) => ({ holder, number }));
const refusalsOf = (cluster: Cluster, at: number, code: string) => cluster.view(at).refusals[code] ?? 0;
/** To which account a household is to be paid out, by what an operator's device keeps. */
const payoutOf = (cluster: Cluster, at: number, member: number) =>
	cluster.street(at).accounts.of(member)?.stated.account;

/** All that is delivered from now on, with what is in it. */
function listen(cluster: Cluster): { from: number; to: number; frame: Uint8Array }[] {
	const heard: { from: number; to: number; frame: Uint8Array }[] = [];
	cluster.tamper = (from, to, frame) => {
		heard.push({ from, to, frame });
		return frame;
	};
	return heard;
}

/** Who was sent a text, or bytes, by whom: "3>0". */
function ways(heard: ReturnType<typeof listen>, what: string | Uint8Array): string[] {
	const bytes = Buffer.from(what as string);
	const found = heard.filter(({ frame }) => Buffer.from(frame).includes(bytes));
	return [...new Set(found.map(({ from, to }) => `${from}>${to}`))].sort();
}

function messagesIn(heard: ReturnType<typeof listen>): Message[] {
	return heard.flatMap(({ frame }) => {
		const whole = new FrameAssembler().push(frame);
		const message = whole.ok && whole.value !== undefined ? decodeMessage(whole.value) : undefined;
		return message?.ok === true ? [message.value] : [];
	});
}

/** What a household's key has signed, wherever that was. */
function statedBy(
	cluster: Cluster,
	at: number,
	said: Partial<Pick<StatedAccount, "account" | "member" | "timestampMs">> & { gridId?: Uint8Array },
): StatedAccount {
	const { config, gridId, member = 0 } = cluster.street(at);
	const stated = { member, timestampMs: cluster.chainMs, account: OTHER as BankAccount | undefined, ...said };
	const secret = householdSecretOf(seedOf(config.keys));
	const signed = { member: stated.member, timestampMs: stated.timestampMs, account: stated.account };
	return { ...signed, signature: keyedSign(statedAccountId(signed, said.gridId ?? gridId), secret) };
}

describe("the account that members pay to", () => {
	it("reaches a member that never met the operator's device, by another one", async () => {
		const cluster = await prepaidStreet(4);
		cluster.isolate(3);
		await cluster.run(10_000, 500);
		expect(await state(cluster, 0, { holder: " Solbakken velforening ", number: "1234.56.78903" })).toBe("ok");
		await cluster.until(() => operatorsOf(cluster, 1)?.length === 1, "a neighbour keeps it");
		cluster.off(0);
		const heard = listen(cluster);
		cluster.mend();
		await cluster.until(() => operatorsOf(cluster, 3)?.length === 1, "the one that was away has it");
		expect(operatorsOf(cluster, 3)).toEqual([OPERATOR]);
		expect(ways(heard, OPERATOR.number).every((way) => way === "1>3" || way === "2>3")).toBe(true);
		expect(cluster.view(3).accounts?.own).toBeUndefined();
		// It is kept, whoever is there.
		cluster.off(3);
		cluster.isolate(3);
		await cluster.on(3);
		expect(operatorsOf(cluster, 3)).toEqual([OPERATOR]);
	});

	it("is told once to each, and its last word holds: another account, or none", async () => {
		const cluster = await prepaidStreet(4);
		const heard = listen(cluster);
		expect(await state(cluster, 0, OPERATOR)).toBe("ok");
		await cluster.run(1_000);
		const told = () => messagesIn(heard).filter(({ type }) => type === "accounts").length;
		const inTheBeginning = told();
		expect(inTheBeginning).toBeLessThanOrEqual(9);
		await cluster.run(200_000, 500);
		expect(told()).toBe(inTheBeginning);
		expect(await state(cluster, 0, OTHER)).toBe("ok");
		await cluster.run(1_000);
		for (const at of [0, 1, 2, 3]) expect(operatorsOf(cluster, at)).toEqual([OTHER]);
		expect(await state(cluster, 0)).toBe("ok");
		await cluster.run(1_000);
		for (const at of [0, 1, 2, 3]) expect(operatorsOf(cluster, at)).toEqual([]);
		expect(cluster.view(0).accounts?.own).toBeUndefined();
	});

	it("is new for seven days, by the receiver's clock where it knew another one, whatever time the word says", async () => {
		const cluster = await prepaidStreet(3);
		expect(await state(cluster, 0, OPERATOR)).toBe("ok");
		await cluster.run(1_000);
		const account = (at: number) => cluster.view(at).accounts?.operators[0];
		expect(account(1)).toMatchObject({ member: 0, isRecent: true });
		cluster.chainMs += 7 * DAY_MS - 60_000;
		await cluster.run(1_000);
		expect(account(1)?.isRecent).toBe(true);
		cluster.chainMs += 60_000;
		await cluster.run(1_000);
		expect(account(1)?.isRecent).toBe(false);
		// The same once more changes nothing.
		expect(await state(cluster, 0, OPERATOR)).toBe("ok");
		await cluster.run(1_000);
		expect(account(1)?.isRecent).toBe(false);
		const { changedMs = 0 } = account(1) ?? {};
		const backdated = statedBy(cluster, 0, { timestampMs: changedMs + 8 * DAY_MS });
		await cluster.say(2, 1, { type: "accounts", accounts: [backdated] });
		const longAgo = statedBy(cluster, 0, { timestampMs: cluster.chainMs - 1 });
		await cluster.say(2, 1, { type: "accounts", accounts: [longAgo] });
		expect(account(1)).toMatchObject({ ...OTHER, isRecent: true });
		expect(account(1)?.changedMs).toBeGreaterThan(longAgo.timestampMs);
	});

	it("is shown no more when its household is an operator no more, and kept by nobody else", async () => {
		const cluster = await prepaidStreet(4);
		expect(await state(cluster, 0, OPERATOR)).toBe("ok");
		await cluster.act(0, { type: "role", household: 1, operator: true });
		expect(operatorsOf(cluster, 2)).toEqual([OPERATOR]);
		await cluster.act(1, { type: "role", household: 0, operator: false });
		await cluster.run(1_000);
		for (const at of [1, 2, 3]) expect(operatorsOf(cluster, at)).toEqual([]);
		expect(payoutOf(cluster, 2, 0)).toBeUndefined();
		// Of the one that is an operator now it is where it is paid out.
		expect(payoutOf(cluster, 1, 0)).toEqual(OPERATOR);
		expect(ownOf(cluster, 0)).toMatchObject(OPERATOR);
		await cluster.act(1, { type: "role", household: 0, operator: true });
		await cluster.run(1_000);
		expect(operatorsOf(cluster, 2)).toEqual([OPERATOR]);
	});
});

describe("the account that a household is paid out to", () => {
	it("reaches the operator's device when it comes back, and no third one is ever sent it", async () => {
		const cluster = await prepaidStreet(4);
		cluster.off(0);
		const heard = listen(cluster);
		expect(await state(cluster, 3, PAYOUT)).toBe("ok");
		await cluster.run(150_000, 500);
		expect(ownOf(cluster, 3)).toMatchObject({ ...PAYOUT, isHeld: false });
		await cluster.on(0);
		await cluster.until(() => ownOf(cluster, 3)?.isHeld === true, "the operator's device says that it keeps it");
		expect(payoutOf(cluster, 0, 3)).toEqual(PAYOUT);
		// Once it has said so it is told no more, at whichever meeting.
		const before = heard.length;
		for (const at of [0, 3]) {
			cluster.off(at);
			await cluster.on(at);
			await cluster.run(130_000, 500);
		}
		expect(ways(heard.slice(before), PAYOUT.number)).toEqual([]);
		expect(ownOf(cluster, 3)).toMatchObject({ ...PAYOUT, isHeld: true });
		expect(payoutOf(cluster, 0, 3)).toEqual(PAYOUT);

		expect(ways(heard, PAYOUT.number)).toEqual(["3>0"]);
		expect(ways(heard, PAYOUT.holder)).toEqual(["3>0"]);
		// Nor is anybody else told as much as that there is one.
		const id = statedAccountId(cluster.street(3).accounts.of(3)?.stated ?? fail(), cluster.street(3).gridId);
		expect(ways(heard, id)).toEqual(["0>3", "3>0"]);
		for (const at of [1, 2]) expect(payoutOf(cluster, at, 3)).toBeUndefined();
	});

	it("stands beside the tokens that are to be paid out, for the operator alone", async () => {
		const cluster = await prepaidStreet(3);
		const minute = Math.floor(cluster.chainMs / MS_PER_MINUTE);
		const nothing = { feesMicroNok: 0, interestMicroNok: 0, unmatchedMicroNok: 10_000_000, clearedMicroNok: 0 };
		await cluster.act(0, { type: "bank", minute, balanceMicroNok: 10_000_000, ...nothing });
		const orderId = await cluster.act(1, { type: "buy", amountMicroNok: 10_000_000 });
		await cluster.act(0, { type: "issue", orderId, amountMicroNok: 10_000_000, reference: "KID 1" });
		await cluster.act(1, { type: "redeem", amountMicroNok: 4_000_000 });
		expect(cluster.view(0).operator?.payouts[0]?.account).toBeUndefined();
		expect(await state(cluster, 1, PAYOUT)).toBe("ok");
		await cluster.run(1_000);
		expect(cluster.view(0).operator?.payouts[0]?.account).toMatchObject({ ...PAYOUT, member: 1 });
		expect(cluster.view(1).balance.payouts[0]?.account).toBeUndefined();
		expect(operatorsOf(cluster, 1)).toEqual([]);
	});

	it("is known to every operator's device, of whichever household, and dropped by who is none any more", async () => {
		const cluster = await prepaidStreet(4);
		expect(await state(cluster, 3, PAYOUT)).toBe("ok");
		await cluster.run(1_000);
		const heard = listen(cluster);
		await cluster.act(0, { type: "role", household: 1, operator: true });
		await cluster.run(1_000);
		expect(payoutOf(cluster, 1, 3)).toEqual(PAYOUT);
		await cluster.act(0, { type: "role", household: 1, operator: false });
		await cluster.run(1_000);
		expect(payoutOf(cluster, 1, 3)).toBeUndefined();
		expect(await keptBy(cluster, 1)).toEqual([]);
		// By the household and the operators, to them.
		for (const way of ways(heard, PAYOUT.number)) expect(way).toMatch(/^[013]>[013]$/u);
		// Back among the operators it hears it again.
		await cluster.act(0, { type: "role", household: 1, operator: true });
		await cluster.run(70_000, 500);
		expect(payoutOf(cluster, 1, 3)).toEqual(PAYOUT);
	});

	it("comes back to a household that lost what its browser kept, from the operator's device", async () => {
		const cluster = await prepaidStreet(4);
		expect(await state(cluster, 3, PAYOUT)).toBe("ok");
		await cluster.run(1_000);
		const reply = await cluster.command(3, { type: "restoreLink" });
		const link = reply.ok && reply.value.type === "link" ? reply.value.link : "";
		cluster.off(3);
		const { index } = await cluster.add();
		expect(await cluster.outcome(index, { type: "restore", link, alwaysOn: true, signalingUrls: [] })).toBe("ok");
		await cluster.until(() => cluster.house(index).node.view().stage === "street", "the household is back");
		await cluster.until(() => ownOf(cluster, index) !== undefined, "its account is, too");
		expect(ownOf(cluster, index)).toMatchObject(PAYOUT);
	});

	it("is brought to the operator's device in a street where not everybody is connected with it, for as long as that takes", {
		timeout: 60_000,
	}, async () => {
		const cluster = await prepaidStreet(12, { settings: { fullMeshDevices: 5 } }, 7);
		// What was connected in the lobby stays for half a minute.
		await cluster.run(60_000, 500);
		const { voters } = cluster.street(0).chain.head.ledger;
		const apart = () =>
			cluster.houses.map(({ index }) => index).filter((at) => !cluster.areConnected(at, 0) && at !== 0);
		const [payee] = apart().filter((at) => !voters.includes(at));
		if (payee === undefined) throw new Error("somebody has no channel to the operator's device");
		const channels = cluster.channelsOf(payee);
		expect(await state(cluster, payee, PAYOUT)).toBe("ok");
		await cluster.until(() => ownOf(cluster, payee)?.isHeld === true, "the operator's device keeps it");
		expect(payoutOf(cluster, 0, payee)).toEqual(PAYOUT);
		await cluster.run(60_000, 500);
		expect(apart()).toContain(payee);
		expect(cluster.channelsOf(payee)).toBe(channels);
		expect(await state(cluster, 0, OPERATOR)).toBe("ok");
		await cluster.run(5_000, 500);
		for (const { index } of cluster.houses) expect(operatorsOf(cluster, index)).toEqual([OPERATOR]);
	});

	it("is there at once for the device that takes this one's place in its browser, whoever else is off", async () => {
		const cluster = await prepaidStreet(6);
		expect(await state(cluster, 0, OPERATOR)).toBe("ok");
		expect(await state(cluster, 3, PAYOUT)).toBe("ok");
		await cluster.run(1_000);
		cluster.off(3);
		const copy = await cluster.house(3).storage.copy();
		await cluster.on(3);
		await cluster.settle();
		cluster.off(0);
		await cluster.add(copy);
		await cluster.until(() => cluster.view(3).chain.outOfUse === true, "its copy is noticed");
		cluster.off(6);
		expect(await cluster.outcome(3, { type: "admitAnew" })).toBe("ok");
		await cluster.until(() => cluster.house(3).node.view().stage === "street", "the new device is admitted");
		expect(ownOf(cluster, 3)).toMatchObject({ ...PAYOUT, isHeld: false });
		expect(operatorsOf(cluster, 3)).toEqual([OPERATOR]);
	});

	it("is forgotten by everybody when the household is out", async () => {
		const cluster = await prepaidStreet(4, {}, 3);
		expect(await state(cluster, 3, PAYOUT)).toBe("ok");
		await cluster.run(1_000);
		expect(payoutOf(cluster, 0, 3)).toEqual(PAYOUT);
		await cluster.act(3, { type: "leave" });
		await cluster.until(() => cluster.view(0).members[3]?.movingOut === "completed", "it is out", 86_400_000, 1_000);
		await cluster.run(5_000);
		for (const at of [0, 3]) {
			expect(payoutOf(cluster, at, 3)).toBeUndefined();
			expect(await keptBy(cluster, at)).toEqual([]);
		}
		expect(await state(cluster, 3, PAYOUT)).toBe("moved-out");
	});
});

describe("what a neighbour tells of accounts", () => {
	async function told(accounts: (cluster: Cluster) => StatedAccount[], by = 2): Promise<Cluster> {
		const cluster = await prepaidStreet(3);
		expect(await state(cluster, 0, OPERATOR)).toBe("ok");
		await cluster.run(1_000);
		cluster.off(0);
		await cluster.say(by, 1, { type: "accounts", accounts: accounts(cluster) });
		return cluster;
	}

	/** The operator is off: what it has signed is made of what is stored. */
	const byOperator = (cluster: Cluster, said: Parameters<typeof statedBy>[2]) => statedBy(cluster, 0, said);

	it("is not believed without the household's signature for this neighbourhood", async () => {
		const { gridId } = (await prepaidStreet(2, { seed: "elsewhere" })).street(0);
		const cluster = await told((street) => [
			{ ...byOperator(street, {}), signature: statedBy(street, 2, { member: 0 }).signature },
			byOperator(street, { gridId }),
			{ ...byOperator(street, {}), account: PAYOUT },
		]);
		expect(refusalsOf(cluster, 1, "account-forged")).toBe(3);
		expect(operatorsOf(cluster, 1)).toEqual([OPERATOR]);
	});

	it("does not hold where it is older, comes again, or is of a time that has not come", async () => {
		const cluster = await told((street) => [
			street.street(1).accounts.of(0)?.stated ?? fail(),
			byOperator(street, { timestampMs: street.chainMs + 3_600_000 }),
			byOperator(street, { timestampMs: street.chainMs - DAY_MS }),
		]);
		expect(cluster.view(1).refusals).toMatchObject({ "account-ahead": 1 });
		expect(operatorsOf(cluster, 1)).toEqual([OPERATOR]);
	});

	it("of one moment holds as the same for everybody, in whichever order it comes", async () => {
		const numbers = ["12345678903", "NO9386011117947", "SE4550000000058398257466", "DK5000400440116243"];
		const orders = [numbers, [...numbers].reverse()];
		const ends: string[] = [];
		for (const order of orders) {
			const cluster = await told((street) =>
				order.map((number) =>
					byOperator(street, { timestampMs: 60_000 + street.chainMs, account: { holder: "A", number } }),
				),
			);
			ends.push(operatorsOf(cluster, 1)?.[0]?.number ?? "");
		}
		expect(ends[0]).toBe(ends[1]);
		expect(numbers).toContain(ends[0]);
	});

	it("is not kept where it concerns neither this household nor an operator", async () => {
		const cluster = await told((street) => [statedBy(street, 2, { account: PAYOUT })]);
		expect(refusalsOf(cluster, 1, "account-not-for-us")).toBe(1);
		expect(payoutOf(cluster, 1, 2)).toBeUndefined();
		expect((await keptBy(cluster, 1)).map(({ stated }) => stated.member)).toEqual([0]);
	});

	it("is not verified without end", async () => {
		const cluster = await told((street) =>
			Array.from({ length: 60 }, (_, at) => ({
				...byOperator(street, { timestampMs: street.chainMs + at }),
				account: PAYOUT,
			})),
		);
		expect(refusalsOf(cluster, 1, "account-forged")).toBeLessThanOrEqual(21);
		expect(refusalsOf(cluster, 1, "too-many-accounts")).toBeGreaterThan(30);
	});
});

describe("a household's own account", () => {
	it("is read as a person types it, and refused with what is wrong", async () => {
		const cluster = await prepaidStreet(2);
		const outcome = (account: BankAccount) => state(cluster, 1, account);
		expect(await outcome({ ...PAYOUT, number: "" })).toBe("account-missing");
		expect(await outcome({ ...PAYOUT, number: "1234 56 7890" })).toBe("account-too-short");
		expect(await outcome({ ...PAYOUT, number: "1234 56 78903 1" })).toBe("account-too-long");
		expect(await outcome({ ...PAYOUT, number: "1234 56 78904" })).toBe("account-check-digit");
		expect(await outcome({ ...PAYOUT, number: "ved neste møte" })).toBe("account-unknown-form");
		expect(await outcome({ ...PAYOUT, holder: " " })).toBe("bad-holder");
		expect(await outcome({ ...PAYOUT, holder: "K".repeat(71) })).toBe("bad-holder");
		expect(ownOf(cluster, 1)).toBeUndefined();
	});

	it("is none in a trial: nothing is signed, and nobody says a word of accounts", async () => {
		const cluster = await foundedStreet(3);
		const heard = listen(cluster);
		expect(await state(cluster, 0, OPERATOR)).toBe("play-money");
		cluster.off(1);
		await cluster.on(1);
		await cluster.run(5_000);
		expect(cluster.view(0).accounts).toBeUndefined();
		expect(messagesIn(heard).filter(({ type }) => type.startsWith("accounts"))).toEqual([]);
	});

	it("is signed with the household's key: where that is locked, its password is asked for first", async () => {
		const cluster = await prepaidStreet(2);
		const newPassword = "riktig hest batteri";
		expect(await cluster.outcome(1, { type: "changePassword", newPassword })).toBe("ok");
		expect(await cluster.outcome(1, { type: "lock" })).toBe("ok");
		expect(await state(cluster, 1, PAYOUT)).toBe("locked");
		expect(ownOf(cluster, 1)).toBeUndefined();
		expect(await cluster.outcome(1, { type: "unlock", password: newPassword })).toBe("ok");
		expect(await state(cluster, 1, PAYOUT)).toBe("ok");
	});

	it("is said to nobody before it is written", async () => {
		const cluster = await prepaidStreet(3);
		const heard = listen(cluster);
		cluster.house(1).storage.hasNoRoomFor = ({ accounts }) => accounts !== undefined;
		expect(await state(cluster, 1, PAYOUT)).toBe("storage-write-failed");
		await cluster.say(0, 1, { type: "accountsKept", ids: [], asks: true });
		await cluster.run(5_000);
		expect(ways(heard, PAYOUT.number)).toEqual([]);
		const { accounts, gridId } = cluster.street(1);
		expect(ways(heard, statedAccountId(accounts.of(1)?.stated ?? fail(), gridId))).toEqual([]);
	});

	it.each([
		["is signed anew", false],
		["waits for the household's password", true],
	])("goes along when the neighbourhood is founded again, and %s", async (_, isLocked) => {
		const cluster = await prepaidStreet(7, {}, 3);
		const { voters } = cluster.street(0).chain.head.ledger;
		const [payee = 0, ...others] = [1, 2, 3, 4, 5, 6].filter((at) => !voters.includes(at));
		expect(await state(cluster, 0, OPERATOR)).toBe("ok");
		expect(await state(cluster, payee, PAYOUT)).toBe("ok");
		await cluster.run(1_000);
		const { changedMs } = ownOf(cluster, payee) ?? {};
		const password = "riktig hest batteri";
		if (isLocked) expect(await cluster.outcome(payee, { type: "changePassword", newPassword: password })).toBe("ok");
		const oldGrid = gridOf(cluster, 0);
		for (const at of voters) if (at !== 0) cluster.off(at);
		await cluster.run(12_000, 500);
		await propose(cluster);
		await cluster.run(2_000, 500);
		for (const at of [payee, ...others]) {
			expect(await confirm(cluster, at)).toBe("ok");
			if (at === payee && isLocked) expect(await cluster.outcome(payee, { type: "lock" })).toBe("ok");
		}
		await cluster.until(() => gridOf(cluster, payee) !== oldGrid && gridOf(cluster, 0) !== oldGrid, "they go over");
		await cluster.run(10_000, 500);
		if (isLocked) {
			expect(cluster.view(payee).accounts).toMatchObject({ unsigned: PAYOUT });
			expect(ownOf(cluster, payee)).toBeUndefined();
			expect(await cluster.outcome(payee, { type: "unlock", password })).toBe("ok");
			await cluster.run(1_000);
			expect(cluster.view(payee).accounts?.unsigned).toBeUndefined();
		}
		expect(ownOf(cluster, payee)).toMatchObject({ ...PAYOUT, changedMs, isHeld: true });
		expect(payoutOf(cluster, 0, payee)).toEqual(PAYOUT);
		expect(operatorsOf(cluster, others[0] ?? 0)).toEqual([OPERATOR]);
		// The chain that was left keeps none.
		expect(await keptBy(cluster, payee, oldGrid)).toEqual([]);
	});
});

describe("the record of accounts", () => {
	it("is read back as it was, and refused with one wrong bit", () => {
		const stated = { member: 3, timestampMs: 1_000, account: PAYOUT, signature: new Uint8Array(65).fill(1) };
		const [id, key] = [new Uint8Array(32).fill(2), new Uint8Array(33).fill(3)];
		const kept = [
			{ stated, id, householdKey: key, changedMs: 2_000 },
			{ stated: { ...stated, member: 4, account: undefined }, id, householdKey: key, changedMs: 0 },
		];
		const full = { kept, heldBy: [key], unsigned: { account: OTHER, timestampMs: 5, changedMs: 4 } };
		for (const each of [full, { kept: [], heldBy: [], unsigned: undefined }]) {
			expect(decodeAccounts(encodeAccounts(each))).toEqual({ ok: true, value: each });
		}
		const record = encodeAccounts(full);
		record[20] = (record[20] ?? 0) ^ 1;
		expect(decodeAccounts(record)).toEqual({ ok: false, error: { code: "record-damaged" } });
	});
});

/** What lies in a house's database. */
async function keptBy(cluster: Cluster, at: number, grid = gridOf(cluster, at)) {
	const { storage } = cluster.house(at);
	const name = [...storage.names].find((each) => each.startsWith(grid));
	const chain = await (await storage.copy()).openChain(name ?? fail());
	const stored = chain.ok ? await chain.value.load() : chain;
	const record = stored.ok ? stored.value.accounts : undefined;
	const opened = record === undefined ? undefined : decodeAccounts(record);
	return opened?.ok === true ? opened.value.kept : [];
}

function fail(): never {
	throw new Error("it is there");
}
