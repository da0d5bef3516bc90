import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Command, NodeInput, NodeOutput } from "../../../src/node/protocol.js";
import type { View } from "../../../src/node/view.js";
import type { NodeClient } from "../../../src/ui/nodeClient.svelte.js";
import { type Session, startSession } from "../../../src/ui/session.svelte.js";
import { openTabChannel, readMessage, type TabChannel, type TabMessage } from "../../../src/ui/tabs/message.js";
import { ASK_MS, ASLEEP_MS } from "../../../src/ui/tabs/screen.js";
import { FakeLocks, type FakeTabLocks } from "./fakeLocks.js";

/** Tabs of one browser with a real BroadcastChannel; their nodes only write down what they are asked. */
let browser: Browser;
let names = 0;

beforeEach(() => {
	vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
	names += 1;
	browser = new Browser(`session-test-${names}`);
});

afterEach(() => {
	browser.close();
	vi.useRealTimers();
});

class Browser {
	readonly locks = new FakeLocks();
	readonly tabs: Tab[] = [];
	readonly channelName: string;
	nowMs = 1_000;

	constructor(channelName: string) {
		this.channelName = channelName;
	}

	async open(): Promise<Tab> {
		const tab = new Tab(this);
		this.tabs.push(tab);
		await settled();
		return tab;
	}

	/** Workers that run, in all tabs. */
	get workers(): number {
		return this.tabs.filter(({ worker }) => worker?.runs).length;
	}

	async pass(ms: number): Promise<void> {
		for (let passed = 0; passed < ms; passed += ASK_MS) {
			this.nowMs += ASK_MS;
			vi.advanceTimersByTime(ASK_MS);
			await settled();
		}
	}

	close(): void {
		for (const tab of this.tabs) tab.kill();
	}
}

class Tab {
	readonly session: Session;
	readonly locks: FakeTabLocks;
	/** Workers that were started here, the last one last. */
	readonly started: Worker[] = [];
	readonly #channel: FreezingChannel;

	constructor(browser: Browser) {
		this.locks = browser.locks.tab();
		this.#channel = new FreezingChannel(openTabChannel(browser.channelName));
		this.session = startSession({
			locks: this.locks,
			openChannel: () => this.#channel,
			startNode: () => {
				const worker = new Worker();
				this.started.push(worker);
				return { port: worker, wake: (sleptMs) => worker.wakes.push(sleptMs), move: () => worker.wakes.push("moved") };
			},
			tab: `tab ${browser.tabs.length}`,
			nowMs: () => browser.nowMs,
		});
	}

	get worker(): Worker | undefined {
		return this.started.at(-1);
	}

	get client(): NodeClient {
		const { state } = this.session;
		if (state.type !== "running") throw new Error(`the tab is ${state.type}`);
		return state.client;
	}

	/** What the session says of itself, in a word. */
	get is(): string {
		const { state } = this.session;
		if (state.type !== "running") return state.type;
		if (!state.elsewhere) return "node";
		return state.asleep ? "screen of a sleeper" : "screen";
	}

	freeze(): void {
		this.#channel.freeze();
		this.locks.freeze();
		this.worker?.freeze();
	}

	/** What waited comes in the worst order: messages, and what the worker says to them, before the loss of the lock. */
	async thaw(lastMoment = () => {}): Promise<void> {
		this.worker?.thaw();
		this.#channel.thaw();
		lastMoment();
		await settled();
		this.locks.thaw();
		await settled();
	}

	async close(): Promise<void> {
		this.session.hide(false);
		this.kill();
		await settled();
	}

	/** As when the browser ends a tab that used too much memory. */
	kill(): void {
		this.worker?.terminate();
		this.#channel.close();
		this.locks.close();
	}
}

class Worker {
	runs = true;
	readonly inputs: NodeInput[] = [];
	readonly wakes: (number | "moved")[] = [];
	readonly #listeners: ((output: NodeOutput) => void)[] = [];
	#frozen = false;

	post(input: NodeInput): void {
		if (this.runs) this.inputs.push(input);
	}

	listen(listener: (output: NodeOutput) => void): void {
		this.#listeners.push(listener);
	}

	send(output: NodeOutput): void {
		if (!this.runs || this.#frozen) return;
		for (const listener of this.#listeners) listener(output);
	}

	/** Answers a command that it was given. */
	done(at: number, id: string): void {
		const command = this.commands[at];
		if (command === undefined) throw new Error(`no command ${at}`);
		this.send({ type: "reply", id: command.id, result: { ok: true, value: { type: "signed", id } } });
	}

	get commands() {
		return this.inputs.filter((input) => input.type === "command");
	}

	freeze(): void {
		this.#frozen = true;
	}

	thaw(): void {
		this.#frozen = false;
	}

	terminate(): void {
		this.runs = false;
	}
}

class FreezingChannel implements TabChannel {
	readonly #inner: TabChannel;
	#late: (() => void)[] | undefined;
	#closed = false;

	constructor(inner: TabChannel) {
		this.#inner = inner;
	}

	post(message: TabMessage): void {
		if (!this.#closed && this.#late === undefined) this.#inner.post(message);
	}

	listen(listener: (message: TabMessage) => void): void {
		this.#inner.listen((message) => {
			if (this.#late === undefined) listener(message);
			else this.#late.push(() => listener(message));
		});
	}

	freeze(): void {
		this.#late = [];
	}

	thaw(): void {
		const late = this.#late ?? [];
		this.#late = undefined;
		for (const hear of late) hear();
	}

	close(): void {
		this.#closed = true;
		this.#inner.close();
	}
}

/** All messages between the tabs have arrived. */
async function settled(): Promise<void> {
	for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const joining = (neighbourhood: string): View => ({
	stage: "joining",
	as: "newHousehold",
	neighbourhood,
	state: "searching",
	haveIndex: 0,
	targetIndex: 0,
	signaling: { connected: 0, configured: 1 },
});
const BUY: Command = { type: "buy", amountMicroNok: 5 };
const MOVED = { ok: false, error: { code: "node-moved" } };
const signed = (id: string) => ({ ok: true, value: { type: "signed", id } });

describe("a second tab of a browser", () => {
	test("is a screen of the first one's node: it shows at once what that one shows, and what follows", async () => {
		const first = await browser.open();
		first.worker?.send({ type: "view", view: joining("Solbakken") });
		first.worker?.send({ type: "fault", fault: { code: "storage-write-failed" } });
		const second = await browser.open();
		expect([first.is, second.is, browser.workers]).toEqual(["node", "screen", 1]);
		expect(second.client.view).toEqual(joining("Solbakken"));
		expect(second.client.faults).toEqual([{ code: "storage-write-failed" }]);
		first.worker?.send({ type: "view", view: { stage: "welcome" } });
		await settled();
		expect(second.client.view).toEqual({ stage: "welcome" });
	});

	test("gives commands with ids of their own, and hears the replies to its own alone", async () => {
		const [first, second, third] = [await browser.open(), await browser.open(), await browser.open()];
		const replies = [first, second, third].map(({ client }) => client.command(BUY));
		await settled();
		const { commands = [] } = first.worker ?? {};
		expect(commands.map(({ command }) => command)).toEqual([BUY, BUY, BUY]);
		expect(new Set(commands.map(({ id }) => id)).size).toBe(3);
		for (const [at, id] of ["a", "b", "c"].entries()) first.worker?.done(at, id);
		expect(await Promise.all(replies)).toEqual(["a", "b", "c"].map(signed));
	});

	test("gets a graph's figures as they are", async () => {
		const [first, second] = [await browser.open(), await browser.open()];
		const asked = second.client.command({ type: "series", member: 0, fromMinute: 7, untilMinute: 9 });
		await settled();
		const values = () => Int32Array.of(-1, 12);
		const series = {
			member: 0,
			fromMinute: 7,
			importWh: values(),
			exportWh: values(),
			boughtWh: values(),
			soldWh: values(),
		};
		const id = first.worker?.commands[0]?.id ?? 0;
		first.worker?.send({ type: "reply", id, result: { ok: true, value: { type: "series", series } } });
		expect(await asked).toEqual({ ok: true, value: { type: "series", series } });
	});

	test("costs the first one no copies of its views while there is none", async () => {
		const heard: TabMessage[] = [];
		const channel = openTabChannel(browser.channelName);
		channel.listen((message) => heard.push(message));
		const first = await browser.open();
		first.worker?.send({ type: "view", view: { stage: "welcome" } });
		await settled();
		channel.close();
		expect(heard).toEqual([{ type: "alive", life: browser.nowMs }]);
	});
});

describe("when the tab with the node goes away", () => {
	test("one waiting tab starts the node, the other shows it, and what waited is answered once, not done twice", async () => {
		const [first, second, third] = [await browser.open(), await browser.open(), await browser.open()];
		first.worker?.send({ type: "view", view: joining("Solbakken") });
		const waiting = [second.client.command(BUY), third.client.command(BUY)];
		await settled();
		browser.nowMs += 1;
		await first.close();
		expect(await Promise.all(waiting)).toEqual([MOVED, MOVED]);
		expect([second.is, third.is, browser.workers]).toEqual(["node", "screen", 1]);
		expect(second.worker?.commands).toEqual([]);
		expect(second.client.view).toEqual(joining("Solbakken"));
		second.worker?.send({ type: "view", view: { stage: "welcome" } });
		await settled();
		expect(third.client.view).toEqual({ stage: "welcome" });
		const next = third.client.command(BUY);
		await settled();
		second.worker?.done(0, "d");
		expect(await next).toEqual(signed("d"));
	});

	test("without a word, the same", async () => {
		const [first, second, third] = [await browser.open(), await browser.open(), await browser.open()];
		const waiting = [second.client.command(BUY), third.client.command(BUY)];
		await settled();
		first.kill();
		await settled();
		expect(await Promise.all(waiting)).toEqual([MOVED, MOVED]);
		expect([second.is, third.is, browser.workers]).toEqual(["node", "screen", 1]);
		expect(second.worker?.commands).toEqual([]);
	});

	test("a command that was meant for the one before is not carried out by the next", async () => {
		const [first, second] = [await browser.open(), await browser.open()];
		const late = openTabChannel(browser.channelName);
		const life = browser.nowMs;
		await first.close();
		late.post({ type: "command", life, tab: "gone", id: 1, command: BUY });
		late.post({ type: "command", life: life + 1, tab: "there", id: 1, command: { type: "invite" } });
		await settled();
		late.close();
		expect(second.worker?.commands.map(({ command }) => command)).toEqual([{ type: "invite" }]);
	});

	test("between two nodes what waited is answered, and what is asked is refused at once: nobody would carry it out", async () => {
		const [first, second, third] = [await browser.open(), await browser.open(), await browser.open()];
		second.freeze();
		const waiting = third.client.command(BUY);
		await settled();
		await first.close();
		expect(await waiting).toEqual(MOVED);
		expect(third.is).toBe("screen");
		expect(await third.client.command(BUY)).toEqual({ ok: false, error: { code: "node-away" } });
	});

	test("into the browser's cache, its worker stops and it gives the lock back", async () => {
		const [first, second] = [await browser.open(), await browser.open()];
		first.session.hide(true);
		expect(first.worker?.runs).toBe(false);
		expect(first.worker?.inputs).toEqual([{ type: "closing" }]);
		await settled();
		expect([second.is, browser.workers]).toEqual(["node", 1]);
	});

	test("its node is told before: when it freezes, and when it closes", async () => {
		const first = await browser.open();
		first.session.freeze();
		expect(first.worker?.inputs).toEqual([{ type: "closing" }]);
		first.session.hide(false);
		expect(first.worker?.inputs).toHaveLength(2);
		expect(first.worker?.runs).toBe(true);
		first.session.wake(20_000);
		first.session.move();
		expect(first.worker?.wakes).toEqual([20_000, "moved"]);
	});
});

describe("when the worker fails", () => {
	const failure: NodeOutput = { type: "fault", fault: { code: "worker-failed", message: "an assertion" } };

	test("another tab goes on; this one is its screen, and is in line again", async () => {
		const [first, second] = [await browser.open(), await browser.open()];
		const waiting = first.client.command(BUY);
		first.worker?.send(failure);
		expect(await waiting).toEqual({ ok: false, error: { code: "worker-failed" } });
		await settled();
		expect([first.is, second.is, browser.workers]).toEqual(["screen", "node", 1]);
		expect([first.client.faults, second.client.faults]).toEqual([[], []]);
		await second.close();
		expect([first.is, browser.workers]).toEqual(["node", 1]);
	});

	test("and there is no other tab, it says so and does not start a failing node again and again", async () => {
		const first = await browser.open();
		first.worker?.send(failure);
		await browser.pass(5 * ASLEEP_MS);
		expect([first.started.length, browser.workers]).toEqual([1, 0]);
		expect(first.client.faults).toEqual([failure.type === "fault" && failure.fault]);
		expect(first.is).toBe("screen");
		first.session.takeOver();
		await settled();
		expect([first.is, browser.workers, first.client.faults]).toEqual(["node", 1, []]);
	});
});

describe("when the tab with the node is asleep", () => {
	test("the others say so after six seconds, and no more when it answers again", async () => {
		const [first, second] = [await browser.open(), await browser.open()];
		await browser.pass(10 * ASLEEP_MS);
		expect(second.is).toBe("screen");
		first.freeze();
		await browser.pass(ASLEEP_MS - ASK_MS);
		expect(second.is).toBe("screen");
		await browser.pass(2 * ASK_MS);
		expect(second.is).toBe("screen of a sleeper");
		await first.thaw();
		expect([first.is, second.is]).toEqual(["node", "screen"]);
	});

	test("the others say so although its page still hears them, and no more when it was woken", async () => {
		const [first, second] = [await browser.open(), await browser.open()];
		first.session.freeze();
		await browser.pass(2 * ASLEEP_MS);
		expect(second.is).toBe("screen of a sleeper");
		const asked = second.client.command(BUY);
		first.session.wake(2 * ASLEEP_MS);
		await settled();
		expect(second.is).toBe("screen");
		first.worker?.done(0, "f");
		expect(await asked).toEqual(signed("f"));
	});

	test("a person may take over; the robbed tab stops its worker when it thaws, and is a screen in line", async () => {
		const [first, second, third] = [await browser.open(), await browser.open(), await browser.open()];
		first.worker?.send({ type: "view", view: joining("Solbakken") });
		await settled();
		first.freeze();
		const waiting = third.client.command(BUY);
		await browser.pass(2 * ASLEEP_MS);
		second.session.takeOver();
		await settled();
		expect(await waiting).toEqual(MOVED);
		expect([second.is, third.is]).toEqual(["node", "screen"]);
		second.worker?.send({ type: "view", view: { stage: "welcome" } });
		await settled();

		const asked = third.client.command(BUY);
		await settled();
		await first.thaw(() => first.worker?.send({ type: "view", view: joining("a view of yesterday") }));
		expect(first.worker?.runs).toBe(false);
		expect([first.is, second.is, third.is, browser.workers]).toEqual(["screen", "node", "screen", 1]);
		second.worker?.done(0, "g");
		expect(await asked).toEqual(signed("g"));
		// What it said in its last moment reached nobody, and it shows the other's now.
		expect([first, second, third].map(({ client }) => client.view?.stage)).toEqual(["welcome", "welcome", "welcome"]);
		await second.close();
		await third.close();
		expect([first.is, browser.workers]).toEqual(["node", 1]);
	});

	test("and not even asleep, it stops its worker in the same moment in which it hears of it", async () => {
		const [first, second] = [await browser.open(), await browser.open()];
		const waiting = first.client.command(BUY);
		second.session.takeOver();
		await settled();
		expect(await waiting).toEqual(MOVED);
		expect([first.is, second.is, browser.workers]).toEqual(["screen", "node", 1]);
		const asked = first.client.command(BUY);
		await settled();
		second.worker?.done(0, "e");
		expect(await asked).toEqual(signed("e"));
	});

	test("and the one that took over fails, it does not start again because it once stood in line", async () => {
		const [first, second] = [await browser.open(), await browser.open()];
		second.session.takeOver();
		await settled();
		await first.close();
		second.worker?.send({ type: "fault", fault: { code: "worker-failed" } });
		await browser.pass(2 * ASLEEP_MS);
		expect([second.started.length, browser.workers]).toEqual([1, 0]);
	});

	test("and the robbed one gets the node back and fails then, it does not start again: it stood in line but once", async () => {
		const [first, second] = [await browser.open(), await browser.open()];
		second.session.takeOver();
		await settled();
		await second.close();
		expect([first.is, browser.workers]).toEqual(["node", 1]);
		first.worker?.send({ type: "fault", fault: { code: "worker-failed" } });
		await browser.pass(2 * ASLEEP_MS);
		expect([first.started.length, browser.workers]).toEqual([2, 0]);
	});

	test("and two take over at once, one of them runs the node", async () => {
		const [first, second, third] = [await browser.open(), await browser.open(), await browser.open()];
		first.freeze();
		await browser.pass(2 * ASLEEP_MS);
		second.session.takeOver();
		third.session.takeOver();
		await settled();
		await first.thaw();
		expect([first.is, second.is, third.is, browser.workers]).toEqual(["screen", "screen", "node", 1]);
		await third.close();
		expect(browser.workers).toBe(1);
	});
});

describe("what tabs hear", () => {
	test.each([
		["nothing", undefined],
		["a word", "alive"],
		["an unknown kind", { type: "dance", life: 1 }],
		["a life that is no number", { type: "alive", life: "1" }],
		["an output that only the page with the mesh needs", { type: "output", life: 1, output: { type: "peerFrame" } }],
		["a command without a kind", { type: "command", life: 1, tab: "a", id: 1, command: {} }],
	])("is not taken for a message when it is %s", (_name, data) => {
		expect(readMessage(data)).toBeUndefined();
	});
});

test("without locks the address is not secure, and no node is started", () => {
	const session = startSession({
		locks: undefined,
		openChannel: () => {
			throw new Error("must not open");
		},
		startNode: () => {
			throw new Error("must not start");
		},
		tab: "a",
		nowMs: () => 0,
	});
	expect(session.state.type).toBe("insecure");
});
