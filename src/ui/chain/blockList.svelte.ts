/** The blocks that a person looks at: asked of the node a page at a time, and as new ones come where they begin with the newest. */
import { untrack } from "svelte";
import type { BlockPage, BlockSummary, Command } from "../../node/protocol.js";
import { assert } from "../../primitives/assert.js";
import type { Household } from "../context.js";

/** Neither place: from the newest on. */
export type BlockQuery = Omit<Extract<Command, { type: "blocks" }>, "type">;

export interface BlockList {
	/** Newest first. Reactive, as all of it. */
	readonly blocks: readonly BlockSummary[];
	/** Where to go on below; absent: there is nothing more, or nothing is known yet. */
	readonly nextIndex: number | undefined;
	/** Below it this device has let go of blocks; absent: nothing is known yet. */
	readonly blocksFrom: number | undefined;
	readonly isLooking: boolean;
	/** Why the latest question was refused. */
	readonly code: string | undefined;
	/** Goes on below. */
	older(): void;
	/** Looks no further. */
	stop(): void;
}

/** So many more are wanted at a time. */
const WANTED = 20;

/** To be called while a component is made. */
export function listBlocks(home: Household, query: () => BlockQuery): BlockList {
	let blocks = $state.raw<readonly BlockSummary[]>([]);
	let rest = $state.raw<Omit<BlockPage, "blocks">>();
	let code = $state<string>();
	let isLooking = $state(false);
	/** An answer to a question that was asked before the latest one is worth nothing. */
	let asked = 0;
	const asking = $derived(query());
	const head = $derived(isFromNewest(asking) ? home.street.chain.headIndex : undefined);

	async function pageOf(question: BlockQuery, mine: number): Promise<BlockPage | undefined> {
		const result = await home.client.command({ type: "blocks", ...question });
		if (mine !== asked) return undefined;
		if (!result.ok) {
			code = result.error.code;
			return undefined;
		}
		assert(result.value.type === "blocks", "blocks are answered with blocks");
		return result.value.page;
	}

	/** Many pages may hold nothing of this household's. */
	async function look(question: BlockQuery): Promise<void> {
		const mine = ++asked;
		const wanted = blocks.length + WANTED;
		isLooking = true;
		code = undefined;
		for (let next: BlockQuery | undefined = question; next !== undefined; ) {
			const page = await pageOf(next, mine);
			if (page === undefined) break;
			blocks = [...blocks, ...page.blocks];
			rest = page;
			const { nextIndex: fromIndex } = page;
			const isOwnOnly = question.isOwnOnly === true;
			next = fromIndex === undefined || blocks.length >= wanted ? undefined : { fromIndex, isOwnOnly };
		}
		if (mine === asked) isLooking = false;
	}

	function begin(question: BlockQuery): void {
		blocks = [];
		rest = undefined;
		void look(question);
	}

	/** What came since stands above what is shown, and moves nothing else. */
	async function lookAbove(question: BlockQuery): Promise<void> {
		const top = blocks[0]?.index;
		if (top === undefined || isLooking) return;
		const page = await pageOf(question, ++asked);
		if (page === undefined) return;
		const above = page.blocks.filter(({ index }) => index > top);
		const isGap = question.isOwnOnly !== true && (above.at(-1)?.index ?? top + 1) > top + 1;
		if (isGap) begin(question);
		else blocks = [...above, ...blocks];
	}

	$effect(() => {
		const question = asking;
		untrack(() => begin(question));
	});
	$effect(() => {
		if (head !== undefined) untrack(() => void lookAbove(asking));
	});

	return {
		get blocks() {
			return blocks;
		},
		get nextIndex() {
			return rest?.nextIndex;
		},
		get blocksFrom() {
			return rest?.blocksFrom;
		},
		get isLooking() {
			return isLooking;
		},
		get code() {
			return code;
		},
		older() {
			const fromIndex = rest?.nextIndex;
			if (fromIndex !== undefined) void look({ fromIndex, isOwnOnly: asking.isOwnOnly === true });
		},
		stop() {
			asked++;
			isLooking = false;
		},
	};
}

function isFromNewest({ fromIndex, byMs }: BlockQuery): boolean {
	return fromIndex === undefined && byMs === undefined;
}
