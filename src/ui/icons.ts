/** The icons of the screens: strokes in a 24 × 24 box. */
export const ICONS = {
	home: "M3 11.5 12 4l9 7.5M5.5 10v10h13V10M10 20v-6h4v6",
	meter: "M4 17a8.5 8.5 0 1 1 16 0M12 14l4-5M4 17h3M17 17h3M12 5.5v2.5",
	market:
		"M4 9h16l-1.2-4.5H5.2L4 9Zm0 0v.5a2.7 2.7 0 0 0 5.3 0 2.7 2.7 0 0 0 5.4 0 2.7 2.7 0 0 0 5.3 0V9M5.5 12v8h13v-8",
	balance: "M3.5 7.5h15a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-10Zm0 0a2 2 0 0 1 2-2h11v2M16 13.5h1.5",
	chain: "M7 4h10v5H7zM7 15h10v5H7zM12 9v6",
	operations: "M4 7h9M17 7h3M4 12h3M11 12h9M4 17h11M19 17h1M13 5v4M7 10v4M15 15v4",
	usage: "M4 19.5h16M7 16v-4M12 16V6M17 16v-7",
	previous: "m14.5 5.5-6.5 6.5 6.5 6.5",
	next: "m9.5 5.5 6.5 6.5-6.5 6.5",
	more: "M5 12h.01M12 12h.01M19 12h.01",
	street: "M2.5 20V12l4-3.5 4 3.5v8M13.5 20V9.5L17.5 6l4 3.5V20M2 20h20",
	power: "M12 3.5v8M7 6.5a7.5 7.5 0 1 0 10 0",
	warning: "M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17v.01",
	bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15l1.5-2ZM10 20.5h4",
	check: "m5 12.5 4.5 4.5L19 7.5",
} as const;

export type IconName = keyof typeof ICONS;
