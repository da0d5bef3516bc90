// The folders are the architecture: who may import whom. A row of the table in CONTRIBUTING.md is a rule here.
const below = {
	primitives: [],
	block: ["primitives"],
	contract: ["block", "primitives"],
	meter: ["block", "primitives"],
	message: ["block", "primitives"],
	consensus: ["message", "block", "primitives"],
	node: ["consensus", "message", "meter", "contract", "block", "primitives"],
	storage: ["node", "block", "primitives"],
	network: ["node/protocol", "node/view", "message/signal", "message/signalLimits", "primitives"],
	serial: ["node/protocol", "node/view", "meter", "primitives"],
	worker: ["node", "storage", "serial", "message", "meter", "contract", "block", "primitives"],
	serviceWorker: ["ui/links"],
	cli: ["node", "storage", "consensus", "message", "meter", "contract", "block", "primitives"],
	ui: [
		"node/protocol",
		"node/view",
		"node/proofFile",
		"node/proofFileCheck",
		"network",
		"serial",
		"meter",
		"contract/ledger",
		"contract/settlement",
		"block/transaction",
		"block/reading",
		"block/iceServer",
		"block/schedule",
		"primitives",
		"worker/main",
		"worker/start",
		"worker/trustedUrl",
	],
};

const core = "^src/(primitives|block|contract|meter|message|consensus|node)/";

const layerRules = Object.entries(below).map(([folder, allowed]) => ({
	name: `layer-${folder}`,
	comment: `${folder}/ may import only: ${[folder, ...allowed].join(", ")}`,
	severity: "error",
	from: { path: `^src/${folder}/` },
	to: { path: "^src/", pathNot: [folder, ...allowed].map((name) => `^src/${name}[./]`) },
}));

const packages = (pattern) => `node_modules/(${pattern})/`;

module.exports = {
	forbidden: [
		...layerRules,
		{
			name: "matching-alone",
			comment: "contract/matching/ knows orders, prices and the names of the rules, not the ledger.",
			severity: "error",
			from: { path: "^src/contract/matching/" },
			to: { path: "^src/", pathNot: "^src/(primitives/|block/kinds/trading\\.ts$|contract/(matching/|allocation\\.ts$))" },
		},
		{ name: "no-circle", severity: "error", from: {}, to: { circular: true } },
		{ name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
		{
			name: "core-packages",
			comment: "The pure core uses noble, scure and valibot, and no module of Node.js.",
			severity: "error",
			from: { path: core },
			to: { pathNot: ["^src/", packages("@noble/hashes|@noble/secp256k1|@noble/ciphers|@scure/bip39|valibot")] },
		},
		{
			name: "primitives-packages",
			severity: "error",
			from: { path: "^src/primitives/" },
			to: { path: packages("valibot") },
		},
		{
			name: "curve-files",
			comment: "Signatures, their batches and their keys are the only files that import a curve library.",
			severity: "error",
			from: { path: "^src/", pathNot: "^src/primitives/(signature|signatureBatch|memberKey)\\.ts$" },
			to: { path: packages("@noble/secp256k1|@noble/curves") },
		},
		{
			name: "one-cipher-file",
			comment: "primitives/sealing.ts is the only file that imports a cipher.",
			severity: "error",
			from: { path: "^src/", pathNot: "^src/primitives/sealing\\.ts$" },
			to: { path: packages("@noble/ciphers") },
		},
		{ name: "src-not-test", severity: "error", from: { path: "^(src|signaling)/" }, to: { path: "^test/" } },
	],
	options: {
		doNotFollow: { path: "node_modules" },
		exclude: { path: "^src/ui/paraglide/" },
		tsPreCompilationDeps: true,
		tsConfig: { fileName: "tsconfig.json" },
		enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "svelte", "default"] },
		builtInModules: {},
	},
};
