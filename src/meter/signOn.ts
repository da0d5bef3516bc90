/**
 * How a meter is asked that does not speak by itself (IEC 62056-21:2002 §6, modes A to C), at 300 baud:
 *
 *     / ? ! ␍ ␊                    →
 *                                  ←   / XXX Z identification ␍ ␊
 *     ␆ 0 Z 0 ␍ ␊  (mode C only)   →
 *                                  ←   ␂ its data ! ␍ ␊ ␃ BCC, at the speed that Z offers
 *
 * The answer and the data together are what asciiTelegram.ts reads.
 */
import { latin1 } from "../primitives/text.js";

export const SIGN_ON_BAUD_RATE = 300;
/** A request without an address: whoever is there. */
export const SIGN_ON_REQUEST = Uint8Array.of(0x2f, 0x3f, 0x21, 0x0d, 0x0a);

const MODE_C_BAUD_RATES = [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200];
const MODE_B_BAUD_RATES = [600, 1_200, 2_400, 4_800, 9_600, 19_200];
const ACK = 0x06;
const ZERO = 0x30;

export interface SignOnAnswer {
	/** At which the data come. */
	baudRate: number;
	/** What the meter is to be sent before them, at 300 baud; undefined: they come by themselves. */
	acknowledgement?: Uint8Array;
}

/** The meter's answer in what has come since the request; undefined: it is not all here. An echo of the request is none. */
export function signOnAnswer(bytes: Uint8Array): SignOnAnswer | undefined {
	const [, offered = ""] = /\/[A-Za-z]{3}([ -~])[ -~]*\r\n/.exec(latin1.decode(bytes)) ?? [];
	const offer = offered.charCodeAt(0);
	const modeC = MODE_C_BAUD_RATES[offer - ZERO];
	if (modeC !== undefined) {
		return { baudRate: modeC, acknowledgement: Uint8Array.of(ACK, ZERO, offer, ZERO, 0x0d, 0x0a) };
	}
	if (offered === "") return undefined;
	return { baudRate: MODE_B_BAUD_RATES[offer - "A".charCodeAt(0)] ?? SIGN_ON_BAUD_RATE };
}
