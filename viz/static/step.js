// The exported page: the same debugger over the recording that lies in the page, without a kernel.

import { Debugger } from "./debugger.js";
import { element } from "./dom.js";
import { noLink } from "./link.js";

const host = document.getElementById("debugger");
const payload = JSON.parse(document.getElementById("recording").textContent);
document.title = payload.title;
host.replaceChildren();
const view = new Debugger(host, payload, noLink());
host.append(element("p", { class: "footnote" }, "Press ? for the keys. This page needs neither a network nor Python: stepping, breakpoints, folding and predicting work. Watches, what-if and the check against the numeric gradient need the notebook."));
view.root.focus();
