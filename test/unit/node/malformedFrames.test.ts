import { expect, it } from "vitest";
import { FrameFuzz, KINDS } from "../../support/frameFuzz.js";

/** A slice of test/long/malformedFrames.test.ts. */
const PER_KIND = 100;

it("a live node refuses damaged frames of every kind with the decoder's code, is not moved by any, and goes on", async () => {
	const fuzz = await FrameFuzz.begin(20_261_126);
	for (const kind of KINDS) {
		const { malformed, incomplete, wellFormed } = await fuzz.strangersSay(kind, PER_KIND);
		const refused = Object.values(malformed).reduce((sum, count) => sum + count, 0);
		expect(refused + incomplete + wellFormed).toBe(PER_KIND);
		expect(refused, kind).toBeGreaterThan(PER_KIND / 2);
	}
	const { said } = await fuzz.memberSays(10);
	expect(said).toBeGreaterThan(100);
});
