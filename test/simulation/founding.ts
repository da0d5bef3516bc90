/** Founding as people do it: one opens a lobby, the others come by its link, and the founder starts. Later ones are invited. */
import type { Command } from "../../src/node/protocol.js";
import type { House } from "./house.js";
import { type Reply, Violation, type World } from "./world.js";

const NEIGHBOURHOOD = {
	name: "Solbakken",
	moneyKind: "prepaid" as const,
	retailMicroNokPerWh: 2_000,
	feedInMicroNokPerWh: 400,
	localFeeMicroNokPerWh: 0,
};
const PATIENCE_MS = 60_000;
/** An invitation that did not come about is tried again. */
const RETRY_MS = 5_000;

const nameOf = (house: House) => `House ${house.index}`;

/** Founds the street; nothing goes wrong yet. */
export async function found(world: World): Promise<void> {
	const { households, alwaysOn } = world.plan;
	for (let at = 0; at < households; at++) await world.powerOn(world.addHouse());
	const [founder, ...guests] = world.houses;
	if (founder === undefined) throw new Violation("founding", "a street has a house");
	await ask(world, founder, {
		type: "openLobby",
		neighbourhood: NEIGHBOURHOOD,
		householdName: nameOf(founder),
		alwaysOn: true,
		signalingUrls: [],
	});
	const lobby = founder.node?.look();
	if (lobby?.stage !== "lobby") throw new Violation("founding", "the founder is in its lobby");
	for (const guest of guests) {
		const { link } = lobby;
		const isAlwaysOn = alwaysOn[guest.index] === true;
		const householdName = nameOf(guest);
		await ask(world, guest, { type: "enterLobby", link, householdName, alwaysOn: isAlwaysOn, signalingUrls: [] });
	}
	await must(world, "everybody is in the lobby", () => {
		const view = founder.node?.look();
		return view?.stage === "lobby" && view.members.length === households;
	});
	await ask(world, founder, { type: "start" });
	await must(world, "everybody is in the street", () => world.houses.every(({ street }) => street !== undefined));
	for (const house of world.houses) {
		const days = world.plan.retentionDays[house.index];
		if (days !== undefined) await ask(world, house, { type: "retention", days });
	}
}

async function ask(world: World, house: House, command: Command): Promise<void> {
	let reply: Reply | undefined;
	await world.command(house, command, (given) => {
		reply = given;
	});
	await must(world, `${command.type} is answered`, () => reply !== undefined);
	if (reply?.ok !== true) throw new Violation("founding", `${command.type}: ${JSON.stringify(reply)}`);
}

async function must(world: World, what: string, holds: () => boolean): Promise<void> {
	if (!(await world.run(world.nowMs + PATIENCE_MS, holds))) throw new Violation("founding", what);
}

/** Has the operator invite, and a new house join; goes on trying until the operator is there. */
export async function inviteLater(world: World, atMs: number, isOver: () => boolean): Promise<void> {
	world.at(atMs, async () => {
		const [operator] = world.houses;
		if (isOver()) return;
		if (operator?.isUp !== true || operator.isFrozen || operator.street?.member === undefined) {
			await inviteLater(world, world.nowMs + RETRY_MS, isOver);
			return;
		}
		await world.command(operator, { type: "invite" }, (reply) => {
			if (!reply.ok || reply.value.type !== "link") return;
			const house = world.addHouse();
			house.invitation = reply.value.link;
			world.count("joined by invitation");
			world.in(1, () => comeToLife(world, house));
		});
	});
}

/** Switches a house on; one that was invited and has not come in yet uses its link. */
export async function comeToLife(world: World, house: House): Promise<void> {
	await world.powerOn(house);
	const command = wayInOf(house);
	// Its profile is read by the first input at the latest.
	if (command === undefined || house.street !== undefined || house.disk.hasProfile) return;
	await world.command(house, command, (reply) => {
		if (!reply.ok) world.tell(house, "does not come in", reply.error.code);
	});
}

function wayInOf(house: House): Command | undefined {
	const { invitation, restoreLink } = house;
	if (restoreLink !== undefined) return { type: "restore", link: restoreLink, alwaysOn: true, signalingUrls: [] };
	if (invitation === undefined) return undefined;
	return { type: "join", link: invitation, householdName: nameOf(house), alwaysOn: false, signalingUrls: [] };
}
