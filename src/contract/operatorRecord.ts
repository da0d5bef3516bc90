/**
 * What operators did, for everybody to read. It is part of the state, so that it outlives the blocks and whoever begins
 * at a checkpoint has it, too.
 *
 * Chains of the first version issued tokens and changed voters without a record, and their state roots stay what they
 * are: in every chain the record begins with the first act of another kind, and holds all of them from then on.
 */
import type { TariffStep } from "../block/kinds/trading.js";
import type { ActTransaction } from "../block/transaction.js";
import { toHex } from "../primitives/bytes.js";
import type { Draft, Ledger, OperatorAct } from "./ledger.js";

/** So many of the last acts are kept: some years of an ordinary street. */
export const MAX_RECORDED_ACTS = 200;

/** Which acts do not begin a record. */
const OLDER_KINDS: ReadonlySet<OperatorAct["kind"]> = new Set(["issue", "voters"]);

/** Takes acts into the record. */
export function record(draft: Draft, acts: readonly OperatorAct[]): void {
	const before = draft.operatorRecord;
	const kept = before === undefined ? acts.filter(({ kind }) => !OLDER_KINDS.has(kind)) : acts;
	if (kept.length > 0) draft.operatorRecord = [...(before ?? []), ...kept].slice(-MAX_RECORDED_ACTS);
}

/** What comes about without anybody who did it. */
export function byRule({ timestampMs }: Pick<Ledger, "timestampMs">, kind: OperatorAct["kind"]): OperatorAct {
	return { kind, timestampMs, member: undefined, household: undefined, isGiven: true, amountMicroNok: 0, texts: [] };
}

/** From which minute on, and at which prices of those that were stated first. */
function tariffTexts(step: TariffStep): string[] {
	const { fromMinute, retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh } = step;
	return [fromMinute, retailMicroNokPerWh, feedInMicroNokPerWh, localFeeMicroNokPerWh].map(String);
}

/**
 * What the record says of an act, as the ledger is before it: what operators do, and what a household says against what
 * one did about it. Of other acts nothing.
 */
export function recordedActs(ledger: Ledger, act: ActTransaction): OperatorAct[] {
	const { member } = act;
	const by = (kind: OperatorAct["kind"], said: Partial<OperatorAct>) => ({ ...byRule(ledger, kind), member, ...said });
	const ofDevice = (device: number) => ({ household: ledger.devices[device]?.household });
	switch (act.kind) {
		case "issue": {
			const key = toHex(act.orderId);
			const household = (ledger.orders.get(key) ?? ledger.demands.get(key))?.member;
			return [by(act.kind, { household, amountMicroNok: act.amountMicroNok, texts: [act.reference] })];
		}
		case "payout": {
			const household = ledger.locks.get(toHex(act.lockId))?.member;
			return [by(act.kind, { household, amountMicroNok: act.amountMicroNok, texts: [act.reference] })];
		}
		case "voters":
			return [
				...act.added.map(({ device }) => by(act.kind, ofDevice(device))),
				...act.removed.map((device) => by(act.kind, { ...ofDevice(device), isGiven: false })),
			];
		case "iceServers":
			return [by(act.kind, { texts: act.servers.map(({ urls }) => urls) })];
		case "rename": {
			const former = ledger.households[act.household]?.name ?? "";
			return [by(act.kind, { household: act.household, texts: [former, act.name] })];
		}
		case "role":
			return [by(act.kind, { household: act.household, isGiven: act.operator })];
		case "suspend":
			return [by(act.kind, { household: act.household, isGiven: act.suspended })];
		case "market":
			return [by(act.kind, { texts: [act.choice, String(act.fromMinute)] })];
		case "tariff":
			return act.steps.slice(0, 1).map((step) => by(act.kind, { texts: tariffTexts(step) }));
		case "bank":
			return [by(act.kind, { amountMicroNok: act.balanceMicroNok, texts: [String(act.minute)] })];
		case "money": {
			const { proposed } = act;
			const said = proposed === undefined ? { isGiven: false } : { texts: [proposed.moneyKind, proposed.reason] };
			return [by(act.kind, said)];
		}
		case "credit": {
			const { household, creditMicroNok } = act;
			const formerMicroNok = ledger.households[household]?.creditMicroNok ?? 0;
			return [by(act.kind, { household, amountMicroNok: creditMicroNok, texts: [String(formerMicroNok)] })];
		}
		case "remove":
		case "rebind":
		case "contest":
			return [by(act.kind, { household: act.household })];
		default:
			return [];
	}
}
