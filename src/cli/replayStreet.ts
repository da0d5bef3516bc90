/** Plays a street's readings minute by minute through consensus: one full node per household. */
import { encodeBlock } from "../block/block.js";
import { householdOf, type Ledger } from "../contract/ledger.js";
import { DEFAULT_NODE_SETTINGS } from "../node/dependencies.js";
import type { Command } from "../node/protocol.js";
import { assert } from "../primitives/assert.js";
import { equalBytes, toHex } from "../primitives/bytes.js";
import { MAX_MINUTE, MS_PER_MINUTE } from "../primitives/units.js";
import type { Street } from "./street.js";
import { type Signatures, VirtualStreet } from "./virtualStreet.js";

export interface ReplayResult {
	blocks: number;
	/** Stored blocks without certificates. */
	chainBytes: number;
	bytesPerReading: number;
	verifications: number;
	stateRoot: string;
	/** All nodes ended with the same head hash and state root. */
	agree: boolean;
	households: {
		name: string;
		balanceMicroNok: number;
		importWh: number;
		exportWh: number;
		boughtWh: number;
		soldWh: number;
	}[];
	contracts: { seller: string; buyer: string; energyWh: number; amountMicroNok: number }[];
}

/** Minutes before the first reading in which the street is founded: a few seconds of it are used. */
const FOUNDING_MINUTES = 60;

/** Runs the replay. `onProgress` hears the minute and how many there are; `signatures`: others than real ones. */
export async function replayStreet(
	street: Street,
	onProgress: (done: number, all: number) => void,
	signatures?: Signatures,
): Promise<ReplayResult> {
	const startMs = (street.firstMinute - FOUNDING_MINUTES - (street.market?.intervalMinutes ?? 0)) * MS_PER_MINUTE;
	const nodes = new VirtualStreet(street.households.length, street.name, startMs, signatures);
	await nodes.start();
	await found(nodes, street);
	await issueTokens(nodes, street);
	const contractIds = await makeContracts(nodes, street);
	await giveLimits(nodes, street);
	await playMinutes(nodes, street, onProgress);
	return resultOf(nodes, street, contractIds);
}

async function carryOut(nodes: VirtualStreet, at: number, command: Command): Promise<string> {
	const reply = await nodes.command(at, command);
	assert(reply.ok, `${command.type} of household ${at} is accepted: ${JSON.stringify(reply)}`);
	await nodes.confirm(at);
	const id = reply.value.type === "signed" ? reply.value.id : "";
	const shown = nodes
		.node(at)
		.street?.outbox.shown()
		.find((own) => own.id === id);
	assert(shown === undefined || shown.state === "confirmed", `${command.type} of household ${at} is confirmed`);
	return id;
}

/** As households do it: a lobby, everybody in it, start. */
async function found(nodes: VirtualStreet, street: Street): Promise<void> {
	const alwaysOn = true;
	for (const [at, { name: householdName }] of street.households.entries()) {
		if (at === 0) {
			const { name, market, tariff } = street;
			const neighbourhood = { name, moneyKind: "prepaid" as const, ...tariff, ...(market && { market }) };
			await carryOut(nodes, at, { type: "openLobby", neighbourhood, householdName, alwaysOn, signalingUrls: [] });
			continue;
		}
		const founder = nodes.node(0).view();
		assert(founder.stage === "lobby", "the founder waits in its lobby");
		await carryOut(nodes, at, { type: "enterLobby", link: founder.link, householdName, alwaysOn, signalingUrls: [] });
	}
	await carryOut(nodes, 0, { type: "start" });
	await nodes.moveTo(nodes.chainMs + 1);
}

/** Member index of a household of the file. */
function memberOf(nodes: VirtualStreet, at: number): number {
	const member = nodes.node(at).street?.member;
	assert(member !== undefined, "everybody in the lobby became a member");
	return member;
}

async function issueTokens(nodes: VirtualStreet, street: Street): Promise<void> {
	for (const [at, { tokensMicroNok: amountMicroNok }] of street.households.entries()) {
		if (amountMicroNok === 0) continue;
		const orderId = await carryOut(nodes, at, { type: "buy", amountMicroNok });
		await carryOut(nodes, 0, { type: "issue", orderId, amountMicroNok, reference: `replay ${at}` });
	}
}

/** In the minute before the first interval with a reading: from there on everybody trades within its limits. */
async function giveLimits(nodes: VirtualStreet, street: Street): Promise<void> {
	if (street.market === undefined) return;
	// An interval in which nobody meters anything yet would be waited for.
	const firstInterval = street.firstMinute - (street.firstMinute % street.market.intervalMinutes);
	await nodes.moveTo((firstInterval - 1) * MS_PER_MINUTE);
	for (const [at, { buyBelowMicroNokPerWh, sellAboveMicroNokPerWh }] of street.households.entries()) {
		if (buyBelowMicroNokPerWh === undefined && sellAboveMicroNokPerWh === undefined) continue;
		await carryOut(nodes, at, {
			type: "limits",
			...(buyBelowMicroNokPerWh === undefined ? {} : { buyBelowMicroNokPerWh }),
			...(sellAboveMicroNokPerWh === undefined ? {} : { sellAboveMicroNokPerWh }),
		});
	}
}

/** Ids of the contracts in the file's order; undefined for one that no reading's minute falls into: it is not made. */
async function makeContracts(nodes: VirtualStreet, street: Street): Promise<(string | undefined)[]> {
	const ids: (string | undefined)[] = [];
	for (const contract of street.contracts) {
		const fromMinute = Math.max(contract.fromMinute ?? street.firstMinute, street.firstMinute);
		// What lies beyond the last reading cannot be settled here.
		const untilMinute = Math.min(contract.untilMinute ?? MAX_MINUTE, street.lastMinute + 1);
		if (fromMinute >= untilMinute) {
			ids.push(undefined);
			continue;
		}
		const offerId = await carryOut(nodes, contract.seller, {
			type: "offer",
			priceMicroNokPerWh: contract.priceMicroNokPerWh,
			fromMinute,
			untilMinute,
			...(contract.energyLimitWh === 0 ? {} : { energyLimitWh: contract.energyLimitWh }),
			noticeMinutes: 0,
			buyer: memberOf(nodes, contract.buyer),
		});
		ids.push(await carryOut(nodes, contract.buyer, { type: "accept", offerId }));
	}
	return ids;
}

async function playMinutes(
	nodes: VirtualStreet,
	street: Street,
	onProgress: (done: number, all: number) => void,
): Promise<void> {
	const { readingDelayMs } = DEFAULT_NODE_SETTINGS;
	const arrivals = arrivalsByMinute(street);
	const all = street.lastArrivalMinute - street.firstMinute + 1;
	for (let minute = street.firstMinute; minute <= street.lastArrivalMinute || !isSettled(nodes); minute++) {
		nodes.chainMs = (minute + 1) * MS_PER_MINUTE;
		for (const [at, readings] of arrivals.get(minute) ?? [])
			await nodes.node(at).handle({ type: "readings", readings });
		await nodes.settle();
		await nodes.moveTo((minute + 1) * MS_PER_MINUTE + readingDelayMs);
		onProgress(Math.min(minute - street.firstMinute + 1, all), all);
	}
}

type Arrivals = Map<number, { minute: number; importWh: number; exportWh: number; quality: "measured" }[]>;

function arrivalsByMinute(street: Street): Map<number, Arrivals> {
	const arrivals = new Map<number, Arrivals>();
	for (const [at, { readings }] of street.households.entries()) {
		for (const { arrivesMinute, minute, importWh, exportWh } of readings) {
			const here: Arrivals = arrivals.get(arrivesMinute) ?? new Map();
			const list = here.get(at) ?? [];
			list.push({ minute, importWh, exportWh, quality: "measured" });
			arrivals.set(arrivesMinute, here.set(at, list));
		}
	}
	return arrivals;
}

function ledgerOf(nodes: VirtualStreet): Ledger {
	const { street } = nodes.node(0);
	assert(street !== undefined, "the replay runs in a street");
	return street.chain.head.ledger;
}

/** No contract and no interval has a minute left that could still settle. */
function isSettled(nodes: VirtualStreet): boolean {
	const { households, liveContracts } = ledgerOf(nodes);
	return liveContracts.length === 0 && households.every(({ open }) => open.length === 0);
}

async function resultOf(
	nodes: VirtualStreet,
	street: Street,
	contractIds: readonly (string | undefined)[],
): Promise<ReplayResult> {
	const heads = nodes.nodes.map((node) => {
		assert(node.street !== undefined, "every node is in the street");
		return node.street.chain.head;
	});
	const [head] = heads;
	assert(head !== undefined, "there is a node");
	const { ledger } = head;
	const chainBytes = await storedBytes(nodes);
	const readings = ledger.households.reduce(
		(count, { seen }) => count + seen.reduce((minutes, [from, until]) => minutes + until - from, 0),
		0,
	);
	return {
		blocks: head.block.index + 1,
		chainBytes,
		bytesPerReading: readings === 0 ? 0 : Math.round((chainBytes / readings) * 100) / 100,
		verifications: nodes.verifications,
		stateRoot: toHex(head.block.stateRoot),
		agree: heads.every(
			(other) => equalBytes(other.hash, head.hash) && equalBytes(other.block.stateRoot, head.block.stateRoot),
		),
		households: street.households.map(({ name }, at) => {
			const household = householdOf(ledger, memberOf(nodes, at));
			const { balanceMicroNok, importWh, exportWh, boughtWh, soldWh } = household;
			return { name, balanceMicroNok, importWh, exportWh, boughtWh, soldWh };
		}),
		contracts: street.contracts.map((contract, at) => {
			const made = ledger.contracts.find(({ id }) => toHex(id) === contractIds[at]);
			return {
				seller: street.households[contract.seller]?.name ?? "",
				buyer: street.households[contract.buyer]?.name ?? "",
				energyWh: made?.deliveredWh ?? 0,
				amountMicroNok: made?.amountMicroNok ?? 0,
			};
		}),
	};
}

async function storedBytes(nodes: VirtualStreet): Promise<number> {
	let bytes = 0;
	const { street } = nodes.node(0);
	assert(street !== undefined, "the replay runs in a street");
	for await (const block of street.storedBlocks()) bytes += encodeBlock(block).length;
	return bytes;
}
