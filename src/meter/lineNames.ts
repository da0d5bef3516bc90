/** By this line meters speak only when they are asked: IEC 62056-21, modes A to C. */
export const ASKED_LINE = "300 7E1";

/**
 * How meters' ports speak: baud rate, data bits, parity and stop bits, likeliest first. The Norwegian HAN port of Kaifa and
 * Aidon; P1; the HAN port of Kamstrup; SML; IEC 62056-21 mode D and the oldest P1; meters that have to be asked.
 */
export const LINE_NAMES = ["2400 8E1", "115200 8N1", "2400 8N1", "9600 8N1", "9600 7E1", ASKED_LINE] as const;

export type LineName = (typeof LINE_NAMES)[number];
