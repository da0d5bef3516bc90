/** How many WebRTC connections a page has, whatever the app says about them. */
import type { Page } from "playwright-core";

declare global {
	interface Window {
		connections: RTCPeerConnection[];
	}
}

/** From its next load on. */
export async function watchConnections(page: Page): Promise<void> {
	await page.addInitScript(() => {
		window.connections = [];
		const Original = RTCPeerConnection;
		window.RTCPeerConnection = class extends Original {
			constructor(configuration?: RTCConfiguration) {
				super(configuration);
				window.connections.push(this);
			}
		};
	});
}

export async function countConnections(page: Page): Promise<number> {
	return page.evaluate(
		() => window.connections.filter(({ connectionState }) => connectionState === "connected").length,
	);
}
