/** Answers to commands. */
import { ok, type Result } from "../primitives/result.js";
import type { CommandError, ReplyValue } from "./protocol.js";

export type Reply = Result<ReplyValue, CommandError>;

export const DONE: Reply = ok({ type: "done" });
