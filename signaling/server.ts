/**
 * The signaling and static server as a program: reads the options, finds the certificate, listens, says where.
 * Exit code 2: it could not start, and one sentence on stderr says why.
 */
import { isIP } from "node:net";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { addressFor, type Certificate, fingerprintOf, localCertificate, ownCertificate } from "./certificate.js";
import { type CommandLine, parseCommandLine, USAGE } from "./commandLine.js";
import { lanAddresses } from "./lanAddresses.js";
import { limitsFor } from "./limits.js";
import { logRefusals } from "./refusalLog.js";
import { type Service, startService } from "./service.js";
import { greeting, startFailure } from "./terminalText.js";

const project = new URL("../", import.meta.url);

async function main(): Promise<void> {
	const parsed = parseCommandLine(process.argv.slice(2));
	if (!parsed.ok) return giveUp(parsed.error.sentence);
	const options = parsed.value;
	if (options.help) {
		process.stdout.write(USAGE);
		return;
	}
	const addresses = addressesOf(options.host);
	const certificate = await findCertificate(options, addresses);
	if (certificate === undefined) return;
	const lanName = addressFor(certificate.cert, addresses);
	const started = await startService({
		port: options.port,
		tls: { port: options.tlsPort, host: options.host, certificate },
		allowedOrigins: options.allowedOrigins,
		furtherServers: options.furtherServers,
		openMetrics: options.openMetrics,
		limits: limitsFor(options.sockets),
		...(addresses.length > 0 && lanName !== undefined && { lanName }),
		...(!options.signalingOnly && { staticFolder: fileURLToPath(new URL("dist/", project)) }),
	});
	if (!started.ok) return giveUp(startFailure(started.error));
	const fingerprint = certificate.authority === undefined ? undefined : fingerprintOf(certificate.authority);
	// Before anybody is told that it runs.
	stopOnSignal(started.value);
	process.stdout.write(
		greeting({
			localUrl: started.value.localUrl,
			lanUrl: started.value.lanUrl,
			signalingOnly: options.signalingOnly,
			...(fingerprint !== undefined && { fingerprint }),
			certificateKept: certificate.kept,
			colors: process.stdout.isTTY === true,
		}),
	);
	logRefusals(started.value.refusals, (line) => process.stderr.write(line));
}

/** Under which addresses neighbours reach what listens on `host`. */
function addressesOf(host: string): string[] {
	if (host === "0.0.0.0" || host === "::") return lanAddresses();
	return ["127.0.0.1", "localhost", "::1"].includes(host) ? [] : [host];
}

async function findCertificate(options: CommandLine, addresses: readonly string[]): Promise<Certificate | undefined> {
	if (options.ownCertificate === undefined) {
		const isAddress = (name: string) => isIP(name) !== 0;
		const names = ["localhost", "127.0.0.1", hostname(), ...addresses];
		return localCertificate(
			fileURLToPath(new URL(".cache/certificate/", project)),
			{ hosts: [...new Set(names.filter(isHostName))], addresses: [...new Set(names.filter(isAddress))] },
			Date.now(),
		);
	}
	const { certFile, keyFile } = options.ownCertificate;
	const own = await ownCertificate(certFile, keyFile);
	if (own.ok) return own.value;
	giveUp(
		{
			unreadable: `The file ${own.error.file} cannot be read.`,
			"not-a-certificate": `The file ${own.error.file} holds no certificate in PEM form.`,
			"not-its-key": `The file ${own.error.file} does not hold the certificate's key.`,
		}[own.error.code],
	);
	return undefined;
}

/** A computer's own name may hold characters that no certificate may state (RFC 952 names only). */
function isHostName(name: string): boolean {
	return isIP(name) === 0 && /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(name);
}

/** A second signal finds nobody who waits for it, and ends the process at once. */
function stopOnSignal(service: Service): void {
	const signals = ["SIGINT", "SIGTERM"] as const;
	const stop = () => {
		for (const signal of signals) process.removeListener(signal, stop);
		service.stop().then(() => process.exit(0));
	};
	for (const signal of signals) process.on(signal, stop);
}

function giveUp(sentence: string): void {
	console.error(sentence);
	process.exitCode = 2;
}

await main();
