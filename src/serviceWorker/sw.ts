/**
 * The service worker: the whole app out of a cache, so that it opens without a network, and links that other apps share
 * with it. A new build waits here until its pages have said that it may take over (`ui/pwa/update`).
 */
import { cleanupOutdatedCaches, type PrecacheEntry, precacheAndRoute } from "workbox-precaching";
import { SHARE_PATH, sharedPage } from "./shared.js";

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: (string | PrecacheEntry)[] };

cleanupOutdatedCaches();
precacheAndRoute(self.__WB_MANIFEST);

/** Files whose names say what is in them come out of the cache without this worker, where the browser can do that. */
interface RoutingEvent extends ExtendableEvent {
	addRoutes?(route: { condition: { urlPattern: string }; source: "cache" }): Promise<void>;
}

self.addEventListener("install", (event: RoutingEvent) => {
	void event.addRoutes?.({ condition: { urlPattern: "/assets/*" }, source: "cache" });
});

self.addEventListener("message", ({ data }: ExtendableMessageEvent) => {
	if (data === "take over") void self.skipWaiting();
});

// The page that installed it goes on with it: what it loads later is there without a network, too.
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
	const { request } = event;
	if (request.method !== "POST" || new URL(request.url).pathname !== SHARE_PATH) return;
	// A link carries a secret. It is answered here, so that none of it reaches the server, and goes on behind `#`.
	event.respondWith(
		request.formData().then(
			(form) => Response.redirect(sharedPage(form), 303),
			() => Response.redirect("/", 303),
		),
	);
});
