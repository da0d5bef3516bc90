import { beforeAll, describe, expect, it } from "vitest";
import type { Block } from "../../../src/block/block.js";
import { History } from "../../../src/node/history.js";
import type { StoredDay } from "../../../src/node/storage.js";
import { MINUTES_PER_DAY, minuteOf } from "../../../src/primitives/units.js";
import { type Cluster, foundedStreet, SHORT_DAYS } from "../../support/cluster.js";
import { NO_SIGNATURE } from "../../support/ledger.js";
import { must } from "../storage/cases.js";

const BUYER = 1;
const MEMBER = 1;
/** More than the week that is there at once. */
const DAYS_AGO = 20;

let cluster: Cluster;
let old: StoredDay;

/** A day with one typed reading, long ago, as the node would have kept it. */
function oldDay(): StoredDay {
	const { head } = cluster.street(BUYER).chain;
	const minute = minuteOf(head.block.timestampMs) - DAYS_AGO * MINUTES_PER_DAY;
	const reading = { kind: "reading" as const, member: MEMBER, minute, importWh: 7, exportWh: 0 };
	const transactions = [{ ...reading, quality: "typed" as const, signature: NO_SIGNATURE }];
	const timestampMs = (minute + 1) * 60_000;
	const parent = { ...head.ledger, counted: [], timestampMs };
	const block: Block = { ...head.block, timestampMs, transactions };
	const history = new History(head.ledger.households[MEMBER]?.publicKey ?? new Uint8Array());
	history.add(parent, { ...head, block });
	const [day] = history.storedDays().filter(({ member }) => member === MEMBER);
	if (day === undefined) throw new Error("the reading's day is there");
	return day;
}

beforeAll(async () => {
	cluster = await foundedStreet(2, { settings: SHORT_DAYS });
	for (let minute = 0; minute < 25; minute++) await cluster.nextMinute(1_000);
	await cluster.settle();
	old = oldDay();
	cluster.off(BUYER);
	const { storage } = cluster.house(BUYER);
	const chain = await must(storage.openChain([...storage.names].at(-1) ?? ""));
	await must(chain.write({ days: [old] }));
	await cluster.on(BUYER);
});

const typedMinutes = () => cluster.view(BUYER).corrections.unsettledMinutes.typed;

describe("minutes of days to which nothing is added any more", () => {
	it("are not there at the start, but soon after it", async () => {
		expect(typedMinutes()).toBe(0);
		await cluster.run(8_000, 100);
		expect(cluster.street(BUYER).history.reading(MEMBER, old.day * MINUTES_PER_DAY)).toBeUndefined();
		expect(cluster.street(BUYER).history.unsettled(MEMBER)).toMatchObject([{ reason: "typed", importWh: 7 }]);
		await cluster.nextMinute(1_000);
		expect(typedMinutes()).toBe(1);
	});

	it("are there at once for who asks further back", async () => {
		cluster.off(BUYER);
		await cluster.on(BUYER);
		const street = cluster.street(BUYER);
		expect(street.history.unsettled(MEMBER)).toEqual([]);
		await street.wholePast();
		expect(street.history.unsettled(MEMBER)).toHaveLength(1);
	});

	it("do not take the place of what is newer", async () => {
		const { history } = cluster.street(BUYER);
		const before = history.storedDays().filter(({ day }) => day === old.day);
		history.restoreOlder([{ ...old, record: new Uint8Array(3) }]);
		expect(history.storedDays().filter(({ day }) => day === old.day)).toEqual(before);
	});
});
