/** What the server says in the terminal, in plain words. */
import encodeQR from "qr";
import type { ServiceError } from "./service.js";

export interface Greeting {
	localUrl: string;
	lanUrl: string | null;
	signalingOnly: boolean;
	/** Fingerprint of the local certificate's authority; absent: the owner brought a certificate. */
	fingerprint?: string;
	/** Whether the local certificate will be the same after the next start. */
	certificateKept: boolean;
	/** Whether escape sequences may be used. */
	colors: boolean;
}

/** The text after a good start. */
export function greeting({ localUrl, lanUrl, signalingOnly, fingerprint, certificateKept, colors }: Greeting): string {
	const shown = (url: string) => (signalingOnly ? url.replace(/^http/, "ws") : url);
	const parts = [
		signalingOnly ? "The signaling server is running." : "Nabostrøm is running.",
		`  On this computer:    ${shown(localUrl)}\n` +
			(lanUrl === null
				? "  On the network:      this computer has no address there, so neighbours cannot reach it."
				: `  For the neighbours:  ${shown(lanUrl)}`),
	];
	if (lanUrl !== null) {
		if (!signalingOnly) parts.push(qrCode(lanUrl, colors));
		if (fingerprint !== undefined) parts.push(trust(lanUrl, fingerprint, certificateKept));
	}
	parts.push("Stop with Ctrl+C.");
	return `${parts.join("\n\n")}\n`;
}

function trust(lanUrl: string, fingerprint: string, kept: boolean): string {
	return `How to trust the https address. Its certificate was made on this computer, so other devices do not know it yet.

  Quickly: open the address, choose "Advanced", then "Proceed". Everything works, except that the
  app cannot be installed and does not open while this computer is off.

  For good, once on each device: open ${lanUrl}/certificate.crt and install the file.
    Android:        Settings > Security > More > Install a certificate > CA certificate
    iPhone, iPad:   Settings > Profile downloaded > Install, then General > About > Certificate Trust Settings
    Windows:        open the file > Install > Local machine > Trusted Root Certification Authorities
    macOS:          open the file > Keychain Access > the certificate > Trust > Always trust
    Linux:          Chromium > Settings > Privacy and security > Security > Manage certificates > Custom > Import
  The device shows its SHA-256 fingerprint; it must be
    ${fingerprint}
  The key that signed it is gone: it can vouch for this server and for nothing else.

  A certificate of your own: npm start -- --cert FILE --key FILE${
		kept ? "" : "\n\n  The folder .cache/certificate cannot be written to: the next start makes another certificate."
	}`;
}

/** Half blocks, two modules a line. The light modules are drawn, so the colours are set where that is possible. */
function qrCode(text: string, colors: boolean): string {
	const rows = encodeQR(text, "ascii").trimEnd().split("\n");
	return rows.map((row) => (colors ? `  \u001b[97;40m${row}\u001b[0m` : `  ${row}`)).join("\n");
}

/** One sentence for a start that failed. */
export function startFailure({ code, host, port }: ServiceError): string {
	switch (code) {
		case "port-taken":
			return (
				`Port ${port} is taken by another program, maybe another Nabostrøm; on another port this would be another ` +
				"origin with an empty node, so stop that program, or choose another port with `npm start -- --port N`."
			);
		case "port-forbidden":
			return `Port ${port} needs administrator rights; choose one above 1023 with \`npm start -- --port N\`.`;
		case "bad-host":
			return `This computer cannot listen on ${host}; choose one of its addresses with \`npm start -- --host H\`.`;
		case "bad-certificate":
			return "The certificate and its key cannot be used together for https; check the files of --cert and --key.";
	}
}
