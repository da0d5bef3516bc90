/** Installing the app, where the browser offers it to pages (Chromium); elsewhere a person does it from the browser's menu. */

/** https://wicg.github.io/manifest-incubations: TypeScript does not know it. */
interface InstallPromptEvent extends Event {
	prompt(): Promise<{ outcome: "accepted" | "dismissed" }>;
}

let offered = $state.raw<InstallPromptEvent>();
let isInstalled = $state.raw(false);

/** Called once, at the very beginning: the browser offers it only once, and early. */
export function followInstallation(onInstalled: () => void): void {
	isInstalled = matchMedia("(display-mode: standalone)").matches;
	if (isInstalled) onInstalled();
	window.addEventListener("beforeinstallprompt", (event) => {
		// It stands under "More" instead of in the middle of something else.
		event.preventDefault();
		offered = event as InstallPromptEvent;
	});
	window.addEventListener("appinstalled", () => {
		offered = undefined;
		isInstalled = true;
		onInstalled();
	});
}

export type Installation = "installed" | "offered" | "byHand";

/** Reactive. */
export function installation(): Installation {
	if (isInstalled) return "installed";
	return offered === undefined ? "byHand" : "offered";
}

/** Asks the browser, which asks the person. An offer can be used once. */
export async function install(): Promise<void> {
	const event = offered;
	offered = undefined;
	await event?.prompt();
}
