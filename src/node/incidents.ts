/** What went wrong, as the screens count it: refusals of what came from outside, and faults that a person should know of. */
import type { NodeOutput } from "./protocol.js";
import type { Fault } from "./view.js";

export class Incidents {
	readonly #emit: (output: NodeOutput) => void;
	readonly #onChange: () => void;
	readonly #refusals: Record<string, number> = {};
	readonly #faults = new Map<string, { fault: Fault; count: number }>();

	constructor(emit: (output: NodeOutput) => void, onChange: () => void) {
		this.#emit = emit;
		this.#onChange = onChange;
	}

	/** How often each code was refused in this run. */
	get refusals(): Record<string, number> {
		return { ...this.#refusals };
	}

	/** The last fault of each code, in the order in which the codes first came. */
	get faults(): { fault: Fault; count: number }[] {
		return [...this.#faults.values()];
	}

	refused(code: string): void {
		this.#refusals[code] = (this.#refusals[code] ?? 0) + 1;
		this.#onChange();
	}

	fault(fault: Fault): void {
		const known = this.#faults.get(fault.code);
		this.#faults.set(fault.code, { fault, count: (known?.count ?? 0) + 1 });
		this.#onChange();
		this.#emit({ type: "fault", fault });
	}

	/** An error of the database, with its evidence as text. */
	storageFault(error: { code: string }): void {
		const evidence = Object.fromEntries(Object.entries(error).map(([key, value]) => [key, String(value)]));
		this.fault({ ...evidence, code: error.code });
	}

	/** A person has seen it. */
	forget(code: string): void {
		this.#faults.delete(code);
	}
}
