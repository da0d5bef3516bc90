/** Proof files, made when a person asks for one, of what this device keeps for ever and of what is about to be kept. */
import { ok, type Result, refused } from "../../primitives/result.js";
import { MS_PER_MINUTE } from "../../primitives/units.js";
import { readOrigin } from "../origin.js";
import type { Proven } from "../proofFileCheck.js";
import { makeProofFile, type ProofSources } from "../proofFileMaker.js";
import type { ProofKeeper } from "../proofKeeper.js";
import { findChoices, type ProofRequest, type ProofRequestError } from "../proofSearch.js";
import type { StreetContext } from "./context.js";

export type ProvingError =
	| ProofRequestError
	| { code: "not-a-member" }
	/** What is kept does not lead to the genesis: a record is damaged, or a key is not told by it. */
	| { code: "proof-incomplete" };

export interface NamedFile {
	readonly text: string;
	readonly fileName: string;
}

export class Proving {
	readonly #context: StreetContext;
	readonly #proofs: ProofKeeper;

	constructor(context: StreetContext, proofs: ProofKeeper) {
		this.#context = context;
		this.#proofs = proofs;
	}

	/** Makes a file. Nothing waits for it, and it changes nothing: many pages may have to be read. */
	async makeFile(request: ProofRequest): Promise<Result<NamedFile, ProvingError>> {
		const { chain, dependencies, member, storage } = this.#context;
		if (member === undefined) return refused({ code: "not-a-member" });
		const { ledger } = chain.head;
		// Whatever is written meanwhile is found where it then is.
		const unwritten = this.#proofs.unwritten();
		const pageFrom = async (index: number) => {
			const stored = await storage.proofPageFrom(index);
			if (!stored.ok || stored.value !== undefined) return stored;
			return ok(unwritten.find((page) => page.index >= index));
		};
		const choices = await findChoices({ pageFrom, ledger, member }, request);
		if (!choices.ok) return choices;
		const sources = await this.#sources(member);
		if (!sources.ok) return sources;
		const made = makeProofFile({ ...sources.value, ledger }, choices.value, dependencies.verifier);
		if (!made.ok) return refused({ code: "proof-incomplete" });
		const { text, proven } = made.value;
		return ok({ text, fileName: fileNameOf(proven, request) });
	}

	async #sources(member: number): Promise<Result<Omit<ProofSources, "ledger">, ProvingError>> {
		const { dependencies, storage } = this.#context;
		const origin = await readOrigin(storage, dependencies.verifier);
		if (!origin.ok) return origin;
		return origin.value === undefined ? refused({ code: "proof-incomplete" }) : ok({ ...origin.value, member });
	}
}

/** By what it is about, so that files lie in their order in a folder. */
function fileNameOf({ blocks }: Proven, request: ProofRequest): string {
	const { timestampMs } = blocks.at(-1) ?? { timestampMs: 0 };
	const [atMs, what] = nameOf(request, timestampMs);
	const time = new Date(atMs).toISOString().slice(0, "2025-02-20T05:20".length).replace(":", "");
	return `nabostrom-${time}Z-${what}.json`;
}

/** The time and the name of what a file is about. */
function nameOf(request: ProofRequest, timestampMs: number): [atMs: number, what: string] {
	if ("fromMinute" in request) return [request.fromMinute * MS_PER_MINUTE, "market"];
	const id = "id" in request ? request.id : request.contractId;
	return ["minute" in request ? request.minute * MS_PER_MINUTE : timestampMs, id.slice(0, 8)];
}
