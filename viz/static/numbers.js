// Numbers beside the pictures: value and gradient in two columns, what is kept, and the checks.

import { bytes, cut, element, NOT_YET, number, percent, signed, svg } from "./dom.js";
import { histogram } from "./tensors.js";

const ROWS = [["mean", signed], ["std", number], ["min", signed], ["max", signed], ["norm", number], ["zeros", percent]];

// `view`: {recording, position, ask, jump(moment), open(id, array, caption), isCovered(id)}.
export function drawNumbers(node, view) {
  const { recording, position } = view;
  const made = recording.hasValue(node, position);
  const arrived = recording.hasGradient(node, position);
  const seen = (there, id) => (there && !view.isCovered(id) ? recording.arrays[id] : null);
  const value = seen(made, node.value);
  const grad = seen(arrived, node.grad);
  const missed = node.wants_grad && node.backward_at === null && recording.isBackwardOver(position);
  const covered = (there, id, words) => (there && view.isCovered(id) ? "covered" : words);
  const none = !node.wants_grad ? "none: not asked for" : missed ? "none arrived" : NOT_YET;
  const cell = (array, format, key, words) => element("td", { class: array ? "" : "absent" }, array ? format(array[key]) : words);
  const rows = ROWS.map(([key, format], index) => element("tr", {}, element("th", { scope: "row" }, key),
    cell(value, format, key, index ? "" : covered(made, node.value, NOT_YET)), cell(grad, format, key, index ? "" : covered(arrived, node.grad, none))));
  for (const key of ["nan", "inf"]) {
    if (!value?.[key] && !grad?.[key]) continue;
    rows.push(element("tr", { class: "bad" }, element("th", { scope: "row" }, key === "nan" ? "NaN" : "infinite"), cell(value, number, key, ""), cell(grad, number, key, "")));
  }
  if (value?.nan || value?.inf || grad?.nan || grad?.inf) rows.push(element("tr", {}, element("td", { class: "absent", colspan: 3 }, "mean, std, min and max are those of the finite numbers")));
  rows.push(element("tr", { class: "hists" }, element("th", {}), element("td", {}, value ? histogram(value.hist, "value") : ""), element("td", {}, grad ? histogram(grad.hist, "grad") : "")));
  return [
    element("table", { class: "stats" },
      element("thead", {}, element("tr", {}, element("th", {}), element("th", { scope: "col", class: "value" }, header("value", node.forward_at, view)), element("th", { scope: "col", class: "grad" }, header("gradient", node.backward_at, view)))),
      element("tbody", {}, rows)),
    missed && element("p", { class: "bad" }, "⚠ wants a gradient, but none arrived: no path leads back to it."),
    contributions(node, view),
    saved(node, view),
  ];
}

// A column's head leads to the moment that made what is under it.
function header(word, moment, view) {
  if (moment === null || moment === undefined) return word;
  return element("button", { type: "button", class: "link", title: `go to the moment that made it (${moment + 1})`, onclick: () => view.jump(moment) }, word);
}

function contributions(node, view) {
  const { recording, position } = view;
  const edges = recording.out.get(node.id).filter((edge) => edge.wants_grad);
  if (!edges.length || recording.at(position).phase === "forward") return null;
  const rows = edges.slice(0, 12).map((edge) => {
    const here = edge.sent_at !== null && edge.sent_at <= position;
    const from = recording.nameOf(recording.nodes.get(edge.to));
    return element("tr", {},
      element("td", {}, element("span", { class: here ? "dot full" : "dot", "aria-hidden": "true" }), edge.sent_at === null ? from : element("button", { type: "button", class: "link", onclick: () => view.jump(edge.sent_at) }, cut(from, 26))),
      element("td", {}, here ? `norm ${number(edge.norm, 3)}` : NOT_YET));
  });
  const sum = edges.length > 1 ? element("tr", {}, element("td", { class: "muted" }, "their sum"), element("td", {}, recording.hasGradient(node, position) ? `norm ${number(node.grad_norm, 3)}` : NOT_YET)) : null;
  return element("div", { class: "facts" }, element("h4", {}, "gradient arrives from"), element("table", { class: "arrivals" }, rows, sum),
    edges.length > 12 && element("p", { class: "muted" }, `and ${edges.length - 12} more`));
}

function saved(node, view) {
  if (node.kind !== "op" || !node.saved?.length) return null;
  const rows = node.saved.map((one) => {
    const array = view.recording.arrays[one.array];
    const name = array ? element("button", { type: "button", class: "link value", onclick: () => view.open(one.array, array, one.name) }, one.name) : element("span", { class: "value" }, one.name);
    return element("li", {}, name, " ", element("span", {}, cut(one.text, 90)));
  });
  return element("div", { class: "facts" }, element("h4", {}, "kept for backward ", element("span", { class: "muted" }, bytes(node.saved_bytes))), element("ul", {}, rows));
}

// The rule of each edge against a numeric gradient, when the kernel can be asked.
export function numericCheck(node, view) {
  if (!view.ask.online || node.kind !== "op" || !view.recording.hasGradient(node, view.position)) return null;
  const answer = element("div", { role: "status" });
  const edges = view.recording.into.get(node.id).filter((edge) => edge.wants_grad);
  if (!edges.length) return null;
  const run = async () => {
    answer.replaceChildren("nudging one element both ways…");
    const lines = [];
    for (const edge of edges) {
      try {
        lines.push(checkLine(edge, await view.ask({ type: "numeric", node: node.id, edge: edge.id })));
      } catch (error) {
        lines.push(element("p", { class: "muted" }, error.message));
      }
    }
    answer.replaceChildren(...lines);
  };
  const check = element("div", { class: "facts" }, element("button", { type: "button", onclick: run }, "check against the numeric gradient"), answer);
  check.own = true;
  return check;
}

function checkLine(edge, found) {
  if (found.rule === undefined) return element("p", { class: "muted" }, found.text ?? "no check for this rule");
  return element("p", { class: "check" }, element("code", {}, edge.input), ` at [${(found.index ?? []).join(", ")}] `,
    element("span", { class: "muted" }, "rule "), signed(found.rule, 6), element("span", { class: "muted" }, " numeric "), signed(found.numeric, 6), " ",
    element("b", { class: found.ok ? "ok" : "bad" }, `${found.ok ? "✓" : "✗"} differ by ${number(found.difference, 2)}`));
}

export function drawWatches(watches, position) {
  if (!watches?.length) return null;
  const lines = watches.map((watch) => {
    const known = watch.history.filter(([moment]) => moment <= position);
    return element("li", {}, element("span", {}, cut(watch.text, 60)), " ", element("b", {}, known.length ? number(known.at(-1)[1]) : NOT_YET), sparkline(watch.history, position));
  });
  return element("div", { class: "facts" }, element("h4", {}, "watched"), element("ul", { class: "watches" }, lines));
}

function sparkline(history, position) {
  const points = history.filter(([, value]) => typeof value === "number");
  if (points.length < 2) return null;
  const values = points.map(([, value]) => value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const last = points.at(-1)[0];
  const first = points[0][0];
  const place = ([moment, value]) => [2 + (76 * (moment - first)) / (last - first || 1), 15 - (13 * (value - low)) / (high - low || 1)];
  const now = points.findLast(([moment]) => moment <= position);
  return svg("svg", { class: "spark", viewBox: "0 0 80 17", "aria-hidden": "true" },
    svg("polyline", { points: points.map((point) => place(point).join(",")).join(" ") }),
    now && svg("circle", { cx: place(now)[0], cy: place(now)[1], r: 2.6 }));
}
