import { expect, test } from "vitest";
import type { Command, CommandError, NodeOutput, ReplyValue } from "../../../src/node/protocol.js";
import type { OrderView, StreetView, View } from "../../../src/node/view.js";
import type { Result } from "../../../src/primitives/result.js";
import type { HouseParts } from "../../../src/ui/demo/house.svelte.js";
import { DEMO_HOUSEHOLDS } from "../../../src/ui/demo/households.js";
import { type DemoProgress, type DemoStreet, startStreet } from "../../../src/ui/demo/street.js";
import type { OwnedPort } from "../../../src/ui/nodePort.js";
import { lobby, street } from "../../ui-preview/views.js";

/** Ten nodes that agree at once: a lobby, then a street whose orders, offers and contracts everybody sees. */
class TestStreet implements HouseParts {
	readonly commands: { house: number; command: Command }[] = [];
	/** The command that is refused, if one is. */
	refuse: Command["type"] | undefined;
	readonly #send = new Map<number, (output: NodeOutput) => void>();
	readonly #inLobby: number[] = [];
	#started = false;
	#offers: StreetView["market"]["offers"] = [];
	#orders: OrderView[] = [];

	startNode(house: number): OwnedPort {
		const listeners: ((output: NodeOutput) => void)[] = [];
		const send = (output: NodeOutput): void => {
			for (const listener of listeners) queueMicrotask(() => listener(output));
		};
		this.#send.set(house, send);
		return {
			post: (input) => {
				if (input.type !== "command") return;
				const result = this.#obey(house, input.command);
				send({ type: "reply", id: input.id, result });
				this.#show();
			},
			listen: (listener) => {
				listeners.push(listener);
				queueMicrotask(() => listener({ type: "view", view: this.#view(house) }));
			},
			terminate: () => this.#send.delete(house),
		};
	}

	loadMesh(): Promise<never> {
		return Promise.reject(new Error("these nodes ask for no mesh"));
	}

	#obey(house: number, command: Command): Result<ReplyValue, CommandError> {
		this.commands.push({ house, command });
		if (command.type === this.refuse) return { ok: false, error: { code: "not-operator" } };
		if (command.type === "openLobby" || command.type === "enterLobby") this.#inLobby.push(house);
		if (command.type === "start") this.#started = true;
		if (command.type === "offer") {
			const { priceMicroNokPerWh, fromMinute, untilMinute, noticeMinutes } = command;
			const terms = { priceMicroNokPerWh, fromMinute, untilMinute, noticeMinutes };
			const rest = { mine: false, buyers: 0, savingMicroNokPerKwh: 0 };
			this.#offers = [...this.#offers, { id: `offer ${house}`, seller: house, ...terms, ...rest }];
		}
		if (command.type === "buy") {
			const { amountMicroNok } = command;
			const order = { id: `order ${house}`, member: house, amountMicroNok, timestampMs: 0, reference: `${house}` };
			this.#orders = [...this.#orders, order];
		}
		if (command.type === "issue") this.#orders = this.#orders.filter(({ id }) => id !== command.orderId);
		return { ok: true, value: { type: "done" } };
	}

	#show(): void {
		for (const [house, send] of this.#send) send({ type: "view", view: this.#view(house) });
	}

	#view(house: number): View {
		if (!this.#inLobby.includes(house)) return { stage: "welcome" };
		if (!this.#started) return { ...lobby, members: this.#inLobby.map((index) => this.#lobbyMember(index, house)) };
		const members = DEMO_HOUSEHOLDS.map(({ name }, index) => ({ index, name, operator: index === 0, householdId: "" }));
		const view: StreetView = { ...street(0), members };
		view.self = { ...view.self, index: house };
		view.market = { ...view.market, offers: this.#offers, contracts: [] };
		view.meter = { ...view.meter, source: "none" };
		if (house === 0) {
			const money = { orders: this.#orders, payouts: [], issuedMicroNok: 0, paidOutMicroNok: 0 };
			view.operator = {
				nodes: [],
				...money,
				iceServers: [],
				guests: 0,
				corrections: { open: [], claims: [] },
			};
		}
		if (house !== 0) delete view.operator;
		return view;
	}

	#lobbyMember(index: number, self: number): { name: string; alwaysOn: boolean; self: boolean; founder: boolean } {
		const name = DEMO_HOUSEHOLDS[index]?.name ?? "";
		return { name, alwaysOn: true, self: index === self, founder: index === 0 };
	}
}

function begin(parts: TestStreet): Promise<{ demo: DemoStreet; steps: string[]; end: DemoProgress }> {
	return new Promise((resolve) => {
		const steps: string[] = [];
		const demo = startStreet(parts, "ws://127.0.0.1:4444", (progress) => {
			if (progress.type !== "step") resolve({ demo, steps, end: progress });
			else if (steps.at(-1) !== progress.step) steps.push(progress.step);
		});
	});
}

test("ten households found a street and begin to trade, through the commands that people use", async () => {
	const parts = new TestStreet();
	const { steps, end } = await begin(parts);
	expect(end).toEqual({ type: "running" });
	expect(steps).toEqual(["starting", "gathering", "founding", "meters", "offers", "tokens", "contracts"]);
	const count = (type: Command["type"]): number => parts.commands.filter(({ command }) => command.type === type).length;
	expect(["openLobby", "enterLobby", "start", "meterSource"].map((type) => count(type as Command["type"]))).toEqual([
		1, 9, 1, 10,
	]);
	expect(["offer", "buy", "issue", "accept"].map((type) => count(type as Command["type"]))).toEqual([5, 5, 5, 5]);
});

test("only the operator issues, exactly what was ordered", async () => {
	const parts = new TestStreet();
	await begin(parts);
	const issues = parts.commands.filter(({ command }) => command.type === "issue");
	expect(issues.map(({ house }) => house)).toEqual([0, 0, 0, 0, 0]);
	expect(issues.map(({ command }) => command.type === "issue" && command.orderId)).toContain("order 9");
});

test("a refused command ends the start with its code", async () => {
	const parts = new TestStreet();
	parts.refuse = "start";
	const { end } = await begin(parts);
	expect(end).toEqual({ type: "failed", code: "not-operator" });
});

test("a house that is switched off answers nothing; switched on again it has a new node", async () => {
	const parts = new TestStreet();
	const { demo } = await begin(parts);
	const house = demo.houses[3];
	const before = house?.client;
	house?.switchOff();
	expect(house?.on).toBe(false);
	expect(await house?.client.command({ type: "invite" })).toEqual({ ok: false, error: { code: "house-off" } });
	house?.switchOn();
	expect(house?.on).toBe(true);
	expect(house?.client).not.toBe(before);
});
