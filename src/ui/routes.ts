/** Which screen an address names. All but the first are loaded when they are first shown. */
import { type AsyncSvelteComponent, type WrappedComponent, wrap } from "svelte-spa-router/wrap";
import Home from "./screens/Home.svelte";

export const routes = {
	"/": Home,
	"/usage": lazy(() => import("./screens/Usage.svelte")),
	"/meter": lazy(() => import("./screens/Meter.svelte")),
	"/market": lazy(() => import("./screens/Market.svelte")),
	"/inbox": lazy(() => import("./screens/Inbox.svelte")),
	"/contract/:id": lazy(() => import("./screens/Contract.svelte")),
	"/balance": lazy(() => import("./screens/Balance.svelte")),
	"/chain": lazy(() => import("./screens/Chain.svelte")),
	"/operations": lazy(() => import("./screens/Operations.svelte")),
	"/treasury": lazy(() => import("./screens/Treasury.svelte")),
	"/more": lazy(() => import("./screens/More.svelte")),
	"/statement": lazy(() => import("./screens/Statement.svelte")),
	"/export": lazy(() => import("./screens/Export.svelte")),
	"/refounding": lazy(() => import("./screens/Refounding.svelte")),
	"/network": lazy(() => import("./screens/Network.svelte")),
	"/members": lazy(() => import("./screens/Members.svelte")),
	"/neighbourhood": lazy(() => import("./screens/Neighbourhood.svelte")),
	"*": Home,
};

function lazy(asyncComponent: AsyncSvelteComponent): WrappedComponent {
	return wrap({ asyncComponent });
}
