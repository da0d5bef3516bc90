/** A set of minutes as disjoint ranges [from, until), ascending: a household that never missed a minute has one. */
export type MinuteRanges = readonly (readonly [fromMinute: number, untilMinute: number])[];

/** Whether a minute is in the set. */
export function hasMinute(ranges: MinuteRanges, minute: number): boolean {
	// Nearly always asked about the end.
	for (let i = ranges.length - 1; i >= 0; i--) {
		const range = ranges[i];
		if (range !== undefined && minute >= range[0]) return minute < range[1];
	}
	return false;
}

/** The set with one more minute, which is not in it yet. */
export function addMinute(ranges: MinuteRanges, minute: number): MinuteRanges {
	let at = ranges.length;
	while (at > 0 && (ranges[at - 1]?.[0] ?? 0) > minute) at -= 1;
	const before = ranges[at - 1];
	const after = ranges[at];
	const joinsBefore = before !== undefined && before[1] === minute;
	const joinsAfter = after !== undefined && after[0] === minute + 1;
	return [
		...ranges.slice(0, joinsBefore ? at - 1 : at),
		[joinsBefore ? before[0] : minute, joinsAfter ? after[1] : minute + 1],
		...ranges.slice(joinsAfter ? at + 1 : at),
	];
}

/** The set without the ranges that end at or before a minute. */
export function dropBefore(ranges: MinuteRanges, minute: number): MinuteRanges {
	const first = ranges[0];
	return first === undefined || first[1] > minute ? ranges : ranges.filter((range) => range[1] > minute);
}
