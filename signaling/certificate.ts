/**
 * The certificate of the https address. Browsers give Web Serial, service workers, Web Locks and WebCrypto to secure
 * origins only, and a home network has none, so the first start makes a certificate and later starts find it again.
 *
 * It is signed by an authority made for it alone, whose key is forgotten at once: tablets install authorities only,
 * and one without a key can never vouch for anything else.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { generate } from "selfsigned";
import { ok, type Result, refused } from "../src/primitives/result.js";

export interface Certificate {
	/** PEM: the server's certificate first, its authority after it. */
	cert: string;
	/** PEM. */
	key: string;
	/** PEM of the authority that a device may install; absent: the owner brought a certificate. */
	authority?: string;
	/** Whether it could be written to disk, and so will be the same after the next start. */
	kept: boolean;
}

export interface CertificateNames {
	hosts: readonly string[];
	addresses: readonly string[];
}

/** The certificate kept in `folder`, or a new one if that is missing, unreadable, near its end or for other names. */
export async function localCertificate(folder: string, names: CertificateNames, nowMs: number): Promise<Certificate> {
	const kept = await readKept(folder);
	if (kept !== undefined && fits(kept, names, nowMs)) return kept;
	const made = await make(names, nowMs);
	try {
		await keep(folder, made);
	} catch {
		// A folder that cannot be written to costs a new certificate at each start, nothing more.
		return { ...made, kept: false };
	}
	return made;
}

/** A certificate of the owner's own (`--cert`, `--key`). */
export async function ownCertificate(
	certFile: string,
	keyFile: string,
): Promise<Result<Certificate, { code: "unreadable" | "not-a-certificate" | "not-its-key"; file: string }>> {
	const texts: string[] = [];
	for (const file of [certFile, keyFile]) {
		try {
			texts.push(await readFile(file, "utf8"));
		} catch {
			return refused({ code: "unreadable", file });
		}
	}
	const [cert = "", key = ""] = texts;
	const parsed = parse(cert);
	if (parsed === undefined) return refused({ code: "not-a-certificate", file: certFile });
	if (!belongs(key, parsed)) return refused({ code: "not-its-key", file: keyFile });
	return ok({ cert, key, kept: true });
}

/** Which of these hosts and addresses the certificate is good for; else the first DNS name that it states. */
export function addressFor(cert: string, candidates: readonly string[]): string | undefined {
	const parsed = parse(cert);
	// checkIP throws where it is not given an address.
	const covered = candidates.find((name) => (isIP(name) === 0 ? parsed?.checkHost(name) : parsed?.checkIP(name)));
	const named = parsed?.subjectAltName?.match(/DNS:([^*,\s]+)(,|$)/)?.[1];
	return covered ?? named;
}

/** SHA-256 fingerprint in the form that browsers and systems show. */
export function fingerprintOf(cert: string): string | undefined {
	return parse(cert)?.fingerprint256;
}

const CERT_FILE = "server.pem";
const KEY_FILE = "server.key";
const AUTHORITY_FILE = "authority.crt";

const MS_PER_DAY = 86_400_000;
/** Apple's systems refuse a server certificate that is valid for more than 825 days. */
const VALID_DAYS = 800;
const RENEW_BEFORE_DAYS = 30;
/** A device whose clock is a little behind must not find it invalid yet. */
const BACKDATED_DAYS = 1;

async function readKept(folder: string): Promise<Certificate | undefined> {
	try {
		const [cert, key, authority] = await Promise.all(
			[CERT_FILE, KEY_FILE, AUTHORITY_FILE].map((name) => readFile(join(folder, name), "utf8")),
		);
		return cert === undefined || key === undefined || authority === undefined
			? undefined
			: { cert, key, authority, kept: true };
	} catch {
		return undefined;
	}
}

function fits({ cert, key }: Certificate, { hosts, addresses }: CertificateNames, nowMs: number): boolean {
	const parsed = parse(cert);
	if (parsed === undefined || !belongs(key, parsed)) return false;
	return (
		Date.parse(parsed.validFrom) <= nowMs &&
		Date.parse(parsed.validTo) > nowMs + RENEW_BEFORE_DAYS * MS_PER_DAY &&
		hosts.every((host) => parsed.checkHost(host) !== undefined) &&
		addresses.every((address) => parsed.checkIP(address) !== undefined)
	);
}

function belongs(key: string, cert: X509Certificate): boolean {
	try {
		return cert.checkPrivateKey(createPrivateKey(key));
	} catch {
		return false;
	}
}

async function make({ hosts, addresses }: CertificateNames, nowMs: number): Promise<Certificate> {
	const common = {
		keyType: "ec",
		curve: "P-256",
		algorithm: "sha256",
		notBeforeDate: new Date(nowMs - BACKDATED_DAYS * MS_PER_DAY),
		notAfterDate: new Date(nowMs + VALID_DAYS * MS_PER_DAY),
	} as const;
	// The date tells two authorities apart in a device's list.
	const day = new Date(nowMs).toISOString().slice(0, 10);
	const authority = await generate([{ name: "commonName", value: `Nabostrom ${day}` }], {
		...common,
		extensions: [
			{ name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
			{ name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
		],
	});
	const server = await generate([{ name: "commonName", value: "Nabostrom server" }], {
		...common,
		ca: { key: authority.private, cert: authority.cert },
		extensions: [
			{ name: "basicConstraints", cA: false, critical: true },
			{ name: "keyUsage", digitalSignature: true, critical: true },
			{ name: "extKeyUsage", serverAuth: true },
			{
				name: "subjectAltName",
				altNames: [
					...hosts.map((value) => ({ type: 2 as const, value })),
					...addresses.map((ip) => ({ type: 7 as const, ip })),
				],
			},
		],
	});
	const [serverPem, authorityPem] = [server.cert, authority.cert].map((pem) => `${pem.trim()}\n`);
	return { cert: `${serverPem}${authorityPem}`, key: server.private, authority: authorityPem ?? "", kept: true };
}

async function keep(folder: string, { cert, key, authority = "" }: Certificate): Promise<void> {
	await mkdir(folder, { recursive: true });
	await chmod(folder, 0o700);
	// A start that is cut off in between leaves a key and a certificate that do not belong together: `fits` sees that.
	for (const [name, text] of [
		[KEY_FILE, key],
		[AUTHORITY_FILE, authority],
		[CERT_FILE, cert],
	] as const) {
		const temporary = join(folder, `${name}.new`);
		await writeFile(temporary, text, { mode: 0o600 });
		await rename(temporary, join(folder, name));
	}
}

function parse(cert: string): X509Certificate | undefined {
	try {
		return new X509Certificate(cert);
	} catch {
		return undefined;
	}
}
