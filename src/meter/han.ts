/** HDLC and DLMS: the Norwegian HAN port, and its like elsewhere. Frames → notification → one of the makers' lists. */
import { joinBytes } from "../primitives/bytes.js";
import { isListStart, readDataNotification } from "./dlms.js";
import { createHdlcFramer, type HdlcFrame } from "./hdlc.js";
import { kaifaTelegram } from "./kaifa.js";
import { obisTelegram } from "./obisList.js";
import type { DroppedEvent, MeterDecoder, MeterEvent } from "./telegram.js";

/** The longest list of any maker fits well; more is none. */
const MAX_LIST_BYTES = 8_192;

/** Makes a decoder that has seen nothing yet. */
export function createHanDecoder(): MeterDecoder {
	const framer = createHdlcFramer();
	/** Of a list that is spread over several frames: what has come. */
	let segments: Uint8Array[] = [];
	let segmentBytes = 0;

	const forget = () => {
		segments = [];
		segmentBytes = 0;
	};
	const cutOff = (): DroppedEvent[] => {
		const bytes = segmentBytes;
		forget();
		return bytes === 0 ? [] : [{ kind: "dropped", reason: "cut-off", bytes }];
	};
	const take = ({ information, bytes, isSegment }: HdlcFrame): MeterEvent[] => {
		// A new list begins, whether the one before it is whole or not.
		const events: MeterEvent[] = isListStart(information) ? cutOff() : [];
		if (!isSegment && segments.length === 0) return [...events, read(information, bytes)];
		segments.push(information);
		segmentBytes += bytes;
		if (segmentBytes > MAX_LIST_BYTES) return [...events, ...cutOff()];
		if (isSegment) return events;
		const event = read(joinBytes(segments), segmentBytes);
		forget();
		return [...events, event];
	};
	return {
		push: (bytes) =>
			framer.push(bytes).flatMap((event) => {
				// A list with a hole is none.
				return event.kind === "frame" ? take(event) : [...cutOff(), event];
			}),
		end: () => [...cutOff(), ...framer.end()],
	};
}

function read(information: Uint8Array, bytes: number): MeterEvent {
	const notification = readDataNotification(information);
	if (!notification.ok) return { kind: "dropped", reason: notification.error.code, bytes };
	const telegram = kaifaTelegram(notification.value) ?? obisTelegram(notification.value);
	return telegram ?? { kind: "dropped", reason: "unknown-list", bytes };
}
