// The inspector: the formula in pictures, the numbers beside it, the line that made the node.

import { cut, element, refill } from "./dom.js";
import { drawInspection, scrollToWork } from "./formula.js";
import { drawNumbers, drawWatches, numericCheck } from "./numbers.js";
import { MOST, canPredict, predictionCard } from "./predict.js";
import { drawSource } from "./source.js";
import { Lens } from "./tensors.js";
import { whatIf } from "./whatif.js";

export class Inspector {
  // `actions`: ask(message), select(id), jump(moment), replace(payload), watched(watches).
  constructor(actions) {
    this.actions = actions;
    this.revealed = new Set();
    this.predicting = false;
    this.changed = { node: null, element: 0 }; // which number of which leaf the slider is on
    this.lens = new Lens(actions.ask);
    this.formula = element("div", { class: "formula" });
    this.stats = element("div", {});
    this.what = element("div", {});
    this.watched = element("div", {});
    this.source = element("section", { class: "source", "aria-label": "source" });
    this.element = element("section", { class: "inspect", "aria-label": "inspector" }, this.formula, element("div", { class: "numbers" }, this.what, this.stats, this.watched));
  }

  get view() {
    const { recording, position, actions } = this;
    return {
      recording,
      position,
      ask: actions.ask,
      changed: this.changed,
      open: (id, array, caption) => this.lens.open(id, array, caption),
      jump: actions.jump,
      replace: actions.replace,
      hidden: (id) => this.cover(id),
      isCovered: (id) => this.isCovered(id),
    };
  }

  paint(recording, position, selected) {
    Object.assign(this, { recording, position, selected });
    const node = recording.nodes.get(selected ?? recording.at(position).node) ?? null;
    const { view } = this;
    this.paintFormula(node);
    refill(this.stats, node && drawNumbers(node, view), node && numericCheck(node, view));
    // While its slider is held it stays as it is; all around it shows what the slider has changed.
    const isHeld = this.drawnFor === node?.id && this.what.querySelector(":focus");
    if (!isHeld) refill(this.what, node && whatIf(node, view));
    this.drawnFor = node?.id;
    refill(this.watched, drawWatches(recording.payload.watches, position), node && this.watchButton(node));
    refill(this.source, drawSource(node, view));
  }

  repaint() {
    if (this.recording) this.paint(this.recording, this.position, this.selected);
  }

  // ---- the formula --------------------------------------------------------------------------

  paintFormula(node) {
    const { recording, position } = this;
    if (!node) return refill(this.formula, element("p", { class: "muted" }, recording.moments.length ? recording.at(position).text : "Nothing was recorded: no op ran."));
    const at = this.selected ? recording.momentOf(node, position) : position;
    const inspection = at === null ? null : recording.inspections[at];
    const call = recording.callOf(node);
    const name = element("h3", {}, element("b", {}, cut(node.op ?? node.name ?? node.label, 60)), " ", element("span", { class: "muted" }, cut(inspection?.subtitle ?? call?.label ?? `${node.kind} · ${node.size}`, 80)),
      this.selected && element("button", { type: "button", class: "link", onclick: () => this.actions.select(null) }, "back to the step"));
    refill(this.formula, name, inspection ? [...drawInspection(inspection, this.view), this.tooMany(inspection)] : this.withoutInspection(node, at));
    if (inspection) scrollToWork(this.formula);
    else if (at !== null && this.actions.ask.online) this.fetchInspection(at);
  }

  withoutInspection(node, at) {
    if (at === null && node.kind === "op") return [element("p", { class: "muted" }, "not yet: this op has not run at this moment")];
    if (at === null) return drawInspection({ forward: { parts: [], result: node.value, text: "" } }, this.view);
    return [element("p", { class: "muted" }, this.actions.ask.online ? "reading…" : "The pictures of this moment are not in this page; its numbers are.")];
  }

  async fetchInspection(at) {
    const { recording } = this;
    try {
      const reply = await this.actions.ask({ type: "inspect", moment: at });
      recording.inspections[at] = reply.inspection;
      Object.assign(recording.arrays, reply.arrays);
    } catch (error) {
      refill(this.formula, element("p", { class: "muted" }, error.message));
      return;
    }
    if (recording === this.recording) this.repaint();
  }

  watchButton(node) {
    if (!this.actions.ask.online) return null;
    const watch = async (what) => this.actions.watched((await this.actions.ask({ type: "watch", what, quantity: "norm" })).watches);
    return element("div", { class: "facts" }, element("button", { type: "button", onclick: () => watch(node.value) }, "watch value"), " ", node.wants_grad && node.grad ? element("button", { type: "button", onclick: () => watch(node.grad) }, "watch gradient") : null);
  }

  // ---- predict, then reveal -----------------------------------------------------------------

  togglePredict() {
    this.predicting = !this.predicting;
    this.revealed.clear();
    this.repaint();
    return this.predicting;
  }

  // Covered is what can be typed, in the picture and in the numbers beside it.
  isCovered(id) {
    return this.predicting && !this.revealed.has(id) && canPredict(this.recording.arrays[id]);
  }

  // Whoever wants to predict, and is asked nothing, is told why.
  tooMany({ forward, rules }) {
    const results = [forward?.result, ...(rules ?? []).map((rule) => rule.result)].filter(Boolean);
    const isOpen = this.predicting && results.length > 0 && !results.some((id) => canPredict(this.recording.arrays[id]));
    return isOpen ? element("p", { class: "muted open" }, `Nothing to predict here: a result of more than ${MOST} numbers is not covered.`) : null;
  }

  cover(id) {
    if (!this.isCovered(id)) return null;
    const reveal = () => {
      this.revealed.add(id);
      setTimeout(() => this.repaint(), 600);
    };
    return predictionCard(this.recording.arrays[id], "what comes out?", { done: reveal });
  }
}
