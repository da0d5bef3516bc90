/**
 * New versions of the app. The service worker of one waits until a person, or a screen that nobody sits at, lets it take
 * over; then every tab loads anew, when none of them is busy.
 */
import { createTrustedUrl } from "../../worker/trustedUrl.js";
import { ifNobodyIsBusy } from "./busy.svelte.js";

export interface Update {
	/** A newer version is ready. Reactive. */
	readonly isReady: boolean;
	/** It was asked for, and waits until no tab is busy. Reactive. */
	readonly isAwaited: boolean;
	/** It was put off: not to be asked again before the page is loaded anew. Reactive. */
	readonly isPutOff: boolean;
	putOff(): void;
	/** Loads the newer version in all tabs as soon as none of them is busy; one that comes later, too. */
	applyWhenIdle(): void;
}

export interface UpdateParts {
	locks: LockManager;
	/** Registers the service worker; undefined: it is not to be had here. */
	register: () => Promise<ServiceWorkerRegistration | undefined>;
	container: Pick<ServiceWorkerContainer, "controller" | "addEventListener">;
	reload: () => void;
}

/** How often a page that stays open asks whether there is a newer version. */
const LOOK_MS = 3_600_000;
/** How often it is tried again while a tab is busy. */
const RETRY_MS = 500;
/** A service worker that was told to take over and does not must not keep the tabs from what they do. */
const TAKING_OVER_MS = 10_000;

export class PageUpdate implements Update {
	readonly #parts: UpdateParts;
	#registration: ServiceWorkerRegistration | undefined;
	#waiting = $state.raw<ServiceWorker>();
	#isAwaited = $state.raw(false);
	#isPutOff = $state.raw(false);
	#retry: ReturnType<typeof setTimeout> | undefined;
	#isReloading = false;

	constructor(parts: UpdateParts) {
		this.#parts = parts;
	}

	get isReady(): boolean {
		return this.#waiting !== undefined;
	}

	get isAwaited(): boolean {
		return this.#isAwaited;
	}

	get isPutOff(): boolean {
		return this.#isPutOff;
	}

	/** Never rejects: without a service worker the app is what the server sends, as before. */
	async start(): Promise<void> {
		const { container, register, reload } = this.#parts;
		let isControlled = container.controller !== null;
		container.addEventListener("controllerchange", () => {
			// The first one comes to a page that is as new as itself.
			if (!isControlled) isControlled = true;
			else if (!this.#isReloading) {
				this.#isReloading = true;
				reload();
			}
		});
		const registration = await register().catch(() => undefined);
		if (registration === undefined) return;
		this.#registration = registration;
		const follow = () => {
			this.#look();
			registration.installing?.addEventListener("statechange", () => this.#look());
		};
		follow();
		registration.addEventListener("updatefound", follow);
		setInterval(() => void registration.update().catch(() => {}), LOOK_MS);
	}

	putOff(): void {
		this.#isPutOff = true;
	}

	applyWhenIdle(): void {
		this.#isAwaited = true;
		void this.#try();
	}

	/** One that waits beside none that is active is the first of all: it has nothing to wait for. */
	#look(): void {
		const { waiting = null, active = null } = this.#registration ?? {};
		this.#waiting = waiting !== null && active !== null ? waiting : undefined;
		if (this.#waiting !== undefined && this.#isAwaited) void this.#try();
	}

	async #try(): Promise<void> {
		clearTimeout(this.#retry);
		const waiting = this.#waiting;
		if (waiting === undefined) return;
		const done = await ifNobodyIsBusy(this.#parts.locks, async () => {
			waiting.postMessage("take over");
			// The page ends here.
			await new Promise((resolve) => setTimeout(resolve, TAKING_OVER_MS));
		});
		if (done) this.#look();
		else this.#retry = setTimeout(() => void this.#try(), RETRY_MS);
	}
}

/** Where there are no service workers (plain http), or while developing: the page is always what the server sends. */
const NO_UPDATE: Update = { isReady: false, isAwaited: false, isPutOff: false, putOff() {}, applyWhenIdle() {} };

let current = $state.raw<Update>(NO_UPDATE);
/** Asked for before there was anything to ask. */
let isWantedFromStart = false;

/** This page's. Reactive. */
export function pageUpdate(): Update {
	return current;
}

/** See {@link Update}; for screens that nobody sits at: from now on newer versions are loaded by themselves. */
export function applyWhenIdle(): void {
	isWantedFromStart = true;
	current.applyWhenIdle();
}

/** Called once, when the page has been loaded: what the service worker fetches is not to delay the first screen. */
export function startUpdates(): void {
	const { serviceWorker, locks } = navigator;
	if (!import.meta.env.PROD || serviceWorker === undefined || locks === undefined) return;
	const url = createTrustedUrl("nabostrom-service-worker", "/sw.js");
	const update = new PageUpdate({
		locks,
		register: () => serviceWorker.register(url, { scope: "/", updateViaCache: "none" }),
		container: serviceWorker,
		reload: () => location.reload(),
	});
	current = update;
	if (isWantedFromStart) update.applyWhenIdle();
	void update.start();
}
