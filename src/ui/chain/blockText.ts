/** A block in plain words: what stands in it, who has signed it, and what came of checking it. */
import type { BlockReceipt, BlockTransaction } from "../../node/protocol.js";
import { toHex } from "../../primitives/bytes.js";
import { MS_PER_MINUTE } from "../../primitives/units.js";
import { formatCount, formatTime } from "../format.js";
import { codeText } from "../lateText.svelte.js";
import { intlTag } from "../locale.svelte.js";
import { kindText } from "../names.js";
import { m } from "../paraglide/messages.js";
import { householdName, type Names, transactionText } from "../transactionText.js";

export interface Verdict {
	readonly mood: "good" | "open" | "bad";
	readonly text: string;
}

/** What is to be said of a block first. */
export function verdictOf({ check, transactions, index }: BlockReceipt, names: Names): Verdict {
	if (transactions.some(({ signature }) => signature === "bad")) {
		return { mood: "bad", text: m.blocks_bad_signature() };
	}
	switch (check.state) {
		case "genesis":
			return { mood: "good", text: m.blocks_good_genesis() };
		case "good": {
			const signers = [...new Set(check.signers)].map((member) => householdName(member, names));
			const said = {
				names: listText(signers),
				n: formatCount(check.signers.length),
				voters: formatCount(check.voters),
			};
			const { certifiedIndex } = check;
			return {
				mood: "good",
				text:
					certifiedIndex === index
						? m.blocks_good(said)
						: m.blocks_good_below({ ...said, above: formatCount(certifiedIndex) }),
			};
		}
		case "unlinked":
			return { mood: "open", text: m.blocks_unlinked() };
		case "bad":
			return { mood: "bad", text: codeText(check.code) };
	}
}

/** What a transaction says; of a neighbour's affair only that it is there. */
export function transactionLine({ kind, member, transaction }: BlockTransaction, names: Names): string {
	if (transaction !== undefined) return transactionText(transaction, names);
	const name = member === undefined ? "" : householdName(member, names);
	return m.blocks_hidden({ name, kind: kindText(kind) });
}

/** The readings whose values are their households' own; undefined: there are none. */
export function neighboursReadings(
	transactions: readonly BlockTransaction[],
	names: Names,
): { text: string; isAnyBad: boolean } | undefined {
	const hidden = transactions.filter(({ kind, transaction }) => kind === "reading" && transaction === undefined);
	if (hidden.length === 0) return undefined;
	const said = hidden.map(({ member = 0, minute = 0 }) =>
		m.blocks_reading_of({ name: householdName(member, names), time: formatTime(minute * MS_PER_MINUTE) }),
	);
	const isAnyBad = hidden.some(({ signature }) => signature === "bad");
	return { text: m.blocks_readings({ list: listText(said) }), isAnyBad };
}

const SIGNATURES: Readonly<Record<BlockTransaction["signature"], () => string>> = {
	good: m.blocks_signature_good,
	bad: m.blocks_signature_bad,
	otherKey: m.blocks_signature_other_key,
};

export function signatureText(signature: BlockTransaction["signature"]): string {
	return SIGNATURES[signature]();
}

/** As it is on the chain, bytes in hex; what is a neighbour's affair stays out. */
export function rawText({ transactions }: BlockReceipt): string {
	const raw = transactions.map(({ id, kind, member, minute, transaction }) => ({
		id,
		...(transaction ?? { kind, member, minute }),
	}));
	return JSON.stringify(raw, (_, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value), 2);
}

/** `Berg, Dahl og Lie`, in the order given. */
function listText(items: readonly string[]): string {
	return new Intl.ListFormat(intlTag()).format(items);
}
