/**
 * Voters that signed two blocks for one place: every signature that a neighbour shows is held against the own certificate
 * for the same place, where that is remembered or kept, and against what this device counted while it led. The signatures
 * convict by themselves, whoever showed them; so what is found is kept and told to everybody, until the operator's screen
 * shows it. Two certified blocks for one place are an alarm of their own: the chain is forked, whoever did it.
 */
import type { Acknowledged, Certificate } from "../../block/certificate.js";
import type { DoubleSignature } from "../../block/evidence.js";
import { convicts, doubleSignatures } from "../../consensus/evidence.js";
import { equalBytes } from "../../primitives/bytes.js";
import type { Peer } from "../peers.js";
import { decodeCertificateRecord, encodeEvidenceRecord } from "../records.js";
import type { ProvenPeer, StreetContext } from "./context.js";

/** Own certificates that are remembered: contradictions come soon or, from a clone that was long away, at its hello. */
const REMEMBERED = 256;
/** Of one device, and of all devices that one household ever had, more evidence says nothing new. */
const KEPT_OF_VOTER = 4;
const KEPT_OF_HOUSEHOLD = 16;
/** Pieces of evidence in one message. */
const TOLD_AT_ONCE = 10;

type Judgement = "new" | "known" | "forged" | "of-stranger";

export class DoubleSigning {
	readonly #context: StreetContext;
	/** By index, oldest first. */
	readonly #certificates = new Map<number, Certificate>();
	/** By voter: the last acknowledgement that counted here, as a certificate of one signature. It outlives the lead. */
	readonly #counted = new Map<number, Certificate>();
	/** Indices at which another block was certified as well. */
	readonly #forks = new Set<number>();
	readonly #found = new Map<string, DoubleSignature>();

	/** `kept`: what earlier runs found. */
	constructor(context: StreetContext, kept: readonly DoubleSignature[]) {
		this.#context = context;
		for (const evidence of kept) this.#found.set(keyOf(evidence), evidence);
	}

	/** All that is known, oldest first. */
	get found(): readonly DoubleSignature[] {
		return [...this.#found.values()];
	}

	/** The head moved by this certificate, which was checked. */
	certified(certificate: Certificate): void {
		this.#certificates.set(certificate.index, certificate);
		for (const index of this.#certificates.keys()) {
			if (this.#certificates.size <= REMEMBERED) break;
			this.#certificates.delete(index);
		}
	}

	/** This device leads, and counted a voter's acknowledgement, which was checked. */
	counted(voter: number, place: Acknowledged, signature: Uint8Array): void {
		this.#counted.set(voter, { ...place, signatures: [{ voter, signature }] });
	}

	/** Whether the own certificate says just the same. */
	async isOwn(certificate: Certificate): Promise<boolean> {
		const own = await this.#ownAt(certificate.index);
		return own !== undefined && isSame(own, certificate);
	}

	/** Whether a place was certified here, as far as that is remembered. */
	isCertified({ index, term, hash }: Acknowledged): boolean {
		const own = this.#certificates.get(index);
		return own?.term === term && equalBytes(own.hash, hash);
	}

	/** A remembered certificate, or one that is kept. Above the head there is none. */
	async #ownAt(index: number): Promise<Certificate | undefined> {
		const { chain, storage } = this.#context;
		const remembered = this.#certificates.get(index);
		if (remembered !== undefined || index > chain.head.block.index) return remembered;
		const kept = await storage.certificateFrom(index);
		if (!kept.ok || kept.value?.index !== index) return undefined;
		const opened = decodeCertificateRecord(kept.value.record);
		return opened.ok ? opened.value : undefined;
	}

	/** A neighbour showed a certificate, which nobody has checked yet. */
	async heard(certificate: Certificate): Promise<void> {
		const own = await this.#ownAt(certificate.index);
		const counted = certificate.signatures.flatMap(({ voter }) => this.#counted.get(voter) ?? []);
		const found = new Map<string, DoubleSignature>();
		for (const known of own === undefined ? counted : [own, ...counted])
			for (const evidence of doubleSignatures(known, certificate))
				if (this.#judge(evidence) === "new") found.set(keyOf(evidence), evidence);
		await this.#keep([...found.values()], undefined);
		const { head } = this.#context.chain;
		const hash = certificate.index === head.block.index ? head.hash : own?.hash;
		if (hash !== undefined && !equalBytes(hash, certificate.hash)) this.#lookForFork(certificate);
	}

	/**
	 * Another block than the own one is said to be certified: an alarm, if a majority signed it. Who had to sign is known
	 * above the voters' last change; what lies below, keys that were thrown away long ago could sign.
	 */
	#lookForFork(certificate: Certificate): void {
		const { chain, events } = this.#context;
		const { index, term } = certificate;
		if (this.#forks.has(index) || index < chain.head.ledger.votersSinceIndex) return;
		if (!this.#context.checkCertificate(certificate, []).ok) return;
		this.#forks.add(index);
		events.onFault({ code: "conflicting-certificates", index, term });
	}

	/** A voter acknowledged a block, which nobody has checked yet. */
	async acknowledged(voter: number, place: Acknowledged, signature: Uint8Array): Promise<void> {
		await this.heard({ ...place, signatures: [{ voter, signature }] });
	}

	/** A new neighbour hears of what is known. */
	tellAll(peer: Peer): void {
		this.#tell(peer, this.found);
	}

	/** A neighbour handed on what was found. One that accuses without proof is not listened to any more. */
	async onEvidence(peer: ProvenPeer, evidence: readonly DoubleSignature[]): Promise<void> {
		const { events, peers } = this.#context;
		if (this.#context.deviceIndexOf(peer.device) === undefined) {
			events.onRefused("evidence-of-stranger");
			return;
		}
		const found: DoubleSignature[] = [];
		for (const each of evidence) {
			const judgement = this.#judge(each, found);
			if (judgement === "new") found.push(each);
			if (judgement === "forged") {
				peers.refuse(peer, { code: "bad-evidence" });
				break;
			}
		}
		await this.#keep(found, peer);
	}

	/** Cheap questions first: what is known, or comes with the same message, costs no verification. */
	#judge(evidence: DoubleSignature, coming: readonly DoubleSignature[] = []): Judgement {
		const { chain, dependencies, gridId } = this.#context;
		const device = chain.head.ledger.devices[evidence.voter];
		if (device === undefined) return "of-stranger";
		const { devices } = chain.head.ledger;
		const known = [...this.found, ...coming];
		const ofVoter = known.filter(({ voter }) => voter === evidence.voter).length;
		const ofHousehold = known.filter(({ voter }) => devices[voter]?.household === device.household).length;
		const isEnough = ofVoter >= KEPT_OF_VOTER || ofHousehold >= KEPT_OF_HOUSEHOLD;
		if (this.#found.has(keyOf(evidence)) || isEnough) return "known";
		return convicts(evidence, device.publicKey, gridId, dependencies.verifier) ? "new" : "forged";
	}

	async #keep(found: readonly DoubleSignature[], from: ProvenPeer | undefined): Promise<void> {
		if (found.length === 0) return;
		const { chain, events, peers } = this.#context;
		for (const evidence of found) this.#found.set(keyOf(evidence), evidence);
		const records = found.map((evidence) => ({ key: keyOf(evidence), record: encodeEvidenceRecord(evidence) }));
		if (!(await this.#context.write({ evidence: records }))) return;
		for (const { voter, index, term } of found) {
			const member = chain.head.ledger.devices[voter]?.household;
			if (member !== undefined) events.onFault({ code: "double-signature", device: voter, member, index, term });
		}
		for (const peer of peers.authenticated()) if (peer.channel !== from?.channel) this.#tell(peer, found);
	}

	/** In as many messages as it takes: a neighbour's message has a limit. */
	#tell(peer: Peer, found: readonly DoubleSignature[]): void {
		for (let from = 0; from < found.length; from += TOLD_AT_ONCE) {
			const doubleSignatures = found.slice(from, from + TOLD_AT_ONCE);
			this.#context.peers.send(peer, { type: "evidence", doubleSignatures });
		}
	}
}

function isSame(one: Certificate, other: Certificate): boolean {
	return (
		one.index === other.index &&
		one.term === other.term &&
		equalBytes(one.hash, other.hash) &&
		one.signatures.length === other.signatures.length &&
		one.signatures.every(({ voter, signature }, at) => {
			const same = other.signatures[at];
			return same?.voter === voter && equalBytes(same.signature, signature);
		})
	);
}

function keyOf({ voter, index, term }: DoubleSignature): string {
	return `${voter}/${index}/${term}`;
}
