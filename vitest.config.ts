import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { messagesTogether } from "./test/support/messagesTogether.js";

/**
 * Their tests replace timers or globals of the platform, change the language, or make notices shorter: each file has a
 * process of its own.
 */
const PLATFORM = [
	"test/unit/{network,serial,signaling}/**/*.test.ts",
	"test/unit/ui/{format,lastView,pageLife,scheduleText,session}.test.ts",
	"test/unit/ui/{kiosk,pwa,usage}/**/*.test.ts",
	"test/unit/contract/{checkpoint,invariants,snapshot}.test.ts",
	"test/unit/node/{keyRotation,movingOut,statement}.test.ts",
];
/** They wait for minutes to pass, and leave the cores to the others. */
const IN_REAL_TIME = ["test/e2e/serial*.test.ts"];

export default defineConfig({
	test: {
		projects: [
			// The core keeps nothing in its modules, so its tests need not load and warm them up for each file anew. Nor do the
			// screens' modules but for the language: tests that change it are PLATFORM's. Their runes have to be compiled.
			{
				plugins: [messagesTogether(), svelte({ configFile: false })],
				test: {
					name: "unit",
					include: ["test/unit/**/*.test.ts"],
					exclude: PLATFORM,
					isolate: false,
					testTimeout: 60_000,
				},
			},
			// Screens keep their state in Svelte's runes, which have to be compiled.
			{
				plugins: [messagesTogether(), svelte({ configFile: false })],
				test: { name: "platform", include: PLATFORM, testTimeout: 60_000 },
			},
			{ test: { name: "simulation", include: ["test/simulation/**/*.test.ts"], fileParallelism: false } },
			// Real browsers: one file after another, two cores are few.
			{
				test: {
					name: "e2e",
					include: ["test/e2e/**/*.test.ts"],
					exclude: IN_REAL_TIME,
					fileParallelism: false,
					testTimeout: 120_000,
					hookTimeout: 120_000,
					bail: 1,
				},
			},
			// Beside the others.
			{
				test: {
					name: "aside",
					include: IN_REAL_TIME,
					testTimeout: 120_000,
					hookTimeout: 120_000,
					bail: 1,
				},
			},
			// All screens in all their looks.
			{
				test: {
					name: "screens",
					include: ["test/screens/**/*.test.ts"],
					fileParallelism: false,
					testTimeout: 120_000,
					hookTimeout: 180_000,
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
