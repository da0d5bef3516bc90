import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../../signaling/commandLine.js";
import { lanAddresses } from "../../../signaling/lanAddresses.js";
import { TokenBucket } from "../../../src/primitives/tokenBucket.js";

describe("the command line", () => {
	const parse = (line: string) => {
		const result = parseCommandLine(line === "" ? [] : line.split(" "));
		return result.ok ? result.value : result.error.sentence;
	};

	it("has a default for everything", () => {
		expect(parse("")).toEqual({
			help: false,
			port: 4444,
			tlsPort: 4443,
			host: "0.0.0.0",
			signalingOnly: false,
			allowedOrigins: [],
			furtherServers: [],
			sockets: 10_000,
			openMetrics: false,
		});
	});

	it.each([
		["--port 8080", { port: 8080, tlsPort: 8079 }],
		["--port 8080 --tls-port 8443", { port: 8080, tlsPort: 8443 }],
		["--tls-port 8443", { port: 4444, tlsPort: 8443 }],
		["--port 0", { port: 0, tlsPort: 0 }],
		["--host 192.168.1.20 --signaling-only", { host: "192.168.1.20", signalingOnly: true }],
		["--cert a.pem --key a.key", { ownCertificate: { certFile: "a.pem", keyFile: "a.key" } }],
		["--sockets 500 --open-metrics", { sockets: 500, openMetrics: true }],
		["--allow-origin https://a --allow-origin https://b", { allowedOrigins: ["https://a", "https://b"] }],
		["--also wss://b.example/ --also wss://c:8443", { furtherServers: ["wss://b.example", "wss://c:8443"] }],
		["--also ws://127.0.0.1:4445", { furtherServers: ["ws://127.0.0.1:4445"] }],
	])("understands %s", (line, expected) => {
		expect(parse(line)).toMatchObject(expected);
	});

	it.each([
		["--port hello", "--port hello is not a port"],
		["--port 65536", "--port 65536 is not a port"],
		["--port -1", "--port"],
		["--tls-port 1e3", "--tls-port 1e3 is not a port"],
		["--port 5000 --tls-port 5000", "both 5000"],
		["--sockets 0", "--sockets 0 is not a number from 1 to 60000"],
		["--sockets 1e4", "--sockets 1e4 is not"],
		["--sockets 60001", "--sockets 60001 is not"],
		["--cert a.pem", "belong together"],
		["--key a.key", "belong together"],
		["--also b.example", "--also b.example is not a signaling server's address"],
		["--also https://b.example", "is not a signaling server's address"],
		["--also wss://b.example/path", "is not a signaling server's address"],
		["--also wss://b.example;script-src", "is not a signaling server's address"],
		["--also wss://*.example", "is not a signaling server's address"],
		[Array(8).fill("--also wss://b.example").join(" "), "--also may be given 7 times"],
		["--prot 4444", "Unknown option '--prot'"],
		["4444", "Unexpected argument '4444'"],
	])("answers %s with one sentence", (line, part) => {
		const sentence = parse(line);
		expect(sentence).toContain(part);
		expect(sentence).toMatch(/\.$/);
		expect(sentence).not.toContain("\n");
	});
});

describe("the addresses on local networks", () => {
	const address = (value: string, family: "IPv4" | "IPv6" = "IPv4", internal = false) =>
		({ address: value, family, internal, netmask: "", mac: "", cidr: null, scopeid: 0 }) as never;

	it("are IPv4 addresses that others reach, home networks first", () => {
		const found = lanAddresses({
			lo: [address("127.0.0.1", "IPv4", true)],
			docker0: [address("172.17.0.1")],
			"br-4f2": [address("192.168.99.1")],
			tailscale0: [address("100.64.0.1")],
			eth1: [address("203.0.113.5"), address("169.254.3.3")],
			eth0: [address("fe80::1", "IPv6"), address("10.0.0.7")],
			wlan0: [address("192.168.1.20")],
			down0: undefined,
		});
		expect(found).toEqual(["192.168.1.20", "10.0.0.7", "203.0.113.5"]);
	});
});

describe("the token bucket", () => {
	it("allows a burst and then the average, also after a long pause and when the clock steps back", () => {
		const bucket = new TokenBucket(3, 2, 1_000);
		expect([1, 2, 3, 4].map(() => bucket.take(1, 1_000))).toEqual([true, true, true, false]);
		expect([bucket.take(1, 1_400), bucket.take(1, 1_500), bucket.take(1, 1_600)]).toEqual([false, true, false]);
		expect([bucket.take(1, 500), bucket.take(3, 1_000_000), bucket.take(1, 1_000_000)]).toEqual([false, true, false]);
		expect([bucket.take(4, 2_000_000), bucket.take(3, 2_000_000)]).toEqual([false, true]);
	});
});
