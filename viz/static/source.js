// The line that made a node, in its cell or file, under the module calls that led there.

import { cut, element } from "./dom.js";
import { coloured } from "./formula.js";

export function drawSource(node, view) {
  const { payload } = view.recording;
  const moment = view.recording.at(view.position);
  const updated = moment.phase === "update" && moment.node === node?.id;
  const number = updated ? payload.update_source : node?.source;
  const source = payload.sources[number] ?? null;
  if (!node) return [element("p", { class: "muted" }, "no line of code made this moment")];
  return [callStack(node, view), source ? codeLines(source, updated ? "moved here" : "made here") : element("p", { class: "muted" }, whyNoLine(node))];
}

function whyNoLine(node) {
  return node.kind === "op" ? "its source line is not known" : "no recorded op made it: it was there before, or was built from plain numbers";
}

function callStack(node, view) {
  const calls = view.recording.pathOf(node);
  const items = calls.map((module) => element("li", { title: cut(module.signature ?? "", 200) }, cut(module.label || module.type, 40), module.call > 1 ? element("span", { class: "muted" }, ` call ${module.call}`) : null));
  items.push(element("li", { class: "here", "aria-current": "true" }, cut(view.recording.nameOf(node), 40)));
  return element("ol", { class: "stack", "aria-label": "module call stack, outermost first" }, items);
}

const AROUND = 2; // lines shown above and below

function codeLines(source, words) {
  const near = source.lines.filter(([line]) => Math.abs(line - source.line) <= AROUND);
  const lines = near.map(([line, text]) => element("div", { class: line === source.line ? "line here" : Math.abs(line - source.line) < AROUND ? "line" : "line distant", "aria-current": line === source.line ? "true" : null },
    element("span", { class: "ln" }, line), element("span", { class: "text" }, coloured(cut(text, 300))), line === source.line ? element("span", { class: "made" }, `◀ ${words}`) : null));
  return element("div", { class: "listing" }, element("div", { class: "cell" }, cut(source.where, 40), source.function && source.function !== "<module>" ? element("small", {}, cut(source.function, 40)) : null), element("pre", {}, lines));
}
