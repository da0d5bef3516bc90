/**
 * Households that read one and the same meter, so that its electricity is settled twice. Nothing on the chain says which
 * meter a household has, and nothing should. But two that tell nearly the same each minute, up and down, for the best part
 * of an hour, have one between them.
 */

type Reading = { readonly importWh: number; readonly exportWh: number };

/** What is looked at, and how much of it both must have told. */
const WINDOW_MINUTES = 60;
const COMMON_MINUTES = 45;
/** Two devices that listen to one meter end their minutes some telegrams apart: what one has too much it has too little next. */
const MINUTE_APART_WH = 1;
const ALL_APART_WH = 3;
/** Who uses next to nothing, or always the same, is like many others. */
const UP_AND_DOWN_WH = 100;

/**
 * Pairs of members of which each looks like the other's meter in the hour before a minute. `reading`: of a member and
 * minute; undefined: there is none.
 */
export function sameMeters(
	members: readonly number[],
	untilMinute: number,
	reading: (member: number, minute: number) => Reading | undefined,
): [number, number][] {
	const told = members.map((member) => {
		const minutes = Array.from({ length: WINDOW_MINUTES }, (_, ago) =>
			reading(member, untilMinute - WINDOW_MINUTES + ago),
		);
		return { member, minutes };
	});
	return told.flatMap((one, at) =>
		told.slice(at + 1).flatMap((other): [number, number][] => {
			return isSame(one.minutes, other.minutes) ? [[one.member, other.member]] : [];
		}),
	);
}

function isSame(one: readonly (Reading | undefined)[], other: readonly (Reading | undefined)[]): boolean {
	let [common, importApart, exportApart, upAndDown] = [0, 0, 0, 0];
	let before: Reading | undefined;
	for (const [at, a] of one.entries()) {
		const b = other[at];
		if (a === undefined || b === undefined) continue;
		const [imported, exported] = [a.importWh - b.importWh, a.exportWh - b.exportWh];
		if (Math.abs(imported) > MINUTE_APART_WH || Math.abs(exported) > MINUTE_APART_WH) return false;
		common += 1;
		importApart += imported;
		exportApart += exported;
		if (before !== undefined) {
			upAndDown += Math.abs(a.importWh - before.importWh) + Math.abs(a.exportWh - before.exportWh);
		}
		before = a;
	}
	const isTogether = Math.abs(importApart) <= ALL_APART_WH && Math.abs(exportApart) <= ALL_APART_WH;
	return isTogether && common >= COMMON_MINUTES && upAndDown >= UP_AND_DOWN_WH;
}
