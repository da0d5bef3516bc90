import { fileURLToPath } from "node:url";
import { paraglideVitePlugin } from "@inlang/paraglide-js";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Rolldown } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import en from "./src/ui/messages/en.json" with { type: "json" };
import nb from "./src/ui/messages/nb.json" with { type: "json" };

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
		emitReadme: false,
		emitPrettierIgnore: false,
	});

/**
 * The screens that are seen first, and others that share with them. What is needed by the same of these becomes one file:
 * by itself the bundler asks the same of every screen, which gives dozens of files of a kilobyte, and each costs a slow
 * tablet 10 ms at the start.
 */
const SCREENS: Record<string, string[]> = {
	Street: ["screens/Street.svelte"],
	FirstWeekCard: [
		"components/FirstWeekCard.svelte",
		"components/FirstWeekList.svelte",
		"components/WordsDialog.svelte",
	],
	Operations: ["screens/Operations.svelte"],
	Entering: ["screens/Welcome.svelte", "screens/Entering.svelte", "components/Faults.svelte"],
	Proof: ["verify/main.ts"],
};
/** Only what these need is cut so. */
const FIRST_SCREENS = ["Street", "FirstWeekCard"];
/** What the street needs is there before these are; they stand before all others but the street. */
const INSIDE_STREET = ["FirstWeekCard", "Operations"];
const UI = fileURLToPath(new URL("src/ui/", import.meta.url));
const MESSAGES = `${UI}paraglide/messages/`;

/** Puts the messages into what index.html says by itself, once in each language (ui/firstWords). */
const firstWords = () => ({
	name: "first-words",
	transformIndexHtml: (html: string) =>
		html.replace(/<!-- language -->(.*?)<!-- \/language -->/s, (_, words: string) =>
			Object.entries({ nb, en })
				.map(([lang, messages]) =>
					words.replace(/\{(\w+)\}/g, (_, name: string) => ({ ...messages, lang })[name as keyof typeof messages]),
				)
				.join(""),
		),
});

type ModuleInfo = (id: string) => Rolldown.ModuleInfo | null;

/** A module and all that it imports, of the messages those that it says: all of them are imported by one name. */
function importsOf(id: string, infoOf: ModuleInfo, found = new Set<string>()): Set<string> {
	if (found.has(id) || id === `${MESSAGES}_index.js`) return found;
	found.add(id);
	const info = infoOf(id);
	for (const each of info?.importedIds ?? []) importsOf(each, infoOf, found);
	for (const [, name] of info?.code?.matchAll(/\bm\.(\w+)/g) ?? []) {
		const capitals = name?.match(/[A-Z]/g)?.length ?? "";
		const message = `${MESSAGES}${name?.toLowerCase()}${capitals}.js`;
		if (infoOf(message) !== null) importsOf(message, infoOf, found);
	}
	return found;
}

/** The file of each module of the first screens, named by who needs it; all others the bundler cuts by itself. */
function filesOfFirstScreens(infoOf: ModuleInfo): Map<string, string> {
	const files = new Map<string, string>();
	for (const [screen, sources] of Object.entries(SCREENS)) {
		const modules = new Set(sources.flatMap((each) => [...importsOf(`${UI}${each}`, infoOf)]));
		for (const id of modules) {
			const file = files.get(id);
			if (file === undefined) {
				if (FIRST_SCREENS.includes(screen)) files.set(id, screen);
			} else if (!(file === "Street" && INSIDE_STREET.includes(screen))) files.set(id, `${file}-${screen}`);
		}
	}
	for (const id of importsOf(`${UI}main.ts`, infoOf)) files.delete(id);
	return files;
}

/** The modules are all known when the first of them is asked for. */
function fileOfModule(): (id: string, context: { getModuleInfo: ModuleInfo }) => string | null {
	let files: Map<string, string> | undefined;
	return (id, context) => {
		files ??= filesOfFirstScreens((each) => context.getModuleInfo(each));
		return files.get(id) ?? null;
	};
}

export default defineConfig({
	plugins: [
		process.env.VITEST || process.env.NABOSTROM_MESSAGES === "compiled" ? [] : messages(),
		svelte({ configFile: false }),
		firstWords(),
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
		rolldownOptions: {
			input: ["index.html", "verify.html"],
			output: {
				codeSplitting: {
					groups: [{ name: fileOfModule(), debugName: "first screens", includeDependenciesRecursively: false }],
				},
			},
		},
		// All styles are 10 kB gzipped, in fifty files otherwise.
		cssCodeSplit: false,
	},
});
