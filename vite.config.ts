import { paraglideVitePlugin } from "@inlang/paraglide-js";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";

/**
 * The messages are compiled once before the type check (CONTRIBUTING); here they follow every change while developing. Each is
 * a module, so that it comes with the screen that says it.
 */
const messages = () =>
	paraglideVitePlugin({
		project: "./src/ui/messages/project.inlang",
		outdir: "./src/ui/paraglide",
		strategy: ["globalVariable", "baseLocale"],
		outputStructure: "message-modules",
		emitTsDeclarations: true,
		emitReadme: false,
		emitPrettierIgnore: false,
	});

export default defineConfig({
	plugins: [
		process.env.VITEST || process.env.NABOSTROM_MESSAGES === "compiled" ? [] : messages(),
		svelte({ configFile: false }),
		// The app registers it by itself (ui/pwa/update), and its manifest is a file (public/).
		VitePWA({
			strategies: "injectManifest",
			srcDir: "src/serviceWorker",
			filename: "sw.ts",
			injectRegister: false,
			manifest: false,
			injectManifest: {
				// All that the app is made of; the pictures that stores show are not.
				globPatterns: ["**/*.{html,js,css,woff2}", "favicon.svg", "manifest.webmanifest", "icons/icon-192.png"],
			},
		}),
	],
	// The server knows each worker by its folder and gives it a policy of its own (signaling/headers.ts).
	worker: {
		format: "es",
		rolldownOptions: {
			output: {
				entryFileNames: ({ name }) => `assets/${name === "argon2" ? "argon2" : "worker"}/[name]-[hash].js`,
				chunkFileNames: "assets/worker/[name]-[hash].js",
			},
		},
	},
	build: {
		target: "es2023",
		// For the budgets (.ci/budgets.mjs).
		manifest: true,
		assetsInlineLimit: 0,
		// No inline script anywhere: the page's content security policy forbids it.
		modulePreload: { polyfill: false },
		// Beside the app the page that checks proof files, which needs nothing of it.
		rolldownOptions: { input: ["index.html", "verify.html"] },
	},
});
