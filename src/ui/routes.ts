/** Which screen an address names. The graph, the QR code and the operator's screen are loaded when they are first shown. */
import { wrap } from "svelte-spa-router/wrap";
import Balance from "./screens/Balance.svelte";
import Chain from "./screens/Chain.svelte";
import Home from "./screens/Home.svelte";
import Market from "./screens/Market.svelte";
import Meter from "./screens/Meter.svelte";
import More from "./screens/More.svelte";

export const routes = {
	"/": Home,
	"/meter": Meter,
	"/market": Market,
	"/balance": Balance,
	"/chain": Chain,
	"/operations": wrap({ asyncComponent: () => import("./screens/Operations.svelte") }),
	"/more": More,
	"*": Home,
};
