/** Random transactions and blocks whose every field is within its bounds. Signatures are any bytes. */
import fc from "fast-check";
import type { Block } from "../../src/block/block.js";
import { BLOCK_VERSION, transactionsRoot } from "../../src/block/block.js";
import type { Certificate } from "../../src/block/certificate.js";
import { MAX_REASON_LENGTH } from "../../src/block/fieldShapes.js";
import { MAX_ICE_SERVERS } from "../../src/block/iceServer.js";
import { CORRECTION_REASONS } from "../../src/block/kinds/correcting.js";
import { MONEY_KINDS, type RealMoneyKind } from "../../src/block/kinds/founding.js";
import { MARKET_CHOICES, MAX_TARIFF_STEPS } from "../../src/block/kinds/trading.js";
import { QUALITIES } from "../../src/block/reading.js";
import { EVERY_DAY } from "../../src/block/schedule.js";
import type { Transaction } from "../../src/block/transaction.js";
import {
	MAX_AMOUNT_MICRO_NOK,
	MAX_MINUTE,
	MAX_NOTICE_MINUTES,
	MAX_PRICE_MICRO_NOK_PER_WH,
	MAX_READING_WH,
} from "../../src/primitives/units.js";

export const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
export const naturalNumber = fc.nat(Number.MAX_SAFE_INTEGER);

const member = fc.nat(999);
const minute = fc.nat(MAX_MINUTE);
const nonce = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const amountMicroNok = fc.integer({ min: 1, max: MAX_AMOUNT_MICRO_NOK });
const amountOrNothing = fc.nat(MAX_AMOUNT_MICRO_NOK);
const tariffPrice = fc.nat(MAX_PRICE_MICRO_NOK_PER_WH);
const signature = bytesOf(65);
/** As people and streets are called. */
export const name = fc
	.array(fc.constantFrom("Å", "b", "æ", "7", "-", "’", " ", "𝒳", "例"), { minLength: 1, maxLength: 18 })
	.map((letters) => `x${letters.join("")}y`);

const act = { member, nonce, signature };
const constant = <K extends string>(kind: K) => fc.constant(kind);

export const reading = fc.record({
	kind: constant("reading"),
	member,
	minute,
	importWh: fc.nat(MAX_READING_WH),
	exportWh: fc.nat(MAX_READING_WH),
	quality: fc.constantFrom(...QUALITIES),
	signature,
});

const invitation = fc.record({
	id: bytesOf(16),
	operator: member,
	expiryMinute: minute,
	oneTimeKey: bytesOf(33),
	observer: fc.boolean(),
	signature,
});

export const join = fc
	.record({
		kind: constant("join"),
		name,
		householdKey: bytesOf(33),
		deviceKey: bytesOf(33),
		alwaysOn: fc.boolean(),
		invited: fc.option(fc.tuple(invitation, signature), { nil: undefined }),
		household: signature,
		device: signature,
	})
	.map(({ invited, household, device, ...rest }) => ({
		...rest,
		invitation: invited?.[0],
		signatures: { household, device, oneTime: invited?.[1] },
	}));

const chainParameters = {
	name,
	blockIntervalMs: fc.constantFrom(1_000, 5_000, 20_000, 60_000),
	settlementGraceBlocks: fc.nat(100_000),
	readingWindowBlocks: fc.integer({ min: 1, max: 1_000_000 }),
	checkpointBlocks: fc.integer({ min: 10, max: 100_000 }),
	timeScale: fc.integer({ min: 1, max: 10_000 }),
	salt: bytesOf(16),
};

const host = fc.constantFrom("192.0.2.1", "stun.example.org:3478", "[2001:db8::1]:5349");
const credential = fc.stringMatching(/^[!-~]{1,64}$/);
const note = fc.option(fc.stringMatching(/^[ -~æøåÆØÅ]{1,140}$/), { nil: undefined });
const stunServer = fc.record({
	urls: host.map((at) => `stun:${at}`),
	username: constant(""),
	credential: constant(""),
});
const turnServer = fc.record({
	urls: fc.tuple(fc.constantFrom("turn", "turns"), host).map(([scheme, at]) => `${scheme}:${at}?transport=tcp`),
	username: credential,
	credential,
});

export const schedule = fc.record({
	days: fc.integer({ min: 1, max: EVERY_DAY }),
	fromMinuteOfDay: fc.nat(1_439),
	untilMinuteOfDay: fc.integer({ min: 1, max: 1_440 }),
});

export const transactionsByKind = {
	reading,
	offer: fc.record({
		kind: constant("offer"),
		...act,
		priceMicroNokPerWh: fc.integer({ min: 1, max: MAX_PRICE_MICRO_NOK_PER_WH }),
		fromMinute: minute,
		untilMinute: minute,
		energyLimitWh: fc.nat(1_000_000_000_000),
		noticeMinutes: fc.nat(MAX_NOTICE_MINUTES),
		buyer: fc.option(member, { nil: undefined }),
		maxBuyers: fc.nat(1_000),
		schedule: fc.option(schedule, { nil: undefined }),
	}),
	withdraw: fc.record({ kind: constant("withdraw"), ...act, offerId: bytesOf(32) }),
	accept: fc.record({ kind: constant("accept"), ...act, expiryMinute: minute, offerId: bytesOf(32) }),
	end: fc.record({ kind: constant("end"), ...act, contractId: bytesOf(32) }),
	buy: fc.record({ kind: constant("buy"), ...act, expiryMinute: minute, amountMicroNok }),
	issue: fc.record({
		kind: constant("issue"),
		...act,
		expiryMinute: minute,
		orderId: bytesOf(32),
		amountMicroNok,
		reference: fc.string({ minLength: 1, maxLength: 30, unit: "binary" }),
	}),
	join,
	voters: fc.record({
		kind: constant("voters"),
		...act,
		added: fc.array(fc.record({ device: fc.nat(15_999), publicKey: bytesOf(33) }), { maxLength: 2 }),
		removed: fc.array(fc.nat(15_999), { maxLength: 1 }),
		device: fc.option(fc.nat(15_999), { nil: undefined }),
	}),
	device: fc.record({
		kind: constant("device"),
		...act,
		deviceKey: bytesOf(33),
		alwaysOn: fc.boolean(),
		metering: fc.boolean(),
		replaces: fc.option(fc.nat(15_999), { nil: undefined }),
		deviceSignature: signature,
	}),
	revoke: fc.record({ kind: constant("revoke"), ...act, device: fc.nat(15_999) }),
	iceServers: fc.record({
		kind: constant("iceServers"),
		...act,
		servers: fc.uniqueArray(fc.oneof(stunServer, turnServer), {
			maxLength: MAX_ICE_SERVERS,
			selector: ({ urls }) => urls,
		}),
	}),
	rename: fc.record({ kind: constant("rename"), ...act, household: member, name }),
	suspend: fc.record({ kind: constant("suspend"), ...act, household: member, suspended: fc.boolean() }),
	remove: fc.record({ kind: constant("remove"), ...act, household: member }),
	appoint: fc.record({ kind: constant("appoint"), ...act, household: fc.option(member, { nil: undefined }) }),
	rebind: fc.record({
		kind: constant("rebind"),
		...act,
		household: member,
		householdKey: bytesOf(33),
		keySignature: signature,
	}),
	contest: fc.record({ kind: constant("contest"), ...act, household: member }),
	redeem: fc.record({ kind: constant("redeem"), ...act, expiryMinute: minute, amountMicroNok }),
	cancel: fc.record({ kind: constant("cancel"), ...act, orderId: bytesOf(32) }),
	leave: fc.record({ kind: constant("leave"), ...act }),
	limits: fc.record({
		kind: constant("limits"),
		...act,
		buyBelowMicroNokPerWh: fc.option(tariffPrice, { nil: undefined }),
		sellAboveMicroNokPerWh: fc.option(tariffPrice, { nil: undefined }),
		paysMoreForLocal: fc.boolean(),
	}),
	market: fc.record({
		kind: constant("market"),
		...act,
		choice: fc.constantFrom(...MARKET_CHOICES),
		fromMinute: minute,
	}),
	tariff: fc.record({
		kind: constant("tariff"),
		...act,
		steps: fc.uniqueArray(minute, { minLength: 1, maxLength: MAX_TARIFF_STEPS }).chain((minutes) =>
			fc.tuple(
				...minutes
					.sort((a, b) => a - b)
					.map((fromMinute) =>
						fc.record({
							fromMinute: fc.constant(fromMinute),
							retailMicroNokPerWh: tariffPrice,
							feedInMicroNokPerWh: tariffPrice,
							localFeeMicroNokPerWh: tariffPrice,
						}),
					),
			),
		),
	}),
	bank: fc.record({
		kind: constant("bank"),
		...act,
		expiryMinute: minute,
		minute,
		balanceMicroNok: amountOrNothing,
		feesMicroNok: amountOrNothing,
		interestMicroNok: amountOrNothing,
		unmatchedMicroNok: amountOrNothing,
		clearedMicroNok: amountOrNothing,
	}),
	bankConfirm: fc.record({ kind: constant("bankConfirm"), ...act, statementId: bytesOf(32) }),
	correct: fc.record({
		kind: constant("correct"),
		...act,
		expiryMinute: minute,
		counterparty: member,
		fromMinute: minute,
		untilMinute: minute,
		reason: fc.constantFrom(...CORRECTION_REASONS),
		energyWh: fc.nat(1_000_000_000_000),
		amountMicroNok: fc.oneof(fc.constant(0), amountMicroNok),
		isPayer: fc.boolean(),
		note,
	}),
	answer: fc.record({
		kind: constant("answer"),
		...act,
		expiryMinute: minute,
		correctionId: bytesOf(32),
		isAgreed: fc.boolean(),
		note,
	}),
	credit: fc.record({
		kind: constant("credit"),
		...act,
		expiryMinute: minute,
		household: member,
		creditMicroNok: fc.oneof(fc.constant(0), amountMicroNok),
	}),
	money: fc.record({
		kind: constant("money"),
		...act,
		expiryMinute: minute,
		proposed: fc.option(
			fc.record({
				moneyKind: fc.constantFrom<RealMoneyKind>("prepaid", "monthly"),
				reason: fc.constantFrom("x", "Felles måler", "a".repeat(MAX_REASON_LENGTH)),
			}),
			{ nil: undefined },
		),
	}),
	moneyConfirm: fc.record({ kind: constant("moneyConfirm"), ...act, expiryMinute: minute, proposalId: bytesOf(32) }),
	payout: fc.record({
		kind: constant("payout"),
		...act,
		expiryMinute: minute,
		lockId: bytesOf(32),
		amountMicroNok,
		reference: fc.string({ minLength: 1, maxLength: 30, unit: "binary" }),
	}),
	role: fc.record({ kind: constant("role"), ...act, household: member, operator: fc.boolean() }),
	found: fc.record({
		kind: constant("found"),
		...chainParameters,
		moneyKind: fc.constantFrom(...MONEY_KINDS),
		retailMicroNokPerWh: tariffPrice,
		feedInMicroNokPerWh: tariffPrice,
		localFeeMicroNokPerWh: tariffPrice,
		terms: fc.option(
			fc.record({
				localTime: fc.record({ offsetMinutes: fc.integer({ min: -720, max: 840 }), summerTime: fc.boolean() }),
				market: fc.option(
					fc.record({
						choice: fc.constantFrom(...MARKET_CHOICES),
						intervalMinutes: fc.constantFrom(1, 5, 15, 60),
						buysUnderContract: fc.boolean(),
					}),
					{ nil: undefined },
				),
			}),
			{ nil: undefined },
		),
		signature,
	}),
	refound: fc.record({
		kind: constant("refound"),
		member,
		timestampMs: fc.nat(MAX_MINUTE * 60_000),
		voters: fc.array(fc.nat(15_999), { maxLength: 5 }),
		...chainParameters,
		predecessor: fc.record({
			gridId: bytesOf(32),
			genesisTimestampMs: fc.nat(MAX_MINUTE * 60_000),
			header: fc.uint8Array({ maxLength: 60 }),
			certificate: fc.uint8Array({ maxLength: 60 }),
			leaves: fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }),
		}),
		signature,
	}),
	confirm: fc.record({ kind: constant("confirm"), member, proposal: bytesOf(32), signature }),
	seal: fc.record({ kind: constant("seal"), member, proposal: bytesOf(32), confirmations: bytesOf(32), signature }),
} satisfies { [K in Transaction["kind"]]: fc.Arbitrary<Extract<Transaction, { kind: K }>> };

export const transaction: fc.Arbitrary<Transaction> = fc.oneof(...Object.values(transactionsByKind));

export const block: fc.Arbitrary<Block> = fc
	.record({
		version: fc.constant(BLOCK_VERSION),
		index: naturalNumber,
		previousHash: bytesOf(32),
		timestampMs: fc.nat(MAX_MINUTE * 60_000),
		term: naturalNumber,
		proposer: fc.nat(0xffff),
		stateRoot: bytesOf(32),
		transactions: fc.array(transaction, { maxLength: 6 }),
	})
	.map((fields) => ({ ...fields, transactionsRoot: transactionsRoot(fields.transactions, fields.timestampMs) }));

export const certificate: fc.Arbitrary<Certificate> = fc.record({
	index: naturalNumber,
	term: naturalNumber,
	hash: bytesOf(32),
	signatures: fc
		.uniqueArray(fc.record({ voter: fc.nat(0xffff), signature }), {
			selector: ({ voter }) => voter,
			minLength: 1,
			maxLength: 8,
		})
		.map((list) => list.sort((a, b) => a.voter - b.voter)),
});
