// The debugger's page: one recording, one position in it, and the views that show both.

import { BreakMenu } from "./breakpoints.js";
import { bytes, cut, element, refill, set } from "./dom.js";
import { Find } from "./find.js";
import { GraphView } from "./graph.js";
import { Inspector } from "./inspector.js";
import { KEYS, keyName, listen } from "./keyboard.js";
import { Popover } from "./popover.js";
import { Recording } from "./recording.js";
import { fitRoom } from "./room.js";
import { followTheme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { transport } from "./transport.js";

const TALL = 320; // pixels; a lower drawing fits above the inspector as it is
const WIDE = 1150; // with less width the inspector beside a graph could not be read

export class Debugger {
  // `tell`: what the outside hears, {position(at), select(id), download()}; all optional.
  constructor(host, payload, ask, tell = {}) {
    this.ask = ask;
    this.tell = tell;
    this.position = 0;
    this.selected = null;
    this.build();
    host.append(this.root);
    this.stopTheme = followTheme(this.root);
    this.stopRoom = fitRoom(this.root, this.notices, () => this.arrange());
    this.show(payload, payload.start ?? 0);
  }

  // ---- the parts ------------------------------------------------------------------------------

  build() {
    const goTo = (at) => this.goTo(at);
    this.graph = new GraphView({ select: (id) => this.select(id), toggle: (module) => this.fold(module), jump: (id) => this.jumpTo(id) });
    this.timeline = new Timeline({ goTo });
    this.inspector = new Inspector({ ask: this.ask, select: (id) => this.select(id), jump: (moment) => this.goTo(moment, this.selected), replace: (payload) => this.replace(payload), watched: (watches) => this.setWatches(watches) });
    this.breaks = new BreakMenu({ ask: this.ask, recording: () => this.recording, changed: (points) => this.setBreakpoints(points) });
    this.find = new Find({ recording: () => this.recording, select: (id) => this.select(id), highlight: (ids) => this.highlight(ids) });
    this.help = new Popover("?", "keys", () => this.helpLines());
    this.title = element("div", { class: "where" });
    this.foldButton = element("button", { type: "button", onclick: () => this.foldAll() }, "fold modules");
    this.predictButton = element("button", { type: "button", "aria-pressed": "false", title: "cover results until you have predicted them (p)", onclick: () => this.togglePredict() }, "predict");
    this.exportButton = element("button", { type: "button", title: "one HTML file that needs neither network nor kernel", onclick: () => this.tell.download?.() }, "export");
    this.steps = element("select", { "aria-label": "training step", hidden: true, onchange: () => this.otherStep(Number(this.steps.value)) });
    this.say = element("p", { class: "say", "aria-live": "polite" });
    this.chosen = element("p", { class: "unseen", role: "status" }); // the picture shows it to the others
    this.notices = element("div", { class: "notices" });
    this.transport = transport((command) => this.run(command), () => this.retime());
    this.place = element("div", { class: "pos" });
    const header = element("header", {}, this.steps, this.title, element("span", { class: "grow" }), this.find.element, this.breaks.element, this.predictButton, this.foldButton, this.exportButton, this.help.element);
    const footer = element("footer", {}, this.transport.element, this.timeline.element, this.place);
    this.root = element("div", { class: "minitorch-debugger", tabindex: 0, role: "group", "aria-label": "visual debugger" }, header, this.notices, this.say, this.chosen, this.graph.element, this.inspector.element, this.inspector.source, footer, this.inspector.lens.element);
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
    this.arrange();
    this.graph.draw(this.layout, this.recording);
    this.drawNotices();
    this.drawSteps();
    this.setOnline(this.ask.online);
    this.paint();
  }

  // A chain runs along the page, above the inspector; a tall graph stands beside it.
  arrange() {
    const { width, height, engine } = this.layout ?? {};
    const tall = engine !== "none" && height > Math.max(width, TALL);
    this.root.classList.toggle("beside", tall && this.root.offsetWidth >= WIDE);
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
    refill(this.title, [
      payload.steps > 1 && this.ask.online ? null : element("b", {}, cut(payload.title, 30)), element("span", { class: "sep", "aria-hidden": "true" }, "›"),
      element("span", { class: `phase ${moment.phase}` }, moment.phase),
      moment.of ? element("span", {}, `${moment.number} of ${moment.of}`) : null,
      node && element("span", { class: "what" }, "· ", element("b", {}, cut(node.op ?? node.label, 28)), node.number ? element("i", {}, ` #${node.number}`) : null),
    ]);
    this.say.textContent = cut(moment.text, 300);
    const total = this.recording.moments.length;
    refill(this.place, element("div", {}, element("b", {}, total ? this.position + 1 : 0), ` / ${total}`), element("div", { class: "muted" }, `memory ${bytes(moment.memory)}`));
  }

  get shownNode() {
    return this.recording.nodes.get(this.selected ?? this.recording.at(this.position).node) ?? null;
  }

  paintInspector() {
    this.inspector.paint(this.recording, this.position, this.selected);
  }

  togglePredict() {
    this.predictButton.setAttribute("aria-pressed", String(this.inspector.togglePredict()));
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
    this.chosen.textContent = this.selected ? `selected: ${this.recording.describe(this.shownNode, this.position)}` : "";
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
      case "continue": return this.resume(recording.nextStop(position), recording.last, "end");
      case "reverse": return this.resume(recording.previousStop(position), 0, "beginning");
      case "first": return this.goTo(0);
      case "last": return this.goTo(recording.last);
      case "play": return this.timer ? this.pause() : this.play();
      case "here": return this.selected ? this.jumpTo(this.selected) : null;
      case "module": return this.toggleModule();
      case "fold": return this.canFold() ? this.foldAll() : null;
      case "find": return this.find.input.focus();
      case "predict": return this.togglePredict();
      case "help": return this.help.toggle();
      default: return this.escape();
    }
  }

  // On to a breakpoint, and say which; without one to an end, and say what one could stop at.
  resume(stop, end, word) {
    const from = this.position;
    this.goTo(stop ?? end);
    const points = (this.recording.payload.breakpoints ?? []).filter((point) => point.enabled);
    const met = points.filter((point) => point.moments.includes(stop)).map((point) => point.text);
    if (stop !== null) return this.say.prepend(element("b", {}, `Stopped where ${cut(met.join(" and "), 200)}. `));
    const why = points.length ? "no breakpoint is on the way" : "no breakpoint is set";
    const here = from === this.position ? `This is the ${word}` : `Went to the ${word}`;
    return this.say.replaceChildren(element("b", {}, `${here}: ${why}. `), element("span", { class: "offers" }, "Stop at", this.offers(from)));
  }

  offers(from) {
    const moment = this.recording.at(from);
    const op = this.recording.nodes.get(moment.node)?.op;
    const module = this.recording.modules.get(moment.stack.at(-1))?.path;
    const offer = (words, kind, value = null) => element("button", { type: "button", class: "link", onclick: () => this.stopAt(kind, value, from) }, cut(words, 60));
    return [offer("numbers that are not finite", "nonfinite"), offer("gradients that are all zero", "zero"), op && offer(`every ${op}`, "op", op), module && offer(`module ${module}`, "module", module),
      element("button", { type: "button", class: "link", onclick: () => this.breaks.popover.open() }, "something else…")];
  }

  // Set what was offered and go on from where the reader was.
  async stopAt(kind, value, from) {
    await this.breaks.send({ type: "break", kind, value });
    this.goTo(from);
    this.root.focus();
    this.run("continue");
  }

  escape() {
    if (this.inspector.lens.close() || this.help.close() || this.breaks.popover.close()) return;
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

  toggleModule() {
    const module = this.canFold() && this.shownNode ? this.graph.moduleOf(this.shownNode) : null;
    return module ? this.fold(module) : null;
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
    this.arrange();
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
    this.stopRoom();
    this.root.remove();
  }
}
