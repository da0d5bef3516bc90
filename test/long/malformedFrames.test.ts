import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FrameFuzz, type FuzzCounts, KINDS } from "../support/frameFuzz.js";

/** Frames that are no message any more, of each kind; what is one all the same comes on top. */
const MALFORMED_PER_KIND = Number(process.env.NABOSTROM_FUZZ_FRAMES ?? 10_000);
const SEED = Number(process.env.NABOSTROM_FUZZ_SEED ?? 20_261_126);
const AT_ONCE = 1_000;

const total: FuzzCounts = { malformed: {}, incomplete: 0, wellFormed: 0 };
const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, count) => all + count, 0);
let fuzz: FrameFuzz;

beforeAll(async () => {
	fuzz = await FrameFuzz.begin(SEED);
	console.log(`of ${KINDS.length} kinds these were said by nodes: ${[...fuzz.heardKinds].join(", ")}`);
});

afterAll(() => console.log(`all kinds: ${JSON.stringify(total)}, ${sum(total.malformed)} malformed`));

describe(`a live node that hears ${MALFORMED_PER_KIND} malformed frames`, () => {
	it.each(KINDS)("of the kind %s is not moved by any, and goes on", async (kind) => {
		for (let malformed = 0; malformed < MALFORMED_PER_KIND; ) {
			const counts = await fuzz.strangersSay(kind, AT_ONCE);
			malformed += sum(counts.malformed);
			expect(sum(counts.malformed)).toBeGreaterThan(AT_ONCE / 2);
			for (const [code, count] of Object.entries(counts.malformed)) {
				total.malformed[code] = (total.malformed[code] ?? 0) + count;
			}
			total.incomplete += counts.incomplete;
			total.wellFormed += counts.wellFormed;
		}
	});

	it("keeps its chain and its own through those that a member says and that are messages all the same", async () => {
		const { said, refused } = await fuzz.memberSays(300);
		console.log(`${said} said by a member, ${refused} of them cost its channel`);
		expect(said).toBeGreaterThan(KINDS.length * 10);
	});
});
