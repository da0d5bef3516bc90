// How many bytes a browser may have to load, gzipped, for size-limit: sums over the chunks that vite's manifest names.
// `NABOSTROM_DIST`: the built app, else dist/.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = (process.env.NABOSTROM_DIST ?? `${root}dist`).replace(/\/+$/, "");
const chunks = JSON.parse(readFileSync(`${dist}/.vite/manifest.json`, "utf8"));

/** The chunk that a screen is in; one that others import parts of goes by another name in the manifest. */
function chunkOf(source) {
	const name = source.replace(/.*\/|\.\w+$/g, "");
	const found = source in chunks ? source : Object.keys(chunks).find((key) => chunks[key].name === name);
	if (found === undefined) throw new Error(`The build has no ${source}`);
	return found;
}

/** The chunks that come with these, without what is imported later on. */
function loadedWith(...names) {
	const loaded = new Set();
	const visit = (name) => {
		if (loaded.has(name)) return;
		loaded.add(name);
		for (const imported of chunks[name].imports ?? []) visit(imported);
	};
	for (const name of names) visit(chunkOf(name));
	return loaded;
}

const scripts = (names) =>
	[...names].map((name) => `${dist}/${chunks[name].file}`).filter((file) => file.endsWith(".js"));

/** All that is kept for a start without a network, as the service worker lists it. */
const kept = [...readFileSync(`${dist}/sw.js`, "utf8").matchAll(/"?url"?:\s*"([^"]+)"/g)].map(
	([, url]) => `${dist}/${url}`,
);

const entry = loadedWith("index.html");
const home = loadedWith("index.html", "src/ui/screens/Street.svelte", "src/ui/usage/Plot.svelte");
const later = Object.keys(chunks).filter((name) => chunks[name].isDynamicEntry && !home.has(name));
/** Nobody is in a street there yet. */
const beforeHome = ["screens/Welcome", "screens/Entering", "components/Faults"].map((name) => `src/ui/${name}.svelte`);
const entering = loadedWith("index.html", ...beforeHome);
/** Loaded from there. */
const whileEntering = ["src/ui/components/QrScanner.svelte"];

function already(name) {
	if (whileEntering.includes(name)) return entering;
	return beforeHome.includes(name) ? entry : home;
}

const budgets = [
	{ name: "entry", path: scripts(entry), limit: "60 kB" },
	{ name: "home with its graph", path: scripts(home), limit: "95 kB" },
	{ name: "the page that checks proofs", path: scripts(loadedWith("verify.html")), limit: "80 kB" },
	// All screens and the node; the node alone is 178 kB.
	{ name: "kept for a start without a network", path: kept, limit: "680 kB" },
	...later.map((name) => {
		const there = already(name);
		const added = [...loadedWith(name)].filter((chunk) => !there.has(chunk));
		return {
			name: `${name.replace("src/ui/", "")}, beside what is there already`,
			path: scripts(added),
			limit: "45 kB",
		};
	}),
];

// biome-ignore lint/style/noDefaultExport: it is what size-limit reads.
export default budgets.map((budget) => ({ ...budget, gzip: true }));
