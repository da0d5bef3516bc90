import { describe, expect, it } from "vitest";
import {
	decodeLink,
	encodeJoinLink,
	encodeLobbyLink,
	encodeRestoreLink,
	type JoinLink,
	type Link,
	type LobbyLink,
	type RestoreLink,
} from "../../../src/node/link.js";
import { toBase64Url } from "../../../src/primitives/base64.js";
import { encode } from "../../../src/primitives/codec.js";
import { signedInvitation } from "../../support/ledger.js";

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const GRID = fill(32, 1);
const MESH = { networkKey: fill(16, 2), keyGeneration: 0, iceServers: [] };
const PIN = { index: 1_440, hash: fill(16, 3) };
const LOBBY: LobbyLink = { kind: "lobby", ...MESH, lobbyId: fill(32, 4), founderPin: fill(16, 5) };
const JOIN: JoinLink = { kind: "join", ...MESH, gridId: GRID, pin: PIN, ...signedInvitation(GRID) };
const RESTORE: RestoreLink = { kind: "restore", ...MESH, gridId: GRID, pin: PIN, household: { seed: fill(32, 6) } };

function encodeLink(link: Link): string {
	if (link.kind === "lobby") return encodeLobbyLink(link);
	return link.kind === "join" ? encodeJoinLink(link) : encodeRestoreLink(link);
}

describe("a link", () => {
	it("is read as it was written, with its key's generation, with servers and without", () => {
		const servers = [{ urls: "turn:192.0.2.1:3478", username: "lie", credential: "hemmelig" }];
		for (const link of [LOBBY, JOIN, RESTORE, { ...RESTORE, household: undefined }]) {
			for (const keyGeneration of [0, 1, 300]) {
				for (const iceServers of [[], servers]) {
					const made: Link = { ...link, keyGeneration, iceServers };
					expect(decodeLink(encodeLink(made))).toEqual({ ok: true, value: made });
				}
			}
		}
	});

	it("from before keys changed still opens, and is written so where none has", () => {
		const old = `restore=${toBase64Url(encode([1, GRID, fill(16, 2), [], 1_440, fill(16, 3)]))}`;
		const made = { ...RESTORE, household: undefined };
		expect(decodeLink(old)).toEqual({ ok: true, value: made });
		expect(encodeLink(made)).toBe(old);
	});

	it("with a key of another form is damaged", () => {
		for (const key of [fill(15, 2), [fill(16, 2)], [fill(16, 2), 0], [fill(15, 2), 1], [fill(16, 2), 1, 1]]) {
			const text = `restore=${toBase64Url(encode([1, GRID, key, [], 1_440, fill(16, 3)]))}`;
			expect(decodeLink(text)).toEqual({ ok: false, error: { code: "link-damaged" } });
		}
	});
});
