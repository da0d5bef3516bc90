/** Import and export energy of one household in one minute. */

/** How a reading came about. The order is the number on the wire: append only. */
export const QUALITIES = ["measured", "estimated", "catch-up", "gap", "simulated", "typed"] as const;

export type Quality = (typeof QUALITIES)[number];

export interface Reading {
	/** Minutes since the Unix epoch: the minute [minute·60 s, (minute+1)·60 s). */
	minute: number;
	/** Energy taken from the grid in this minute (OBIS 1.8.0). */
	importWh: number;
	/** Energy fed into the grid in this minute (OBIS 2.8.0). */
	exportWh: number;
	quality: Quality;
}
