// What if this number were another one: a slider on a leaf; forward and backward run again.

import { element, isFinite, number } from "./dom.js";
import { asRows } from "./tensors.js";

const PAUSE = 60; // milliseconds between two questions to the kernel

// `view`: {recording, position, ask, changed: {node, element}, replace(payload)}.
export function whatIf(node, view) {
  const array = view.recording.arrays[node.value];
  if (!view.ask.online || node.kind === "op" || node.kind === "constant" || !array || !array.dtype.startsWith("float") || view.recording.payload.error) return null;
  const rows = array.values === null || array.values === undefined ? null : asRows(array.values);
  const known = rows?.flat() ?? [];
  const size = array.shape.reduce((a, b) => a * b, 1);
  if (!size) return null;
  const reach = Math.max(1, 2 * Math.max(Math.abs(array.min) || 0, Math.abs(array.max) || 0));
  const label = element("output", {}, "");
  const which = element("input", { type: "number", min: 0, max: size - 1, value: view.changed.node === node.id ? view.changed.element : 0, "aria-label": "element", onchange: () => place() });
  const slider = element("input", { type: "range", min: -reach, max: reach, step: reach / 200, "aria-label": "new value", oninput: () => change() });
  const status = element("span", { class: "muted", role: "status" });
  const at = () => Math.min(size - 1, Math.max(0, Math.round(Number(which.value) || 0)));
  const place = () => {
    Object.assign(view.changed, { node: node.id, element: at() });
    slider.value = isFinite(known[at()]) ? known[at()] : array.mean ?? 0;
    label.textContent = `[${indexOf(at(), array.shape).join(", ")}] = ${isFinite(known[at()]) ? number(known[at()]) : "…"}`;
  };
  let waiting = null;
  const change = () => {
    label.textContent = `[${indexOf(at(), array.shape).join(", ")}] = ${number(Number(slider.value))}`;
    clearTimeout(waiting);
    waiting = setTimeout(() => send(), PAUSE);
  };
  const send = async (message = { index: indexOf(at(), array.shape), value: Number(slider.value) }) => {
    status.textContent = "running again…";
    try {
      const reply = await view.ask({ type: "whatif", node: node.id, ...message });
      view.replace(reply.payload);
      status.textContent = message.reset ? "as recorded" : "forward and backward ran again with this number";
    } catch (error) {
      status.textContent = error.message;
    }
  };
  place();
  const all = element("div", { class: "facts whatif" }, element("h4", {}, "what if"), element("label", {}, size > 1 ? ["element ", which, " "] : null, label), slider, element("button", { type: "button", onclick: () => send({ reset: true }) }, "as recorded"), " ", status);
  all.own = true;
  return all;
}

function indexOf(flat, shape) {
  const index = [];
  for (const size of [...shape].reverse()) {
    index.unshift(flat % size);
    flat = Math.floor(flat / size);
  }
  return index;
}
