/** The first week on this device: what is counted with each block, and kept once it is done (`node/firstWeek.ts`). */
import { membersOf } from "../../contract/standing.js";
import { refused } from "../../primitives/result.js";
import { MINUTES_PER_DAY, MS_PER_MINUTE, minuteOf } from "../../primitives/units.js";
import {
	compareRegisters,
	type FirstWeekRefusal,
	firstWeekOf,
	firstWeekRefusal,
	neededMinutes,
	type ReadDisplay,
} from "../firstWeek.js";
import type { History } from "../history.js";
import type { Command, CommandError } from "../protocol.js";
import { DONE, type Reply } from "../reply.js";
import type { FirstWeekView, HouseholdMinutesView, MeterView } from "../view.js";
import type { StreetContext } from "./context.js";

/** What may have flowed in the minute that runs, and in one that is on its way: so many minutes at the present power. */
const RUNNING_MINUTES = 2;
const MINUTES_PER_HOUR = 60;

type Meter = Pick<MeterView, "doubt" | "live" | "registers" | "source">;

export class StartUp {
	readonly #context: StreetContext;
	readonly #history: History;
	/** Counted once for each head. */
	#counted: { headIndex: number; households: readonly HouseholdMinutesView[] } | undefined;

	constructor(context: StreetContext, history: History) {
		this.#context = context;
		this.#history = history;
	}

	/** Whether anybody is asked for it: not in a demo, whose households are nobody's. */
	get isAsked(): boolean {
		const { chain, dependencies } = this.#context;
		return dependencies.settings.firstWeekMinutes > 0 && chain.head.ledger.parameters.timeScale === 1;
	}

	/** What of the last day each household has, but those that move out. */
	get households(): readonly HouseholdMinutesView[] {
		const { block, ledger } = this.#context.chain.head;
		if (this.#counted?.headIndex === block.index) return this.#counted.households;
		const all = this.#context.dependencies.settings.firstWeekMinutes;
		const untilMinute = minuteOf(ledger.timestampMs);
		const households = membersOf(ledger).map(({ index, seen }): HouseholdMinutesView => {
			const have = this.#history.countReadings(index, Math.max(0, untilMinute - all), untilMinute);
			return { member: index, meters: seen.length > 0, have, all, needed: neededMinutes(all) };
		});
		this.#counted = { headIndex: block.index, households };
		return households;
	}

	/** This household's points; undefined: nobody is asked. */
	view(meter: Meter): FirstWeekView | undefined {
		const { chain, config, isMetering, member } = this.#context;
		if (!this.isAsked || member === undefined) return undefined;
		const minutes = this.households.find((each) => each.member === member);
		if (minutes === undefined) return undefined;
		const { member: _, ...counted } = minutes;
		return firstWeekOf({
			memory: config.firstWeek,
			wordsKept: config.wordsKept,
			isMetering,
			meter,
			minutes: counted,
			totals: chain.head.ledger,
		});
	}

	/** Why an act with real kroner has to wait; undefined: it has not. */
	refusal(command: Command, meter: Meter): CommandError | undefined {
		const own = this.view(meter);
		if (own === undefined) return undefined;
		const { households, parameters } = this.#context.chain.head.ledger;
		const lacking = () =>
			this.households
				.filter(({ have, meters, needed }) => meters && have < needed)
				.map(({ member }) => households[member]?.name ?? "");
		const cause: FirstWeekRefusal | undefined = firstWeekRefusal(
			command,
			own,
			parameters.moneyKind === "trial",
			lacking,
		);
		return cause;
	}

	/** A person has read the meter's display: both figures are kept where they are the same. */
	async compare(display: ReadDisplay, meter: Meter): Promise<Reply> {
		const { config, dependencies, isMetering } = this.#context;
		if (!isMetering) return refused({ code: "register-elsewhere" });
		const nowMs = dependencies.clocks.chainMs();
		const compared = compareRegisters(display, meter, this.#flowSince(meter, nowMs), nowMs);
		if (!compared.ok) return compared;
		const saved = await this.#context.saveConfig({ firstWeek: { ...config.firstWeek, register: compared.value } });
		return saved ? DONE : refused({ code: "storage-write-failed" });
	}

	/** What flowed after the meter said its registers last: most say them once an hour, and their display goes on. */
	#flowSince({ live, registers }: Meter, nowMs: number): { importWh: number; exportWh: number } {
		const running = (powerW = 0) => Math.ceil((powerW * RUNNING_MINUTES) / MINUTES_PER_HOUR);
		const since = { importWh: running(live?.importW), exportWh: running(live?.exportW) };
		const { member } = this.#context;
		if (member === undefined || registers === undefined) return since;
		const oldestMs = nowMs - MINUTES_PER_DAY * MS_PER_MINUTE;
		for (let minute = minuteOf(Math.max(oldestMs, registers.atMs)); minute <= minuteOf(nowMs); minute++) {
			const reading = this.#history.reading(member, minute);
			since.importWh += reading?.importWh ?? 0;
			since.exportWh += reading?.exportWh ?? 0;
		}
		return since;
	}

	/** The head moved: the first day that has its minutes is kept, so that no later silence takes that back. */
	async onHead(): Promise<void> {
		const { chain, config, member } = this.#context;
		if (!this.isAsked || member === undefined || config.firstWeek.minutesMs !== undefined) return;
		const own = this.households.find((each) => each.member === member);
		if (own === undefined || own.have < own.needed) return;
		await this.#context.saveConfig({ firstWeek: { ...config.firstWeek, minutesMs: chain.head.ledger.timestampMs } });
	}
}
