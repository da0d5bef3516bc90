/** What flowed in a time, for the graphs: a household's own, and for the operator anybody's, and all together. */
import { localMinuteAt } from "../../primitives/localTime.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import { add, MINUTES_PER_DAY } from "../../primitives/units.js";
import { awaitsSettlement, countMemberMinutes, memberMinutes } from "../periodStatement.js";
import { isWholeDays, type Period } from "../periods.js";
import { type Command, type Series, USAGE_DAYS, type Usage, type UsageOf, type UsagePartner } from "../protocol.js";
import type { Statement } from "../statement.js";
import type { StorageError } from "../storage.js";
import { Pieces, piecesOf } from "../usage.js";
import type { StreetContext } from "./context.js";
import type { KeptMinutes } from "./keptMinutes.js";

export type UsageError =
	| StorageError
	| { code: "not-in-a-neighbourhood" }
	/** Somebody else's, and this household is no operator. */
	| { code: "not-your-readings" }
	/** Not from one local midnight to another, or too long for its unit. */
	| { code: "bad-period" };

export class Usages {
	readonly #context: StreetContext;
	readonly #kept: KeptMinutes;
	readonly #statement: Statement;

	constructor(context: StreetContext, kept: KeptMinutes, statement: Statement) {
		this.#context = context;
		this.#kept = kept;
		this.#statement = statement;
	}

	async usage({
		of,
		unit,
		fromMinute,
		untilMinute,
	}: Extract<Command, { type: "usage" }>): Promise<Result<Usage, UsageError>> {
		const period: Period = { fromMinute, untilMinute };
		const members = this.#membersOf(of);
		if (!members.ok) return members;
		const { localTime } = this.#context.dependencies;
		const isTooLong = untilMinute - fromMinute > USAGE_DAYS[unit] * MINUTES_PER_DAY + 60;
		if (isTooLong || !isWholeDays(localTime, period)) return refused({ code: "bad-period" });
		const pieces = new Pieces(localTime, unit, period);
		for (const member of members.value) {
			const added = await (unit === "minute" || unit === "quarter"
				? this.#addMinutes(pieces, member, period)
				: this.#addHours(pieces, member, period));
			if (!added.ok) return added;
		}
		const { ledger } = this.#context.chain.head;
		const own = this.#context.member;
		const counts = members.value.map((member) => countMemberMinutes(ledger, member, period));
		return ok({
			of,
			unit,
			...piecesOf(pieces),
			memberMinutes: counts.reduce(add, 0),
			partners: of === own ? this.#partners(period) : [],
			isSettled: members.value.every((member) => !awaitsSettlement(ledger, member, untilMinute)),
		});
	}

	/** A household's minutes; as old as they may be. */
	async series(member: number, period: Period): Promise<Result<Series, UsageError>> {
		const members = this.#membersOf(member);
		if (!members.ok) return members;
		const billing = await this.#kept.billing(member, period);
		return billing.ok ? ok(billing.value(period).series) : billing;
	}

	async #addMinutes(pieces: Pieces, member: number, period: Period): Promise<Result<true, StorageError>> {
		const billing = await this.#kept.billing(member, period);
		if (!billing.ok) return billing;
		pieces.addMinutes(billing.value(period).series);
		return ok(true);
	}

	async #addHours(pieces: Pieces, member: number, period: Period): Promise<Result<true, StorageError>> {
		const { fromMinute, untilMinute } = memberMinutes(this.#context.chain.head.ledger, member, period);
		if (fromMinute === untilMinute) return ok(true);
		const { localTime } = this.#context.dependencies;
		const [fromDay, untilDay] = [fromMinute, untilMinute - 1].map((minute) => localMinuteAt(localTime, minute).day);
		const hours = await this.#kept.hours(member, fromDay ?? 0, (untilDay ?? 0) + 1);
		if (!hours.ok) return hours;
		pieces.addHours(hours.value);
		return ok(true);
	}

	/** A household sees its own graphs only, the operator all of them (thesis 3.2.1). */
	#membersOf(of: UsageOf): Result<number[], UsageError> {
		const { chain, isOperator, member } = this.#context;
		if (member === undefined) return refused({ code: "not-in-a-neighbourhood" });
		if (of !== member && !isOperator) return refused({ code: "not-your-readings" });
		const { households } = chain.head.ledger;
		if (of === "all") return ok(households.map(({ index }) => index));
		return households[of] === undefined ? refused({ code: "not-your-readings" }) : ok([of]);
	}

	/** By how much energy went to and fro, the most first. */
	#partners({ fromMinute, untilMinute }: Period): UsagePartner[] {
		const account = this.#statement.account(fromMinute, untilMinute);
		const partners = new Map<number | undefined, UsagePartner>();
		for (const movement of account?.movements ?? []) {
			if (!("energyWh" in movement)) continue;
			const other = "other" in movement ? movement.other : undefined;
			const partner = partners.get(other) ?? { ...(other === undefined ? {} : { other }), ...NOTHING_TRADED };
			partners.set(other, partner);
			const { energyWh, amountMicroNok } = movement;
			if (movement.type === "bought" || movement.type === "matchedBought") {
				partner.boughtWh = add(partner.boughtWh, energyWh);
				partner.paidMicroNok = add(partner.paidMicroNok, amountMicroNok);
			} else {
				partner.soldWh = add(partner.soldWh, energyWh);
				partner.earnedMicroNok = add(partner.earnedMicroNok, amountMicroNok);
			}
		}
		return [...partners.values()].sort((a, b) => b.boughtWh + b.soldWh - a.boughtWh - a.soldWh);
	}
}

const NOTHING_TRADED = { boughtWh: 0, soldWh: 0, paidMicroNok: 0, earnedMicroNok: 0 };
