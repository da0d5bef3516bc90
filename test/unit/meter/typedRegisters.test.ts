import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_TYPED_MINUTES, spreadTypedRegisters } from "../../../src/meter/typedRegisters.js";

const from = { minute: 29_000_000, importWh: 1_000, exportWh: 50 };

describe("registers read by a person", () => {
	it("are spread over the minutes between them, to the Wh", () => {
		const energyWh = fc.integer({ min: 0, max: 10_000_000 });
		fc.assert(
			fc.property(fc.integer({ min: 1, max: MAX_TYPED_MINUTES }), energyWh, energyWh, (minutes, importWh, exportWh) => {
				const to = {
					minute: from.minute + minutes,
					importWh: from.importWh + importWh,
					exportWh: from.exportWh + exportWh,
				};
				const spread = spreadTypedRegisters(from, to);
				if (!spread.ok) return spread.error.code === "typed-too-much";
				const sum = (key: "importWh" | "exportWh") => spread.value.reduce((all, reading) => all + reading[key], 0);
				expect([spread.value.length, sum("importWh"), sum("exportWh")]).toEqual([minutes, importWh, exportWh]);
				const energies = spread.value.map((reading) => reading.importWh);
				expect(Math.max(...energies) - Math.min(...energies)).toBeLessThanOrEqual(1);
				return spread.value.every(
					({ quality }, at) => quality === "typed" && spread.value[at]?.minute === from.minute + at,
				);
			}),
			{ numRuns: 30 },
		);
	});

	it("are refused where they cannot be", () => {
		const code = (change: Partial<typeof from>) => {
			const spread = spreadTypedRegisters(from, { ...from, minute: from.minute + 10, ...change });
			return spread.ok ? "ok" : spread.error.code;
		};
		expect(code({})).toBe("ok");
		expect(code({ minute: from.minute })).toBe("typed-not-later");
		expect(code({ importWh: 999 })).toBe("typed-backwards");
		expect(code({ exportWh: 49 })).toBe("typed-backwards");
		expect(code({ minute: from.minute + MAX_TYPED_MINUTES + 1 })).toBe("typed-too-long");
		expect(code({ importWh: 10_000_000_000 })).toBe("typed-too-much");
	});
});
