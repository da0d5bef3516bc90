/** What other apps share with this one: a link into a neighbourhood, in one of the fields that they fill in as they like. */
import { linkFragment } from "../ui/links.js";

/** `share_target` of public/manifest.webmanifest names it, and its fields. */
export const SHARE_PATH = "/share";
const FIELDS = ["url", "text", "title"];

/** The page that a shared link opens; without a link where one is pasted. Whose server the link names does not matter here. */
export function sharedPage(form: { get(name: string): unknown }): string {
	const words = FIELDS.flatMap((field) => {
		const value = form.get(field);
		return typeof value === "string" ? value.split(/\s+/) : [];
	});
	const fragment = words.map(linkFragment).find((found) => found !== undefined);
	return `/#${fragment === undefined ? "/join" : fragment}`;
}
