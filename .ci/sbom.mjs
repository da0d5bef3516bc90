// `npm run sbom`: the packages that the app and its server run with, as CycloneDX 1.5 on standard output. From
// package-lock.json alone, and the same for the same lock file: no time, no number of its own. (`npm sbom --omit dev` leaves
// out what a development package needs as well: svelte, ws, valibot, simple-peer.)
import { readFileSync } from "node:fs";

const { name, version, packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));

/** Identifiers of the SPDX list; what else a package says of its licence is given in its own words. */
const SPDX_IDS = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

const isRuntime = ([path, { dev, devOptional }]) => path !== "" && !dev && !devOptional;
const nameAt = (path) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
const refAt = (path) => `${nameAt(path)}@${packages[path].version}`;

/** Where a package finds another: beside itself or further out, as Node.js looks for it. */
function find(from, wanted) {
	for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
		const path = `${folder === "" ? "" : `${folder}/`}node_modules/${wanted}`;
		if (packages[path] !== undefined) return path;
		if (folder === "") return undefined;
	}
}

/** Refs of what a package needs and has; optional ones may not be there. */
function needsOf(path) {
	const { dependencies, optionalDependencies, peerDependencies } = packages[path];
	const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
	const found = names
		.map((wanted) => find(path, wanted))
		.filter((at) => at !== undefined && isRuntime([at, packages[at]]));
	return [...new Set(found.map(refAt))].sort();
}

function hashOf(path) {
	const [, sha512] = /^sha512-(\S+)/.exec(packages[path].integrity ?? "") ?? [];
	if (sha512 === undefined) throw new Error(`${path} has no SHA-512 in package-lock.json`);
	return { alg: "SHA-512", content: Buffer.from(sha512, "base64").toString("hex") };
}

function licenceOf(path) {
	const { license } = packages[path];
	if (typeof license !== "string") throw new Error(`${path} has no licence in package-lock.json`);
	if (SPDX_IDS.has(license)) return { license: { id: license } };
	return / (OR|AND|WITH) /.test(license) ? { expression: license } : { license: { name: license } };
}

function componentAt(path) {
	return {
		"bom-ref": refAt(path),
		type: "library",
		name: nameAt(path),
		version: packages[path].version,
		purl: `pkg:npm/${refAt(path).replace(/^@/, "%40")}`,
		scope: "required",
		licenses: [licenceOf(path)],
		hashes: [hashOf(path)],
	};
}

// One that lies in two places is one package.
const paths = new Map(
	Object.entries(packages)
		.filter(isRuntime)
		.map(([path]) => [refAt(path), path]),
);
const refs = [...paths.keys()].sort();
const root = { "bom-ref": `${name}@${version}`, type: "application", name, version };
const bom = {
	$schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
	bomFormat: "CycloneDX",
	specVersion: "1.5",
	version: 1,
	metadata: { component: root },
	components: refs.map((ref) => componentAt(paths.get(ref))),
	dependencies: [
		{ ref: root["bom-ref"], dependsOn: needsOf("") },
		...refs.map((ref) => ({ ref, dependsOn: needsOf(paths.get(ref)) })),
	],
};
console.log(JSON.stringify(bom, null, 2));
