/** A proof file of one settled minute: what checking it costs beside its bare signature checks, and how long it is. */
import { performance } from "node:perf_hooks";
import { verifyProofFile } from "../../src/node/proofFileCheck.js";
import { toHex } from "../../src/primitives/bytes.js";
import { createVerifier, type Verifier } from "../../src/primitives/signature.js";
import { BUYER, settledStreet } from "../support/keptProofs.js";
import { FIRST_MINUTE } from "../support/ledger.js";
import type { Figure } from "./bench.js";

const ROUNDS = 60;

/** Of a street of ten households of which five vote. */
export async function proofFiles(): Promise<Figure[]> {
	const kept = settledStreet(BUYER, 10, 60);
	const { text } = await kept.file({ contractId: toHex(kept.street.contract(0).id), minute: FIRST_MINUTE + 20 });
	const asked: Parameters<Verifier["verify"]>[] = [];
	const real = createVerifier();
	const listening: Verifier = {
		verify(...check) {
			asked.push(check);
			return real.verify(...check);
		},
	};
	if (!verifyProofFile(text, listening).ok) throw new Error("the file proves what it says");
	// Who checks a file knows none of its keys: a verifier of its own each time.
	const bare = () => {
		const verifier = createVerifier();
		for (const check of asked) verifier.verify(...check);
	};
	const all = () => verifyProofFile(text, createVerifier());
	const [bareMs, allMs] = fastest(bare, all);
	const to = `its ${asked.length} bare signature checks`;
	return [
		{ name: "proof file of a minute, verify", value: allMs, unit: "ms", ratio: { value: allMs / bareMs, to } },
		{ name: "proof file of a minute", value: text.length, unit: "bytes" },
	];
}

/** The best time of each, taken in turns: what else the machine does hits both. */
function fastest(a: () => void, b: () => void): [number, number] {
	const best: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
	for (let round = 0; round < ROUNDS; round++) {
		for (const [at, work] of [a, b].entries()) {
			const begin = performance.now();
			work();
			best[at] = Math.min(best[at] ?? 0, performance.now() - begin);
		}
	}
	return best;
}
