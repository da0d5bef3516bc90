/** What all transactions have in common that a household signs with a nonce. */
export interface HouseholdTransaction {
	/** Member index of the household that signs. */
	member: number;
	/** The household's last nonce + 1. */
	nonce: number;
	signature: Uint8Array;
}

export interface MoneyTransaction extends HouseholdTransaction {
	/** Last minute of a block that may hold it: an order that got lost does not come true next year. */
	expiryMinute: number;
}
