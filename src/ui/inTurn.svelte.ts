/**
 * How many of `count` things are to be drawn by now: one, and another in each task that follows. A screen that is drawn so
 * answers in between, and shows its beginning before its end is there. Reactive; while a component is set up only.
 */
export function inTurn(count: number): () => number {
	let drawn = $state(1);
	$effect(() => {
		if (drawn >= count) return;
		const timer = setTimeout(() => {
			drawn += 1;
		});
		return () => clearTimeout(timer);
	});
	return () => drawn;
}
