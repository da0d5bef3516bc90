/**
 * Keeps a kiosk alive that nobody looks after: watches the page's node, loads the page anew when it has stopped or says
 * nothing, and once a night; notes each restart.
 */
import type { NodeClient } from "../nodeClient.svelte.js";
import {
	afterLook,
	canBeSpared,
	healthAtStart,
	isNightlyDue,
	isRestartDue,
	isUpdateDue,
	type Trouble,
	troubleOf,
} from "./restarting.js";
import { type KioskRecord, keepRecord, type Restart, readRecord, whenEnding, whenShown } from "./restartLog.js";

const LOOK_MS = 5_000;
/** Whether more readings wait than before is seen after so long. */
const WAITED_LOOKS = 60;
const SERVER_MS = 10_000;

export interface KeeperParts {
	readonly client: NodeClient;
	/** Another tab runs the node, and whether that one is asleep. */
	isElsewhere(): boolean;
	isAsleep(): boolean;
	/** Runs the node here: nobody is there who would decide it. */
	takeOver(): void;
	/** Loads the page anew. */
	reload(): void;
	/** Whether the page could be loaded: one that cannot is not given up. */
	canLoad(): Promise<boolean>;
	/** Newer versions of the app: here they take over by themselves. */
	update(): { readonly isReady: boolean; applyWhenIdle(): void };
	/** Ms of a clock that never jumps, and since the epoch. */
	monotonicMs(): number;
	nowMs(): number;
}

export interface KeeperState {
	/** The last one. */
	readonly restart?: Restart;
	readonly trouble?: Trouble;
}

let state = $state.raw<KeeperState>({});

/** What the keeper of this page's kiosk has to say; nothing where there is none. Reactive. */
export function keeperState(): KeeperState {
	return state;
}

/** Whether a service worker, or the server, would give the page. */
export async function canLoadPage(): Promise<boolean> {
	if (navigator.serviceWorker?.controller) return true;
	const options: RequestInit = { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(SERVER_MS) };
	return fetch(location.pathname, options).then(
		({ ok }) => ok,
		() => false,
	);
}

/** Begins when the kiosk is shown; the answer ends it, when a person leaves the kiosk. */
export function startKeeper(parts: KeeperParts): () => void {
	const { client } = parts;
	let record = whenShown(readRecord(), parts.nowMs());
	let health = healthAtStart(record.attempts);
	let lookedMs = parts.monotonicMs();
	let viewAtMs = client.viewAtMs;
	let isAnswered = false;
	let isEnding = false;
	/** For how long a newer version has been ready, ms; undefined: it takes over. */
	let readyMs: number | undefined = 0;
	/** How many minutes waited, look by look, the oldest first. */
	let waited: number[] = [];

	function keep(next: KioskRecord): void {
		record = next;
		keepRecord(record);
	}

	function ask(): void {
		void client.command({ type: "ping" }).then(({ ok }) => {
			if (ok) isAnswered = true;
		});
	}

	function isHeard(): boolean {
		const heard = (isAnswered || client.viewAtMs !== viewAtMs) && !parts.isAsleep();
		isAnswered = false;
		viewAtMs = client.viewAtMs;
		return heard;
	}

	async function restart(reason: NonNullable<KioskRecord["planned"]>): Promise<void> {
		if (isEnding) return;
		isEnding = true;
		if (await parts.canLoad()) {
			keep(whenEnding(record, reason));
			parts.reload();
		} else isEnding = false;
	}

	/** Every few seconds; in a page that is hidden once a minute. */
	function look(): void {
		// The page is about to go.
		if (isEnding) return;
		const gapMs = parts.monotonicMs() - lookedMs;
		lookedMs += gapMs;
		health = afterLook(health, { gapMs, isHeard: isHeard() });
		if (health.attempts !== record.attempts) keep({ ...record, attempts: health.attempts });
		const hasFailed = client.faults.some(({ code }) => code === "worker-failed");
		const trouble = troubleOf(health, hasFailed);
		if (trouble !== state.trouble) {
			const { trouble: _, ...rest } = state;
			state = trouble === undefined ? rest : { ...rest, trouble };
		}
		if (trouble === undefined) lookWhenWell(gapMs);
		else if (isRestartDue(health)) {
			// A node that failed here leaves its tab a screen of none.
			if (parts.isElsewhere() && !hasFailed) {
				health = { ...health, silentMs: 0, isHeard: false };
				parts.takeOver();
			} else void restart(trouble);
		}
		ask();
	}

	function lookWhenWell(gapMs: number): void {
		const { view } = client;
		if (view?.stage !== "street") return;
		const waitedMinutes = waited[0] ?? view.chain.waitingMinutes;
		waited = [...waited, view.chain.waitingMinutes].slice(-WAITED_LOOKS);
		const isSpared = canBeSpared(view, waitedMinutes);
		if (isSpared && isNightlyDue(parts.nowMs(), view.self.deviceId, health.runningMs)) void restart("nightly");
		if (!parts.update().isReady || readyMs === undefined) return;
		readyMs += gapMs;
		if (!isUpdateDue(isSpared, readyMs)) return;
		// The service worker loads the page anew, for all tabs.
		readyMs = undefined;
		keep(whenEnding(record, "update"));
		parts.update().applyWhenIdle();
	}

	keep(record);
	const [latest] = record.restarts;
	state = latest === undefined ? {} : { restart: latest };
	ask();
	const timer = setInterval(look, LOOK_MS);
	return () => {
		clearInterval(timer);
		keep({ ...record, isShown: false });
		state = {};
	};
}
