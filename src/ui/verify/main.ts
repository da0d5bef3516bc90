/** The page that checks a proof file: by itself, without a node, and without the network once it is loaded. */
import { mount } from "svelte";
import "../app.css";
import { initLocale } from "../locale.svelte.js";
import { initTheme } from "../theme.svelte.js";
import Verify from "./Verify.svelte";

initLocale();
initTheme();
const target = document.getElementById("app");
if (target !== null) mount(Verify, { target });
