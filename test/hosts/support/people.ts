/** What people of homes on the internet do on the screens: their neighbourhood names a TURN server. */
import type { Page } from "playwright-core";
import { choosePassword, givePasswordWhenAsked, stayOn } from "../../e2e/support/screens.js";
import { TURN_PASSWORD, TURN_USER } from "./turn.js";

/** Founds with the TURN server of the neighbourhood; gives the lobby's link. */
export async function foundWithTurn(founder: Page, household: string, turnAddress: string): Promise<string> {
	await founder.getByRole("link", { name: /Start et nabolag/ }).click();
	await founder.getByLabel("Nabolagets navn").fill("Solbakken");
	await founder.getByLabel("Husstandens navn").fill(household);
	await founder.getByLabel("Strøm fra strømselskapet").fill("145");
	await founder.getByLabel("Strøm solgt til strømselskapet").fill("60");
	await founder.getByText("Bor ikke alle på samme nett?").click();
	await founder.getByLabel("Adressen til serveren").fill(turnAddress);
	await founder.getByLabel("Brukernavn").fill(TURN_USER);
	await founder.getByLabel("Passord", { exact: true }).fill(TURN_PASSWORD);
	await stayOn(founder);
	await choosePassword(founder);
	await founder.locator('button[type="submit"]').click();
	await givePasswordWhenAsked(founder);
	return founder.getByRole("textbox", { name: "Lenke" }).inputValue();
}
