import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/primitives/bytes.js";
import { seedOfWords, wordsOf } from "../../../src/primitives/recoveryWords.js";

/** The published English vectors of BIP-39 (trezor/python-mnemonic, vectors.json) of the lengths that are in use here. */
const VECTORS: readonly [string, string][] = [
	["00000000000000000000000000000000", `${"abandon ".repeat(11)}about`],
	["7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "legal winner thank year wave sausage worth useful legal winner thank yellow"],
	[
		"80808080808080808080808080808080",
		"letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
	],
	["ffffffffffffffffffffffffffffffff", `${"zoo ".repeat(11)}wrong`],
	["9e885d952ad362caeb4efe34a8e91bd2", "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic"],
	["c0ba5a8e914111210f2bd131f3d5e08d", "scheme spot photo card baby mountain device kick cradle pact join borrow"],
	["23db8160a31d3e0dca3688ed941adbf3", "cat swing flag economy stadium alone churn speed unique patch report train"],
	[
		"f30f8c1da665478f49b001d94c5fc452",
		"vessel ladder alter error federal sibling chat ability sun glass valve picture",
	],
	[
		"7f".repeat(32),
		`${"legal winner thank year wave sausage worth useful ".repeat(2)}legal winner thank year wave sausage worth title`,
	],
	[
		"80".repeat(32),
		`${"letter advice cage absurd amount doctor acoustic avoid ".repeat(2)}letter advice cage absurd amount doctor acoustic bless`,
	],
	[
		"68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
		"hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length",
	],
	[
		"9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863",
		"panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol speed nation flash devote level hobby quick inner drive ghost inside",
	],
	[
		"066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
		"all hour make first leader extend hole alien behind guard gospel lava path output census museum junior mass reopen famous sing advance salt reform",
	],
	[
		"f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
		"void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold",
	],
];

const bytesOf = (hex: string) => {
	const bytes = fromHex(hex);
	if (!bytes.ok) throw new Error(bytes.error.code);
	return bytes.value;
};

describe("recovery words", () => {
	it.each(VECTORS)("of %s", (hex, words) => {
		expect(wordsOf(bytesOf(hex)).join(" ")).toBe(words);
		const seed = seedOfWords(words);
		expect(seed.ok && toHex(seed.value)).toBe(hex);
	});

	it("are read as people type them: numbered, in capitals, on several lines", () => {
		const typed = "1. Cat 2. swing, flag\n economy STADIUM alone\tchurn speed unique patch report train ";
		const seed = seedOfWords(typed);
		expect(seed.ok && toHex(seed.value)).toBe("23db8160a31d3e0dca3688ed941adbf3");
	});

	it.each([
		["", { code: "words-count", count: 0 }],
		["cat swing flag", { code: "words-count", count: 3 }],
		[`${"zoo ".repeat(3)}blåbær ${"zoo ".repeat(8)}`, { code: "word-unknown", at: 4, word: "blåbær" }],
		["zoo ".repeat(12), { code: "words-wrong" }],
		// Their checksums are right, but what they stand for is no secret key.
		[`${"abandon ".repeat(23)}art`, { code: "words-wrong" }],
		[`${"zoo ".repeat(23)}vote`, { code: "words-wrong" }],
		["swing cat flag economy stadium alone churn speed unique patch report train", { code: "words-wrong" }],
	])("%j is refused", (typed, error) => {
		expect(seedOfWords(typed)).toEqual({ ok: false, error });
	});
});
