/**
 * A new device of a household that is a member already: it fetches the chain as a guest, and once it stands where the
 * neighbours stand it signs its `device` transaction with the household's key and its own. It takes the place of an older
 * one, but comes in beside it where the chain would stand still without that one's vote. Whatever the chain makes of
 * that transaction, at most one of its key can ever be in a block.
 */
import type { DeviceTransaction } from "../../block/kinds/members.js";
import type { Unsigned } from "../../block/transaction.js";
import { devicesOf } from "../../contract/devices.js";
import { judge } from "../../contract/execute.js";
import { assert } from "../../primitives/assert.js";
import type { Sync } from "../sync.js";
import type { StreetContext } from "./context.js";
import type { OwnTransactions } from "./ownTransactions.js";

export class Admission {
	readonly #context: StreetContext;
	readonly #sync: Sync;
	readonly #own: OwnTransactions;
	#refusal: string | undefined;

	constructor(context: StreetContext, sync: Sync, own: OwnTransactions) {
		this.#context = context;
		this.#sync = sync;
		this.#own = own;
	}

	/** Why this device is not let in, as the head has it. */
	get refusal(): string | undefined {
		return this.#refusal;
	}

	/** What waits cannot be judged yet: this device's chain ends long before the neighbours'. */
	get isBehind(): boolean {
		return this.#context.awaitsAdmission && !this.#isCaughtUp();
	}

	/** Signs the `device` transaction and hands it in, unless one is on its way, or it is too early. */
	async maybeHandIn(): Promise<void> {
		const { awaitsAdmission, chain, halted, member } = this.#context;
		if (!awaitsAdmission || halted || !this.#isCaughtUp()) return;
		if (member === undefined) {
			this.#refuse("unknown-household");
			return;
		}
		// An act that was carried over comes first: its nonce is promised.
		if (!this.#own.mayAct) return;
		const judged = (each: DeviceTransaction) => judge(chain.head.ledger, this.#context.judgingMs(), each);
		// It is admitted already, above what a damaged record has left of the chain here.
		if (this.#context.household.isLocked) return;
		let admission = createAdmission(this.#context, member, replacedBy(this.#context, member));
		let cause = judged(admission);
		if (cause?.code === "too-few-voters") {
			admission = createAdmission(this.#context, member, undefined);
			cause = judged(admission);
		}
		this.#refuse(cause?.code);
		if (cause === undefined) await this.#own.submit([admission]);
	}

	/** The block that the invitation pins has been reached, and the neighbours' head. */
	#isCaughtUp(): boolean {
		const { chain, config, dependencies } = this.#context;
		const { head } = chain;
		const isPastPin = config.pin === undefined || head.block.index >= config.pin.index;
		return isPastPin && this.#sync.isCaughtUp(head, dependencies.clocks.monotonicMs());
	}

	#refuse(code: string | undefined): void {
		if (code !== undefined && code !== this.#refusal) this.#context.events.onRefused(code);
		this.#refusal = code;
	}
}

function createAdmission(context: StreetContext, member: number, replaces: number | undefined): DeviceTransaction {
	const { chain, config } = context;
	const unsigned: Unsigned<DeviceTransaction> = {
		kind: "device",
		member,
		nonce: (chain.head.ledger.households[member]?.nonce ?? 0) + 1,
		deviceKey: context.deviceKey,
		alwaysOn: config.alwaysOn,
		metering: config.admission?.beside !== true,
		replaces,
	};
	return {
		...unsigned,
		signature: context.signAsHousehold(unsigned),
		deviceSignature: context.signAsDevice(unsigned),
	};
}

/** The device whose place this one takes, if that one is still in use. */
function replacedBy({ chain, config }: StreetContext, member: number): number | undefined {
	const { admission } = config;
	assert(admission !== undefined, "only a device that is to be admitted replaces another");
	if (admission.beside) return undefined;
	const inUse = devicesOf(chain.head.ledger, member).map(({ index }) => index);
	if (admission.member === undefined) return inUse.length === 1 ? inUse[0] : undefined;
	return inUse.find((index) => index === admission.replaces);
}
