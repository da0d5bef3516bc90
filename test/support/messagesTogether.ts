import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

/**
 * The messages in one module instead of one each, for what loads all of them every time: a test file, a page in
 * development. The build takes only those that a screen says.
 */
export function messagesTogether(): Plugin {
	return {
		name: "messages-together",
		enforce: "pre",
		load(id) {
			if (!id.endsWith("/ui/paraglide/messages/_index.js")) return undefined;
			const folder = dirname(id);
			const files = readdirSync(folder).filter((name) => name.endsWith(".js") && name !== "_index.js");
			const runtime = 'import { getLocale, experimentalStaticLocale } from "../runtime.js";\n';
			const bodies = files.map((name) => readFileSync(join(folder, name), "utf8").replace(/^import .*$/gm, ""));
			return runtime + bodies.join("\n");
		},
	};
}
