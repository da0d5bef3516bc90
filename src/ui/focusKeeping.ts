/**
 * Where the focus goes when what had it is gone: a screen or a step of a dialog that gave way to the next one, a row that
 * was done with. The browser leaves it nowhere then, and whoever uses a keyboard or a screen reader stands at the top of the
 * page again. Here it goes to what surrounded it.
 */
export function keepFocus(page: Document): void {
	/** What had the focus last, and what surrounds it, from the inside out. */
	let trail: readonly Element[] = [];
	/** The same of what had it last outside all dialogs: where one was opened from. */
	let behind: readonly Element[] = [];

	page.addEventListener("focusin", ({ target }) => {
		if (!(target instanceof Element)) return;
		trail = withSurroundings(target);
		if (target.closest("dialog") === null) behind = trail;
	});
	page.addEventListener("focusout", ({ target }) => {
		// Who leaves what is still there wants to be nowhere. What is being taken away is gone by then.
		queueMicrotask(() => {
			if (page.activeElement === page.body && page.hasFocus() && target === trail[0] && trail[0]?.isConnected)
				trail = [];
		});
	});

	function find(): void {
		const [last] = trail;
		if (last === undefined || last.isConnected || page.activeElement !== page.body) return;
		const dialog = trail.find((each) => each instanceof HTMLDialogElement);
		const isBehind = dialog instanceof HTMLDialogElement && !(dialog.isConnected && dialog.open);
		const nearest = (isBehind ? behind : trail).find(
			(each) => each.isConnected && each.closest("main, dialog, nav, header"),
		);
		const place = nearest ?? page.getElementById("content");
		// The next screen is still on its way.
		if (place instanceof HTMLElement) focusOn(place);
	}

	new MutationObserver(find).observe(page.body, { childList: true, subtree: true });
}

function withSurroundings(element: Element): Element[] {
	const trail: Element[] = [];
	for (let each: Element | null = element; each !== null; each = each.parentElement) trail.push(each);
	return trail;
}

/** What the focus does not come to by Tab has it as long as it stays there. */
function focusOn(place: HTMLElement): void {
	place.focus({ preventScroll: true });
	if (place.ownerDocument.activeElement === place) return;
	place.tabIndex = -1;
	place.addEventListener("blur", () => place.removeAttribute("tabindex"), { once: true });
	place.focus({ preventScroll: true });
}
