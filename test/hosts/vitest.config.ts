import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
	root: fileURLToPath(new URL("../../", import.meta.url)),
	test: {
		name: "hosts",
		include: ["test/hosts/**/*.test.ts"],
		fileParallelism: false,
		testTimeout: 90_000,
		hookTimeout: 60_000,
		bail: 1,
	},
});
