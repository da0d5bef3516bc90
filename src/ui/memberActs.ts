/** What an operator can do about a household, each as it is reviewed before it is done. */
import type { MemberView } from "../node/view.js";
import type { Household } from "./context.js";
import { m } from "./paraglide/messages.js";
import type { Review } from "./review.js";

export function renameReview({ client }: Household, { index, name }: MemberView, next: string): Review {
	return {
		title: m.members_rename_title(),
		sentence: m.members_rename_review({ name, next }),
		confirmLabel: m.members_rename(),
		run: () => client.command({ type: "rename", household: index, name: next }),
	};
}

/** The role is given to who has it not, and taken from who has it. */
export function roleReview({ client, street }: Household, { index, name, operator }: MemberView): Review {
	const sentence = () => {
		if (!operator) return m.members_role_give({ name });
		return index === street.self.index ? m.members_role_leave() : m.members_role_take({ name });
	};
	return {
		title: m.members_role_title(),
		sentence: sentence(),
		confirmLabel: operator ? m.members_end_operator() : m.members_make_operator(),
		run: () => client.command({ type: "role", household: index, operator: !operator }),
	};
}

/** A suspension, or its end. */
export function suspensionReview({ client }: Household, { index, name, suspended }: MemberView): Review {
	return {
		title: suspended ? m.members_lift_title() : m.members_suspend_title(),
		sentence: suspended ? m.members_lift_review({ name }) : m.members_suspend_review({ name }),
		confirmLabel: suspended ? m.members_lift() : m.members_suspend(),
		run: () => client.command({ type: "suspend", household: index, suspended: suspended !== true }),
	};
}

/** Notice that a household moves out, which nothing undoes once it is over. */
export function removalReview({ client, street }: Household, { index, name, newcomer }: MemberView): Review {
	const isSelf = index === street.self.index;
	return {
		title: m.members_remove_title(),
		sentence: newcomer
			? m.members_remove_review_newcomer({ name })
			: isSelf
				? m.members_remove_review_self()
				: m.members_remove_review({ name }),
		confirmLabel: m.members_remove(),
		statement: {
			warning: newcomer ? m.members_remove_warning_newcomer() : m.members_remove_warning(),
			title: m.members_remove_statement({ name }),
			text: m.members_remove_statement_text(),
			unticked: m.members_remove_unticked(),
		},
		run: () => client.command({ type: "remove", household: index }),
	};
}

/** Notice that a household which lost its words gets the key that made a claim. */
export function rebindReview({ client }: Household, { index, name }: MemberView, claim: string): Review {
	return {
		title: m.members_rebind_title(),
		sentence: m.members_rebind_review({ name }),
		confirmLabel: m.members_rebind(),
		statement: {
			warning: m.members_rebind_warning(),
			title: m.members_rebind_statement({ name }),
			text: m.members_rebind_statement_text(),
			unticked: m.members_rebind_unticked(),
		},
		run: () => client.command({ type: "rebind", household: index, claim }),
	};
}

/** The notice is taken back: by the household itself, or by an operator. */
export function contestReview({ client, street }: Household, { index, name, notice }: MemberView): Review {
	const isSelf = index === street.self.index;
	const [contest, review, withdrawReview] =
		notice?.kind === "remove"
			? [m.notices_removal_contest, m.notices_removal_contest_review, m.notices_removal_withdraw_review]
			: [m.notices_contest, m.notices_contest_review, m.notices_withdraw_review];
	return {
		title: m.notices_title(),
		sentence: isSelf ? review() : withdrawReview({ name }),
		confirmLabel: isSelf ? contest() : m.notices_withdraw(),
		run: () => client.command({ type: "contest", household: index }),
	};
}
