/**
 * One tab of a browser runs the node: the one that holds the Web Lock. The others are screens of it, wait for the lock,
 * and one of them goes on with the node when the first is closed. A person may also take it from a tab that sleeps.
 *
 * The screens' client is one and the same all the time, so that what is shown and half filled in stays; only the port
 * behind it changes.
 */
import { createNodeClient, type NodeClient } from "./nodeClient.svelte.js";
import type { OwnedPort } from "./nodePort.js";
import type { Life, TabChannel } from "./tabs/message.js";
import { openScreen, type ScreenPort } from "./tabs/screen.js";
import { type ScreenServer, serveScreens } from "./tabs/server.js";
import { createSwitchPort } from "./tabs/switchPort.js";

const LOCK_NAME = "nabostrom/node";
/** What a command is answered with when the node that was to carry it out is gone; it may have done so. */
const MOVED = "node-moved";

export type SessionState =
	| { type: "starting" }
	/** Not a secure origin: the browser keeps locks, keys and serial ports from it. */
	| { type: "insecure" }
	/** `elsewhere`: this tab does not run the node; `asleep`: the one that does says nothing. */
	| { type: "running"; client: NodeClient; elsewhere: boolean; asleep: boolean };

export interface Session {
	/** Reactive. */
	readonly state: SessionState;
	/** Runs the node here, also where another tab holds the lock: only a person decides that. */
	takeOver(): void;
	/** The page freezes: it may stand still for a long time, or be thrown away. */
	freeze(): void;
	/** The page goes away. `cached`: it may come back as it was, and has to be loaded anew then. */
	hide(cached: boolean): void;
	/** The page was asleep. */
	wake(sleptMs: number): void;
	/** The computer is in another network. */
	move(): void;
}

/** A node in a worker of this tab with all that hangs on it. */
export interface RunningNode {
	/** `terminate` stops the worker first, at once, and then the rest. */
	readonly port: OwnedPort;
	wake(sleptMs: number): void;
	move(): void;
}

export interface SessionParts {
	locks: LockManager | undefined;
	openChannel: () => TabChannel;
	startNode: () => RunningNode;
	/** This tab's name among the others. */
	tab: string;
	/** Milliseconds since the epoch, the same for all tabs. */
	nowMs: () => number;
}

/** One holding of the lock. */
interface Run {
	readonly life: Life;
	readonly node: RunningNode;
	readonly server: ScreenServer;
	/** Gives the lock back. */
	readonly release: () => void;
}

export function startSession(parts: SessionParts): Session {
	const { locks } = parts;
	if (locks === undefined) return new InsecureSession();
	const session = new TabSession(parts, locks);
	session.start();
	return session;
}

class InsecureSession implements Session {
	readonly state: SessionState = { type: "insecure" };
	takeOver(): void {}
	freeze(): void {}
	hide(): void {}
	wake(): void {}
	move(): void {}
}

class TabSession implements Session {
	readonly #parts: SessionParts;
	readonly #locks: LockManager;
	readonly #channel: TabChannel;
	readonly #port = createSwitchPort();
	readonly #client: NodeClient;
	#run = $state.raw<Run>();
	#screen = $state.raw<ScreenPort>();
	/** Whether the tab that runs the node says nothing, as its screen here has noticed. */
	#asleep = $state.raw(false);
	/** Ends this tab's waiting in the line for the lock. */
	#waiting: AbortController | undefined;

	constructor(parts: SessionParts, locks: LockManager) {
		this.#parts = parts;
		this.#locks = locks;
		this.#channel = parts.openChannel();
		this.#client = createNodeClient(this.#port);
	}

	get state(): SessionState {
		if (this.#run === undefined && this.#screen === undefined) return { type: "starting" };
		const elsewhere = this.#run === undefined;
		// A node that failed here is no sleeping one: the screens say what can be done.
		const failed = this.#client.faults.some(({ code }) => code === "worker-failed");
		return { type: "running", client: this.#client, elsewhere, asleep: this.#asleep && !failed };
	}

	/** Runs the node if nobody does; else this tab is a screen and gets in line. */
	start(): void {
		void this.#request({ ifAvailable: true }).then((granted) => {
			if (granted) return;
			this.#becomeScreen(0);
			this.#wait();
		});
	}

	takeOver(): void {
		if (this.#run !== undefined) return;
		this.#waiting?.abort();
		this.#waiting = undefined;
		void this.#request({ steal: true });
	}

	freeze(): void {
		this.#run?.node.port.post({ type: "closing" });
		this.#run?.server.sleep();
	}

	hide(cached: boolean): void {
		const run = this.#run;
		if (run === undefined) return;
		run.node.port.post({ type: "closing" });
		run.server.stop();
		// A page that is gone is ended by the browser, which leaves the worker its last moment. A cached one keeps all.
		if (cached) this.#endRun(run);
	}

	wake(sleptMs: number): void {
		this.#run?.server.wake();
		this.#run?.node.wake(sleptMs);
	}

	move(): void {
		this.#run?.node.move();
	}

	// ── the lock ─────────────────────────────────────────────────────────────────────────────────────────────────

	/** Settles when the lock was refused (false), given back, or taken away. */
	async #request(options: LockOptions): Promise<boolean> {
		let run: Run | undefined;
		try {
			return await this.#locks.request(LOCK_NAME, options, (lock) => {
				if (lock === null) return false;
				return new Promise<boolean>((resolve) => {
					run = this.#begin(() => resolve(true));
				});
			});
		} catch {
			// Taken by another tab; the worker stops before anything else is done. Or no longer waiting: no run began.
			if (run === undefined) return false;
			this.#onRobbed(run);
			return true;
		}
	}

	#wait(): void {
		const waiting = new AbortController();
		this.#waiting = waiting;
		void this.#request({ signal: waiting.signal });
	}

	// ── this tab runs the node ───────────────────────────────────────────────────────────────────────────────────

	#begin(release: () => void): Run {
		this.#waiting = undefined;
		const life = Math.max(this.#parts.nowMs(), (this.#screen?.life ?? 0) + 1);
		this.#screen?.stop();
		this.#screen = undefined;
		this.#asleep = false;
		this.#client.moved(MOVED);
		const node = this.#parts.startNode();
		const server = serveScreens({ port: node.port, channel: this.#channel, life, client: this.#client });
		const run: Run = { life, node, server, release };
		this.#run = run;
		this.#port.connect(node.port);
		// After the client: its screens show the failure and what can be done.
		node.port.listen((output) => {
			if (output.type === "fault" && output.fault.code === "worker-failed") this.#onFailed(run);
		});
		return run;
	}

	/** Stops the worker first of all: from here on another tab's may run. */
	#endRun(run: Run): void {
		run.node.port.terminate();
		if (this.#run !== run) return;
		run.server.stop();
		this.#run = undefined;
		this.#becomeScreen(run.life);
		run.release();
	}

	#onRobbed(run: Run): void {
		if (this.#run !== run) return;
		this.#endRun(run);
		this.#client.moved(MOVED);
		this.#wait();
	}

	/** A waiting tab goes on. This one gets in line again when it sees that another's node works, not before. */
	#onFailed(run: Run): void {
		if (this.#run === run) this.#endRun(run);
	}

	// ── this tab is a screen ─────────────────────────────────────────────────────────────────────────────────────

	#becomeScreen(life: Life): void {
		const screen = openScreen({
			channel: this.#channel,
			tab: this.#parts.tab,
			nowMs: this.#parts.nowMs,
			life,
			onLife: () => {
				this.#client.moved(MOVED);
				if (this.#waiting === undefined) this.#wait();
			},
			onGone: () => this.#client.moved(MOVED),
			onAsleep: (asleep) => {
				this.#asleep = asleep;
			},
		});
		this.#screen = screen;
		this.#asleep = false;
		this.#port.connect(screen);
	}
}
