/** How long a device keeps full blocks. */

/** What a household keeps that has not chosen; an operator keeps everything. */
const DEFAULT_RETENTION_DAYS = 62;
/** More than anybody waits for; 0 is for ever. */
export const MAX_RETENTION_DAYS = 36_500;

/** For how many days a device keeps full blocks, by what was chosen and by its household's role; 0: for ever. */
export function retentionDaysOf(chosenDays: number | undefined, isOperator: boolean): number {
	return chosenDays ?? (isOperator ? 0 : DEFAULT_RETENTION_DAYS);
}
