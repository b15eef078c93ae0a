// The formula in pictures: what arrives, the op's own source, and what it passes on.

import { cut, element, number } from "./dom.js";
import { cellSize, tensorFigure } from "./tensors.js";

const LARGE = 132; // pixels of a picture's longer side
const SMALL = 88;
const NUMBER_WORDS = ["no", "one", "two", "three", "four", "five", "six"];

// `view`: {recording, position, open(id, array, caption), jump(moment), hidden(id)}.
export function drawInspection(inspection, view) {
  const arrived = inspection.arrived ?? [];
  const gradient = arrived.length || inspection.rules?.length;
  return [
    codeBlock(inspection) ?? updateCode(inspection.update),
    element("div", { class: "pictures" },
      arrived.length > 1 && arrivals(arrived, view),
      inspection.forward && forwardRow(inspection.forward, inspection.code ?? "", view),
      gradient ? element("div", { class: inspection.rules?.length > 1 ? "rules several" : "rules" }, (inspection.rules ?? []).map((rule, _, all) => ruleRow(rule, { summed: arrived.length > 1, alone: all.length === 1 }, view))) : null,
      inspection.update && updateRow(inspection.update, view)),
  ];
}

function picture(id, caption, view, options = {}) {
  const array = id ? view.recording.arrays[id] : null;
  if (options.strong && view.hidden?.(id)) return view.hidden(id);
  return tensorFigure(array, { caption, open: (shown, title) => view.open(id, shown, title), ...options });
}

function sign(text) {
  return element("span", { class: text.length > 2 ? "sign words" : "sign" }, text);
}

// ---- source ----------------------------------------------------------------------------------

const NAMES = /([A-Za-z_]\w*)|("[^"]*"|'[^']*'|#.*$)|(\d[\d.e]*)/gm;
const KEYWORDS = new Set(["return", "lambda", "if", "else", "for", "in", "def", "not", "and", "or", "None", "is", "while", "with", "as", "True", "False"]);

// The op's body; `grad` is orange, what it keeps for backward is blue, as everywhere. The half of
// the body that is not at work in this moment is dimmed.
export function codeBlock(inspection) {
  if (!inspection.code) return null;
  const kept = new Set((inspection.rules ?? []).flatMap((rule) => identifiers(rule.text)));
  const isBackward = Boolean(inspection.arrived?.length || inspection.rules?.length);
  const lines = inspection.code.split("\n");
  const rules = ruleLines(lines);
  const shown = lines.map((line, index) => element("span", { class: isBackward === rules[index] || inspection.update ? "line" : "line dim" }, coloured(line, kept), "\n"));
  const block = element("pre", { class: "code", "aria-label": "source of the op", tabindex: 0 }, shown);
  return foldable(block, lines.length);
}

const SHOWN_LINES = 6;
let whole = false; // once unfolded, sources stay so from step to step

// A long source begins as a few lines that scroll; a button shows it whole.
function foldable(block, count) {
  if (count <= SHOWN_LINES) return block;
  const words = () => (whole ? "fewer lines" : `all ${count} lines`);
  const button = element("button", { type: "button", class: "link more-lines", "aria-expanded": String(whole), onclick: ({ currentTarget: button }) => {
    whole = !whole;
    button.previousElementSibling.classList.toggle("whole", whole);
    button.textContent = words();
    button.setAttribute("aria-expanded", String(whole));
  } }, words());
  block.classList.toggle("whole", whole);
  return element("div", { class: "folded-code" }, block, button);
}

// Which lines belong to the backward: inner functions of grad, and from the first lambda or return on.
function ruleLines(lines) {
  let inner = null; // indentation of the inner function that we are in
  let after = false;
  return lines.map((line) => {
    const indent = line.length - line.trimStart().length;
    if (inner !== null && line.trim() && indent <= inner) inner = null;
    if (inner === null && /^\s*def .*\bgrad\b/.test(line)) inner = indent;
    if (inner === null && /^return\b|\blambda\b/.test(line)) after = true;
    return inner !== null || after;
  });
}

function identifiers(text) {
  return (text ?? "").match(/[A-Za-z_]\w*/g)?.filter((name) => !KEYWORDS.has(name) && name !== "np") ?? [];
}

export function coloured(line, kept = new Set()) {
  const parts = [];
  let end = 0;
  for (const match of line.matchAll(NAMES)) {
    parts.push(line.slice(end, match.index));
    end = match.index + match[0].length;
    const [word, name] = match;
    if (name === "grad") parts.push(element("span", { class: "is-grad" }, word));
    else if (KEYWORDS.has(name)) parts.push(element("span", { class: "is-keyword" }, word));
    else if (kept.has(name) && line[end] !== "(" && line[match.index - 1] !== ".") parts.push(element("span", { class: "is-value" }, word));
    else if (match[2]) parts.push(element("span", { class: "is-text" }, word));
    else parts.push(word);
  }
  return [...parts, line.slice(end)];
}

// The half of a long source that is at work, in sight. (A short one is: asking would cost a layout.)
export function scrollToWork(place) {
  const block = place.querySelector(".folded-code pre.code");
  const line = block?.querySelector(".line:not(.dim)");
  if (line) block.scrollTop = line.previousElementSibling ? line.offsetTop : 0;
}

// ---- what arrives ----------------------------------------------------------------------------

function arrivals(arrived, view) {
  const shown = arrived.slice(0, 4);
  const cell = cellSize(shown.map((one) => view.recording.arrays[one.array]), LARGE);
  const row = shown.flatMap((one, index) => [
    index ? sign("+") : null,
    picture(one.array, `from ${one.from}`, view, { role: "grad", cell }),
  ]);
  if (arrived.length > shown.length) row.push(sign(`+ ${arrived.length - shown.length} more`));
  const count = NUMBER_WORDS[arrived.length] ?? arrived.length;
  return element("div", { class: "arrive" }, element("div", { class: "group" }, `${count} gradients arrive and add up`), element("div", { class: "row" }, row));
}

// ---- one rule --------------------------------------------------------------------------------

// A rule that is a whole function stands in the source above already.
function isShort(text) {
  return Boolean(text) && text.length <= 100 && !text.includes("\n") && !text.startsWith("def ");
}

// `summed`: its gradient is a sum drawn before it; `alone`: the source above is this rule already.
function ruleRow(rule, { summed, alone }, view) {
  const parts = rule.parts ?? [];
  const result = rule.unbroadcast ? rule.unbroadcast.raw : rule.result;
  const arrays = [...parts.map((part) => part.array), result].map((id) => view.recording.arrays[id]);
  const cell = cellSize(arrays, alone ? LARGE : SMALL);
  const leads = summed ? [sign("=")] : [];
  const figures = parts.map((part) => drawPart(part, rule, cell, view));
  const target = rule.target ? `goes to ${rule.target}` : `gradient of ${rule.input}`;
  const last = rule.unbroadcast
    ? [picture(result, "as large as the output", view, { role: "grad", cell }), ...unbroadcast(rule.unbroadcast, target, cell, view)]
    : [picture(result, target, view, { role: "grad", strong: true, cell })];
  return element("div", { class: `rule kind-${rule.kind}` },
    !alone && element("div", { class: "rule-name" }, element("span", { class: "muted" }, `to ${rule.target ?? rule.input}`), " ", isShort(rule.text) && element("code", {}, coloured(rule.text, new Set(identifiers(rule.text))))),
    element("div", { class: "row" }, leads, figures, parts.length && parts.at(-1).sign === undefined ? sign("=") : null, last),
    rule.explain && element("p", { class: "explain" }, rule.explain));
}

function drawPart(part, rule, cell, view) {
  if (part.sign !== undefined) return sign(part.sign);
  if (!part.array) return element("span", { class: `literal ${part.role ?? ""}` }, cut(part.text, 60));
  const role = identifiers(part.text).includes("grad") ? "grad" : part.role ?? "plain";
  return picture(part.array, cut(shortened(part.text), 26), view, { role, cell });
}

// A reshape changes no number, and the shape stands under the picture.
function shortened(text) {
  return (text ?? "").replace(/\.reshape\((?:[^()]|\([^()]*\))*\)/g, "");
}

// Broadcasting copied the input; so its gradient is the sum over the copies: an act of its own.
function unbroadcast(sum, target, cell, view) {
  return [
    element("span", { class: "sum" }, element("b", {}, "Σ"), element("small", {}, sum.text)),
    picture(sum.result, target, view, { role: "grad", strong: true, cell }),
  ];
}

// ---- forward and update ----------------------------------------------------------------------

function forwardRow(forward, code, view) {
  const cell = cellSize([...forward.parts.map((part) => part.array), forward.result].map((id) => view.recording.arrays[id]), LARGE);
  const figures = forward.parts.flatMap((part, index) => {
    const drawn = drawPart({ role: "value", ...part }, forward, cell, view);
    const separate = index && part.sign === undefined && forward.parts[index - 1].sign === undefined;
    return [separate ? sign(",") : null, drawn];
  });
  return element("div", { class: `rule kind-${forward.kind ?? "other"}` },
    forward.text && !code.includes(forward.text) && element("div", { class: "rule-name" }, element("code", {}, coloured(cut(forward.text, 200)))),
    element("div", { class: "row" }, figures, forward.parts.length ? sign(forward.arrow ?? "→") : null, picture(forward.result, "value", view, { role: "value", strong: true, cell })),
    forward.explain && element("p", { class: "explain" }, forward.explain));
}

function updateCode(update) {
  if (!update?.text) return null;
  return foldable(element("pre", { class: "code", tabindex: 0, "aria-label": "source of the update" }, coloured(update.text)), update.text.split("\n").length);
}

function updateRow(update, view) {
  const cell = cellSize([update.before, update.grad, update.change, update.after].map((id) => view.recording.arrays[id]), LARGE);
  const settings = Object.entries(update.settings ?? {}).map(([name, value]) => `${name} = ${value}`);
  return element("div", { class: "rule" },
    settings.length > 0 && element("p", { class: "explain" }, settings.join(" · ")),
    element("div", { class: "row" },
      picture(update.before, "before", view, { role: "parameter", cell }), sign("+"),
      picture(update.change, "change", view, { role: "plain", cell }), sign("="),
      picture(update.after, "after", view, { role: "parameter", strong: true, cell }),
      update.grad && element("span", { class: "aside" }, picture(update.grad, "its gradient", view, { role: "grad", cell }))));
}
