/** Usage that is asked of the node: once, or again with every block as long as its span goes on. */
import type { Usage, UsageOf, UsageUnit } from "../../node/protocol.js";
import { assert } from "../../primitives/assert.js";
import { minuteOf } from "../../primitives/units.js";
import type { Household } from "../context.js";
import type { Span } from "./span.js";

export interface UsageQuery {
	readonly of: UsageOf;
	readonly unit: UsageUnit;
	readonly span: Pick<Span, "fromMinute" | "untilMinute">;
}

export interface UsageAnswer {
	/** The latest that came; absent: none has yet. Reactive. */
	readonly usage: Usage | undefined;
	/** Why the latest question was refused. Reactive. */
	readonly code: string | undefined;
}

/** To be called while a component is made. */
export function askUsage(home: Household, query: () => UsageQuery): UsageAnswer {
	let usage = $state.raw<Usage>();
	let code = $state<string>();
	let asked = 0;
	const asking = $derived(query());
	// One by one: with every view the query is another object, and most often asks for the same.
	const of = $derived(asking.of);
	const unit = $derived(asking.unit);
	const fromMinute = $derived(asking.span.fromMinute);
	const untilMinute = $derived(asking.span.untilMinute);
	const head = $derived(headOf(home, { untilMinute }));
	$effect(() => {
		void head;
		asked++;
		const mine = asked;
		void usageOf(home.client, { of, unit, span: { fromMinute, untilMinute } }).then((answer) => {
			if (mine !== asked) return;
			if (typeof answer === "string") code = answer;
			else [usage, code] = [answer, undefined];
		});
	});
	return {
		get usage() {
			return usage;
		},
		get code() {
			return code;
		},
	};
}

/** The usage, or the code of why there is none. */
export async function usageOf(client: Household["client"], { of, unit, span }: UsageQuery): Promise<Usage | string> {
	const { fromMinute, untilMinute } = span;
	const result = await client.command({ type: "usage", of, unit, fromMinute, untilMinute });
	if (!result.ok) return result.error.code;
	assert(result.value.type === "usage", "usage is answered with usage");
	return result.value.usage;
}

/** What has passed stays as it is; what goes on is another with every block. */
export function headOf({ street }: Household, { untilMinute }: Pick<Span, "untilMinute">): number {
	return untilMinute > minuteOf(street.chainMs) ? street.chain.headIndex : 0;
}
