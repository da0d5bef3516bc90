/** A person at a real browser who has a keyboard and nothing else. Wherever the focus comes, it is looked at. */
import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** More than any screen has: whoever has not come there by then never will. */
const PRESSES_MAX = 200;
/** A date has a few stops of its own. */
const SAME_MAX = 8;
/** What a stop looks like where nothing is wrong with it. */
const AS_IT_SHOULD_BE = { isSeen: true, hasRing: true, isUncovered: true };

export interface Keyboard {
	readonly page: Page;
	/** Goes on by Tab, or back by Shift+Tab, until this has the focus. */
	reach(target: Locator, key?: "Tab" | "Shift+Tab"): Promise<void>;
	press(key: string): Promise<void>;
	/** Goes there and writes. */
	write(target: Locator, text: string): Promise<void>;
	/** Goes there and presses Enter. */
	enter(target: Locator, key?: "Tab" | "Shift+Tab"): Promise<void>;
	/** The focus stands on something that is there, or in the middle of what has come in its place. */
	expectFocusKept(): Promise<void>;
}

export function keyboardOf(page: Page): Keyboard {
	const hasFocus = (target: Locator) => target.evaluate((node) => node === document.activeElement);

	async function reach(target: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
		await target.waitFor();
		const passed: string[] = [];
		for (let press = 0; press < PRESSES_MAX; press++) {
			const stop = await page.evaluate(lookAtFocus);
			if (stop !== undefined) {
				const { name, ...look } = stop;
				expect(look, `${name}, after ${passed.slice(-3).join(" → ")}`).toEqual(AS_IT_SHOULD_BE);
				if (await hasFocus(target)) return;
				passed.push(name);
				const isTrapped = passed.length > SAME_MAX && passed.slice(-SAME_MAX).every((each) => each === name);
				expect(isTrapped, `the focus does not leave ${name}`).toBe(false);
			}
			await page.keyboard.press(key);
		}
		throw new Error(`${target} is not reached by ${key}: ${passed.join(" → ")}`);
	}

	return {
		page,
		reach,
		press: (key) => page.keyboard.press(key),
		async write(target, text) {
			await reach(target);
			await page.keyboard.press("Control+a");
			await page.keyboard.type(text);
		},
		async enter(target, key) {
			await reach(target, key);
			await page.keyboard.press("Enter");
		},
		async expectFocusKept() {
			await expect
				.poll(() => page.evaluate(() => document.activeElement?.tagName), { timeout: 5_000 })
				.not.toBe("BODY");
		},
	};
}

/**
 * Runs in the page: is what has the focus in sight, has it a ring around it (WCAG 2.4.7), and does nothing lie over it
 * (2.4.11)? Nothing where no part of the page has it, or one that Tab does not come to: what surrounds the next stop.
 */
function lookAtFocus(): { name: string; isSeen: boolean; hasRing: boolean; isUncovered: boolean } | undefined {
	const focused = document.activeElement;
	if (!(focused instanceof HTMLElement || focused instanceof SVGElement) || focused.tabIndex < 0) return undefined;
	// A radio button may be drawn by what stands beside it.
	const isDrawn = getComputedStyle(focused).opacity !== "0";
	const drawn = isDrawn ? focused : (focused.nextElementSibling ?? focused);
	const box = drawn.getClientRects()[0] ?? drawn.getBoundingClientRect();
	const left = Math.max(0, box.left);
	const right = Math.min(innerWidth, box.right);
	const top = Math.max(0, box.top);
	const bottom = Math.min(innerHeight, box.bottom);
	const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(drawn);
	const belongs = (hit: Element | null) =>
		hit !== null && (focused.contains(hit) || drawn.contains(hit) || (!isDrawn && hit === focused));
	const [middleX, middleY, inset] = [(left + right) / 2, (top + bottom) / 2, 4];
	const hits = [
		[middleX, middleY],
		[left + inset, middleY],
		[right - inset, middleY],
		[middleX, top + inset],
		[middleX, bottom - inset],
	].map(([x = 0, y = 0]) => belongs(document.elementFromPoint(x, y)));
	// What is higher than the room between the bars cannot be free of both.
	const isHigh = box.height > innerHeight / 2;
	const label = focused instanceof HTMLInputElement ? focused.labels?.[0]?.textContent : focused.textContent;
	return {
		name: `${focused.localName} “${(focused.getAttribute("aria-label") ?? label ?? "").trim().slice(0, 40)}”`,
		isSeen: right - left >= 1 && bottom - top >= 1,
		hasRing: (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2) || boxShadow !== "none",
		isUncovered: isHigh ? hits.includes(true) : hits.every(Boolean),
	};
}
