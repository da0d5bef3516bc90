import { expect, test } from "vitest";
import { sharedPage } from "../../../src/serviceWorker/shared.js";

const shared = (fields: Record<string, unknown>) => sharedPage({ get: (name) => fields[name] ?? null });

test.each([
	["a link by itself", { url: "https://192.168.1.20:4443/#join=abc" }, "/#join=abc"],
	["a link among words", { text: "Kom!\nhttps://a.no/#lobby=a-b_c og hilsen Anna" }, "/#lobby=a-b_c"],
	["where an app puts it into the title", { title: "https://a.no/#/restore=x", text: "Nabostrøm" }, "/#restore=x"],
	["the address before the words", { text: "https://a.no/#join=b", url: "https://a.no/#join=a" }, "/#join=a"],
])("%s opens what it is for", (_name, fields, page) => {
	expect(shared(fields)).toBe(page);
});

test.each([
	["nothing", {}],
	["something else", { url: "https://a.no/#/market", text: "hei" }],
	["a file", { url: new Blob(["#join=a"]) }],
	["another address behind the link's word", { text: "javascript:alert(1)//join=" }],
])("%s opens the place where a link is pasted", (_name, fields) => {
	expect(shared(fields)).toBe("/#/join");
});
