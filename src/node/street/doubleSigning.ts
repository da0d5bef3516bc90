/**
 * Looks for voters that signed two blocks for one place: every certificate that a neighbour shows is held against the
 * own one for the same block, where that is still remembered. The signatures convict by themselves, whoever showed them.
 */
import type { Certificate } from "../../block/certificate.js";
import { convicts, type DoubleSignature, doubleSignatures } from "../../consensus/evidence.js";
import type { StreetContext } from "./context.js";

/** Own certificates that are remembered: contradictions come soon or, from a clone that was long away, at its hello. */
const REMEMBERED = 256;
/** Of one device more evidence says nothing new. */
const KEPT_OF_VOTER = 4;

export class DoubleSigning {
	readonly #context: StreetContext;
	/** By index, oldest first. */
	readonly #certificates = new Map<number, Certificate>();
	readonly #found = new Map<string, DoubleSignature>();

	constructor(context: StreetContext) {
		this.#context = context;
	}

	/** What was found in this run, oldest first. */
	get found(): readonly DoubleSignature[] {
		return [...this.#found.values()];
	}

	/** The head moved by this certificate, which was checked. */
	certified(certificate: Certificate): void {
		this.#certificates.set(certificate.index, certificate);
		for (const index of this.#certificates.keys()) {
			if (this.#certificates.size <= REMEMBERED) break;
			this.#certificates.delete(index);
		}
	}

	/** A neighbour showed a certificate, which nobody has checked yet. */
	heard(certificate: Certificate): void {
		const own = this.#certificates.get(certificate.index);
		if (own === undefined) return;
		const { chain, dependencies, events, gridId } = this.#context;
		for (const evidence of doubleSignatures(own, certificate)) {
			const { voter, index, term } = evidence;
			const key = `${voter}/${index}/${term}`;
			const kept = this.found.filter((each) => each.voter === voter).length;
			const device = chain.head.ledger.devices[voter];
			if (device === undefined || this.#found.has(key) || kept >= KEPT_OF_VOTER) continue;
			if (!convicts(evidence, device.publicKey, gridId, dependencies.verifier)) continue;
			this.#found.set(key, evidence);
			events.onFault({ code: "double-signature", device: voter, member: device.household, index, term });
		}
	}
}
