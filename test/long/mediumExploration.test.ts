import { describe, it } from "vitest";
import { MEDIUM_SCOPES } from "../support/explorations.js";
import { exploreWhole } from "../support/wholeExploration.js";

describe("every order of events in a medium scope keeps the properties of Raft, of certificates and of voter changes", () => {
	it.each(MEDIUM_SCOPES)("$name", exploreWhole);
});
