// The debugger's page: one recording, one position in it, and the views that show both.

import { BreakMenu } from "./breakpoints.js";
import { bytes, cut, element, set } from "./dom.js";
import { Find } from "./find.js";
import { drawInspection } from "./formula.js";
import { GraphView } from "./graph.js";
import { KEYS, keyName, listen } from "./keyboard.js";
import { drawNumbers, drawWatches, numericCheck } from "./numbers.js";
import { Popover } from "./popover.js";
import { canPredict, predictionCard } from "./predict.js";
import { Recording } from "./recording.js";
import { drawSource } from "./source.js";
import { Lens } from "./tensors.js";
import { followTheme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { transport } from "./transport.js";
import { whatIf } from "./whatif.js";

export class Debugger {
  // `tell`: what the outside hears, {position(at), select(id), download()}; all optional.
  constructor(host, payload, ask, tell = {}) {
    this.ask = ask;
    this.tell = tell;
    this.position = 0;
    this.selected = null;
    this.revealed = new Set();
    this.predicting = false;
    this.build();
    host.append(this.root);
    this.stopTheme = followTheme(this.root);
    this.show(payload, payload.start ?? 0);
  }

  // ---- the parts ------------------------------------------------------------------------------

  build() {
    const goTo = (at) => this.goTo(at);
    this.graph = new GraphView({ select: (id) => this.select(id), toggle: (module) => this.fold(module), jump: (id) => this.jumpTo(id) });
    this.timeline = new Timeline({ goTo });
    this.lens = new Lens(this.ask);
    this.breaks = new BreakMenu({ ask: this.ask, recording: () => this.recording, changed: (points) => this.setBreakpoints(points) });
    this.find = new Find({ recording: () => this.recording, select: (id) => this.select(id), highlight: (ids) => this.highlight(ids) });
    this.help = new Popover("?", "keys", () => this.helpLines());
    this.title = element("div", { class: "where" });
    this.foldButton = element("button", { type: "button", onclick: () => this.foldAll() }, "fold modules");
    this.predictButton = element("button", { type: "button", "aria-pressed": "false", title: "cover results until you have predicted them (p)", onclick: () => this.togglePredict() }, "predict");
    this.exportButton = element("button", { type: "button", title: "one HTML file that needs neither network nor kernel", onclick: () => this.tell.download?.() }, "export");
    this.steps = element("select", { "aria-label": "training step", hidden: true, onchange: () => this.otherStep(Number(this.steps.value)) });
    this.say = element("p", { class: "say", "aria-live": "polite" });
    this.notices = element("div", { class: "notices" });
    this.formula = element("div", { class: "formula" });
    this.numbers = element("div", { class: "numbers" });
    this.source = element("section", { class: "source", "aria-label": "source" });
    this.transport = transport((command) => this.run(command), () => this.retime());
    this.place = element("div", { class: "pos" });
    const header = element("header", {}, this.steps, this.title, element("span", { class: "grow" }), this.find.element, this.breaks.element, this.predictButton, this.foldButton, this.exportButton, this.help.element);
    const inspector = element("section", { class: "inspect", "aria-label": "inspector" }, this.formula, this.numbers, this.lens.element);
    const footer = element("footer", {}, this.transport.element, this.timeline.element, this.place);
    this.main = element("div", { class: "main" }, this.graph.element, inspector);
    this.root = element("div", { class: "minitorch-debugger", tabindex: 0, role: "group", "aria-label": "visual debugger" }, header, this.notices, this.say, this.main, this.source, footer);
    this.root.tabIndex = 0;
    this.root.dataset.lmSuppressShortcuts = "true";
    listen(this.root, (command) => this.run(command), (way) => this.walk(way));
    this.setOnline(this.ask.online);
  }

  helpLines() {
    const rows = KEYS.map(([keys, , words]) => element("tr", {}, element("td", {}, keys.map((key) => element("kbd", {}, keyName(key)))), element("td", {}, words)));
    rows.push(element("tr", {}, element("td", {}, element("kbd", {}, "shift"), element("kbd", {}, "arrows")), element("td", {}, "walk through the graph")));
    return [element("table", { class: "keys" }, rows), element("p", { class: "muted" }, "Double click a node to go to its moment, a module to open it. Ctrl and wheel zooms.")];
  }

  // ---- what is shown ----------------------------------------------------------------------------

  show(payload, position) {
    this.recording = new Recording(payload);
    this.layout = payload.layout;
    this.position = Math.min(Math.max(0, position), this.recording.last);
    if (!this.recording.nodes.has(this.selected)) this.selected = null;
    this.timeline.draw(this.recording);
    this.timeline.mark(payload.breakpoints);
    this.graph.draw(this.layout, this.recording);
    this.drawNotices();
    this.drawSteps();
    this.setOnline(this.ask.online);
    this.paint();
  }

  // Another run of the same step: the folding stays as it is where the graph is the same.
  replace(payload) {
    const same = payload.nodes.every((node) => this.recording.nodes.has(node.id));
    this.show(same ? { ...payload, layout: this.layout } : payload, this.position);
  }

  setOnline(online) {
    this.exportButton.hidden = !online || !this.tell.download;
    if (!this.recording) return;
    this.foldButton.hidden = !this.canFold();
    this.root.classList.toggle("offline", !online);
    this.paint();
  }

  setBreakpoints(points) {
    this.recording.payload.breakpoints = points;
    this.timeline.mark(points);
  }

  setWatches(watches) {
    this.recording.payload.watches = watches;
    this.paintInspector();
  }

  drawNotices() {
    const { payload } = this.recording;
    const { error, live } = payload;
    this.notices.replaceChildren(...[
      error && element("div", { class: "error", role: "alert" }, element("b", {}, error.title), element("p", {}, cut(error.message, 2000)),
        error.words && error.words !== error.message && element("p", {}, error.words),
        element("ul", {}, (error.inputs ?? []).map((input) => element("li", {}, element("code", {}, input.name), " ", input.text)))),
      live && element("div", { class: "live" }, element("b", {}, live.state), " ", live.reason ?? "",
        live.state === "paused" && this.ask.online && [element("button", { type: "button", class: "primary", onclick: () => this.command("continue") }, "continue the run"), element("button", { type: "button", onclick: () => this.command("stop") }, "stop it")]),
      !error && this.troubles(),
      (payload.notes ?? []).length > 0 && element("p", {}, payload.notes.join(" · ")),
    ].filter(Boolean));
  }

  // One way to the place of each trouble.
  troubles() {
    const { troubles } = this.recording.payload;
    const ways = (troubles ?? []).map((trouble) => element("button", { type: "button", class: "link", "data-trouble": trouble.kind, title: "go there", onclick: () => this.goTo(trouble.moment, trouble.node) }, `⚠ ${cut(trouble.text, 400)}`));
    return ways.length > 0 && element("div", { class: "troubles" }, ways);
  }

  drawSteps() {
    const { steps, step } = this.recording.payload;
    this.steps.hidden = !(steps > 1) || !this.ask.online;
    this.steps.replaceChildren(...Array.from({ length: steps > 1 ? Math.min(steps, 500) : 0 }, (_, index) => element("option", { value: index }, `step ${index + 1}`)));
    this.steps.selectedIndex = step;
  }

  // A step is painted at once where it only changes classes; the inspector follows in the next frame.
  paint() {
    const { recording, position } = this;
    const moment = recording.at(position);
    this.graph.paint(position, this.selected);
    this.timeline.paint(position, moment);
    set(this.root, "data-phase", moment.phase);
    this.paintTitle(moment);
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => this.paintInspector());
  }

  paintTitle(moment) {
    const node = this.recording.nodes.get(moment.node);
    const { payload } = this.recording;
    this.title.replaceChildren(...[
      payload.steps > 1 && this.ask.online ? null : element("b", {}, cut(payload.title, 30)), element("span", { class: "sep", "aria-hidden": "true" }, "›"),
      element("span", { class: `phase ${moment.phase}` }, moment.phase),
      moment.of ? element("span", {}, `${moment.number} of ${moment.of}`) : null,
      node && element("span", { class: "what" }, "· ", element("b", {}, cut(node.op ?? node.label, 28)), node.number ? element("i", {}, ` #${node.number}`) : null),
    ].filter(Boolean));
    this.say.textContent = cut(moment.text, 300);
    const total = this.recording.moments.length;
    this.place.replaceChildren(element("div", {}, element("b", {}, total ? this.position + 1 : 0), ` / ${total}`), element("div", { class: "muted" }, `memory ${bytes(moment.memory)}`));
  }

  get shownNode() {
    return this.recording.nodes.get(this.selected ?? this.recording.at(this.position).node) ?? null;
  }

  get context() {
    return {
      recording: this.recording,
      position: this.position,
      ask: this.ask,
      whatIfElement: this.whatIfElement,
      open: (id, array, caption) => this.lens.open(id, array, caption),
      jump: (moment) => this.goTo(moment, this.selected),
      replace: (payload) => this.replace(payload),
      hidden: (id) => this.cover(id),
    };
  }

  paintInspector() {
    const node = this.shownNode;
    if (this.root.querySelector(".whatif :focus") && this.drawnFor === node?.id) return this.paintFormula(node);
    this.drawnFor = node?.id;
    const context = this.context;
    this.paintFormula(node);
    this.numbers.replaceChildren(...[node && drawNumbers(node, context), node && numericCheck(node, context), node && whatIf(node, context), drawWatches(this.recording.payload.watches, this.position), node && this.watchButton(node)].flat().filter(Boolean));
    this.source.replaceChildren(...drawSource(node, context));
  }

  paintFormula(node) {
    if (!node) return this.formula.replaceChildren(element("p", { class: "muted" }, this.recording.moments.length ? this.recording.at(this.position).text : "Nothing was recorded: no op ran."));
    const at = this.selected ? this.recording.momentOf(node, this.position) : this.position;
    const inspection = at === null ? null : this.recording.inspections[at];
    const call = this.recording.callOf(node);
    const name = element("h3", {}, element("b", {}, cut(node.op ?? node.name ?? node.label, 60)), " ", element("span", { class: "muted" }, cut(inspection?.subtitle ?? call?.label ?? `${node.kind} · ${node.size}`, 80)),
      this.selected && element("button", { type: "button", class: "link", onclick: () => this.select(null) }, "back to the step"));
    if (inspection) return this.formula.replaceChildren(name, ...drawInspection(inspection, this.context).filter(Boolean));
    this.formula.replaceChildren(name, ...this.withoutInspection(node, at).filter(Boolean));
    if (at !== null && this.ask.online) this.fetchInspection(at);
    return null;
  }

  withoutInspection(node, at) {
    if (at === null && node.kind === "op") return [element("p", { class: "muted" }, "not yet: this op has not run at this moment")];
    if (at === null) return drawInspection({ forward: { parts: [], result: node.value, text: "" } }, this.context);
    return [element("p", { class: "muted" }, this.ask.online ? "reading…" : "The pictures of this moment are not in this page; its numbers are.")];
  }

  async fetchInspection(at) {
    const { recording } = this;
    try {
      const reply = await this.ask({ type: "inspect", moment: at });
      recording.inspections[at] = reply.inspection;
      Object.assign(recording.arrays, reply.arrays);
    } catch (error) {
      this.formula.querySelector("p")?.replaceChildren(error.message);
      return;
    }
    if (recording === this.recording) this.paintInspector();
  }

  watchButton(node) {
    if (!this.ask.online) return null;
    const watch = async (what) => {
      this.setWatches((await this.ask({ type: "watch", what, quantity: "norm" })).watches);
    };
    return element("div", { class: "facts" }, element("button", { type: "button", onclick: () => watch(node.value) }, "watch value"), " ", node.wants_grad && node.grad ? element("button", { type: "button", onclick: () => watch(node.grad) }, "watch gradient") : null);
  }

  // ---- predict, then reveal -------------------------------------------------------------------

  togglePredict() {
    this.predicting = !this.predicting;
    this.predictButton.setAttribute("aria-pressed", String(this.predicting));
    this.revealed.clear();
    this.paintInspector();
  }

  cover(id) {
    const array = this.recording.arrays[id];
    if (!this.predicting || this.revealed.has(id) || !canPredict(array)) return null;
    return predictionCard(array, "what comes out?", { done: () => { this.revealed.add(id); setTimeout(() => this.paintInspector(), 600); } });
  }

  // ---- moving ---------------------------------------------------------------------------------

  goTo(position, selected = null, quiet = false) {
    this.position = Math.min(Math.max(0, position), this.recording.last);
    const changed = this.selected !== selected;
    this.selected = selected;
    this.paint();
    if (quiet) return;
    this.tell.position?.(this.position);
    if (changed) this.tell.select?.(selected);
  }

  select(id, quiet = false) {
    this.selected = this.recording.nodes.has(id) ? id : null;
    this.paint();
    if (!quiet) this.tell.select?.(this.selected);
  }

  jumpTo(id) {
    const node = this.recording.nodes.get(id);
    if (!node) return;
    const moments = [node.forward_at, node.backward_at, node.update_at].filter((moment) => moment !== null && moment !== undefined);
    const next = moments.find((moment) => moment > this.position) ?? moments[0];
    if (next !== undefined) this.goTo(next);
  }

  run(command) {
    const { recording, position } = this;
    if (command !== "play" && command !== "escape" && command !== "help") this.pause();
    switch (command) {
      case "step": return this.goTo(position + 1);
      case "back": return this.goTo(position - 1);
      case "over": return this.goTo(recording.over(position));
      case "out": return this.goTo(recording.out_of(position));
      case "continue": return this.goTo(recording.nextStop(position));
      case "reverse": return this.goTo(recording.previousStop(position));
      case "first": return this.goTo(0);
      case "last": return this.goTo(recording.last);
      case "play": return this.timer ? this.pause() : this.play();
      case "fold": return this.canFold() ? this.foldAll() : null;
      case "find": return this.find.input.focus();
      case "predict": return this.togglePredict();
      case "help": return this.help.toggle();
      default: return this.escape();
    }
  }

  escape() {
    if (this.lens.close() || this.help.close() || this.breaks.popover.close()) return;
    this.pause();
    this.select(null);
    this.root.focus();
  }

  play() {
    if (this.position >= this.recording.last) this.goTo(0);
    this.transport.playing(true);
    const stops = new Set(this.recording.stops());
    const tick = () => {
      this.goTo(this.position + 1);
      if (this.position >= this.recording.last || stops.has(this.position)) this.pause();
    };
    this.timer = setInterval(tick, 800 / this.transport.speed());
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.transport.playing(false);
  }

  retime() {
    if (!this.timer) return;
    this.pause();
    this.play();
  }

  // Shift and arrows: along the edges, or to the node before and after.
  walk(way) {
    const { recording } = this;
    const here = this.shownNode;
    if (!here) return;
    const nodes = recording.payload.nodes;
    const index = nodes.indexOf(here);
    const next = {
      into: () => recording.into.get(here.id)[0]?.from,
      out: () => recording.out.get(here.id)[0]?.to,
      previous: () => nodes[index - 1]?.id,
      next: () => nodes[index + 1]?.id,
    }[way]();
    if (next) this.select(next);
  }

  highlight(ids) {
    this.graph.highlight(ids);
    this.graph.paint(this.position, this.selected, false);
  }

  // ---- folding --------------------------------------------------------------------------------

  get openModules() {
    return this.layout.open ?? [];
  }

  canFold() {
    const { modules, layouts } = this.recording.payload;
    return modules.length > 0 && this.layout.engine !== "none" && (this.ask.online || Object.keys(layouts ?? {}).length > 1);
  }

  foldAll() {
    return this.openAs(this.openModules.length ? [] : this.recording.payload.modules.map((module) => module.id));
  }

  fold(id) {
    const open = new Set(this.openModules);
    if (open.has(id)) open.delete(id);
    else open.add(id);
    return this.openAs([...open], id);
  }

  async openAs(open, toggled) {
    const stored = this.storedLayout(open, toggled);
    if (stored) return this.relayout(stored);
    if (!this.ask.online) return this.complain("This page holds only some foldings of the graph; with a running kernel every module opens by itself.");
    try {
      return this.relayout((await this.ask({ type: "layout", open })).layout);
    } catch (error) {
      return this.complain(error.message);
    }
  }

  // Exports hold a few foldings: none open, all open, and each module alone.
  storedLayout(open, toggled) {
    const layouts = this.recording.payload.layouts ?? {};
    const wanted = [...open].sort().join();
    const exact = Object.values(layouts).find((layout) => [...(layout.open ?? [])].sort().join() === wanted);
    if (exact || this.ask.online) return exact;
    if (!open.length) return layouts[""];
    return layouts[toggled && open.includes(toggled) ? toggled : open.length > 1 ? "*" : ""];
  }

  relayout(layout) {
    this.layout = layout;
    this.foldButton.textContent = this.openModules.length ? "fold modules" : "open modules";
    this.graph.draw(layout, this.recording);
    this.paint();
  }

  complain(words) {
    this.say.textContent = words;
  }

  // ---- the kernel -----------------------------------------------------------------------------

  async otherStep(index) {
    try {
      this.show((await this.ask({ type: "step", index })).payload, this.position);
    } catch (error) {
      this.complain(error.message);
    }
  }

  async command(type) {
    try {
      await this.ask({ type });
    } catch (error) {
      this.complain(error.message);
    }
  }

  close() {
    this.pause();
    cancelAnimationFrame(this.waiting);
    this.graph.close();
    this.stopTheme();
    this.root.remove();
  }
}
