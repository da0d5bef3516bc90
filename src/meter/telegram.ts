/** What a meter's bytes turn into, whatever the format: telegrams with a sound checksum, and what was thrown away. */

export type MeterFormat = "han-kaifa";

export interface TelegramEvent {
	kind: "telegram";
	format: MeterFormat;
	/** HAN list: 1 power, 2 power and phases, 3 also registers. */
	list: 1 | 2 | 3;
	/** Active power from the grid, W (OBIS 1.7.0). */
	importW?: number;
	/** Active power to the grid, W (OBIS 2.7.0). */
	exportW?: number;
	/** Register of energy from the grid, Wh (OBIS 1.8.0). */
	importWh?: number;
	/** Register of energy to the grid, Wh (OBIS 2.8.0). */
	exportWh?: number;
	/** OBIS 0-0:96.1.0. */
	meterId?: string;
	/** OBIS 0-0:96.1.7. */
	meterType?: string;
	/**
	 * The meter's own clock, `YYYY-MM-DDThh:mm:ss`, of its registers where it has stamped them. Without a zone, because
	 * meters disagree about theirs: good for the spacing of telegrams, never for signing.
	 */
	meterClock?: string;
}

export interface DroppedEvent {
	kind: "dropped";
	reason: DropReason;
	/** How long the dropped thing was; for a frame with a bad checksum, as long as its header says. */
	bytes: number;
}

export type DropReason =
	/** Bytes that belong to no frame. */
	| "noise"
	| "bad-header-checksum"
	| "bad-frame-checksum"
	/** One list spread over several frames. */
	| "segmented"
	/** The network operator has to give the household its meter's key, or switch encryption off. */
	| "encrypted"
	/** The checksum is right, but this is not a well-formed notification. */
	| "bad-apdu"
	/** Well-formed, but no list that is known here. */
	| "unknown-list";

export type MeterEvent = TelegramEvent | DroppedEvent;

/** Reads one meter's stream. Keeps what is incomplete until the rest comes; its memory is bounded. */
export interface MeterDecoder {
	/** Takes the next bytes, in chunks of any size, and never throws. The chunks' borders do not change the events. */
	push(bytes: Uint8Array): MeterEvent[];
}
