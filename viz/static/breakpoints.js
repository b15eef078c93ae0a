// "break on…": where continue and reverse continue stop.

import { cut, element, plural } from "./dom.js";
import { Popover } from "./popover.js";

const KINDS = [
  ["op", "an op", "text"],
  ["name", "a name", "text"],
  ["module", "a module", "text"],
  ["nonfinite", "a number that is not finite", null],
  ["norm", "a gradient norm above", "number"],
  ["zero", "a gradient that is all zero", null],
];

let lists = 0;

// `*`, `?`, `[ab]` and `[!ab]`, as in file names; a bracket that is not closed is itself.
function patternOf(text) {
  const written = text.replace(/[.+^${}()|\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".").replace(/\[!/g, "[^");
  try {
    return new RegExp(`^${written}$`, "s");
  } catch {
    return new RegExp(`^${written.replace(/\[/g, "\\[")}$`, "s");
  }
}

// What Python's breakpoints do, for a page that has no Python to ask.
export function localHits(recording, kind, value) {
  const pattern = patternOf(String(value ?? ""));
  const edge = (id) => recording.edges.get(id);
  const touched = (moment) => [moment.node, ...moment.leaves, ...moment.edges.map((id) => edge(id)?.from)].map((id) => recording.nodes.get(id)?.name ?? "");
  const norms = (moment) => (moment.phase === "backward" ? [moment.norm, ...moment.edges.map((id) => edge(id)?.norm)] : []);
  const holds = {
    op: (moment) => pattern.test(recording.nodes.get(moment.node)?.label ?? ""),
    name: (moment) => touched(moment).some((name) => name && pattern.test(name)),
    module: (moment) => moment.stack.some((id) => pattern.test(recording.modules.get(id)?.path ?? "")),
    nonfinite: (moment) => moment.flags.includes("nonfinite"),
    zero: (moment) => moment.flags.includes("zero-gradient"),
    norm: (moment) => norms(moment).some((norm) => norm > value || norm === "nan" || norm === "inf"),
  }[kind];
  return recording.moments.flatMap((moment, index) => (holds(moment) ? [index] : []));
}

const WORDS = { op: (value) => `op is ${value}`, name: (value) => `${value} is touched`, module: (value) => `inside module ${value}`, nonfinite: () => "a number is not finite", zero: () => "a gradient is all zero", norm: (value) => `a gradient's norm is above ${value}` };

// The answers to break, unbreak and toggle, given in the page.
function answered(message, recording) {
  const points = recording.payload.breakpoints ?? [];
  if (message.type === "break") return [...points, { id: `page${++lists}`, text: WORDS[message.kind](message.value), enabled: true, moments: localHits(recording, message.kind, message.value) }];
  if (message.type === "unbreak") return points.filter((point) => point.id !== message.breakpoint);
  return points.map((point) => (point.id === message.breakpoint ? { ...point, enabled: !point.enabled } : point));
}

export class BreakMenu {
  // `actions`: ask(message), recording(), changed(breakpoints).
  constructor(actions) {
    this.actions = actions;
    this.list = `mt-known-${Math.random().toString(36).slice(2, 8)}${lists++}`;
    this.popover = new Popover("break on…", "stop at an op, a name, a module or a condition", () => this.draw());
    this.element = this.popover.element;
  }

  draw() {
    const kind = element("select", { "aria-label": "kind of breakpoint", onchange: () => this.suggest(kind.value, value) }, KINDS.map(([name, words]) => element("option", { value: name }, words)));
    kind.selectedIndex = 0;
    const value = element("input", { "aria-label": "what to stop at", list: this.list, size: 16 });
    this.known = element("datalist", { id: this.list });
    this.answer = element("p", { class: "muted", role: "status" });
    this.suggest("op", value);
    const form = element("form", { class: "line-form", onsubmit: (event) => { event.preventDefault(); this.add(kind.value, value.value); } },
      kind, value, this.known, element("button", { class: "primary" }, "add"));
    const points = this.actions.recording().payload.breakpoints ?? [];
    return [form, this.answer, element("ul", { class: "breakpoints" }, points.map((point) => this.row(point)))];
  }

  suggest(kind, value) {
    const recording = this.actions.recording();
    const type = KINDS.find(([name]) => name === kind)[2];
    value.hidden = type === null;
    value.value = "";
    value.placeholder = { op: "tanh", name: "fc1.weight", module: "fc1", norm: "1000" }[kind] ?? "";
    const nodes = recording.payload.nodes;
    const names = { op: nodes.map((node) => node.op), name: nodes.map((node) => node.name), module: recording.payload.modules.map((module) => module.path) }[kind] ?? [];
    this.known.replaceChildren(...[...new Set(names)].filter(Boolean).slice(0, 200).map((name) => element("option", { value: cut(name, 200) })));
  }

  row(point) {
    const box = element("input", { type: "checkbox", checked: point.enabled, onchange: () => this.send({ type: "toggle", breakpoint: point.id }) });
    return element("li", {}, element("label", {}, box, " ", cut(point.text, 80)), element("span", { class: "muted" }, ` ${plural(point.moments.length, "moment")} `),
      element("button", { type: "button", "aria-label": `remove: ${cut(point.text, 80)}`, onclick: () => this.send({ type: "unbreak", breakpoint: point.id }) }, "✕"));
  }

  add(kind, typed) {
    const type = KINDS.find(([name]) => name === kind)[2];
    if (type === "number" && !(typed.trim() && Number.isFinite(Number(typed)))) return (this.answer.textContent = "type a number, such as 1000");
    if (type === "text" && !typed.trim()) return (this.answer.textContent = "type a name");
    return this.send({ type: "break", kind, value: type === "number" ? Number(typed) : type === null ? null : typed.trim() });
  }

  async send(message) {
    try {
      const { ask } = this.actions;
      const reply = ask.online ? await ask(message) : { breakpoints: answered(message, this.actions.recording()) };
      this.actions.changed(reply.breakpoints);
      this.popover.refresh();
      if (message.type === "break" && !reply.breakpoints.at(-1)?.moments.length) this.answer.textContent = "set, but nothing in this recording meets it";
    } catch (error) {
      this.answer.textContent = error.message;
    }
  }
}
