/** Under which addresses the neighbours' devices can reach this computer. */
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";

type Interfaces = Readonly<Record<string, NetworkInterfaceInfo[] | undefined>>;

/** The IPv4 addresses of this computer on local networks, the likeliest first. */
export function lanAddresses(interfaces: Interfaces = networkInterfaces()): string[] {
	return Object.entries(interfaces)
		.filter(([name]) => !VIRTUAL.test(name))
		.flatMap(([, addresses]) => addresses ?? [])
		.filter(({ family, internal, address }) => family === "IPv4" && !internal && !address.startsWith("169.254."))
		.map(({ address }) => address)
		.sort((a, b) => rank(a) - rank(b));
}

/** Bridges and tunnels of containers and virtual machines: nobody else is on them. */
const VIRTUAL = /^(docker|br-|veth|virbr|vmnet|vboxnet|vEthernet|tun|tap|utun|tailscale|wg|zt)/;

/** RFC 1918 networks first, and of those the one that home routers use. */
function rank(address: string): number {
	if (address.startsWith("192.168.")) return 0;
	if (address.startsWith("10.") || /^172\.(1[6-9]|2\d|3[01])\./.test(address)) return 1;
	return 2;
}
