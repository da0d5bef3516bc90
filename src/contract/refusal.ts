/** Why the ledger refuses a transaction. The author's own node tells its user, at its committed head. */
export type Refusal =
	| { code: "unknown-member"; member: number }
	| { code: "bad-signature"; kind: string }
	| { code: "only-in-genesis"; kind: string }
	/** The household did something else in between: the nonce has been used. */
	| { code: "nonce-used"; nonce: number; last: number }
	| { code: "expired"; expiryMinute: number; minute: number }
	| { code: "duplicate-reading"; member: number; minute: number }
	| { code: "outside-window"; minute: number }
	| { code: "before-membership"; minute: number; joinedMinute: number }
	/** Of a minute in which the household had moved out. */
	| { code: "after-membership"; minute: number; fromMinute: number }
	| { code: "empty-period"; fromMinute: number; untilMinute: number }
	| { code: "offer-expired"; untilMinute: number }
	| { code: "too-many-offers"; limit: number }
	| { code: "unknown-offer" }
	| { code: "not-your-offer" }
	| { code: "own-offer" }
	| { code: "offer-for-another" }
	| { code: "offer-taken"; maxBuyers: number }
	| { code: "already-accepted" }
	| { code: "overlapping-contract"; contract: number; untilMinute: number }
	| { code: "unknown-contract" }
	| { code: "not-your-contract" }
	| { code: "already-ended"; untilMinute: number }
	| { code: "too-many-orders"; limit: number }
	| { code: "not-operator" }
	/** It is an operator already, or is none. */
	| { code: "role-held-already"; member: number }
	| { code: "last-operator" }
	/** An operator suspended the household that signed. */
	| { code: "suspended" }
	/** It is suspended already, or is not. */
	| { code: "suspended-already"; member: number }
	/** The household has moved out, or is about to. */
	| { code: "moved-out"; member: number }
	/** More than two thirds of the households want it for an operator: only they can take that back. */
	| { code: "wanted-by-households"; member: number }
	/** `member`: whom more than two thirds of the households want for an operator. */
	| { code: "another-wanted"; member: number }
	/** Its device votes, and no other household that stays has one that could: the chain would stand still. */
	| { code: "only-voter"; device: number }
	| { code: "unknown-lock" }
	| { code: "not-an-interval"; fromMinute: number; intervalMinutes: number }
	/** Another rule comes with notice. */
	| { code: "market-too-early"; fromMinute: number; earliestMinute: number }
	| { code: "tariff-too-early"; fromMinute: number; minute: number }
	| { code: "too-many-tariff-steps"; limit: number }
	/** Play money is not paid out. */
	| { code: "play-money" }
	| { code: "balance-too-low"; balanceMicroNok: number; amountMicroNok: number }
	/** It is being paid out. */
	| { code: "too-late-to-cancel"; untilMinute: number }
	/** It can still be taken back: who pays now may pay for nothing. */
	| { code: "lock-too-new"; untilMinute: number }
	/** Minutes before it may still be paid from it. */
	| { code: "lock-unsettled" }
	/** The household votes so already, or has no vote to take back. */
	| { code: "vote-unchanged" }
	/** Nothing is announced about the household. */
	| { code: "no-notice"; member: number }
	/** It is another household's to object, or an operator's. */
	| { code: "not-your-household"; member: number }
	| { code: "own-correction" }
	| { code: "unknown-correction" }
	/** It disputes a period: there is nothing to pay. */
	| { code: "no-amount-proposed" }
	| { code: "already-declined" }
	| { code: "correction-too-long"; limitMinutes: number }
	/** Readings of the period can still settle by themselves. */
	| { code: "period-not-settled"; untilMinute: number }
	| { code: "too-many-corrections"; limit: number }
	/** What the household owes its neighbours is paid first. */
	| { code: "claims-first"; owedMicroNok: number; balanceMicroNok: number }
	| { code: "unknown-order" }
	| { code: "amount-differs"; orderedMicroNok: number; amountMicroNok: number }
	| { code: "circulation-limit"; issuedMicroNok: number }
	/** Play money lies in no bank. */
	| { code: "no-bank" }
	| { code: "bank-in-future"; minute: number }
	/** There is a statement of a later minute. */
	| { code: "bank-older"; minute: number }
	/** Of unmatched money there is less. */
	| { code: "bank-cleared-too-much"; openMicroNok: number; amountMicroNok: number }
	| { code: "bank-limit" }
	/** It is not the last one. */
	| { code: "unknown-statement" }
	/** A second household confirms a balance. */
	| { code: "own-statement" }
	/** By the last statement money is missing for the tokens that there are. */
	| { code: "bank-shortfall"; shortfallMicroNok: number }
	/** There are credit lines only where money is netted every month. */
	| { code: "not-monthly" }
	/** More of the line is in use than it is to be lowered by. */
	| { code: "credit-in-use"; usedMicroNok: number; creditMicroNok: number }
	/** What is on credit is nobody's to take out; `ownMicroNok`: what is above the line. */
	| { code: "credit-not-yours"; ownMicroNok: number; creditMicroNok: number; amountMicroNok: number }
	/** Others have not paid yet what is to be paid out. */
	| { code: "reserve-too-low"; reserveMicroNok: number; amountMicroNok: number }
	/** Trial kroner have ended: tokens are worth NOK. */
	| { code: "money-is-real" }
	/** Nothing is proposed, or something else in the meantime. */
	| { code: "unknown-money-proposal" }
	| { code: "money-confirmed-already" }
	/** A minute that was paid with trial kroner is not put right with money; `fromMinute`: the first that can be. */
	| { code: "period-of-trial"; fromMinute: number }
	| { code: "invitation-missing" }
	| { code: "invitation-used" }
	| { code: "invitation-expired"; expiryMinute: number }
	/** The invitation lets an observer in, and the device is to vote. */
	| { code: "invitation-observer" }
	| { code: "already-member" }
	| { code: "too-many-members"; limit: number }
	/** A `voters` transaction stands first in its block: whoever reads the chain finds it at once. */
	| { code: "voters-not-first" }
	/** One device comes or goes; beside a single voter one or two come. */
	| { code: "voters-step"; voters: number; added: number; removed: number }
	| { code: "too-many-voters"; limit: number }
	/** Signed by the operator's device for another set of voters than there is. */
	| { code: "voters-changed" }
	/** The operator's device alone lets come who stays on, and go who is out of use. */
	| { code: "voters-by-household" }
	/** Of the devices that would vote, those in use are no majority: the chain would stand still for ever. */
	| { code: "too-few-voters"; voters: number; inUse: number }
	| { code: "unknown-device"; device: number }
	| { code: "known-device" }
	| { code: "not-your-device"; device: number }
	| { code: "device-revoked"; device: number }
	| { code: "too-many-devices"; limit: number }
	| { code: "already-voter"; device: number }
	| { code: "household-votes-already"; member: number }
	| { code: "not-voter"; device: number }
	/** Nothing was founded again here, or by another proposal. */
	| { code: "confirmation-for-another"; member: number }
	| { code: "already-confirmed"; member: number };

/** Not refused, but too early for this block: the transaction waits in the mempool. */
export type Wait = { code: "minute-not-ended"; minute: number } | { code: "nonce-gap"; nonce: number; last: number };
