/**
 * What this device keeps of its household's past, read when a person asks: the statement of a month or a year, and slices of an export,
 * also of minutes that are not in memory any more. Nothing waits for it, and it changes nothing.
 */
import { householdOf } from "../../contract/ledger.js";
import { toHex } from "../../primitives/bytes.js";
import { ok, type Result, refused } from "../../primitives/result.js";
import { MINUTES_PER_DAY } from "../../primitives/units.js";
import { billOf } from "../bill.js";
import { exportHead, exportRows, exportTail, minuteRows, movementRows, type Row, sumRow } from "../exportText.js";
import { countMemberMinutes, memberMinutes, periodStatementOf, type StatedMonth } from "../periodStatement.js";
import { daysOf, isWholeDays, monthsOf, type Period } from "../periods.js";
import { type BillFigures, type ExportRequest, type PeriodStatement, SLICE_DAYS } from "../protocol.js";
import type { Statement } from "../statement.js";
import type { StorageError } from "../storage.js";
import type { StreetContext } from "./context.js";
import type { KeptMinutes } from "./keptMinutes.js";

export type PapersError =
	| StorageError
	| { code: "not-a-member" }
	/** Not from one local midnight to another, or too long. */
	| { code: "bad-period" }
	/** This device knows nothing of that time. */
	| { code: "statement-not-kept" };

export class Papers {
	readonly #context: StreetContext;
	readonly #kept: KeptMinutes;
	readonly #statement: Statement;

	constructor(context: StreetContext, kept: KeptMinutes, statement: Statement) {
		this.#context = context;
		this.#kept = kept;
		this.#statement = statement;
	}

	/** What this household's tokens, its meter and the prices did in whole local days. */
	async statement(period: Period): Promise<Result<PeriodStatement, PapersError>> {
		const member = this.#memberAsking(period);
		if (!member.ok) return member;
		const months: { month: Period; bill: BillFigures }[] = [];
		for (const month of monthsOf(this.#localTime, period)) {
			const billed = await this.#kept.billing(member.value, month);
			if (!billed.ok) return billed;
			months.push({ month, bill: billOf(billed.value(month)).total });
		}
		// From here on nothing is waited for: all of it is of one block.
		const account = this.#statement.account(period.fromMinute, period.untilMinute);
		if (account === undefined) return refused({ code: "statement-not-kept" });
		const stated = months.flatMap(({ month, bill }): StatedMonth[] => {
			const ofMonth = this.#statement.account(month.fromMinute, month.untilMinute);
			return ofMonth === undefined ? [] : [{ ...month, account: ofMonth, bill }];
		});
		return ok(periodStatementOf(member.value, period, account, stated, this.#context.chain.head));
	}

	/** One slice of a file; the first one begins it, the last one ends it. */
	async exportSlice({ what, format, isFirst, isLast, ...period }: ExportRequest): Promise<Result<string, PapersError>> {
		const member = this.#memberAsking(period);
		if (!member.ok) return member;
		if (period.untilMinute - period.fromMinute > SLICE_DAYS[what] * MINUTES_PER_DAY + 60) {
			return refused({ code: "bad-period" });
		}
		const rows = await this.#rows(member.value, what, period);
		if (!rows.ok) return rows;
		const { ledger } = this.#context.chain.head;
		const { name, publicKey } = householdOf(ledger, member.value);
		const of = {
			neighbourhood: ledger.parameters.name,
			gridId: toHex(ledger.gridId),
			household: name,
			householdId: toHex(publicKey),
		};
		return ok(
			(isFirst ? exportHead(format, what, of) : "") +
				exportRows(format, what, rows.value, this.#localTime) +
				(isLast ? exportTail(format) : ""),
		);
	}

	async #rows(member: number, what: ExportRequest["what"], period: Period): Promise<Result<Row[], PapersError>> {
		const { ledger } = this.#context.chain.head;
		if (what === "movements") {
			const account = this.#statement.account(period.fromMinute, period.untilMinute);
			if (account === undefined) return ok([]);
			return ok(movementRows(account, period, (other) => ledger.households[other]?.name ?? ""));
		}
		const billed = await this.#kept.billing(member, period);
		if (!billed.ok) return billed;
		if (what === "minutes") return ok(minuteRows(billed.value(period), memberMinutes(ledger, member, period)));
		const parts = (what === "days" ? daysOf : monthsOf)(this.#localTime, period);
		return ok(
			parts.flatMap((part) => {
				const minutes = countMemberMinutes(ledger, member, part);
				return minutes === 0 ? [] : [sumRow(part, billOf(billed.value(part)), minutes)];
			}),
		);
	}

	#memberAsking(period: Period): Result<number, PapersError> {
		const { member } = this.#context;
		if (member === undefined) return refused({ code: "not-a-member" });
		return isWholeDays(this.#localTime, period) ? ok(member) : refused({ code: "bad-period" });
	}

	get #localTime() {
		return this.#context.dependencies.localTime;
	}
}
