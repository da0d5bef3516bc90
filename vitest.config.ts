import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		projects: [
			{ test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000 } },
			{ test: { name: "simulation", include: ["test/simulation/**/*.test.ts"], fileParallelism: false } },
			// Real browsers: one file after another, two cores are few.
			{
				test: {
					name: "e2e",
					include: ["test/e2e/**/*.test.ts"],
					exclude: ["test/e2e/serial*.test.ts"],
					fileParallelism: false,
					testTimeout: 60_000,
					hookTimeout: 60_000,
					bail: 1,
				},
			},
			// In real time, beside the others.
			{
				test: {
					name: "serial",
					include: ["test/e2e/serial*.test.ts"],
					testTimeout: 60_000,
					hookTimeout: 60_000,
					bail: 1,
				},
			},
			{
				test: {
					name: "long",
					include: ["test/long/**/*.test.ts"],
					fileParallelism: false,
					testTimeout: 900_000,
					hookTimeout: 60_000,
				},
			},
		],
	},
});
