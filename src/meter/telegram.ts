/** What a meter's bytes turn into, whatever the format: telegrams with a sound checksum, and what was thrown away. */

export type MeterFormat =
	/** The Norwegian HAN port, by maker: HDLC and DLMS. */
	| "han-kaifa"
	| "han-aidon"
	| "han-kamstrup"
	/** DLMS lists by OBIS code with their scalers, of any other maker: Sweden, Denmark. */
	| "dlms"
	/** The customer port of DSMR, ESMR, eMUCS, and Sweden's and Norway's of the same kind. */
	| "p1"
	/** Smart Message Language: Germany. */
	| "sml"
	/** IEC 62056-21, mode C and mode D. */
	| "d0";

export interface TelegramEvent {
	kind: "telegram";
	format: MeterFormat;
	/** Of HAN: 1 power, 2 power and phases, 3 also registers. */
	list?: 1 | 2 | 3;
	/** Active power from the grid, mW (OBIS 1.7.0, or what of 16.7.0 is positive). */
	importMilliW?: number;
	/** Active power to the grid, mW (OBIS 2.7.0, or what of 16.7.0 is negative). */
	exportMilliW?: number;
	/** Register of energy from the grid, mWh (OBIS 1.8.0, or the sum of its tariffs). */
	importMilliWh?: number;
	/** Register of energy to the grid, mWh (OBIS 2.8.0, or the sum of its tariffs). */
	exportMilliWh?: number;
	/** By how much the registers can move at least, as they are sent, mWh. With them only. */
	registerStepMilliWh?: number;
	/** OBIS 0-0:96.1.0 and its like. Of SML: the server id in hex. */
	meterId?: string;
	/** OBIS 0-0:96.1.7; of P1 and IEC 62056-21: the identification line. */
	meterType?: string;
	/**
	 * The meter's own clock, `YYYY-MM-DDThh:mm:ss`, of its registers where it has stamped them. Without a zone, because
	 * meters disagree about theirs: good for the spacing of telegrams, never for signing.
	 */
	meterClock?: string;
	/** The same clock when the telegram was sent, where the meter says both. */
	sentClock?: string;
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
	/** It ends, or another begins, before it is whole. */
	| "cut-off"
	/** The network operator has to give the household its meter's key, or switch encryption off. */
	| "encrypted"
	/** The checksum is right, or there is none, but this is not what a meter sends. */
	| "bad-telegram"
	/** Well-formed, but with nothing in it that is known here. */
	| "unknown-list";

export type MeterEvent = TelegramEvent | DroppedEvent;

/** Reads one meter's stream. Keeps what is incomplete until the rest comes; its memory is bounded. */
export interface MeterDecoder {
	/** Takes the next bytes, in chunks of any size, and never throws. The chunks' borders do not change the events. */
	push(bytes: Uint8Array): MeterEvent[];
	/** No more bytes come: what was begun is cut off, or whole after all. */
	end(): MeterEvent[];
}
