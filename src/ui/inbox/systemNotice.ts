/**
 * Notices of the operating system, as long as the page is open: nothing reaches a closed one. Some browsers on phones have
 * the interface and allow no page to use it.
 */
import { keepText, readText } from "../keptText.js";

const STORAGE_KEY = "nabostrom/systemNotices";

export type SystemNotices = "on" | "off" | "denied" | "impossible";

export function systemNotices(): SystemNotices {
	if (!("Notification" in globalThis)) return "impossible";
	if (Notification.permission === "denied") return "denied";
	return Notification.permission === "granted" && readText(STORAGE_KEY) === "on" ? "on" : "off";
}

/** Asks the browser for leave, where it was not given yet. Must follow from a person's press of a button. */
export async function turnOnSystemNotices(): Promise<SystemNotices> {
	if (!("Notification" in globalThis)) return "impossible";
	const permission = await Notification.requestPermission();
	if (permission === "granted") keepText(STORAGE_KEY, "on");
	return systemNotices();
}

export function turnOffSystemNotices(): SystemNotices {
	keepText(STORAGE_KEY, undefined);
	return systemNotices();
}

/** Says it aloud where that is on. `name`: the same one takes its own place. False: this browser does not let a page do it. */
export function notify(name: string, title: string, body: string): boolean {
	if (systemNotices() !== "on") return true;
	try {
		const notice = new Notification(title, { body, tag: name });
		notice.onclick = () => {
			globalThis.focus();
			location.hash = "#/inbox";
			notice.close();
		};
		return true;
	} catch {
		turnOffSystemNotices();
		return false;
	}
}

/** The number at the app's icon; 0: none. */
export function setBadge(count: number): void {
	const { setAppBadge, clearAppBadge } = navigator as Partial<Pick<Navigator, "setAppBadge" | "clearAppBadge">>;
	// A browser without installed apps has no icon, and refuses.
	const set = count > 0 ? setAppBadge?.call(navigator, count) : clearAppBadge?.call(navigator);
	void set?.catch(() => {});
}
