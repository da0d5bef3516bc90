/** Founding a neighbourhood of `ledger.ts` again: everything signed for real, each piece to be changed by a test. */
import { type Block, blockHash } from "../../src/block/block.js";
import { acknowledgementDigest, type Certificate } from "../../src/block/certificate.js";
import type { ConfirmTransaction, RefoundTransaction, SealTransaction } from "../../src/block/kinds/founding.js";
import type { Unsigned } from "../../src/block/transaction.js";
import { transactionId } from "../../src/block/transaction.js";
import { checkCertificate } from "../../src/consensus/certificate.js";
import type { Ledger } from "../../src/contract/ledger.js";
import { predecessorState } from "../../src/contract/predecessor.js";
import { createRefoundedGenesis, openProposal, unsignedSeal } from "../../src/contract/refounding.js";
import type { SettlementResults } from "../../src/contract/settlement.js";
import { snapshotOf } from "../../src/contract/snapshot.js";
import { assert } from "../../src/primitives/assert.js";
import { ZERO_HASH } from "../../src/primitives/hash.js";
import { secretOf, type TestNeighbourhood } from "./ledger.js";
import { sign, rememberingVerifier as verifier } from "./rememberedSignatures.js";

const householdSecret = (member: number) => secretOf(`household ${member}`);
const deviceSecret = (device: number) => secretOf(`device ${device}`);

/** A certificate for a block by these voters. */
export function certifiedBy(voters: readonly number[], block: Block, gridId: Uint8Array): Certificate {
	const acknowledged = { index: block.index, term: block.term, hash: blockHash(block) };
	const signatures = voters.map((voter) => ({
		voter,
		signature: sign(acknowledgementDigest(gridId, acknowledged, voter), deviceSecret(voter)),
	}));
	return { ...acknowledged, signatures };
}

/** A `refound` from the head of a street, signed by its proposer. */
export function refoundOf(
	{ ledger, head, results }: Pick<TestNeighbourhood, "ledger" | "head" | "results">,
	change: Partial<Unsigned<RefoundTransaction>> = {},
): RefoundTransaction {
	const settled = results.at(-1);
	assert(settled !== undefined, "there is a block above the genesis");
	const voters = ledger.voters.slice(0, Math.floor(ledger.voters.length / 2) + 1);
	return signedRefound({
		...unsignedRefound(ledger, head, certifiedBy(voters, head, ledger.gridId), settled),
		...change,
	});
}

function unsignedRefound(
	ledger: Ledger,
	head: Block,
	certificate: Certificate,
	results: SettlementResults,
): Unsigned<RefoundTransaction> {
	const { moneyKind: _, retailMicroNokPerWh: _retail, feedInMicroNokPerWh: _feedIn, ...kept } = ledger.parameters;
	const { localFeeMicroNokPerWh: _fee, terms: _terms, ...parameters } = kept;
	return {
		kind: "refound",
		...parameters,
		salt: new Uint8Array(16).fill(9),
		member: 0,
		timestampMs: head.timestampMs + 1,
		voters: [0],
		predecessor: predecessorState(ledger, head, certificate, snapshotOf(ledger, results).leaves),
	};
}

export function signedRefound(unsigned: Unsigned<RefoundTransaction>, signer = unsigned.member): RefoundTransaction {
	return { ...unsigned, signature: sign(transactionId(unsigned, ZERO_HASH), householdSecret(signer)) };
}

/** A household's confirmation of a proposal, as before the genesis. */
export function confirmOf(
	refound: RefoundTransaction,
	member: number,
	{ signer = member, gridId = ZERO_HASH }: { signer?: number; gridId?: Uint8Array } = {},
): ConfirmTransaction {
	const unsigned = { kind: "confirm" as const, member, proposal: transactionId(refound, ZERO_HASH) };
	return { ...unsigned, signature: sign(transactionId(unsigned, gridId), householdSecret(signer)) };
}

/** The genesis that these households founded. */
export function refoundedGenesis(
	refound: RefoundTransaction,
	confirms: readonly ConfirmTransaction[],
	sealer = refound.member,
): Block {
	const open = openProposal(refound, verifier, checkCertificate);
	if (!open.ok) throw new Error(JSON.stringify(open.error));
	const unsigned = unsignedSeal(open.value, confirms);
	const signature = sign(transactionId(unsigned, ZERO_HASH), householdSecret(sealer));
	const seal: SealTransaction = { ...unsigned, signature };
	return createRefoundedGenesis(open.value, confirms, seal);
}
