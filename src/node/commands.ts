/** What a person asks for, and the answers: each command goes to the part it concerns. */
import { MATCHING_RULES } from "../block/kinds/trading.js";
import type { Reading } from "../block/reading.js";
import { ok, refused } from "../primitives/result.js";
import { MAX_PRICE_MICRO_NOK_PER_WH, MS_PER_MINUTE, minuteOf } from "../primitives/units.js";
import { type ActCommand, isActCommand } from "./acts.js";
import type { NodeDependencies } from "./dependencies.js";
import type { Entering } from "./entering.js";
import { MAX_SERIES_MINUTES } from "./history.js";
import type { Incidents } from "./incidents.js";
import { decodeLink, type Link } from "./link.js";
import type { Metering } from "./metering.js";
import { withOwnRetail } from "./ownRetail.js";
import { NO_PASSWORDS, Passwords, type StretchedPasswords } from "./passwords.js";
import type { ProofRequest } from "./proofSearch.js";
import type { Command, LinkContent } from "./protocol.js";
import { DONE, type Reply } from "./reply.js";
import { MAX_RETENTION_DAYS } from "./retention.js";
import type { Stages } from "./stages.js";
import type { Street } from "./street.js";

/** An act waits so long for the one before it to be confirmed. */
const ACT_WAIT_MS = 60_000;
/** What a meter of a household measures at most; readings of more are none. */
const MAX_FUSE_LIMIT_W = 1_000_000;

/** Commands that need no running street. */
type StreetlessCommand = Extract<
	Command,
	{
		type:
			| "openLobby"
			| "enterLobby"
			| "readLink"
			| "join"
			| "restore"
			| "admitAnew"
			| "start"
			| "abandon"
			| "forgetFault"
			| "ping";
	}
>;

type WhatIfCommand = Extract<Command, { type: "whatIf" }>;

/** Commands that only read, for as long as that takes: beside the queue. */
type ReadingCommand = Extract<
	Command,
	{ type: "proofFile" | "statement" | "exportSlice" | "series" | "usage" | "blocks" | "block" }
>;

export interface CommandsParts {
	readonly dependencies: NodeDependencies;
	readonly stages: Stages;
	readonly entering: Entering;
	readonly incidents: Incidents;
	readonly metering: Metering;
	/** Puts work into the queue of inputs that was begun beside it. */
	later(work: () => Promise<void>): Promise<void>;
	/** A reading that a person was asked about is to be handed in. */
	onReading(reading: Reading): void;
}

export class Commands {
	readonly #parts: CommandsParts;
	readonly #passwords: Passwords;
	/** Acts in the order in which they were asked for; the first waits for the one under way. */
	readonly #waitingActs: { id: number; command: ActCommand; untilMs: number }[] = [];

	constructor(parts: CommandsParts) {
		this.#parts = parts;
		this.#passwords = new Passwords(parts.dependencies);
	}

	/** Carries out a command and replies; an act may have to wait. */
	async onCommand(id: number, command: Command): Promise<void> {
		const { dependencies, stages } = this.#parts;
		if (isReadingCommand(command)) {
			const reading = read(stages.street, command);
			void reading.then((reply) => this.#parts.later(async () => this.#reply(id, reply)));
			return;
		}
		// What waits for its turn is not signed by whoever opens the key meanwhile.
		const isRefused = isActCommand(command) && stages.street?.isLocked === true;
		if (!isRefused && isActCommand(command) && stages.street?.mayAct === false) {
			const untilMs = dependencies.clocks.monotonicMs() + ACT_WAIT_MS;
			this.#waitingActs.push({ id, command, untilMs });
			return;
		}
		const stretching = this.#stretch(command);
		if (stretching === undefined) {
			this.#reply(id, await this.#carryOut(command, NO_PASSWORDS));
			return;
		}
		void stretching.then((passwords) =>
			this.#parts.later(async () => {
				const reply = passwords.ok ? await this.#carryOut(command, passwords.value) : passwords;
				if (passwords.ok || passwords.error.code === "password-not-stretched") this.#passwords.done();
				this.#reply(id, reply);
			}),
		);
	}

	/** The passwords that a command brings; undefined: none. Who tried too many has to wait. */
	#stretch(command: Command): ReturnType<Passwords["stretch"]> {
		const { street } = this.#parts.stages;
		if (command.type === "restore") {
			const link = decodeLink(command.link);
			const household = link.ok && link.value.kind === "restore" ? link.value.household : undefined;
			return this.#passwords.stretch(command, household?.vault);
		}
		const vault = street?.config.keys.household.vault;
		const waitMs = "password" in command ? (street?.unlocking.waitMs ?? 0) : 0;
		if (waitMs === 0 || vault === undefined) return this.#passwords.stretch(command, vault);
		return Promise.resolve(refused({ code: "password-wait", seconds: Math.ceil(waitMs / 1_000) }));
	}

	/** After an input: the next act is signed once the one before it is confirmed. */
	async carryOutWaitingActs(): Promise<void> {
		const { street } = this.#parts.stages;
		const nowMs = this.#parts.dependencies.clocks.monotonicMs();
		while (this.#waitingActs[0] !== undefined) {
			const { id, command, untilMs } = this.#waitingActs[0];
			const isLate = nowMs > untilMs;
			if (!isLate && street?.mayAct === false) return;
			this.#waitingActs.shift();
			this.#reply(id, isLate ? refused({ code: "act-pending" }) : await this.#carryOut(command, NO_PASSWORDS));
		}
	}

	#reply(id: number, result: Reply): void {
		this.#parts.dependencies.emit({ type: "reply", id, result });
	}

	async #carryOut(command: Exclude<Command, ReadingCommand>, passwords: StretchedPasswords): Promise<Reply> {
		const { entering, incidents, stages } = this.#parts;
		switch (command.type) {
			case "openLobby":
				return entering.openLobby(command, passwords);
			case "enterLobby":
			case "join":
				return entering.byLink(command, passwords);
			case "readLink":
				return readLink(command.link);
			case "restore":
				return entering.restore(command, passwords);
			case "admitAnew":
				return entering.admitAnew(passwords);
			case "start":
				return entering.startStreet();
			case "abandon":
				return entering.abandon();
			case "forgetFault":
				incidents.forget(command.code);
				return DONE;
			case "ping":
				return DONE;
			default:
				return stages.street === undefined
					? refused({ code: "not-in-a-neighbourhood" })
					: this.#inStreet(stages.street, command, passwords);
		}
	}

	async #inStreet(
		street: Street,
		command: Exclude<Command, StreetlessCommand | ReadingCommand>,
		passwords: StretchedPasswords,
	): Promise<Reply> {
		switch (command.type) {
			case "invite":
				return street.invite(command.observer === true);
			case "restoreLink":
				return street.restoreLink();
			case "wayBackLink":
				return street.wayBackLink();
			case "unlock":
				return street.unlocking.unlock(passwords);
			case "lock":
				return street.unlocking.lock();
			case "changePassword":
				return street.unlocking.changePassword(passwords);
			case "words":
				return street.unlocking.words(passwords);
			case "wordsKept":
				return street.unlocking.wordsWereKept();
			case "compareRegister":
				return street.startUp.compare(command, this.#parts.metering.view(undefined));
			case "meterSource": {
				const { type: _type, ...meterSource } = command;
				if (!(await street.saveConfig({ meterSource }))) return refused({ code: "storage-write-failed" });
				this.#parts.stages.useMeter();
				return DONE;
			}
			case "handIn":
				return street.handIn(command.readings);
			case "meterExchanged":
				this.#parts.metering.meterExchanged();
				return DONE;
			case "answerReading": {
				const reading = this.#parts.metering.answer(command.minute, command.isRight);
				if (reading === undefined) return refused({ code: "not-asked-about" });
				this.#parts.onReading(reading);
				return DONE;
			}
			case "fuseLimit": {
				const { limitW: fuseLimitW } = command;
				const isLimit = Number.isSafeInteger(fuseLimitW) && fuseLimitW > 0 && fuseLimitW <= MAX_FUSE_LIMIT_W;
				if (!isLimit) return refused({ code: "bad-fuse-limit" });
				if (!(await street.saveConfig({ fuseLimitW }))) return refused({ code: "storage-write-failed" });
				this.#parts.metering.fuseLimitW = fuseLimitW;
				return DONE;
			}
			case "ownTariff": {
				const price = command.retailMicroNokPerWh ?? 0;
				if (!Number.isSafeInteger(price) || price < 0 || price > MAX_PRICE_MICRO_NOK_PER_WH) {
					return refused({ code: "bad-tariff" });
				}
				// The minute that runs is the first that it holds for.
				const fromMinute = minuteOf(this.#parts.dependencies.clocks.chainMs());
				const next = { fromMinute, retailMicroNokPerWh: price };
				const saved = await street.saveConfig({ ownRetail: withOwnRetail(street.config.ownRetail, next) });
				return saved ? DONE : refused({ code: "storage-write-failed" });
			}
			case "account":
				return street.stateAccount(command.account);
			case "retention": {
				const { days } = command;
				if (days !== undefined && (!Number.isSafeInteger(days) || days < 0 || days > MAX_RETENTION_DAYS)) {
					return refused({ code: "bad-retention" });
				}
				return (await street.keepBlocksFor(days)) ? DONE : refused({ code: "storage-write-failed" });
			}
			case "whatIf":
				return whatIf(street, command);
			case "offerOutlook":
				return offerOutlook(street, command, this.#parts.dependencies.clocks.chainMs());
			case "contractMinutes":
				return contractMinutesReply(street, command, this.#parts.dependencies.clocks.chainMs());
			case "refound":
				return street.refounding.propose();
			case "confirmRefounding":
				return street.isLocked ? LOCKED : street.refounding.confirm(command.proposal);
			case "withdrawRefounding":
				return street.isLocked ? LOCKED : street.refounding.withdraw(command.proposerIsLost === true);
			default: {
				// Before the ledger is asked: it knows nothing of displays and papers.
				const cause = street.startUp.refusal(command, this.#parts.metering.view(undefined));
				return cause === undefined ? street.act(command) : refused(cause);
			}
		}
	}
}

const LOCKED: Reply = refused({ code: "locked" });

function readLink(text: string): Reply {
	const link = decodeLink(text);
	if (!link.ok) return refused(link.error);
	return ok({ type: "linkRead", content: contentOf(link.value) });
}

function contentOf(link: Link): LinkContent {
	switch (link.kind) {
		case "lobby":
			return { kind: "lobby" };
		case "join": {
			const { expiryMinute, observer } = link.invitation;
			return { kind: "join", expiryMs: expiryMinute * MS_PER_MINUTE, observer };
		}
		case "restore": {
			if (link.household === undefined) return { kind: "restore", needs: "words" };
			return { kind: "restore", needs: link.household.vault === undefined ? "nothing" : "password" };
		}
	}
}

const HEX_ID = /^[0-9a-f]{64}$/;

const READING: ReadonlySet<Command["type"]> = new Set<ReadingCommand["type"]>([
	"proofFile",
	"statement",
	"exportSlice",
	"series",
	"usage",
	"blocks",
	"block",
]);

function isReadingCommand(command: Command): command is ReadingCommand {
	return READING.has(command.type);
}

async function read(street: Street | undefined, command: ReadingCommand): Promise<Reply> {
	if (street === undefined) return refused({ code: "not-in-a-neighbourhood" });
	switch (command.type) {
		case "proofFile":
			return proofFile(street, command);
		case "series": {
			const { member, fromMinute, untilMinute } = command;
			if (!isPeriod(fromMinute, untilMinute)) return refused({ code: "bad-period" });
			const series = await street.usages.series(member, { fromMinute, untilMinute });
			return series.ok ? ok({ type: "series", series: series.value }) : refused({ ...series.error });
		}
		case "usage": {
			const usage = await street.usages.usage(command);
			return usage.ok ? ok({ type: "usage", usage: usage.value }) : refused({ ...usage.error });
		}
		case "blocks": {
			const page =
				isPlace(command.fromIndex) && isPlace(command.byMs) ? await street.keptBlocks.page(command) : NO_BLOCK;
			return page.ok ? ok({ type: "blocks", page: page.value }) : refused({ ...page.error });
		}
		case "block": {
			const block = isPlace(command.index) ? await street.keptBlocks.block(command.index) : NO_BLOCK;
			return block.ok ? ok({ type: "block", block: block.value }) : refused({ ...block.error });
		}
		case "statement": {
			const statement = await street.papers.statement(command);
			return statement.ok ? ok({ type: "statement", statement: statement.value }) : refused({ ...statement.error });
		}
		case "exportSlice": {
			const text = await street.papers.exportSlice(command);
			return text.ok ? ok({ type: "exportSlice", text: text.value }) : refused({ ...text.error });
		}
	}
}

const NO_BLOCK = refused({ code: "block-not-kept" } as const);

/** An index, or a time. */
function isPlace(value: number | undefined): boolean {
	return value === undefined || (Number.isSafeInteger(value) && value >= 0);
}

async function proofFile(street: Street, command: Extract<Command, { type: "proofFile" }>): Promise<Reply> {
	const request = requestOf(command);
	if (request === undefined) return refused({ code: "proof-not-kept" });
	const file = await street.proofFile(request);
	return file.ok ? ok({ type: "proofFile", ...file.value }) : refused({ ...file.error });
}

/** Undefined: nothing on a chain is called so. */
function requestOf(command: Extract<Command, { type: "proofFile" }>): ProofRequest | undefined {
	if ("fromMinute" in command) {
		const { fromMinute, untilMinute } = command;
		return isPeriod(fromMinute, untilMinute) ? { fromMinute, untilMinute } : undefined;
	}
	if ("id" in command) return HEX_ID.test(command.id) ? { id: command.id } : undefined;
	const { contractId, minute } = command;
	if (!HEX_ID.test(contractId)) return undefined;
	return minute === undefined ? { contractId } : { contractId, minute };
}

/** The same: another household's past is not asked about. */
async function whatIf(street: Street, { type: _type, ...request }: WhatIfCommand): Promise<Reply> {
	const { member } = street;
	if (member === undefined) return refused({ code: "not-in-a-neighbourhood" });
	if (!MATCHING_RULES.includes(request.rule)) return refused({ code: "bad-market" });
	if (!isPeriod(request.fromMinute, request.untilMinute)) return refused({ code: "bad-period" });
	const figures = await street.whatIf(request);
	return figures.ok ? ok({ type: "whatIf", whatIf: figures.value }) : refused({ ...figures.error });
}

async function offerOutlook(
	street: Street,
	{ offerId }: Extract<Command, { type: "offerOutlook" }>,
	chainMs: number,
): Promise<Reply> {
	const { member } = street;
	const past = await street.wholePast();
	const outlook = member === undefined ? undefined : past.offerOutlook(member, offerId, minuteOf(chainMs));
	return outlook === undefined ? refused({ code: "unknown-offer" }) : ok({ type: "offerOutlook", outlook });
}

/** A contract is its parties' to see. */
async function contractMinutesReply(
	street: Street,
	{ contractId, fromMinute, untilMinute }: Extract<Command, { type: "contractMinutes" }>,
	chainMs: number,
): Promise<Reply> {
	const { member } = street;
	if (member === undefined || !isPeriod(fromMinute, untilMinute)) return refused({ code: "bad-period" });
	const past = await street.wholePast();
	const likely = past.likelyShare(member, contractId, minuteOf(chainMs));
	const minutes = past.contractMinutes(member, contractId, [fromMinute, untilMinute]);
	if (likely === undefined || minutes === undefined) return refused({ code: "unknown-contract" });
	return ok({ type: "contractMinutes", likely, ...minutes });
}

/** Minutes in their order, not too many for one answer. */
function isPeriod(fromMinute: number, untilMinute: number): boolean {
	return (
		Number.isSafeInteger(fromMinute) &&
		Number.isSafeInteger(untilMinute) &&
		fromMinute >= 0 &&
		fromMinute <= untilMinute &&
		untilMinute - fromMinute <= MAX_SERIES_MINUTES
	);
}
