/**
 * A device that is no node: it opens channels to one, proves its key as it has to, and then says whatever it is given. Its
 * signatures are keyed hashes (`keyedSignatures`).
 */
import { FrameAssembler, toFrames } from "../../src/message/frames.js";
import type { HandshakeMessage, Message } from "../../src/message/message.js";
import { decodeMessage, encodeMessage, WIRE_VERSION } from "../../src/message/wire.js";
import type { NodeInput, NodeOutput } from "../../src/node/protocol.js";
import { encode } from "../../src/primitives/codec.js";
import { taggedHash } from "../../src/primitives/hash.js";
import { keyedSigner } from "./keyedSignatures.js";

/** As in node/peers.ts, written out once more: the wire's own words. */
const hashProof = taggedHash("handshake");
const FINGERPRINT = new Uint8Array(32);

/** The node that is spoken to: what it takes, and what it has said since it was last asked. */
export interface Spoken {
	handle(input: NodeInput): Promise<void>;
	taken(): NodeOutput[];
}

export class StrangeDevice {
	readonly #node: Spoken;
	readonly #secret: Uint8Array;
	readonly #context: Uint8Array;
	#opened = 0;
	#channel = "";

	constructor(node: Spoken, secret: Uint8Array, context: Uint8Array) {
		this.#node = node;
		this.#secret = secret;
		this.#context = context;
	}

	/** A new channel, on which this device has proven its key; gives the code with which the node closed it again. */
	async open(name: string): Promise<string | undefined> {
		this.#opened += 1;
		this.#channel = `${name}#${this.#opened}`;
		const channel = this.#channel;
		this.#node.taken();
		await this.#node.handle({
			...{ type: "peerOpened", channel, initiator: true },
			...{ localFingerprint: FINGERPRINT, remoteFingerprint: FINGERPRINT },
		});
		const theirs = this.#heard(this.#node.taken()).find((message) => message.type === "handshake");
		if (theirs?.type !== "handshake") throw new Error("a node begins with its handshake");
		const deviceKey = keyedSigner.publicKeyOf(this.#secret);
		const nonce = new Uint8Array(32).fill(this.#opened & 0xff);
		const own: HandshakeMessage = {
			type: "handshake",
			version: WIRE_VERSION,
			context: this.#context,
			deviceKey,
			nonce,
		};
		await this.#say(own);
		const digest = hashProof(
			this.#context,
			encode([WIRE_VERSION, theirs.deviceKey, deviceKey, theirs.nonce, nonce, FINGERPRINT, FINGERPRINT, 0]),
		);
		await this.#say({ type: "proof", signature: keyedSigner.sign(digest, this.#secret) });
		const code = this.closedBy(this.#node.taken());
		if (code !== undefined) await this.leave();
		return code;
	}

	/** A frame of one's own, whatever is in it; gives the code with which the node closed the channel because of it. */
	async say(frame: Uint8Array): Promise<string | undefined> {
		await this.#node.handle({ type: "peerFrame", channel: this.#channel, frame });
		const code = this.closedBy(this.#node.taken());
		// As the page does it.
		if (code !== undefined) await this.leave();
		return code;
	}

	async leave(): Promise<void> {
		await this.#node.handle({ type: "peerClosed", channel: this.#channel });
	}

	closedBy(outputs: readonly NodeOutput[]): string | undefined {
		for (const output of outputs) {
			if (output.type === "closePeer" && output.channel === this.#channel) return output.code;
		}
		return undefined;
	}

	async #say(message: Message): Promise<void> {
		for (const frame of toFrames(encodeMessage(message), 0)) {
			await this.#node.handle({ type: "peerFrame", channel: this.#channel, frame });
		}
	}

	#heard(outputs: readonly NodeOutput[]): Message[] {
		const assembler = new FrameAssembler();
		return outputs.flatMap((output) => {
			if (output.type !== "peerFrame" || output.channel !== this.#channel) return [];
			const whole = assembler.push(output.frame);
			const message = whole.ok && whole.value !== undefined ? decodeMessage(whole.value) : undefined;
			return message?.ok === true ? [message.value] : [];
		});
	}
}
