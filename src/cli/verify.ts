/**
 * `npm run verify -- FILE [--grid ID]`: whether a proof file proves what it says, offline. Without `--grid` the grid id is
 * printed, for a person to compare. Exit code 0: proved; 1: not; 2: the file cannot be read.
 */
import { readFileSync } from "node:fs";
import { type ProofFileError, type Proven, verifyProofFile } from "../node/proofFileCheck.js";
import { toHex } from "../primitives/bytes.js";
import { createVerifier } from "../primitives/signature.js";
import { linesOf } from "./provenLines.js";

const USAGE = "usage: npm run verify -- FILE [--grid ID]";
const UNREADABLE: readonly ProofFileError["code"][] = ["proof-unreadable", "proof-other-version"];

const { file, grid } = readArguments(process.argv.slice(2));
const proven = verifyProofFile(readText(file), createVerifier());
if (!proven.ok) {
	console.error(sentenceOf(proven.error));
	process.exit(UNREADABLE.includes(proven.error.code) ? 2 : 1);
}
const gridId = toHex(proven.value.gridId);
if (grid !== undefined && grid !== gridId) {
	console.error(`NOT PROVED: the file is of another neighbourhood, whose grid id is ${gridId}`);
	process.exit(1);
}
print(proven.value);

function print(value: Proven): void {
	console.log("PROVED");
	for (const line of linesOf(value)) console.log(line);
	if (grid === undefined) {
		console.log(
			`grid id ${gridId}: compare it with the one that you know of this neighbourhood, or give it with --grid`,
		);
	} else console.log(`grid id ${gridId}, as given`);
}

function readArguments(args: readonly string[]): { file: string; grid: string | undefined } {
	const at = args.indexOf("--grid");
	const named = at === -1 ? undefined : args[at + 1];
	const [path, ...more] = at === -1 ? args : args.filter((_, each) => each !== at && each !== at + 1);
	const isId = at === -1 || /^[0-9a-fA-F]{64}$/.test(named ?? "");
	if (path === undefined || more.length > 0 || path.startsWith("-") || !isId) {
		console.error(isId ? USAGE : `${USAGE}: an id has 64 hex digits`);
		process.exit(2);
	}
	return { file: path, grid: named?.toLowerCase() };
}

function readText(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch (error) {
		console.error(error instanceof Error ? error.message : String(error));
		process.exit(2);
	}
}

function sentenceOf(error: ProofFileError): string {
	switch (error.code) {
		case "proof-unreadable":
			return "this is no proof file";
		case "proof-other-version":
			return `this proof file is of version ${error.version}, which a newer program reads`;
		case "proof-damaged":
			return "NOT PROVED: the file is not as it was written";
		case "proof-broken":
			return "NOT PROVED: what the file holds does not lead from what it says to the neighbourhood's beginning";
		case "proof-of-another":
			return "NOT PROVED: the beginning in the file is another neighbourhood's than its grid id says";
		case "proof-bad-signature":
			return `NOT PROVED: the signature of the ${error.kind} is not by the key that the chain has for its author`;
		case "proof-without-key":
			return `NOT PROVED: nothing in the file says by which key the ${error.kind} is signed`;
		case "proof-says-otherwise":
			return "NOT PROVED: the file says something else of itself than it proves";
		case "bad-voter-step":
			return `NOT PROVED: the change of voters in block ${error.index} does not follow from those before: one is missing`;
		case "certificate-without-majority":
			return `NOT PROVED: block ${error.index} is signed by ${error.signatures} of ${error.voters.length} voters, which is no majority`;
		case "certificate-of-stranger":
			return `NOT PROVED: block ${error.index} is signed by a voter whose key the file does not hold`;
		case "certificate-bad-signature":
			return `NOT PROVED: block ${error.index} bears a signature that is not by the voter's key`;
	}
}
