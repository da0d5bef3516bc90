// The screens with canned views, without a node. Compile the messages first, then `npx vite --config test/ui-preview/vite.config.ts`, then /?scene=street.
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { messagesTogether } from "../support/messagesTogether.js";

export default defineConfig({
	root: fileURLToPath(new URL(".", import.meta.url)),
	publicDir: fileURLToPath(new URL("../../public", import.meta.url)),
	plugins: [messagesTogether(), svelte({ configFile: false })],
	build: { outDir: fileURLToPath(new URL("../../dist-preview", import.meta.url)) },
	server: { fs: { allow: [fileURLToPath(new URL("../..", import.meta.url))] } },
});
