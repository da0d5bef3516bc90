import { encodeSml } from "../../src/meter/smlEncoder.js";
import { tellRegisterStory } from "./support/registerStory.js";
import { serialPtyMissing } from "./support/serialPty.js";

tellRegisterStory("an SML meter on a real serial port", {
	missing: serialPtyMissing(),
	line: "9600 8N1",
	linesBefore: 3,
	language: "SML",
	baudRate: 9_600,
	everyMs: 2_000,
	importW: 2_700,
	exportW: 0,
	telegramAt: (_, { importMilliWh, exportMilliWh }) =>
		encodeSml({
			meterId: "0a01454d480000000001",
			netCentiW: 270_000,
			importDeciWh: Math.floor(importMilliWh / 100),
			exportDeciWh: Math.floor(exportMilliWh / 100),
		}),
});
