import { encodeP1 } from "../../src/meter/p1Encoder.js";
import { tellRegisterStory } from "./support/registerStory.js";
import { serialPtyMissing } from "./support/serialPty.js";

tellRegisterStory("a P1 meter on a real serial port", {
	missing: serialPtyMissing(),
	line: "115200 8N1",
	linesBefore: 1,
	language: "P1",
	baudRate: 115_200,
	everyMs: 1_000,
	importW: 5_400,
	exportW: 1_260,
	telegramAt: (atMs, { importMilliWh, exportMilliWh }) =>
		encodeP1({
			identification: "LGF5E360",
			meterClock: new Date(atMs).toISOString().slice(0, 19),
			importW: 5_400,
			exportW: 1_260,
			importWh: Math.floor(importMilliWh / 1_000),
			exportWh: Math.floor(exportMilliWh / 1_000),
		}),
});
