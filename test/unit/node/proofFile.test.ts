import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { ReadingTransaction } from "../../../src/block/kinds/metering.js";
import { merkleLeaf } from "../../../src/block/merkle.js";
import { NO_RESULTS } from "../../../src/contract/settlement.js";
import { type ProofFile, readProofFile, writeProofFile } from "../../../src/node/proofFile.js";
import { prove, verifyProofFile } from "../../../src/node/proofFileCheck.js";
import type { MadeProof } from "../../../src/node/proofFileMaker.js";
import { openProofPage } from "../../../src/node/proofPage.js";
import { findChoices } from "../../../src/node/proofSearch.js";
import { encodeRecord, openRecord } from "../../../src/node/records.js";
import { toHex } from "../../../src/primitives/bytes.js";
import { type CborValue, decode, encode } from "../../../src/primitives/codec.js";
import { BUYER, Kept, OPERATOR, SELLER, settledStreet, trade, tradingStreet } from "../../support/keptProofs.js";
import { FIRST_MINUTE, secretOf, TestNeighbourhood } from "../../support/ledger.js";
import { sign, rememberingVerifier as verifier } from "../../support/rememberedSignatures.js";

const M = FIRST_MINUTE;
const codeOf = (text: string) => {
	const proven = verifyProofFile(text, verifier);
	return proven.ok ? "proved" : proven.error.code;
};

function read(text: string): ProofFile {
	const file = readProofFile(text);
	if (!file.ok) throw new Error(file.error.code);
	return file.value;
}

const contractIdOf = (kept: Kept, index = 0) => toHex(kept.street.contract(index).id);

describe("a proof file", () => {
	let kept: Kept;
	let made: MadeProof;

	beforeAll(async () => {
		kept = settledStreet(BUYER, 10, 40);
		made = await kept.file({ contractId: contractIdOf(kept), minute: M + 7 });
	}, 60_000);

	it("of a settled minute says who read, who delivered and what was paid, and that a majority stands behind it", () => {
		const proven = verifyProofFile(made.text, verifier);
		if (!proven.ok) throw new Error(proven.error.code);
		const { gridId, neighbourhood, names, contracts, blocks, voterChanges } = proven.value;
		expect(toHex(gridId)).toBe(toHex(kept.street.ledger.gridId));
		expect([neighbourhood, voterChanges]).toEqual(["Solbakken borettslag", 0]);
		expect([...names]).toEqual([
			[BUYER, "Hus 1"],
			[SELLER, "Hus 2"],
		]);
		expect(contracts).toEqual([kept.street.contract(0)]);
		expect(blocks).toMatchObject([
			{
				index: 10,
				timestampMs: (M + 8) * 60_000,
				certified: { signatures: 3, voters: 5 },
				transactions: [
					{
						transaction: { kind: "reading", member: BUYER, minute: M + 7, importWh: 21, quality: "measured" },
						device: 1,
					},
				],
				settled: [
					{ seller: SELLER, minute: M + 7, availableWh: 35, deliveries: [{ energyWh: 21, amountMicroNok: 21_000 }] },
				],
			},
		]);
	});

	it("holds no more than 4 kB, wherever in its page the minute stands", async () => {
		const contractId = contractIdOf(kept);
		for (const minute of [1, 2, 8, 20, 31, 36, 39, 40]) {
			const { text } = await kept.file({ contractId, minute: M + minute });
			expect(codeOf(text)).toBe("proved");
			expect(text.length).toBeLessThanOrEqual(4_000);
		}
	});

	it("holds no more after two years either, and leaves out the neighbourhood's name where it has no room", async () => {
		const blocks = 2 * 365 * 1_440;
		const old = new Kept(BUYER, settledAfter(blocks));
		old.live((street) => {
			for (const minute of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) trade(street, minute);
		});
		old.write(old.keeper.take(true));
		const { text, proven } = await old.file({ contractId: contractIdOf(old), minute: M + 1 });
		expect(codeOf(text)).toBe("proved");
		expect(proven.blocks[0]?.index).toBeGreaterThan(blocks);
		expect(text.length).toBeLessThanOrEqual(4_000);
	});

	it("is refused wherever a byte of it has another bit, and so is one whose checksum was made to fit", async () => {
		const small = tradingStreet(BUYER);
		small.write(small.keeper.take(true));
		const { text, proven } = await small.file({ contractId: contractIdOf(small), minute: M + 4 });
		expect(proven.voterChanges).toBe(1);
		const bytes = new TextEncoder().encode(text);
		for (let at = 0; at < bytes.length - 1; at++) {
			const changed = bytes.slice();
			changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
			expect(codeOf(new TextDecoder().decode(changed))).not.toBe("proved");
		}
		const file = read(text);
		const flip = (part: Uint8Array, at: number, bit: number) => {
			const changed = part.slice();
			changed[at] = (changed[at] ?? 0) ^ (1 << bit);
			return changed;
		};
		const outcomes = { refused: 0, same: 0 };
		const look = (changed: ProofFile) => {
			const outcome = prove(changed, verifier);
			outcomes[outcome.ok ? "same" : "refused"] += 1;
			// A root does not say of how many leaves it is: another number may lead to it, from the same that is proven.
			if (outcome.ok) expect(outcome.value).toEqual(proven);
		};
		for (let at = 0; at < file.genesis.length; at++) look({ ...file, genesis: flip(file.genesis, at, at % 8) });
		const [change, part] = [file.voterChanges[0] ?? new Uint8Array(), file.parts[0] ?? new Uint8Array()];
		for (let at = 0; at < change.length; at++) look({ ...file, voterChanges: [flip(change, at, at % 8)] });
		for (let at = 0; at < part.length; at++) look({ ...file, parts: [flip(part, at, at % 8)] });
		for (let at = 0; at < file.gridId.length; at++) look({ ...file, gridId: flip(file.gridId, at, at % 8) });
		expect(outcomes.same).toBeLessThan(outcomes.refused / 100);
	}, 120_000);

	it("is never more than a refusal, whatever text it is", () => {
		const json = fc.json({ maxDepth: 3 });
		fc.assert(fc.property(fc.oneof(fc.string(), json), (text) => codeOf(text) === "proof-unreadable"));
		expect(codeOf("[".repeat(200_000))).toBe("proof-unreadable");
		expect(codeOf("x".repeat(5 * 1024 * 1024))).toBe("proof-unreadable");
		expect(codeOf('{"format":"nabostrom-proof","version":2}')).toBe("proof-other-version");
		expect(codeOf('{"format":"nabostrom-proof","version":1}')).toBe("proof-damaged");
		const file = read(made.text);
		for (const bad of [encode([]), encode("a"), new Uint8Array(), Uint8Array.of(0xff)]) {
			expect(codeOf(writeProofFile({ ...file, genesis: bad }))).toBe("proof-broken");
			expect(codeOf(writeProofFile({ ...file, parts: [bad] }))).toBe("proof-broken");
			expect(codeOf(writeProofFile({ ...file, voterChanges: [bad] }))).toBe("proof-broken");
		}
		expect(codeOf(`\r\n ${made.text.replaceAll("\n", "\r\n")} `)).toBe("proved");
	});

	it("says the truth about itself, is of the neighbourhood that it names, and its parts are its own", async () => {
		const file = read(made.text);
		expect(codeOf(writeProofFile({ ...file, proves: "minute 1 settled" }))).toBe("proof-says-otherwise");
		expect(codeOf(writeProofFile({ ...file, gridId: new Uint8Array(32) }))).toBe("proof-of-another");
		const other = settledStreet(SELLER, 9, 12);
		const { text } = await other.file({ contractId: contractIdOf(other), minute: M + 7 });
		const swapped = { ...file, parts: read(text).parts };
		expect(codeOf(writeProofFile(swapped))).toBe("certificate-bad-signature");
		expect(codeOf(writeProofFile({ ...file, parts: [...file.parts, ...file.parts] }))).toBe("proof-broken");
	});

	it("is worth nothing where the voters did not sign, or too few of them did", async () => {
		const few = settledStreet(BUYER, 5, 4);
		const certificateOf = few.certificateOf.bind(few);
		few.certificateOf = (index) => {
			const certificate = certificateOf(index);
			return { ...certificate, signatures: certificate.signatures.slice(0, 2) };
		};
		few.live((street) => trade(street, 5));
		few.write(few.keeper.take(true));
		await expect(few.file({ contractId: contractIdOf(few), minute: M + 5 })).rejects.toThrow(
			"certificate-without-majority",
		);
	});
});

/** A neighbourhood that has had so many blocks, of which nobody remembers more than the hashes that stand for them. */
function settledAfter(blocks: number): TestNeighbourhood {
	const street = new TestNeighbourhood(10, { name: "Solbakken borettslag" }, 5);
	street.giveTokens(BUYER, 1_000_000_000);
	street.contractBetween(SELLER, BUYER);
	street.minute(M);
	const { history } = street.ledger;
	const peaks = blocks.toString(2).replaceAll("0", "").length;
	const filler = Array.from({ length: peaks }, (_, at) => merkleLeaf(Uint8Array.of(at)));
	street.ledger = { ...street.ledger, index: blocks, history: { ...history, count: blocks, peaks: filler } };
	street.blocks.push({ ...street.head, index: blocks });
	street.results.push(NO_RESULTS);
	return street;
}

/** A reading that another device has signed. */
function readBy(device: string, street: TestNeighbourhood, minute: number): ReadingTransaction {
	const reading = street.reading(BUYER, minute, 7, 0);
	return { ...reading, signature: sign(street.id(reading), secretOf(device)) };
}

/** A page as it was before there was anything of the state in it. */
function asFirstVersion(record: Uint8Array): Uint8Array {
	const content = openRecord(record);
	const decoded = content.ok ? decode(content.value, record.length) : content;
	if (!decoded.ok || !Array.isArray(decoded.value)) throw new Error("the page is whole");
	const [, ...fields] = decoded.value as readonly CborValue[];
	return encodeRecord([1, ...fields.slice(0, -1)]);
}

describe("a proof file over voter changes", () => {
	it("follows each of them, in at most 2.5 kB", async () => {
		const kept = settledStreet(BUYER, 6, 3);
		const contractId = contractIdOf(kept);
		const { text: before } = await kept.file({ contractId, minute: M + 3 });
		kept
			.live((street) => street.block(street.head.timestampMs + 1, [street.voters([5], [])]))
			.live((street) => street.block(street.head.timestampMs + 1, [street.voters([], [0])]))
			.live((street) => trade(street, 4));
		kept.write(kept.keeper.take(true));
		const { text, proven } = await kept.file({ contractId, minute: M + 4 });
		expect(codeOf(text)).toBe("proved");
		expect(proven.voterChanges).toBe(2);
		expect(text.length - before.length).toBeLessThanOrEqual(2 * 2_500);
		for (const change of read(text).voterChanges) expect((change.length * 4) / 3).toBeLessThanOrEqual(2_500);
	});

	it("is refused where one is missing, doubled, or not in its place", async () => {
		const kept = settledStreet(BUYER, 6, 3)
			.live((street) => street.block(street.head.timestampMs + 1, [street.voters([5], [])]))
			.live((street) => street.block(street.head.timestampMs + 1, [street.voters([], [0])]))
			.live((street) => street.block(street.head.timestampMs + 1, [street.voters([], [1])]))
			.live((street) => street.block(street.head.timestampMs + 1, [street.voters([], [2])]))
			.live((street) => trade(street, 4));
		kept.write(kept.keeper.take(true));
		const { text } = await kept.file({ contractId: contractIdOf(kept), minute: M + 4 });
		const file = read(text);
		const { voterChanges } = file;
		expect(voterChanges).toHaveLength(4);
		const without = (...places: number[]) => voterChanges.filter((_, at) => !places.includes(at));
		const sequences = [
			...[0, 1, 2, 3].map((place) => without(place)),
			without(0, 1, 2, 3),
			[...voterChanges].reverse(),
			[...voterChanges, ...voterChanges],
		];
		const codes = sequences.map((changes) => codeOf(writeProofFile({ ...file, voterChanges: changes })));
		expect(codes).not.toContain("proved");
	});
});

describe("proof files of acts", () => {
	it("of a contract hold both signatures", async () => {
		const kept = tradingStreet(BUYER);
		kept.write(kept.keeper.take(true));
		const { text, proven } = await kept.file({ contractId: contractIdOf(kept) });
		expect(codeOf(text)).toBe("proved");
		const kinds = proven.blocks.flatMap(({ transactions }) => transactions.map(({ transaction }) => transaction.kind));
		expect(kinds).toEqual(["offer", "accept"]);
		expect(proven.title).toBe(`contract ${contractIdOf(kept).slice(0, 16)}`);
		expect(proven.contracts).toHaveLength(1);
	});

	it("of tokens hold the order and the operator's word that its money came, whichever is asked for", async () => {
		const kept = tradingStreet(BUYER);
		kept.write(kept.keeper.take(true));
		const acts = kept.street.blocks[1]?.transactions ?? [];
		for (const act of acts) {
			const { text, proven } = await kept.file({ id: toHex(kept.street.id(act)) });
			expect(codeOf(text)).toBe("proved");
			expect(proven.blocks[0]?.transactions.map(({ transaction }) => transaction.kind)).toEqual(["buy", "issue"]);
			expect([...proven.names.keys()]).toEqual([OPERATOR, BUYER]);
		}
	});

	it("tell a later state's leaf of whoever signed and came after the founding", async () => {
		const kept = new Kept(BUYER)
			.live((street) => street.giveTokens(BUYER, 1_000_000))
			.live((street) =>
				street.block(street.head.timestampMs + 1, [street.act("rename", 0, { household: BUYER, name: "Lie" })]),
			)
			.live((street) => street.contractBetween(SELLER, BUYER));
		kept.write(kept.keeper.take(true));
		const { text, proven } = await kept.file({ contractId: contractIdOf(kept) });
		expect(codeOf(text)).toBe("proved");
		expect(proven.names.get(BUYER)).toBe("Lie");
		expect(proven.names.get(SELLER)).toBe("Hus 2");
	});

	it("know a reading's device that came later, and one that was replaced in the very block", async () => {
		const kept = new Kept(BUYER)
			.live((street) => street.giveTokens(BUYER, 1_000_000))
			.live((street) => street.contractBetween(SELLER, BUYER))
			.live((street) => street.minute(M))
			.live((street) => {
				const admission = street.admission(BUYER, "device 4", { metering: true });
				street.minute(M + 1, [admission, street.reading(BUYER, M + 1, 7, 0), street.reading(SELLER, M + 1, 0, 5)]);
			})
			.live((street) => {
				street.minute(M + 2, [readBy("device 4", street, M + 2), street.reading(SELLER, M + 2, 0, 5)]);
			});
		kept.write(kept.keeper.take(true));
		for (const [minute, device] of [
			[1, 1],
			[2, 4],
		] as const) {
			const { text, proven } = await kept.file({ contractId: contractIdOf(kept), minute: M + minute });
			expect(codeOf(text)).toBe("proved");
			expect(proven.blocks[0]?.transactions[0]?.device).toBe(device);
		}
	});

	it("are refused with a reason where there is nothing to prove", async () => {
		const kept = tradingStreet(BUYER);
		kept.write(kept.keeper.take(true));
		const contractId = contractIdOf(kept);
		const ask = async (request: Parameters<typeof findChoices>[1], of = kept) => {
			const choices = await findChoices(of.shelf(), request);
			return choices.ok ? "ok" : choices.error.code;
		};
		expect(await ask({ contractId: "ab" })).toBe("unknown-contract");
		expect(await ask({ contractId, minute: M + 5 })).toBe("proof-not-settled");
		expect(await ask({ contractId, minute: M - 5 })).toBe("proof-no-delivery");
		expect(await ask({ id: "ab" })).toBe("proof-not-kept");
		const stranger = tradingStreet(3);
		stranger.write(stranger.keeper.take(true));
		expect(await ask({ contractId }, stranger)).toBe("not-your-contract");
	});
});

describe("a page of proofs", () => {
	it("of the first version still opens; what it holds is led to its certificate by headers", async () => {
		const kept = tradingStreet(BUYER);
		kept.write(kept.keeper.take(true));
		const old = kept.pages.map(({ index, record }) => ({ index, record: asFirstVersion(record) }));
		kept.pages.splice(0, kept.pages.length, ...old);
		expect(openProofPage(old[0]?.record ?? new Uint8Array())).toMatchObject({ ok: true, value: { summit: undefined } });
		const [buy] = kept.street.blocks[1]?.transactions ?? [];
		if (buy === undefined) throw new Error("tokens were ordered");
		const { text, proven } = await kept.file({ id: toHex(kept.street.id(buy)) });
		expect(codeOf(text)).toBe("proved");
		expect(proven.contracts).toEqual([]);
	});

	it("takes less than one in a hundred bytes more for what it says once", () => {
		const kept = settledStreet(BUYER, 4, 250);
		const sizes = kept.pages.map(({ record }) => ({ record: record.length, first: asFirstVersion(record).length }));
		for (const { record, first } of sizes) expect(record / first).toBeLessThan(1.01);
	}, 60_000);
});
