/**
 * Dialogues of some cores, written down: scripts with what they print (after etcd/raft's interaction tests). The
 * commands are explained in support/raftScript.ts. After a wanted change `REWRITE=1 npx vitest run --project unit
 * test/unit/consensus/dialogues.test.ts` writes the output anew: read the difference before you keep it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RaftScript } from "../../support/raftScript.js";

const folder = new URL("dialogues/", import.meta.url);
const SEPARATOR = "----";

/** The file with each command's output replaced by what it prints now. Comments and empty lines stay. */
function replay(text: string): string {
	const script = new RaftScript();
	const lines: string[] = [];
	let isOutput = false;
	for (const line of text.trimEnd().split("\n")) {
		if (line === "") isOutput = false;
		if (isOutput || line === SEPARATOR) {
			isOutput = true;
			continue;
		}
		lines.push(line);
		if (line !== "" && !line.startsWith("#")) lines.push(SEPARATOR, ...script.run(line));
	}
	return `${lines.join("\n")}\n`;
}

describe("a dialogue", () => {
	const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));

	it.each(files)("%s goes as written", (name) => {
		const path = new URL(name, folder);
		const expected = readFileSync(path, "utf8");
		const actual = replay(expected);
		if (process.env.REWRITE === "1") writeFileSync(path, actual);
		else expect(actual).toBe(expected);
	});

	it("is there for each of the subjects, and a changed word in one is noticed", () => {
		expect(files).toHaveLength(11);
		const text = readFileSync(new URL("election.txt", folder), "utf8");
		expect(replay(text.replace("leads term 1", "leads term 2"))).not.toContain("leads term 2");
	});
});
