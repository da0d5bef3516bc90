/** `npm run replay -- DIR [--json]`. Exit code 0: replayed; 1: the nodes do not agree; 2: bad input. */
import { performance } from "node:perf_hooks";
import { taggedHash } from "../primitives/hash.js";
import { createVerifier, publicKeyOf, sign } from "../primitives/signature.js";
import { MICRO_NOK_PER_NOK } from "../primitives/units.js";
import { type ReplayResult, replayStreet } from "./replayStreet.js";
import { readStreet } from "./street.js";

const args = process.argv.slice(2);
const isJson = args.includes("--json");
const folders = args.filter((arg) => arg !== "--json");
const [folder] = folders;
if (folder === undefined || folders.length > 1 || folder.startsWith("-")) {
	console.error("usage: npm run replay -- DIR [--json]");
	process.exit(2);
}
const street = readStreet(folder);
if (!street.ok) {
	console.error(`${street.error.where}: ${street.error.what}`);
	process.exit(2);
}

const begin = performance.now();
const result = await replayStreet(street.value, showProgress);
const elapsedMs = Math.round(performance.now() - begin);

if (isJson) console.log(JSON.stringify({ ...result, elapsedMs }));
else print(result, elapsedMs);
process.exit(result.agree ? 0 : 1);

/** Rewrites one line of the terminal once a day of the street. */
function showProgress(done: number, all: number): void {
	if (!process.stderr.isTTY || (done % 60 !== 0 && done !== all)) return;
	process.stderr.write(`\r${done} of ${all} minutes${done === all ? "\n" : ""}`);
}

function print({ households, contracts, ...totals }: ReplayResult, elapsedMs: number): void {
	const nok = (microNok: number) => (microNok / MICRO_NOK_PER_NOK).toFixed(6);
	console.table(households.map(({ balanceMicroNok, ...rest }) => ({ ...rest, balanceNok: nok(balanceMicroNok) })));
	console.table(contracts.map(({ amountMicroNok, ...rest }) => ({ ...rest, amountNok: nok(amountMicroNok) })));
	const { blocks, chainBytes, bytesPerReading, verifications, stateRoot, agree } = totals;
	const perSecond = bareVerifyRate();
	const bareMs = (verifications / perSecond) * 1_000;
	console.log(`${blocks} blocks, ${chainBytes} bytes, ${bytesPerReading} bytes per signed reading`);
	console.log(`state root ${stateRoot}, all nodes agree: ${agree ? "yes" : "NO"}`);
	console.log(
		`${verifications} signature checks; bare rate ${Math.round(perSecond)}/s, so ${Math.round(bareMs)} ms of them`,
	);
	console.log(`elapsed ${elapsedMs} ms = ${(elapsedMs / bareMs).toFixed(2)} × the bare checks`);
}

/** How many signatures of known members one core checks in a second, here and now. */
function bareVerifyRate(): number {
	const hash = taggedHash("bench");
	const secret = hash(Uint8Array.of(1));
	const publicKey = publicKeyOf(secret);
	const verifier = createVerifier();
	const samples = Array.from({ length: 200 }, (_, at) => {
		const digest = hash(Uint8Array.of(2, at));
		return { digest, signature: sign(digest, secret) };
	});
	const checkAll = () => {
		for (const { digest, signature } of samples) verifier.verify(signature, digest, publicKey);
	};
	checkAll();
	const from = performance.now();
	for (let round = 0; round < 5; round++) checkAll();
	return (5 * samples.length * 1_000) / (performance.now() - from);
}
