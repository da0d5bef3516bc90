/** The street under test: computers on a network, a browser on each, some households in it; and all that befalls them. */
import type { Locator, Page } from "playwright-core";
import { expect as expectPage } from "../../e2e/support/expect.js";
import { setFrozen } from "../../e2e/support/ownBrowser.js";
import { comeIn, goTo, openLobby, start } from "../../e2e/support/screens.js";
import { type Kiosk, startKiosk } from "../../hosts/support/kiosk.js";
import { createScratch, type Scratch } from "../../hosts/support/scratch.js";
import { type ServerProgram, startServer } from "../../hosts/support/server.js";
import { createWifi, type Host, type Wifi } from "../../hosts/support/wifi.js";
import { House } from "./house.js";

const HOSTS = 4;
const OPENED_MS = 60_000;

export class Street {
	readonly houses: readonly House[];
	readonly #wifi: Wifi;
	readonly #server: ServerProgram;
	readonly #homes: Scratch[];
	readonly #kiosks: (Kiosk | undefined)[] = [];

	/** Starts the server and the browsers; nobody has come yet. */
	static async open(count: number): Promise<Street> {
		const wifi = createWifi(HOSTS + 1);
		try {
			const street = new Street(wifi, await startServer(wifi.host(HOSTS)), count);
			for (let at = 0; at < HOSTS; at++) await street.startBrowser(at);
			return street;
		} catch (error) {
			wifi.remove();
			throw error;
		}
	}

	private constructor(wifi: Wifi, server: ServerProgram, count: number) {
		this.#wifi = wifi;
		this.#server = server;
		this.#homes = Array.from({ length: HOSTS }, () => createScratch("chaos"));
		const { port } = new URL(server.lanUrl);
		// Each household has an origin of its own, and with it a database, a lock and a process.
		this.houses = Array.from(
			{ length: count },
			(_, at) => new House(`Bjørkeveien ${at + 1}`, `https://house${at + 1}.test:${port}`, at % HOSTS),
		);
	}

	/** Houses that vote together for a block. */
	get quorum(): number {
		return Math.floor(this.houses.length / 2) + 1;
	}

	host(at: number): Host {
		return this.#wifi.host(at);
	}

	on(hostAt: number): House[] {
		return this.houses.filter((house) => house.hostAt === hostAt);
	}

	// ── founding ─────────────────────────────────────────────────────────────────────────────────────────────────

	/** All meet in the lobby, start the neighbourhood, and have meters: every second one a roof. */
	async found(): Promise<void> {
		const [founder, ...guests] = this.houses;
		if (founder === undefined) throw new Error("a street has houses");
		const page = await this.#openPage(founder);
		const shared = await openLobby(page, founder.url, { neighbourhood: "Solbakken", household: founder.name });
		const fragment = shared.slice(shared.indexOf("#"));
		for (const guest of guests) await comeIn(await this.#openPage(guest), `${guest.url}/${fragment}`, guest.name);
		await expectPage(page.getByText(guests.at(-1)?.name ?? "")).visible();
		await start(page);
		const others = this.houses.length - 1;
		for (const { page } of this.houses) {
			await expectPage(page.getByText(`${others} av ${others} naboer på nett`)).visible(OPENED_MS);
		}
		for (const [at, house] of this.houses.entries()) await startMeter(house, at % 2 === 1);
	}

	// ── what befalls them ────────────────────────────────────────────────────────────────────────────────────────

	/** The page's process is killed. */
	async killPage(house: House): Promise<void> {
		const { page } = house;
		house.dies();
		const crashed = page.waitForEvent("crash");
		const session = await page.context().newCDPSession(page);
		session.send("Page.crash").catch(() => {});
		await crashed;
		await page.close();
	}

	/** Somebody opens the app again; nothing is asked, the node goes on where it was. */
	async openHouse(house: House): Promise<void> {
		const page = await this.#openPage(house);
		await page.goto(house.url);
		await expectPage(page.getByText("Akkurat nå")).visible(OPENED_MS);
		house.runs();
		await loadOrderForm(page);
	}

	async killBrowser(hostAt: number): Promise<void> {
		for (const house of this.on(hostAt)) house.dies();
		await this.#kiosks[hostAt]?.kill();
		this.#kiosks[hostAt] = undefined;
	}

	async startBrowser(hostAt: number): Promise<void> {
		const home = this.#homes[hostAt];
		if (home === undefined) throw new Error(`no computer ${hostAt}`);
		this.#kiosks[hostAt] = await startKiosk(this.#wifi.host(hostAt), home.folder, [
			`--host-resolver-rules=MAP *.test ${new URL(this.#server.lanUrl).hostname}`,
			// The server's own certificate; that a person can trust it is for lan.test.ts to show.
			"--ignore-certificate-errors",
		]);
	}

	async freeze(house: House): Promise<void> {
		house.freezes();
		await setFrozen(house.page, true);
	}

	async thaw(house: House): Promise<void> {
		await setFrozen(house.page, false);
		house.thaws();
	}

	async #openPage(house: House): Promise<Page> {
		const kiosk = this.#kiosks[house.hostAt];
		if (kiosk === undefined) throw new Error(`no browser runs for ${house.name}`);
		const page = await kiosk.openPage();
		house.opens(page);
		return page;
	}

	async stop(): Promise<void> {
		for (const kiosk of this.#kiosks) await kiosk?.kill();
		await this.#server.stop();
		this.#wifi.remove();
		for (const home of this.#homes) home.remove();
	}
}

async function startMeter(house: House, hasRoof: boolean): Promise<void> {
	const { page } = house;
	await goTo(page, "meter");
	await page.getByRole("button", { name: hasRoof ? "Simuler hus med solceller" : "Simuler forbruker" }).click();
	await expectPage(page.getByRole("button", { name: "Koble fra" })).visible();
	house.runs();
	await loadOrderForm(page);
}

/** The server sends each screen when it is first looked at, and may be out of reach when this one is wanted. */
async function loadOrderForm(page: Page): Promise<void> {
	await goTo(page, "balance");
	await expectPage(page.getByLabel("Beløp")).visible();
	await goTo(page, "");
}

const ORDER_STEP_MS = 5_000;

/** Something for a block that does not wait for the minute. */
export async function orderTokens(house: House): Promise<void> {
	house.orders += 1;
	const { page } = house;
	const patience = { timeout: ORDER_STEP_MS };
	// A page that was frozen draws no frames when it thaws, and the mouse would wait for them.
	const click = (button: Locator) => button.dispatchEvent("click", {}, patience);
	await goTo(page, "balance");
	await page.getByLabel("Beløp").fill("100", patience);
	await click(page.getByRole("button", { name: "Be om prøvekroner" }).last());
	const dialog = page.getByRole("dialog");
	await dialog.getByRole("textbox").fill("100", patience);
	await click(dialog.getByRole("button", { name: "Be om prøvekroner" }));
	await click(dialog.getByRole("button", { name: "Lukk" }));
	await goTo(page, "");
}
