/** The Norwegian HAN port: HDLC frame → DLMS notification → one of the maker's lists. */
import { readDataNotification } from "./dlms.js";
import { createHdlcFramer, type HdlcFrame } from "./hdlc.js";
import { kaifaTelegram } from "./kaifa.js";
import type { MeterDecoder, MeterEvent } from "./telegram.js";

/** Makes a decoder that has seen nothing yet. */
export function createHanDecoder(): MeterDecoder {
	const framer = createHdlcFramer();
	return {
		push: (bytes) => framer.push(bytes).map((event) => (event.kind === "frame" ? readFrame(event) : event)),
	};
}

function readFrame({ information, bytes }: HdlcFrame): MeterEvent {
	const notification = readDataNotification(information);
	if (!notification.ok) return { kind: "dropped", reason: notification.error.code, bytes };
	return kaifaTelegram(notification.value) ?? { kind: "dropped", reason: "unknown-list", bytes };
}
